#!/usr/bin/python3
"""What the camera crate must do with real V4L2 devices. Runs in the guest as root; prints one line a case.

usage: cases.py GRAB AVI CASES     GRAB is the built example of that name, AVI an MJPEG recording, CASES names
       separated by commas, empty for all
"""
import contextlib
import fcntl
import glob
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

import plug
from plug import check, noise, until

GRAB, AVI, CHOSEN = sys.argv[1:]
WIDTH, HEIGHT = plug.size_of(AVI)
NAMES = {"MJPG": "Mjpg", "YUYV": "Yuyv", "GREY": "Grey", "Y10": "Y10", "Y16": "Y16", "NV12": "Nv12"}


def jpegs():
    """The pictures of the recording."""
    return plug.jpegs(AVI)


def pictures_of(name):
    return jpegs() if name == "MJPG" else noise(name, WIDTH, HEIGHT)


def without_tables(jpeg):
    """A JPEG as Motion JPEG cameras send it: no Huffman tables."""
    out, at = jpeg[:2], 2
    while jpeg[at + 1] != 0xda:
        end = at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if jpeg[at + 1] != 0xc4:
            out += jpeg[at:end]
        at = end
    return out + jpeg[at:]


class Camera(plug.Camera):
    """A simulated webcam with some formats, all of the recording's size."""

    def __init__(self, *formats, pictures=None, **others):
        super().__init__({f: (pictures or {}).get(f) or pictures_of(f) for f in formats}, (WIDTH, HEIGHT), **others)


class Grab:
    """One run of the grab example."""

    def __init__(self, *options, prefix=()):
        self.dir = tempfile.TemporaryDirectory()
        self.options = [*options, "--out", self.dir.name]
        self.process = subprocess.Popen(
            [*prefix, GRAB, "--external", *self.options], stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = []

    def wait_for(self, word, count=1):
        while sum(l.startswith(word) for l in self.lines) < count:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"no {word!r} in {self.lines[-5:]}")
            self.lines.append(line.rstrip("\n"))
        return self

    def end(self, seconds=60):
        out, _ = self.process.communicate(timeout=seconds)
        self.lines += out.splitlines()
        return self

    def of(self, word):
        return [l.split() for l in self.lines if l.startswith(word + " ")]

    @property
    def error(self):
        return " ".join(self.of("error")[-1]) if self.of("error") else ""

    def frames(self):
        return [open(p, "rb").read() for p in sorted(glob.glob(self.dir.name + "/*"))]


def check_frames(grab, fed, count):
    """As many whole pictures as asked for, each one that was fed, in order, with sane numbers and times."""
    frames = grab.frames()
    check(len(frames) == count, f"{len(frames)} of {count} pictures: {grab.lines[-3:]}")
    index = {picture: i for i, picture in enumerate(fed)}
    places = [index.get(f) for f in frames]
    check(None not in places, f"pictures that were not fed: {places}")
    steps = [(b - a) % len(fed) for a, b in zip(places, places[1:])]
    check(all(s > 0 for s in steps), f"a picture came twice: {places}")
    sequence = [int(f[1]) for f in grab.of("frame")]
    times = [int(f[2]) for f in grab.of("frame")]
    check(all(a < b for a, b in zip(sequence, sequence[1:])), f"sequence {sequence}")
    check(all(a < b for a, b in zip(times, times[1:])), f"times {times}")
    return frames


def listing_names_the_camera_and_leaves_out_its_metadata_node():
    with Camera("MJPG", "YUYV") as camera:
        text = subprocess.run([GRAB, "--list", "--external"], capture_output=True, text=True, timeout=60).stdout
        check(text.count("camera ") == 1, text)
        for part in [f"camera {camera.nodes[0]} ", "Simulated Camera", "driver=uvcvideo", "virtual=false", "infrared=false",
                     "vendor: 4617", "SIM0001", f"mode Mjpg {WIDTH}x{HEIGHT} [(1, 15)]", f"mode Yuyv {WIDTH}x{HEIGHT}",
                     f"choice {camera.nodes[0]} Yuyv"]:
            check(part in text, f"{part!r} is missing in {text}")
        refused = subprocess.run([GRAB, "--list"], capture_output=True, text=True, timeout=60).stdout
        check("choice none: no usable camera" in refused, refused)


