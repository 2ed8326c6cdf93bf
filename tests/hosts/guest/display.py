"""A display without a screen: Xvfb, typed keys, pictures of what it shows, and the text in them."""

import os
import pathlib
import subprocess
import time

# A busy machine starts programs late, seconds.
PATIENCE = 120

SIZE = "800x600x24"
# Where each server keeps its screen as a file: looking costs nothing, so that nothing shown for a moment is missed.
SCREENS = pathlib.Path("/run/hosts-screens")


class Display:
    """An X display, for the time of a `with`. Another server's display takes its `authority` file."""

    FORMAT = "xwd"

    def __init__(self, name=":77", authority=None):
        self.name = name
        self.environment = {**os.environ, "DISPLAY": name, "LANG": "C.UTF-8"}
        if authority:
            self.environment["XAUTHORITY"] = authority
        self.server = None

    def __enter__(self):
        folder = screen_folder(self.name)
        # A server begins anew when its last client has gone, and takes none meanwhile; each xdotool would be the last one.
        self.server = subprocess.Popen(["Xvfb", self.name, "-screen", "0", SIZE, "-nolisten", "tcp", "-ac", "-noreset",
                                        "-fbdir", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(lambda: self.try_to("xdotool", "getdisplaygeometry"), "Xvfb did not start")
        # Something to hide: a locker that lets it be seen would be noticed in the pictures.
        self.try_to("xsetroot", "-solid", "#227722")
        self.clear()
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def try_to(self, *command):
        done = subprocess.run(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0

    def clear(self):
        """Puts the mouse where it hides no words: it is in the pictures."""
        self.try_to("xdotool", "mousemove", "5", "595")

    def key(self, *names):
        self.try_to("xdotool", "key", "--delay", "40", *names)

    def type(self, text):
        self.try_to("xdotool", "type", "--delay", "30", text)

    def picture(self):
        """What the screen shows; nothing while there is no screen (a greeter's server begins anew)."""
        try:
            return (SCREENS / self.name.lstrip(":") / "Xvfb_screen0").read_bytes()
        except OSError:
            return b""

    def shows(self, color):
        """Whether the lower right corner has this colour."""
        corner = ["import", "-window", "root", "-gravity", "southeast", "-crop", "1x1+8+8", "-depth", "8", "txt:-"]
        return color.lower() in subprocess.run(corner, env=self.environment, stdout=subprocess.PIPE, text=True,
                                               check=False).stdout.lower()


def screen_folder(name):
    folder = SCREENS / name.lstrip(":")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def words(picture):
    """The text in a picture, as far as it can be read, on one line."""
    # Without the even border, and larger: letters of a screen are small for what reads scanned pages.
    enlarged = subprocess.run(["convert", str(picture), "-trim", "-resize", "200%", "-colorspace", "Gray", "png:-"],
                              stdout=subprocess.PIPE, check=True).stdout
    read = subprocess.run(["tesseract", "-", "-", "--psm", "11"], input=enlarged, capture_output=True, check=False,
                          env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    return " ".join(read.stdout.decode(errors="replace").split())


def wait(what, complaint):
    """Waits until something is true, and gives it back."""
    limit = time.monotonic() + PATIENCE
    while not (found := what()):
        if time.monotonic() > limit:
            raise RuntimeError(f"{complaint} within {PATIENCE} s")
        time.sleep(0.1)
    return found
