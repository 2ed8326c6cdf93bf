"""What a person before the simulated webcam does: rests, plays a recording when told to, rests again.

A recording runs at its own rate whether or not its pictures are fetched, as a person does. No two pictures are the
same, as with a sensor: some weights of the JPEG's quantisation table, which scale details of the picture, change by one.
"""
import random
import time

from plug import jpegs

FPS = 15
# Pictures at a recording's start and end in which the person rests.
REST = 5


class Scene:
    def __init__(self):
        self.pictures, self.start, self.played = [], 0.0, 0
        self.random = random.Random()

    def rest(self, recording):
        """The person of that recording sits there, before its movement begins."""
        self.pictures, self.start, self.played = jpegs(recording)[:REST], time.monotonic(), REST

    def play(self, recording):
        self.pictures, self.start, self.played = jpegs(recording), time.monotonic(), 0

    def picture(self):
        """What is in view now."""
        at = int((time.monotonic() - self.start) * FPS)
        last = len(self.pictures) - 1
        if self.played or at > last:
            # There and back over the end.
            turn = at % (2 * REST - 2)
            at = last - (turn if turn < REST else 2 * REST - 2 - turn)
        return grain(self.pictures[max(at, 0)], self.random)


def grain(jpeg, source):
    """The picture with a sensor's noise."""
    at = jpeg.index(b"\xff\xdb") + 5
    weights = bytearray(jpeg[at:at + 64])
    for place in source.sample(range(2, 64), 24):
        weights[place] = min(255, max(1, weights[place] + source.choice((-1, 1))))
    return jpeg[:at] + bytes(weights) + jpeg[at + 64:]
