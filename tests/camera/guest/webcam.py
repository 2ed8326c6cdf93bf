#!/usr/bin/python3
"""A USB webcam in user space, for the kernel's own uvcvideo driver.

USB/IP over a socket pair into vhci_hcd; behind it a UVC 1.1 camera with one size, any of the formats below, a
processing unit with brightness, and faults on demand. Runs as root after `modprobe vhci-hcd uvcvideo`.

usage: webcam.py PORT NAME WIDTH HEIGHT FPS FORMAT=FILE...      NAME is what it calls itself; FILE holds the pictures one
       after another, each with its length (32 bits, little-endian) in front. Commands come on stdin, one a line: see
       Webcam.command.
"""
import os
import select
import socket
import struct
import sys
import time

from scene import Scene

MAX_PAYLOAD = 16384
TAIL = bytes.fromhex("0000 1000 8000 00aa0038 9b71".replace(" ", ""))
# GUIDs of uncompressed formats (drivers/media/usb/uvc/uvcvideo.h) and bits per pixel; MJPG has none.
GUIDS = {"YUYV": (b"YUY2", 16), "NV12": (b"NV12", 12), "GREY": (b"Y800", 8), "Y10": (b"Y10 ", 16), "Y16": (b"Y16 ", 16)}
BRIGHTNESS = {0x82: -64, 0x83: 64, 0x84: 1, 0x87: 0}  # GET_MIN, GET_MAX, GET_RES, GET_DEF


def u8(*values):
    return bytes(values)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def descriptors(formats, width, height, interval):
    """The device's and the configuration's descriptors (USB Video Class 1.1, chapter 3)."""
    def frame(kind, bits):
        size = width * height * bits // 8
        return (u8(30, 0x24, kind, 1, 0) + u16(width) + u16(height) + u32(size * 8) + u32(size * 8 * 30) + u32(size)
                + u32(interval) + u8(1) + u32(interval))

    streams = b""
    for index, name in enumerate(formats, 1):
        if name == "MJPG":
            streams += u8(11, 0x24, 6, index, 1, 1, 1, 0, 0, 0, 0) + frame(7, 16)
        else:
            code, bits = GUIDS[name]
            streams += u8(27, 0x24, 4, index, 1) + code + TAIL + u8(bits, 1, 0, 0, 0, 0) + frame(5, bits)
    units = (u8(18, 0x24, 2, 1) + u16(0x0201) + u8(0, 0) + u16(0) * 3 + u8(3, 0, 0, 0)  # camera terminal
             + u8(13, 0x24, 5, 4, 1) + u16(0) + u8(3, 1, 0, 0, 0, 0)                    # processing unit: brightness
             + u8(9, 0x24, 3, 3) + u16(0x0101) + u8(0, 4, 0))                           # output terminal
    control = u8(13, 0x24, 1) + u16(0x0110) + u16(13 + len(units)) + u32(48_000_000) + u8(1, 1) + units
    count = len(formats)
    header = u8(13 + count, 0x24, 1, count) + u16(13 + count + len(streams)) + u8(0x81, 0, 3, 0, 0, 0, 1) + bytes(count)
    body = (u8(8, 11, 0, 2, 0x0e, 3, 0, 2) + u8(9, 4, 0, 0, 0, 0x0e, 1, 0, 2) + control
            + u8(9, 4, 1, 0, 1, 0x0e, 2, 0, 0) + header + streams + u8(7, 5, 0x81, 2) + u16(512) + u8(0))
    configuration = u8(9, 2) + u16(9 + len(body)) + u8(2, 1, 0, 0x80, 250) + body
    device = u8(18, 1) + u16(0x0200) + u8(0xef, 2, 1, 64) + u16(0x1209) + u16(0x0001) + u16(0x0100) + u8(1, 2, 3, 1)
    return device, configuration


