"""LightDM with the GTK greeter on an X display without a screen."""

import glob
import pathlib
import subprocess

import stacks
from display import Display, wait
from helper import run
from locked import Watch

SERVICE = "lightdm"
UNIT = "lightdm-trial"
ENTERED = pathlib.Path("/run/hosts-lightdm")
CONFIGURATION = """[LightDM]
logind-check-graphical=false
minimum-display-number=50
[Seat:*]
xserver-command=/usr/local/bin/xserver-without-screen
greeter-session=lightdm-gtk-greeter
greeter-hide-users=false
user-session=trial
"""
# LightDM passes options of a server with virtual terminals. A server begins anew when its last client has gone, and takes none
# meanwhile, the greeter neither: each look for the greeter would be the last one.
SERVER = """#!/bin/bash
display=:0 authority=
while [ $# -gt 0 ]; do
  case $1 in
    :*) display=$1 ;;
    -auth) authority=$2; shift ;;
  esac
  shift
done
mkdir -p "/run/hosts-screens/${display#:}"
exec /usr/bin/Xvfb "$display" -screen 0 800x600x24 -nolisten tcp -noreset -fbdir "/run/hosts-screens/${display#:}" ${authority:+-auth "$authority"}
"""
SESSION = "[Desktop Entry]\nName=trial\nExec=/usr/local/bin/trial-session\nType=Application\n"


def prepare():
    pathlib.Path("/etc/lightdm/lightdm.conf.d").mkdir(parents=True, exist_ok=True)
    pathlib.Path("/etc/lightdm/lightdm.conf.d/99-hosts.conf").write_text(CONFIGURATION)
    script("trial-session", f"#!/bin/sh\nid -un > {ENTERED}/entered\nsleep 60\n")
    script("xserver-without-screen", SERVER)
    pathlib.Path("/usr/share/xsessions").mkdir(exist_ok=True)
    pathlib.Path("/usr/share/xsessions/trial.desktop").write_text(SESSION)


def script(name, text):
    path = pathlib.Path("/usr/local/bin", name)
    path.write_text(text)
    path.chmod(0o755)


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    subprocess.run(["rm", "-rf", str(ENTERED)], check=True)
    ENTERED.mkdir()
    ENTERED.chmod(0o777)
    try:
        try:
            screen = start()
        except RuntimeError:
            # At times it does not hear that its X server is ready, and waits for ever: before PAM is asked anything.
            run("systemctl", "stop", UNIT)
            screen = start()
        prompts = asks_after_the_pose if case.stack == "sufficient" else asks
        return Watch(screen, evidence).unlock(case, is_open=(ENTERED / "entered").exists, prompts=prompts, confirms=True)
    finally:
        run("systemctl", "stop", UNIT)


def start():
    """LightDM, until its greeter is there; its screen."""
    run("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", "/usr/sbin/lightdm")
    wait(lambda: glob.glob("/run/lightdm/root/:*"), "LightDM started no display")
    (authority,) = glob.glob("/run/lightdm/root/:*")
    screen = Display(pathlib.Path(authority).name, authority)
    wait(lambda: screen.try_to("xdotool", "search", "--class", "lightdm-gtk-greeter"), "no greeter came")
    screen.clear()
    return screen


def asks(text):
    """The greeter's field has no label; while it shows something to do, it takes no password."""
    return "Log In" in text and "(within" not in text


def asks_after_the_pose(text):
    """Where the pose comes first, the greeter shows its field for a moment before anything is asked."""
    return asks(text) and ("Not recognised" in text or "not available" in text)
