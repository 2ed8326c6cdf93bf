"""The helper under its shipped unit, on recorded input: what the camera will see, one state for every case, its verdict."""

import contextlib
import csv
import pathlib
import re
import shutil
import subprocess
import time

HERE = pathlib.Path("/opt/hosts")
STATE = pathlib.Path("/var/lib/pam_pose-recorded")
# States that cases begin with, by name.
KEPT = pathlib.Path("/var/lib/pam_pose-kept")
FILM = HERE / "film.toml"
UNIT = "pose-helperd.service"
CONFIGURATION = pathlib.Path("/etc/pam_pose/helperd.toml")
SHIPPED = HERE / "helperd.toml"
# All that the tests change in the shipped unit: the program, and a state directory that is not the real one.
DROP_IN = """[Service]
ExecStart=
ExecStart={here}/pose-helperd-recorded --config /etc/pam_pose/helperd.toml --state {state}/state --input {film} \\
  --models /usr/lib/pam_pose/models --runtime {runtime}
StateDirectory={state.name}
"""


def run(*command, **options):
    """Runs a command that has to succeed; its output."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def use_recordings():
    """Puts the drop-in beside the shipped unit."""
    folder = pathlib.Path("/run/systemd/system") / f"{UNIT}.d"
    folder.mkdir(parents=True)
    (runtime,) = pathlib.Path("/usr/lib/pam_pose").glob("libonnxruntime.so.*")
    (folder / "recorded.conf").write_text(DROP_IN.format(here=HERE, state=STATE, film=FILM, runtime=runtime))
    FILM.write_text("")
    run("systemctl", "daemon-reload")


def enrol(user, password, clips):
    """Enrols a user with one clip a repetition, by posectl as root does it."""
    film(f"enrol = [{', '.join(clip_path(clip) for clip in clips)}]\n")
    words = run("posectl", "enroll", user, "--repetitions", str(len(clips)), "--yes", input=f"{password}\n{password}\n")
    stop()
    return words


def keep_state(name):
    """What is enrolled now is what cases can begin with, under this name."""
    stop()
    KEPT.mkdir(mode=0o700, exist_ok=True)
    run("cp", "-a", STATE, KEPT / name)


def fresh(name, script):
    """A stopped helper that will start with that state and see this film; D-Bus starts it when it is called."""
    stop()
    shutil.rmtree(STATE, ignore_errors=True)
    run("cp", "-a", KEPT / name, STATE)
    film(script)


def configure(lines):
    """The shipped configuration and these lines, for the next start."""
    if not SHIPPED.exists():
        shutil.copy(CONFIGURATION, SHIPPED)
    CONFIGURATION.write_text(SHIPPED.read_text() + lines)


def film(script):
    FILM.write_text(script)


def login_film(gesture, challenge, fault=""):
    """The clip `gesture`; then a person who does each movement that is asked for, one clip whatever is asked, or, with
    `challenge` None, somebody who sits still."""
    lines = [fault, f"gesture = {clip_path(gesture)}"]
    with open(HERE / "recordings" / "index.csv", encoding="utf-8") as index:
        rows = [row for row in csv.DictReader(index) if row["kind"] == "challenge" and row["identity"] == challenge]
    if rows:
        lines.append("[challenge]")
        lines += [f"{row['gesture']} = {clip_path(row['file'].removesuffix('.avi'))}" for row in rows]
    elif challenge:
        lines.append(f"default_challenge = {clip_path(challenge)}")
    return "\n".join(lines) + "\n"


def clip_path(clip):
    path = HERE / "recordings" / f"{clip}.avi"
    if not path.exists():
        raise RuntimeError(f"there is no recording {path}")
    return f'"{path}"'


@contextlib.contextmanager
def shipped():
    """For a while, the program that is shipped, on its own store."""
    drop_in, aside = f"/run/systemd/system/{UNIT}.d/recorded.conf", "/run/recorded.conf"
    stop()
    run("mv", drop_in, aside)
    run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        stop()
        run("mv", aside, drop_in)
        run("systemctl", "daemon-reload")


def status():
    """What the helper says of itself; it is started for it."""
    return run("busctl", "call", "org.pam_pose.Helper1", "/org/pam_pose/Helper1", "org.pam_pose.Helper1", "Status")


def stop():
    run("systemctl", "stop", UNIT)
    # A quick row of starts is what these tests do, not a fault.
    subprocess.run(["systemctl", "reset-failed", UNIT], stderr=subprocess.DEVNULL, check=False)


def take_away():
    """The helper cannot be started any more."""
    stop()
    run("systemctl", "mask", "--runtime", UNIT)


def give_back():
    run("systemctl", "unmask", "--runtime", UNIT)


def journal_position():
    """Where the journal ends now."""
    text = run("journalctl", "--show-cursor", "--lines=0", "--quiet")
    return text.split("-- cursor: ")[1].strip()


def outcomes_since(position, service):
    """The outcomes of the audit lines of a PAM service, oldest first."""
    run("journalctl", "--sync")
    # Not by --identifier: together with --after-cursor it skips the first line that fits.
    found = re.findall(r' pose-helperd\[\d+\]: pam_pose verdict outcome="(\w+)".* service="([^"]*)"', said_since(position))
    return [outcome for outcome, name in found if name == service]


def verdicts_since(position):
    """What helper and module logged about ends of attempts since then; "" while none has ended."""
    lines = said_since(position).splitlines()
    return "\n".join(line for line in lines if "pam_pose verdict" in line or " pam_pose(" in line)


def wait_for_verdict(position, seconds=30):
    """Waits until the helper has written down how an attempt ended."""
    limit = time.monotonic() + seconds
    while "pam_pose verdict" not in said_since(position):
        if time.monotonic() > limit:
            raise RuntimeError(f"no verdict within {seconds} s")
        time.sleep(0.2)


def said_since(position):
    """All that the journal holds since then, to be shown when a case fails."""
    return run("journalctl", "--quiet", "--output=short-monotonic", f"--after-cursor={position}")
