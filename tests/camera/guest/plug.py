"""A simulated webcam in the guest: plugged in, told what to show, pulled out again."""
import glob
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# What must come within a time may take so many times as long. Where the guest's clock stands while its processor works,
# once; where it runs on, a busy host makes everything late.
SLACK = 1 if os.environ["CLOCK"] == "stands" else 20
BITS = {"YUYV": 16, "GREY": 8, "Y10": 16, "Y16": 16, "NV12": 12}


def jpegs(avi):
    """The pictures of an MJPEG recording."""
    with open(avi, "rb") as file:
        data = file.read()
    at, found = data.index(b"movi") + 4, []
    while at + 8 <= len(data):
        tag, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if tag == b"00dc":
            found.append(data[at + 8:at + 8 + size])
        at += 8 + size + (size & 1)
    return found


def size_of(avi):
    """Width and height of a recording."""
    first = jpegs(avi)[0]
    at = first.index(b"\xff\xc0") + 5
    return struct.unpack(">HH", first[at:at + 4])[::-1]


def noise(name, width, height, count=16):
    """Pictures of random bytes: none can be mistaken for another, or for half of one."""
    source = random.Random(name)
    return [source.randbytes(width * height * BITS[name] // 8) for _ in range(count)]


class Camera:
    """A simulated webcam that is plugged in while the block runs. `pictures` holds those of each format."""

    def __init__(self, pictures, size, fps=15, port=0, name="Simulated Camera"):
        self.fed, self.size, self.fps, self.port, self.name = pictures, size, fps, port, name

    def __enter__(self):
        before = set(glob.glob("/dev/video*"))
        self.dir = tempfile.TemporaryDirectory()
        arguments = []
        for name, pictures in self.fed.items():
            path = os.path.join(self.dir.name, name)
            with open(path, "wb") as file:
                for picture in pictures:
                    file.write(struct.pack("<I", len(picture)) + picture)
            arguments.append(f"{name}={path}")
        numbers = [str(n) for n in (*self.size, self.fps)]
        self.process = subprocess.Popen([sys.executable, HERE + "/webcam.py", str(self.port), self.name, *numbers, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.process.stdout.readline() == "attached\n", "the simulated camera did not start")
        # The second node carries metadata.
        until(lambda: len(set(glob.glob("/dev/video*")) - before) == 2, "the camera's two nodes")
        self.nodes = sorted(set(glob.glob("/dev/video*")) - before)
        return self

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def state(self):
        return self.answer("state")

    def starts(self):
        """How often pictures were asked for."""
        return int(self.answer("starts")[1])

    def sent(self):
        """How many pictures were sent."""
        return int(self.answer("sent")[1])

    def is_read(self):
        """Whether somebody waits for a picture."""
        return self.answer("waiting")[1] != "0"

    def answer(self, command):
        self.tell(command)
        for line in self.process.stdout:
            if line.startswith(command):
                return line.split()

    def unplug(self):
        self.tell("unplug")
        self.process.wait(10)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.unplug()
        until(lambda: not any(os.path.exists(n) for n in self.nodes), "the nodes to go")
        self.dir.cleanup()


def until(condition, what, seconds=30, pause=0.02):
    """Waits for a condition; what it then says."""
    end = time.monotonic() + seconds
    while not (seen := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(pause)
    return seen


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def run_cases(cases, chosen):
    """Runs the chosen cases (all if empty), prints one line for each and the sum."""
    failed, cases = 0, [c for c in cases if not chosen or c.__name__ in chosen]
    for case in cases:
        started = time.monotonic()
        try:
            told = case()
            result, why = "ok", f": {told}" if told else ""
        except Exception as error:  # whatever goes wrong is this case's failure
            result, why, failed = "FAILED", f": {type(error).__name__}: {error}", failed + 1
        print(f"{case.__name__} ... {result} ({time.monotonic() - started:.1f} s){why}", flush=True)
    verdict = "ok" if cases and not failed else "FAILED"
    print(f"test result: {verdict}. {len(cases) - failed} passed; {failed} failed; 0 ignored", flush=True)
