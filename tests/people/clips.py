"""Which clips there are, and making one."""
import functools
import os

import numpy as np

from . import avi
from .assets import Assets
from .attacks import KINDS, attack
from .camera import Scene
from .identities import IDENTITIES
from .motion import CHALLENGES, FPS, GESTURES, motion, seed_of, stable_hash
from .person import Person
from .room import HEIGHT, WIDTH


class Clip:
    """identity, movement, repetition, kind ("genuine", "challenge", "nobody" or one of attacks.KINDS), name."""

    def __init__(self, name, identity, movement, repetition, kind):
        self.name, self.identity, self.movement, self.repetition, self.kind = name, identity, movement, repetition, kind

    def is_attack(self):
        """Attacks show a genuine clip, so they come after it."""
        return self.kind in KINDS

    def seed(self):
        """The seed of all that is random in it."""
        seed = seed_of(self.identity, self.movement, self.repetition)
        return seed + stable_hash(self.kind) % 1000 if self.is_attack() else seed


def catalogue(repetitions=6):
    """All clips that can be rendered."""
    clips = []
    for who in IDENTITIES:
        for gesture in GESTURES:
            clips += [Clip(f"{who}_{gesture}_{r}", who, gesture, r, "genuine") for r in range(repetitions)]
        clips += [Clip(f"{who}_chal_{movement}", who, movement, 0, "challenge") for movement in CHALLENGES]
        clips += [Clip(f"{who}_{gesture}_tablet", who, gesture, 0, "tablet_replay") for gesture in GESTURES]
        first = GESTURES[0]
        clips.append(Clip(f"{who}_{first}_still", who, first, 0, "still_static"))
        clips.append(Clip(f"{who}_{first}_stillmoved", who, first, 0, "still_moved"))
        clips.append(Clip(f"{who}_nobody", who, "nobody", 0, "nobody"))
    return clips


@functools.cache
def person(identity):
    """The person, built once a process (a few seconds)."""
    return Person(_assets(), IDENTITIES[identity])


@functools.cache
def _assets():
    return Assets()


def frames(clip, folder):
    """Pictures [HEIGHT, WIDTH, 3] BGR, and joints [frames, 7, 2] where a person moves."""
    if clip.is_attack():
        return attack(clip.kind, avi.read(f"{folder}/{clip.identity}_{clip.movement}_{clip.repetition}.avi"), clip.seed()), None
    who = person(clip.identity)
    scene = Scene(clip.identity, clip.seed(), who)
    if clip.kind == "nobody":
        return [scene.develop(scene.background) for _ in range(4 * FPS)], None
    pictures, joints = [], []
    for pose in motion(clip.identity, clip.movement, clip.seed()):
        picture, seen = scene.draw(who, pose)
        pictures.append(scene.develop(picture))
        joints.append(seen)
    return pictures, np.float32(joints)


def render(clip, folder, quality):
    """Writes the clip, and its joints as joints/NAME.npz; returns its row of index.csv."""
    pictures, joints = frames(clip, folder)
    if joints is not None:
        os.makedirs(f"{folder}/joints", exist_ok=True)
        np.savez_compressed(f"{folder}/joints/{clip.name}.npz", joints=joints)
    avi.write(f"{folder}/{clip.name}.avi", [avi.jpeg(picture, quality) for picture in pictures], FPS, WIDTH, HEIGHT)
    return [clip.name + ".avi", clip.identity, clip.movement, clip.repetition, clip.kind, FPS, len(pictures), clip.seed()]