def an_odd_name_is_told_without_what_could_drive_a_terminal():
    # The kernel cuts it after 31 bytes, which is within a letter here.
    with Camera("MJPG", name="\x1b[31mKam\u00e9ra \U0001f4f7\r\n" + 9 * "\u00e9"):
        text = subprocess.run([GRAB, "--list", "--external"], capture_output=True, text=True, timeout=60).stdout
        check("\ufffd[31mKam\u00e9ra \U0001f4f7\ufffd\ufffd\u00e9" in text, text)
        check("\\u{" not in text, text)
        check(len(Grab("--count", "2").end().frames()) == 2, "it is not used")


def pictures_arrive_bit_for_bit(name, count):
    with Camera(name, fps=15 if name == "MJPG" else 8) as camera:
        grab = Grab("--format", NAMES[name], "--count", str(count)).end()
        check_frames(grab, camera.fed[name], count)


def mjpg_arrives_bit_for_bit():
    pictures_arrive_bit_for_bit("MJPG", 45)


def yuyv_arrives_bit_for_bit():
    pictures_arrive_bit_for_bit("YUYV", 20)


def nv12_arrives_bit_for_bit():
    pictures_arrive_bit_for_bit("NV12", 10)


def infrared_formats_arrive_bit_for_bit():
    for name in ["GREY", "Y10", "Y16"]:
        pictures_arrive_bit_for_bit(name, 10)


def a_pair_of_colour_and_infrared_is_told_apart():
    with Camera("MJPG") as colour, Camera("GREY", port=1) as infrared:
        for option, node in [([], colour.nodes[0]), (["--infrared"], infrared.nodes[0])]:
            grab = Grab(*option, "--count", "2").end()
            check(grab.of("opened")[0][1] == node, f"{option}: {grab.lines}")


def missing_huffman_tables_are_put_in():
    bare = [without_tables(j) for j in jpegs()]
    with Camera("MJPG", pictures={"MJPG": bare}):
        frames = Grab("--count", "10").end().frames()
        check(len(frames) == 10, f"{len(frames)} pictures")
        check(all(b"\xff\xc4" in f for f in frames), "no table")
        check(all(without_tables(f) in bare for f in frames), "something else changed")


def cut_jpegs_are_left_out():
    with Camera("MJPG") as camera:
        camera.tell("fault half 3")
        grab = Grab("--count", "20").end()
        check_frames(grab, camera.fed["MJPG"], 20)
        check(int(grab.of("counts")[0][2]) >= 8, f"{grab.of('counts')}")


def pictures_that_the_driver_calls_damaged_are_left_out():
    # By itself uvcvideo drops them; told not to, it marks them, as other drivers do.
    for nodrop in "01":
        with open("/sys/module/uvcvideo/parameters/nodrop", "w") as parameter:
            parameter.write(nodrop)
        with Camera("YUYV", fps=8) as camera:
            camera.tell("fault error 3")
            grab = Grab("--count", "10").end()
            check_frames(grab, camera.fed["YUYV"], 10)
            check(nodrop == "0" or int(grab.of("counts")[0][2]) >= 3, f"{grab.of('counts')}")


def a_camera_whose_pictures_are_never_whole_is_given_up():
    for share in [0.02, 0.5, 0.9]:
        cut = [j[:int(len(j) * share)] for j in jpegs()]
        with Camera("MJPG", pictures={"MJPG": cut}):
            grab = Grab("--count", "1", "--wait-ms", "500").end()
            check("error Unsupported" in grab.error and "none of its pictures can be read" in grab.error, grab.lines)


def a_camera_that_never_writes_the_end_marker_is_used_all_the_same():
    whole = jpegs()
    with Camera("MJPG", pictures={"MJPG": [j[:-2] for j in whole]}):
        grab = Grab("--count", "10").end()
        check_frames(grab, whole, 10)


