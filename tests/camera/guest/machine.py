"""The guest as an administrator furnishes it: the README's steps after `make install`, users, PAM lines, the camera."""
import contextlib
import glob
import os
import re
import subprocess

import plug

CHECKOUT = os.environ["CHECKOUT"]
PASSWORDS = {"ben": "correct horse", "chidi": "battery staple"}
CLIPS = [p for p in os.environ.get("CLIPS", "").split(":") if p] + [CHECKOUT + "/tests/recordings"]
CONFIG = "/etc/pam_pose/helperd.toml"
# As the README says for sudo; without the two seconds that pam_unix holds any failure up, which are not what is measured.
STACK = "auth required pam_unix.so nodelay\nauth required pam_pose.so pose_only nouserok\n"
DISPLAY = ":7"
# Where the host looks for what is to be kept.
OUT = os.environ["OUT"]


def run(*command, **options):
    """A command that must succeed; its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    plug.check(done.returncode == 0, f"{' '.join(command)}: {done.returncode} {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout


def said(*command):
    """All that a command says, whether or not it succeeds."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120).stdout


def furnish():
    for module in ("vhci-hcd", "uvcvideo"):
        run("modprobe", "-d", os.environ["MODULES"], module)
    run("systemd-sysusers")
    run("systemd-tmpfiles", "--create")
    run("systemctl", "daemon-reload")
    run("systemctl", "reload", "dbus")
    for user, password in PASSWORDS.items():
        run("useradd", "-m", "-s", "/bin/sh", "-G", "sudo", user)
        run("chpasswd", input=f"{user}:{password}\n")
    # A session on a terminal of this kernel has no seat of its own: it has no virtual terminals.
    change("/etc/environment", lambda text: text + "XDG_SEAT=seat0\n")
    for service in ("sudo", "login"):
        change(f"/etc/pam.d/{service}", lambda text: text.replace("@include common-auth\n", STACK))
    # Once, so that a refusal ends there.
    change("/etc/sudoers.d/once", lambda _: "Defaults passwd_tries=1\n")
    change("/etc/pam.d/i3lock", lambda _: STACK + "account required pam_unix.so\n")
    # This kernel wakes by a signal from outside only; for everybody but the kernel a sleep is what logind says it is.
    os.makedirs("/etc/systemd/system/systemd-suspend.service.d")
    change("/etc/systemd/system/systemd-suspend.service.d/short.conf",
           lambda _: "[Service]\nExecStart=\nExecStart=/bin/sleep 3\n")
    run("systemctl", "daemon-reload")
    # The simulated camera is plugged in, as every USB camera whose port nobody calls fixed.
    # Two threads would wait for each other by turning round, while this clock stands and the kernel takes no turns.
    configure({"allow_external": "true", "threads": "1"})


def configure(keys):
    """Sets keys of the helper's configuration and ends the helper, which the next call starts anew."""
    def changed(text):
        for key, value in keys.items():
            text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
            plug.check(count == 1, f"{key} is not in the shipped configuration")
        return text
    change(CONFIG, changed)
    run("systemctl", "stop", "pose-helperd")


@contextlib.contextmanager
def configured(keys):
    """As `configure`, for the time of the block."""
    before = open(CONFIG).read()
    configure(keys)
    try:
        yield
    finally:
        change(CONFIG, lambda _: before)
        run("systemctl", "stop", "pose-helperd")


def change(path, edit):
    text = open(path).read() if os.path.exists(path) else ""
    new = edit(text)
    plug.check(new != text, f"nothing to change in {path}")
    with open(path, "w") as file:
        file.write(new)


def clip(name):
    """A recording's path."""
    found = [path for folder in CLIPS if os.path.exists(path := f"{folder}/{name}.avi")]
    plug.check(found, f"there is no recording {name}.avi in {CLIPS}")
    return found[0]


def movements():
    """The instruction of each challenge movement, and its name, as the engine has them."""
    names, texts = {}, {}
    for path in glob.glob(CHECKOUT + "/engine/src/challenge/*.rs") + [CHECKOUT + "/engine/src/challenge.rs"]:
        for variant, text in re.findall(r'Self::(\w+) => "([^"]+)"', open(path).read()):
            (names if re.fullmatch(r"[a-z_]+", text) else texts).setdefault(variant, text)
    table = {text: names[variant] for variant, text in texts.items() if variant in names}
    plug.check(len(table) >= 8, f"challenge movements in the engine's source: {table}")
    return table


def camera(port=0):
    """The webcam, of the recordings' size."""
    recording = clip("ben_circle_touch_3")
    return plug.Camera({"MJPG": plug.jpegs(recording)[:1]}, plug.size_of(recording), port=port)


def lock(user, locked):
    """Has logind say that the user's session is locked, as a desktop's locker does, and the helper hear of it."""
    bus = "org.freedesktop.login1"
    number = [line.split()[0] for line in run("loginctl", "list-sessions", "--no-legend").splitlines() if user in line.split()][0]
    path = run("busctl", "call", bus, "/org/freedesktop/login1", f"{bus}.Manager", "GetSession", "s", number).split('"')[1]
    run("busctl", "call", bus, path, f"{bus}.Session", "SetLockedHint", "b", str(locked).lower())
    helper = "org.pam_pose.Helper1"
    lasting = str(2**64 - 1)
    plug.until(lambda: (lasting in run("busctl", "call", helper, "/org/pam_pose/Helper1", helper, "Status")) == locked,
               f"the helper's knowledge that the session is locked: {locked}", pause=1)


@contextlib.contextmanager
def software_camera():
    """A camera of the kernel's own test driver; its node."""
    before = set(glob.glob("/dev/video*"))
    run("modprobe", "-d", os.environ["MODULES"], "vivid", "n_devs=1", "node_types=0x1")
    plug.until(lambda: set(glob.glob("/dev/video*")) - before, "vivid's node")
    try:
        yield (set(glob.glob("/dev/video*")) - before).pop()
    finally:
        run("rmmod", "vivid")


def told():
    """The helper's last lines."""
    return run("journalctl", "-q", "-o", "cat", "-t", "pose-helperd", "-n", "5")


class Verdicts:
    """What the helper wrote about attempts since this was made."""

    def __init__(self):
        # By number: cursors of journalctl fail where many entries have one time, as here, where the clock stands.
        self.before = len(self.lines())

    def lines(self):
        return run("journalctl", "-q", "-o", "cat", "-t", "pose-helperd").splitlines()

    def outcomes(self):
        return re.findall(r'verdict outcome="(\w+)"', "\n".join(self.lines()[self.before:]))

    def expect(self, outcome):
        # Seldom: to start a program takes a user-mode kernel a good part of a second.
        outcomes = plug.until(self.outcomes, "a verdict in the journal", pause=1)
        plug.check(outcomes == [outcome], f"the helper decided {outcomes}, not {outcome}\n{self.all()}")

    def all(self):
        return "\n".join(self.lines()[self.before:])[-3000:]
