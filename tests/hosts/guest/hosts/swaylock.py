"""swaylock under sway without a screen: it asks PAM after Enter only, and shows no text."""

import pathlib
import shutil
import subprocess

import cases
import seat
import stacks
from display import wait
from locked import Watch

SERVICE = "swaylock"
SHOWS_TEXT = False
HELPER_CONFIGURATION = cases.unchallenged(SERVICE)
CASES = (*cases.CASES, *cases.UNTOLD)
RUNTIME = pathlib.Path("/tmp/sway-of-ben")
SWAY = "output HEADLESS-1 resolution 800x600 bg #227722 solid_color\n"


def prepare():
    """Nothing to set up."""


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    with Sway(f"/out/{evidence.stem}.log") as sway:
        lock = sway.start("swaylock", "--color", "993333", "--indicator-idle-visible")
        wait(lambda: sway.shows("#993333"), "swaylock did not lock")
        try:
            return Watch(sway, evidence).unlock(case, is_open=lambda: lock.poll() is not None, prompts=None)
        finally:
            lock.kill()
            lock.wait()


class Sway:
    """A Wayland display, for the time of a `with`."""

    FORMAT = "ppm"

    def __init__(self, log):
        self.log = log
        self.environment = {"XDG_RUNTIME_DIR": str(RUNTIME), "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman",
                            "WLR_LIBINPUT_NO_DEVICES": "1", "LIBSEAT_BACKEND": "noop"}

    def __enter__(self):
        shutil.rmtree(RUNTIME, ignore_errors=True)
        RUNTIME.mkdir(mode=0o700)
        shutil.chown(RUNTIME, seat.USER)
        (RUNTIME / "config").write_text(SWAY)
        self.server = self.start("sway", "-c", f"{RUNTIME}/config")
        socket = wait(lambda: [path for path in RUNTIME.glob("wayland-*") if path.suffix != ".lock"], "sway did not start")
        self.environment["WAYLAND_DISPLAY"] = socket[0].name
        wait(lambda: self.shows("#227722"), "sway shows nothing")
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def start(self, *command):
        return seat.start(*command, log=self.log, **self.environment)

    def run(self, *command):
        done = subprocess.run(command, preexec_fn=seat.enter, env=seat.environment(**self.environment), capture_output=True,
                              check=False)
        return done.stdout

    def picture(self):
        return self.run("grim", "-t", "ppm", "-")

    def shows(self, color):
        """Whether the upper left corner has this colour."""
        shot = self.run("grim", "-g", "8,8 1x1", "-t", "ppm", "-")
        return shot[-3:].hex() == color.lstrip("#") if shot else False

    def type(self, text):
        # The virtual keyboard has to be known before the first letter counts.
        self.run("wtype", "-s", "300", text)

    def key(self, name):
        self.run("wtype", "-s", "300", "-k", name)