def pictures_of_another_size_are_refused():
    def narrow(jpeg):
        at = jpeg.index(b"\xff\xc0")
        return jpeg[:at + 7] + struct.pack(">H", 320) + jpeg[at + 9:]
    with Camera("MJPG", pictures={"MJPG": [narrow(j) for j in jpegs()]}):
        grab = Grab("--count", "1", "--wait-ms", "500").end()
        check("error Unsupported" in grab.error and f"320×{HEIGHT}" in grab.error, grab.lines)


def an_unplug_is_noticed_at_once_and_a_replug_works():
    for name in ["MJPG", "YUYV"]:
        with Camera(name) as camera:
            grab = Grab("--count", "100000").wait_for("frame", 5)
            pulled = time.monotonic()
            camera.unplug()
            grab.end()
            check("error Unplugged" in grab.error, grab.lines[-3:])
            check(time.monotonic() - pulled < 10, "it took 10 s")
        pictures_arrive_bit_for_bit(name, 5)


def an_unplug_while_nothing_comes_is_noticed():
    with Camera("MJPG") as camera:
        camera.tell("stall")
        grab = Grab("--wait-ms", "300").wait_for("timeout")
        camera.unplug()
        check("error Unplugged" in grab.end().error, grab.lines[-3:])


def a_stall_is_first_late_and_then_final():
    with Camera("MJPG") as camera:
        grab = Grab("--count", "100000", "--wait-ms", "500").wait_for("frame", 5)
        camera.tell("stall")
        grab.end()
        check(grab.of("timeout") and "error Stalled" in grab.error, grab.lines[-5:])
        camera.tell("resume")
        check_frames(Grab("--count", "5").end(), camera.fed["MJPG"], 5)


def a_short_stall_is_survived():
    with Camera("MJPG") as camera:
        grab = Grab("--count", "12", "--wait-ms", "200").wait_for("frame", 5)
        camera.tell("stall")
        grab.wait_for("timeout")
        camera.tell("resume")
        check_frames(grab.end(), camera.fed["MJPG"], 12)


def a_slow_reader_gets_new_pictures_only():
    with Camera("MJPG", fps=15) as camera:
        grab = Grab("--count", "5", "--slow-ms", "1500").end()
        check_frames(grab, camera.fed["MJPG"], 5)
        times = [int(f[2]) for f in grab.of("frame")]
        # Out of order or queued pictures would lie one period apart.
        check(all(b - a > 1_000_000 for a, b in zip(times, times[1:])), f"{times}")
        check(int(grab.of("counts")[0][1]) >= 8, f"{grab.of('counts')}")


def a_camera_in_use_is_busy():
    with Camera("MJPG"):
        first = Grab("--count", "100000").wait_for("frame", 2)
        check("error Busy" in Grab("--count", "1").end().error, "the second reader got in")
        first.process.kill()
        first.end()
        check(len(Grab("--count", "3").end().frames()) == 3, "not free again")


def a_node_that_may_not_be_opened_says_so():
    with Camera("MJPG") as camera:
        os.chmod(camera.nodes[0], 0o600)
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        text = subprocess.run([*nobody, GRAB, "--list", "--external"], capture_output=True, text=True, timeout=60).stdout
        check("may not be opened by this user" in text and "group video" in text, text)


def controls_are_set_for_the_time_of_use_and_put_back():
    with Camera("MJPG") as camera:
        # V4L2_CID_BRIGHTNESS, and one of a vendor's, which must not be touched.
        grab = Grab("--count", "100000", "--control", "9963776=7", "--control", "9967888=1").wait_for("frame", 2)
        check(camera.state()[2] == "7", "not set")
        grab.process.send_signal(15)
        camera.unplug()
    with Camera("MJPG") as camera:
        Grab("--count", "3", "--control", "9963776=7").end()
        check(camera.state()[4:] == ["7", "0"], f"{camera.state()}")


