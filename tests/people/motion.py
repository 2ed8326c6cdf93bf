"""Movement: gestures and challenge movements as points to reach, with a personal style and jitter of repetitions."""
import math
import zlib

import numpy as np

from .geometry import euler
from .identities import IDENTITIES

FPS = 15
# How long a body takes to sway as much as it does, at the start and at the end of a clip, seconds.
SETTLING = 0.8
GESTURES = ["circle_touch", "open_head", "left_zigzag"]
# The movements that the engine can ask for, under its names; left and right are the person's own.
CHALLENGES = [
    "raise_left", "raise_right", "both_up", "out_left", "out_right", "t_pose", "head_left", "head_right", "head_both",
    "touch_left", "touch_right", "arms_crossed", "lean_left", "lean_right", "up_left_out_right", "out_left_up_right",
]
# Wrist at rest, in arm lengths from the shoulder (outward, up, towards the camera).
REST = (0.16, -0.93, 0.12)
HEAD = (-0.02, 0.38, 0.12)
OTHER_SHOULDER = (-0.66, 0.02, 0.24)
LEFT, RIGHT = ".L", ".R"


def stable_hash(text):
    """The same number in every run; Python's own hash is salted."""
    return zlib.crc32(text.encode())


def seed_of(identity, movement, repetition):
    """The seed of one clip."""
    return (IDENTITIES[identity]["seed"] * 100003 + stable_hash(movement) % 99991 + repetition * 7919) % 2**31


def _circle(cx, cy, z, radius, steps=6):
    angles = [math.pi / 2 + 2 * math.pi * k / steps for k in range(1, steps + 1)]
    return [(cx + radius * math.cos(a), cy + radius * math.sin(a), z) for a in angles]