class Webcam:
    """The camera's state: what it sends next, and how it answers control requests."""

    def __init__(self, name, width, height, fps, pictures):
        self.formats = list(pictures)
        self.pictures = list(pictures.values())
        self.fps = fps
        interval = int(1e7 / fps)
        self.device, self.configuration = descriptors(self.formats, width, height, interval)
        self.probe = bytearray(u16(1) + u8(1, 1) + u32(interval) + bytes(10) + u32(width * height * 2) + u32(MAX_PAYLOAD)
                               + u32(48_000_000) + u8(3, 0, 0, 0))
        self.strings = {1: "pam_pose", 2: name, 3: "SIM0001"}
        self.brightness = 0
        self.brightness_set = []
        self.starts = 0
        self.sending, self.due, self.number, self.parity = b"", 0.0, 0, 0
        # With a scene the MJPG pictures come from it.
        self.scene = None
        self.stalled = False
        self.fault, self.fault_every, self.faulty = None, 0, False

    def command(self, line):
        """stall, resume, fault KIND EVERY (half, error, none), state, starts, sent, waiting, rest FILE, play FILE (an AVI recording); anything
        else ends the camera (unplug)."""
        words = line.split()
        if not words:
            return
        if words == ["stall"]:
            self.stalled = True
        elif words == ["resume"]:
            self.stalled = False
        elif words[0] == "fault":
            self.fault, self.fault_every = words[1], int(words[2])
        elif words[0] in ("rest", "play"):
            self.scene = self.scene or Scene()
            getattr(self.scene, words[0])(line.split(" ", 1)[1])
        elif words in (["starts"], ["sent"]):
            print(words[0], self.starts if words == ["starts"] else self.number, flush=True)
        elif words == ["state"]:
            print("state brightness", self.brightness, "set", *self.brightness_set, flush=True)
        else:
            sys.exit("unplugged")

    def answer(self, setup, out):
        """A control request's answer; None stalls the endpoint."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind == 0x80 and request == 6:
            return self.descriptor(value >> 8, value & 255, length)
        if kind in (0x80, 0x81, 0x82) and request == 0:
            return b"\0\0"[:length]
        if kind in (0, 1, 2):
            return b""
        if index == 1 and value >> 8 in (1, 2):
            # What is committed, and no longer tried out, is wanted at once.
            self.starts += value >> 8 == 2 and request == 1
            return self.streaming(request, out, length)
        if index == 0x0400 and value >> 8 == 2:
            return self.brightness_control(request, out)
        return None

    def descriptor(self, kind, index, length):
        if kind == 1:
            return self.device[:length]
        if kind == 2:
            return self.configuration[:length]
        if kind == 3 and index == 0:
            return u8(4, 3, 9, 4)[:length]
        if kind == 3:
            text = self.strings.get(index, "").encode("utf-16le")
            return (u8(2 + len(text), 3) + text)[:length]
        return None

    def streaming(self, request, out, length):
        if request == 1:
            self.probe[0:4] = out[0:4]
            return b""
        if request in (0x81, 0x82, 0x83, 0x87):
            return bytes(self.probe)[:length]
        return {0x85: u16(34), 0x86: u8(3)}.get(request)

    def brightness_control(self, request, out):
        if request == 1:
            self.brightness = struct.unpack("<h", out[:2])[0]
            self.brightness_set.append(self.brightness)
            return b""
        if request == 0x81:
            return struct.pack("<h", self.brightness)
        if request == 0x85:
            return u16(2)
        if request == 0x86:
            return u8(3)
        return struct.pack("<h", BRIGHTNESS[request]) if request in BRIGHTNESS else None

    def next_picture(self):
        chosen = self.probe[2] - 1
        if self.scene and self.formats[chosen] == "MJPG":
            return self.scene.picture()
        return self.pictures[chosen][self.number % len(self.pictures[chosen])]

    def payload(self, room):
        """The next bulk payload, or None while no picture is due."""
        if not self.sending:
            now = time.monotonic()
            if self.stalled or now < self.due:
                return None
            # Like a sensor: it does not catch up on pictures that nobody fetched.
            self.due = max(self.due + 1 / self.fps, now)
            self.sending = self.next_picture()
            self.number += 1
            self.parity ^= 1
            self.faulty = self.fault_every and self.number % self.fault_every == 0
            if self.faulty and self.fault == "half":
                self.sending = self.sending[:len(self.sending) // 2]
        size = min(room, MAX_PAYLOAD) - 2
        part, self.sending = self.sending[:size], self.sending[size:]
        flags = 0x80 | self.parity | (0 if self.sending else 2) | (0x40 if self.faulty and self.fault == "error" else 0)
        return u8(2, flags) + part


class Bus:
    """USB/IP to the kernel's virtual host controller."""

    def __init__(self, port):
        self.link, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with open("/sys/devices/platform/vhci_hcd.0/attach", "w") as attach:
            attach.write(f"{port} {kernel.fileno()} {0x10001 + port} 3")
        kernel.close()
        self.waiting = []
        self.typed = b""

    def receive(self, count):
        data = b""
        while len(data) < count:
            more = self.link.recv(count - len(data))
            if not more:
                sys.exit("detached by the kernel")
            data += more
        return data

    def reply(self, number, status, data=b"", length=None):
        length = len(data) if length is None else length
        self.link.sendall(struct.pack(">IIIIIiIIII8x", 3, number, 0, 0, 0, status, length, 0, 0xffffffff, 0) + data)

    def request(self, camera):
        command, number, _, direction, endpoint, unlinked, length, _, _, _ = struct.unpack(">10I", self.receive(40))
        setup = self.receive(8)
        if command == 2:
            known = [w for w in self.waiting if w[0] == unlinked]
            self.waiting = [w for w in self.waiting if w[0] != unlinked]
            self.link.sendall(struct.pack(">IIIIIi24x", 4, number, 0, 0, 0, -104 if known else 0))
            if not self.waiting:
                camera.sending = b""
        elif endpoint == 0:
            out = self.receive(length) if direction == 0 and length else b""
            answer = camera.answer(setup, out)
            sent = len(out) if answer is not None and direction == 0 else None
            self.reply(number, -32 if answer is None else 0, answer or b"", sent)
        else:
            self.waiting.append((number, length))

    def commands(self, camera):
        more = os.read(0, 4096)
        *lines, self.typed = (self.typed + (more or b"unplug\n")).split(b"\n")
        for line in lines:
            if line == b"waiting":
                print("waiting", len(self.waiting), flush=True)
            else:
                camera.command(line.decode())

    def run(self, camera):
        while True:
            wait = max(0, camera.due - time.monotonic()) if self.waiting and not camera.stalled else None
            readable, _, _ = select.select([self.link, 0], [], [], wait)
            if 0 in readable:
                self.commands(camera)
            if self.link in readable:
                self.request(camera)
            while self.waiting:
                data = camera.payload(self.waiting[0][1])
                if data is None:
                    break
                self.reply(self.waiting.pop(0)[0], 0, data)


def read_pictures(path):
    pictures = []
    with open(path, "rb") as file:
        while head := file.read(4):
            pictures.append(file.read(struct.unpack("<I", head)[0]))
    return pictures


def main():
    port, name, width, height, fps, *formats = sys.argv[1:]
    pictures = {name: read_pictures(path) for name, path in (f.split("=", 1) for f in formats)}
    camera = Webcam(name, int(width), int(height), float(fps), pictures)
    bus = Bus(int(port))
    print("attached", flush=True)
    bus.run(camera)


if __name__ == "__main__":
    main()