def a_picture_carries_the_time_at_which_the_driver_took_it():
    with Camera("MJPG", fps=15):
        grab = Grab("--count", "12", "--slow-ms", "230").end()
        ages = [int(f[5]) // 1000 for f in grab.of("frame")]
        # The newest picture is up to one period old when it is asked for; stamped by the reader, all would be new.
        check(max(ages) >= 20 and max(ages) < 200 * plug.SLACK and len(set(ages)) > 3, f"{ages} ms")


@contextlib.contextmanager
def software_camera():
    """A camera of the kernel's own test driver; its node."""
    subprocess.run(["modprobe", "-d", os.environ["MODULES"], "vivid", "n_devs=1", "node_types=0x1"], check=True)
    try:
        until(lambda: glob.glob("/dev/video*"), "vivid's node")
        yield glob.glob("/dev/video*")[0]
    finally:
        subprocess.run(["rmmod", "vivid"], check=False)


def a_virtual_camera_is_used_only_when_named():
    with software_camera() as node:
        text = subprocess.run([GRAB, "--list", "--external"], capture_output=True, text=True, timeout=60).stdout
        check("virtual=true" in text and "choice none" in text, text[-500:])
        grab = Grab("--device", node, "--format", "Yuyv", "--size", "640x360", "--count", "10").end()
        check(all(len(f) == 640 * 360 * 2 for f in grab.frames()) and len(grab.frames()) == 10, grab.lines)


def break_down(node, fault):
    """Lets vivid fail in one of its ways (VIVID_CID_... in drivers/media/test-drivers/vivid/vivid-ctrls.c)."""
    with open(node, "rb") as device:
        fcntl.ioctl(device, 0xC008561C, struct.pack("<Ii", 0xF0F000 + fault, 1))  # VIDIOC_S_CTRL


def each_failure_of_a_driver_gets_its_meaning():
    small = ["--format", "Yuyv", "--size", "640x360", "--count"]
    with software_camera() as node:
        whole = ["--device", node, *small]
        for name, fault, told in [("REQBUFS", 67, "asking for buffers"), ("QBUF", 68, "giving a buffer back"),
                                  ("STREAMON", 69, "starting the camera")]:
            break_down(node, fault)
            error = Grab(*whole, "3").end().error
            check("error Io" in error and told in error, f"{name}: {error}")
            check(len(Grab(*whole, "3").end().frames()) == 3, f"not usable after a failed {name}")
        grab = Grab(*whole, "20").wait_for("frame", 3)
        break_down(node, 66)
        grab.end()
        check(len(grab.frames()) == 20 and int(grab.of("counts")[0][2]) == 1, f"one bad buffer: {grab.lines[-3:]}")
        # EIO for good, while the device stays; then ENODEV.
        for name, fault, told in [("EIO", 70, "error Stalled"), ("ENODEV", 65, "error Unplugged")]:
            grab = Grab(*whole, "100000").wait_for("frame", 3)
            break_down(node, fault)
            error = grab.end().error
            check(told in error, f"{name}: {error}")


class Worker:
    """The daemon's worker process, spoken to as the daemon does (helperd/src/worker/wire.rs)."""

    READY, OPENED, REPORT, FAILED = 16, 17, 18, 19
    CAMERA_MISSING, CAMERA_FAILED = 0, 3

    def __init__(self, controls="[]"):
        self.socket, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        setup = (f"parent = {os.getpid()}\nassets = ['{os.environ['MODELS']}', '{os.environ['RUNTIME']}']\n"
                 "lite = false\nthreads = 1\nallow_virtual = false\nallow_external = true\nprefer_infrared = false\n"
                 f"controls = {controls}\n")
        self.process = subprocess.Popen([os.environ["HELPERD"], "worker", setup], stdin=child)
        child.close()
        self.socket.settimeout(60)

    def next(self, *kinds):
        """The next message, which must be of one of these kinds."""
        message = self.socket.recv(4096)
        check(message and message[0] in kinds, f"the worker said {message[:120]!r}, ended {self.process.poll()}")
        return message

    def start(self):
        self.next(self.READY)
        # Start: the lid is open, the first login.
        self.socket.send(b"\x01\0" + struct.pack("<I", 0))
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.wait(30)


def the_confined_worker_turns_pictures_into_landmarks():
    # Slowly: one simulated CPU runs the camera, the kernel and the model.
    with Camera("MJPG", fps=4) as camera, Worker() as worker:
        worker.start()
        check(b"Simulated Camera" in worker.next(Worker.OPENED), "another camera")
        people = []
        for _ in range(12):
            report = worker.next(Worker.REPORT)
            width, height = struct.unpack("<HH", report[13:17])
            check((width, height) == (WIDTH, HEIGHT), f"{width}x{height}")
            people.append(report[18])
        check(sum(people) >= 10, f"a person in {people}")
        camera.unplug()
        while (message := worker.next(Worker.REPORT, Worker.FAILED))[0] == Worker.REPORT:
            pass
        check(message[1] == Worker.CAMERA_FAILED and b"unplugged" in message, f"{message}")


def the_confined_worker_waits_until_the_exposure_has_settled():
    def flat(luma):
        return bytes([luma, 128]) * (WIDTH * HEIGHT)
    ramp = [flat(250 - 11 * step) for step in range(12)]
    with Camera("YUYV", pictures={"YUYV": ramp + [flat(118)] * 40}) as camera, Worker() as worker:
        worker.start().next(Worker.OPENED)
        sent = camera.sent()
        check(len(ramp) <= sent <= len(ramp) + 12 * plug.SLACK, f"settled after {sent} pictures, {len(ramp)} of which changed")
        worker.next(Worker.REPORT)


def the_confined_worker_sets_controls_and_puts_them_back():
    with Camera("MJPG", fps=4) as camera:
        with Worker("[[9963776, 7]]") as worker:
            worker.start().next(Worker.OPENED)
            check(camera.state()[2] == "7", f"{camera.state()}")
        check(camera.state()[4:] == ["7", "0"], f"{camera.state()}")


def the_confined_worker_says_that_there_is_no_camera():
    with Worker() as worker:
        message = worker.start().next(Worker.FAILED)
        check(message[1] == Worker.CAMERA_MISSING and b"no usable camera" in message, f"{message}")


CASES = [
    listing_names_the_camera_and_leaves_out_its_metadata_node,
    an_odd_name_is_told_without_what_could_drive_a_terminal,
    mjpg_arrives_bit_for_bit,
    yuyv_arrives_bit_for_bit,
    nv12_arrives_bit_for_bit,
    infrared_formats_arrive_bit_for_bit,
    a_pair_of_colour_and_infrared_is_told_apart,
    missing_huffman_tables_are_put_in,
    cut_jpegs_are_left_out,
    pictures_that_the_driver_calls_damaged_are_left_out,
    a_camera_whose_pictures_are_never_whole_is_given_up,
    a_camera_that_never_writes_the_end_marker_is_used_all_the_same,
    pictures_of_another_size_are_refused,
    an_unplug_is_noticed_at_once_and_a_replug_works,
    an_unplug_while_nothing_comes_is_noticed,
    a_stall_is_first_late_and_then_final,
    a_short_stall_is_survived,
    a_slow_reader_gets_new_pictures_only,
    a_camera_in_use_is_busy,
    a_node_that_may_not_be_opened_says_so,
    controls_are_set_for_the_time_of_use_and_put_back,
    a_picture_carries_the_time_at_which_the_driver_took_it,
    a_virtual_camera_is_used_only_when_named,
    each_failure_of_a_driver_gets_its_meaning,
]
# These need the daemon and its runtime.
if os.environ.get("HELPERD"):
    CASES += [
        the_confined_worker_turns_pictures_into_landmarks,
        the_confined_worker_waits_until_the_exposure_has_settled,
        the_confined_worker_sets_controls_and_puts_them_back,
        the_confined_worker_says_that_there_is_no_camera,
    ]


if __name__ == "__main__":
    plug.run_cases(CASES, CHOSEN.split(",") if CHOSEN else [])
