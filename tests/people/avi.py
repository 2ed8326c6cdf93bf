"""MJPEG in AVI: one JPEG a frame, with an index."""
import struct

import cv2


def jpeg(picture, quality=80):
    """A picture as JPEG bytes."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


def write(path, jpegs, fps, width, height):
    """Writes JPEGs as a clip."""
    count, biggest = len(jpegs), max(map(len, jpegs))
    main = struct.pack("<14I", 1000000 // fps, biggest * fps, 0, 0x10, count, 0, 1, biggest, width, height, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack("<IHHIIIIIIIIhhhh", 0, 0, 0, 0, 1, fps, 0, count, biggest, 0xFFFFFFFF, 0, 0, 0, width, height)
    picture = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0x47504A4D, width * height * 3, 0, 0, 0, 0)
    frames, index, offset = b"", b"", 4
    for data in jpegs:
        chunk = _chunk(b"00dc", data)
        index += b"00dc" + struct.pack("<III", 0x10, offset, len(data))
        offset += len(chunk)
        frames += chunk
    header = _list(b"hdrl", _chunk(b"avih", main) + _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", picture)))
    with open(path, "wb") as file:
        file.write(_chunk(b"RIFF", b"AVI " + header + _list(b"movi", frames) + _chunk(b"idx1", index)))


def read(path):
    """The frames of a clip."""
    clip, frames = cv2.VideoCapture(path), []
    while True:
        there, frame = clip.read()
        if not there:
            return frames
        frames.append(frame)


def _chunk(tag, data):
    return tag + struct.pack("<I", len(data)) + data + (b"\0" if len(data) & 1 else b"")


def _list(tag, data):
    return _chunk(b"LIST", tag + data)
