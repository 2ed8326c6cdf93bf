"""greetd with its own greeter agreety on a terminal, as the person before it."""

import pathlib
import subprocess

import stacks
from display import wait
from helper import run
from seen import Seen

SERVICE = "greetd"
UNIT = "greetd-trial"
FOLDER = pathlib.Path("/run/hosts-greetd")
# What greetd starts instead of a greeter on a virtual terminal, which no container has: agreety on a pseudo-terminal.
GREETER = '[terminal]\nvt = "none"\n[default_session]\ncommand = "python3 -B /opt/hosts/agreety.py"\nuser = "_greetd"\n'


def prepare():
    pathlib.Path("/etc/greetd/config.toml").write_text(GREETER)


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    subprocess.run(["rm", "-rf", str(FOLDER)], check=True)
    FOLDER.mkdir(mode=0o777)
    FOLDER.chmod(0o777)
    (FOLDER / "passwords").write_text("\n".join(case.passwords))
    run("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", "greetd")
    try:
        wait(lambda: (FOLDER / "entered").exists() or (FOLDER / "refused").exists() or not runs(), "greetd came to no end")
    finally:
        # It ends by itself when its greeter ends without a session.
        subprocess.run(["systemctl", "stop", UNIT], stderr=subprocess.DEVNULL, check=False)
    entered = (FOLDER / "entered").exists() and (FOLDER / "entered").read_text().strip() == "ben"
    shown = (FOLDER / "screen").read_text() if (FOLDER / "screen").exists() else ""
    return Seen(entered, shown, [evidence.text(shown)])


def runs():
    return subprocess.run(["systemctl", "is-active", "--quiet", UNIT], check=False).returncode == 0