def _plan(name):
    """What to reach: for each arm and the lean, (goal, seconds to get there, seconds to stay)."""
    plan = {LEFT: [], RIGHT: [], "lean": []}
    if name == "circle_touch":
        plan[RIGHT] = (
            [((0.30, 0.38, 0.52), 0.75, 0.05)] + [(p, 0.24, 0) for p in _circle(0.30, 0.08, 0.56, 0.30)]
            + [((-0.52, -0.10, 0.36), 0.6, 0.3), (REST, 0.8, 0)]
        )
    elif name == "open_head":
        plan[LEFT] = plan[RIGHT] = [
            ((-0.12, -0.16, 0.46), 0.6, 0.1), ((0.86, 0.05, 0.30), 0.65, 0.2), ((0.02, 0.45, 0.10), 0.75, 0.3), (REST, 0.9, 0),
        ]
    elif name == "left_zigzag":
        plan[LEFT] = [
            ((0.22, 0.80, 0.28), 0.7, 0.1), ((-0.36, 0.12, 0.50), 0.5, 0.05), ((0.62, -0.02, 0.45), 0.5, 0.05),
            ((-0.30, -0.38, 0.45), 0.5, 0.15), (REST, 0.7, 0),
        ]
        plan[RIGHT] = [(REST, 1.3, 0), ((0.48, -0.30, 0.40), 0.7, 0.5), (REST, 0.75, 0)]
    elif name == "raise_left":
        plan[LEFT] = [((0.10, 0.96, 0.10), 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "raise_right":
        plan[RIGHT] = [((0.10, 0.96, 0.10), 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "both_up":
        plan[LEFT] = plan[RIGHT] = [((0.12, 0.96, 0.10), 0.95, 0.9), (REST, 0.95, 0)]
    elif name == "arms_crossed":
        plan[LEFT] = [((-0.52, -0.30, 0.30), 0.9, 1.1), (REST, 0.9, 0)]
        plan[RIGHT] = [((-0.50, -0.36, 0.42), 0.9, 1.1), (REST, 0.9, 0)]
    elif name == "lean_left":
        plan["lean"] = [(0.34, 0.9, 0.8), (0, 0.9, 0)]
    elif name == "lean_right":
        plan["lean"] = [(-0.34, 0.9, 0.8), (0, 0.9, 0)]
    elif name == "head_left":
        plan[LEFT] = [(HEAD, 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "head_right":
        plan[RIGHT] = [(HEAD, 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "head_both":
        plan[LEFT] = plan[RIGHT] = [(HEAD, 0.9, 1.0), (REST, 0.9, 0)]
    elif name == "touch_left":
        plan[RIGHT] = [(OTHER_SHOULDER, 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "touch_right":
        plan[LEFT] = [(OTHER_SHOULDER, 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "out_left":
        plan[LEFT] = [((0.97, 0.03, 0.06), 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "out_right":
        plan[RIGHT] = [((0.97, 0.03, 0.06), 0.9, 0.9), (REST, 0.9, 0)]
    elif name == "up_left_out_right":
        plan[LEFT] = [((0.10, 0.96, 0.10), 0.95, 0.9), (REST, 0.95, 0)]
        plan[RIGHT] = [((0.97, 0.03, 0.06), 0.95, 0.9), (REST, 0.95, 0)]
    elif name == "out_left_up_right":
        plan[LEFT] = [((0.97, 0.03, 0.06), 0.95, 0.9), (REST, 0.95, 0)]
        plan[RIGHT] = [((0.10, 0.96, 0.10), 0.95, 0.9), (REST, 0.95, 0)]
    elif name == "t_pose":
        plan[LEFT] = plan[RIGHT] = [((0.97, 0.03, 0.06), 0.9, 1.0), (REST, 0.9, 0)]
    else:
        raise ValueError(f"no movement {name!r}; there are {', '.join(GESTURES + CHALLENGES)}")
    return plan


def _minimum_jerk(x):
    """Position 0..1 of a natural reach at time 0..1."""
    u = np.clip(x, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u * u)


def slow_noise(rng, count, seconds):
    """Smooth sway of about unit size, with periods around that many seconds."""
    k = np.arange(count) / FPS
    waves = zip(rng.uniform(0.5, 1, 4), seconds * rng.uniform(0.5, 1.8, 4), rng.uniform(0, 6.3, 4))
    return sum(a * np.sin(2 * np.pi * k / period + phase) for a, period, phase in waves)


class _Style:
    """What is this person's own: tempo, size, overlap of movements, elbows, hands."""

    def __init__(self, person, movement, rng):
        self.tempo = person.uniform(0.82, 1.18) * movement.uniform(0.93, 1.07) * math.exp(rng.normal(0, 0.055))
        self.size = person.uniform(0.88, 1.05)
        self.overlap = person.uniform(0.12, 0.34)
        self.swivel = {side: person.normal(0, 0.22) for side in (LEFT, RIGHT)}
        self.gain = person.uniform(0.5, 1.4)
        self.pronation = {side: person.normal(0, 0.25) for side in (LEFT, RIGHT)}
        self.curl = person.uniform(0.12, 0.38)


class _Track:
    """One channel over time: a start and reaches (begin, duration, change), all in seconds."""

    def __init__(self, start):
        self.start, self.reaches = start, []

    def end(self):
        return self.reaches[-1][0] + self.reaches[-1][1] if self.reaches else 0

    def at(self, times):
        if not self.reaches:
            return np.repeat(self.start[None], len(times), 0)
        return self.start + sum(change * _minimum_jerk((times - t) / d)[:, None] for t, d, change in self.reaches)


def _track(goals, channel, begin, style, offsets, person, rng):
    lean = channel == "lean"
    place = np.zeros(1) if lean else np.array(REST) + person.normal(0, 0.02, 3) + rng.normal(0, 0.02, 3) * [1, 0.3, 1]
    track, t = _Track(place.copy()), begin
    for i, (goal, duration, stay) in enumerate(goals):
        goal, last = np.atleast_1d(np.array(goal, float)), i == len(goals) - 1
        if not lean and not last:
            goal = goal * style.size + offsets[i] + rng.normal(0, 0.030, 3)
        elif not lean:
            goal = track.start + rng.normal(0, 0.015, 3)
        elif not last:
            goal = goal * math.exp(rng.normal(0, 0.1)) * person.uniform(0.85, 1.15)
        duration = duration * style.tempo * math.exp(rng.normal(0, 0.07))
        track.reaches.append((t, duration, goal - place))
        place = goal
        if stay or not last:
            t += duration * (1 - style.overlap) + stay * style.tempo * math.exp(rng.normal(0, 0.12))
        else:
            t += duration
        if stay:  # a held pose is reached before the next movement starts
            t += style.overlap * duration
    return track


def motion(identity, name, seed):
    """Pose of every frame (see Rig.pose). Style depends on identity and movement, jitter on the seed."""
    own = IDENTITIES[identity]["seed"]
    movement, person = np.random.default_rng([own, abs(stable_hash(name))]), np.random.default_rng([own, 7])
    rng = np.random.default_rng(seed)
    style, plan = _Style(person, movement, rng), _plan(name)
    begin = max(0.25, 0.45 + rng.normal(0, 0.1))
    offsets = movement.normal(0, 0.065, (12, 3))
    tracks = {channel: _track(plan[channel], channel, begin, style, offsets, person, rng) for channel in (LEFT, RIGHT, "lean")}

    seconds = max(track.end() for track in tracks.values()) + 0.35 + abs(rng.normal(0, 0.08))
    count = int(np.clip(seconds * FPS, 3 * FPS, 5 * FPS))
    times = np.arange(count) / FPS
    left, right, lean = tracks[LEFT].at(times), tracks[RIGHT].at(times), tracks["lean"].at(times)[:, 0]
    tremor = lambda: np.stack([slow_noise(rng, count, 0.6) for _ in range(3)], 1) * 0.004
    left, right = left + tremor(), right + tremor()
    # Clips are put together to logins, in which nobody hops: all of a person's begin and end in one seat.
    settled = np.minimum(1, np.minimum(times, times[::-1]) / SETTLING)
    sway = [slow_noise(rng, count, 3.5) * settled for _ in range(6)]
    breath = np.sin(2 * np.pi * (times / person.uniform(3, 4.2) + rng.uniform()))
    yaw = person.normal(0, 0.05)
    blinks = np.cumsum(rng.exponential(2.2, 6)) + 0.3
    blink = sum(np.exp(-(((times - t) / 0.09) ** 2)) for t in blinks).clip(0, 1)
    smile = person.uniform(0, 0.35)
    return [_frame(k, left, right, lean, sway, breath, yaw, blink, smile, style) for k in range(count)]


def _frame(k, left, right, lean, sway, breath, yaw, blink, smile, style):
    """The trunk gives way to the arms: it turns and bends with their load."""
    of_arm = lambda wrist: wrist[k, 0] + 0.16 + (wrist[k, 1] + 0.93) * 0.4
    load, gain = of_arm(right) - of_arm(left), style.gain
    arm = lambda side, wrist: {
        "wrist": wrist[k], "swivel": style.swivel[side], "pronation": style.pronation[side], "curl": style.curl,
    }
    return {
        "root_shift": np.array([0.008 * sway[0][k] + 0.35 * lean[k] * -0.12, 0, 0.006 * sway[1][k]]),
        "root_turn": euler(yaw + 0.012 * sway[2][k], 0, -0.18 * lean[k]),
        "spine": (
            0.03 * gain * load + 0.012 * sway[3][k],
            0.02 + 0.006 * breath[k] + 0.03 * gain * max(0, left[k, 2] + right[k, 2] - 0.3),
            -lean[k] * 0.85 + 0.035 * gain * load,
        ),
        "head": (0.02 * sway[4][k] - 0.05 * gain * load - yaw * 0.8, 0.02 * sway[5][k] + 0.02, 0.25 * lean[k]),
        "blink": blink[k],
        "smile": smile,
        "arm.L": arm(LEFT, left),
        "arm.R": arm(RIGHT, right),
    }
