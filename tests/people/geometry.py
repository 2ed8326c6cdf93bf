"""Small vector functions. Axes everywhere: metres, x to the person's left, y up, z towards the camera."""
import math

import numpy as np

X, Y, Z = np.eye(3)


def rotation(axis, angle):
    """Rotation matrix about an axis."""
    x, y, z = axis / (np.linalg.norm(axis) + 1e-12)
    c, s = math.cos(angle), math.sin(angle)
    C = 1 - c
    return np.array([
        [c + x * x * C, x * y * C - z * s, x * z * C + y * s],
        [y * x * C + z * s, c + y * y * C, y * z * C - x * s],
        [z * x * C - y * s, z * y * C + x * s, c + z * z * C],
    ])


def euler(yaw=0.0, pitch=0.0, roll=0.0):
    """Yaw about y, then pitch about x, then roll about z."""
    return rotation(Y, yaw) @ rotation(X, pitch) @ rotation(Z, roll)


def unit(v):
    """The vector with length 1."""
    return v / (np.linalg.norm(v) + 1e-12)


def shortest_rotation(a, b):
    """The smallest rotation that turns direction a into b."""
    a, b = unit(a), unit(b)
    axis = np.cross(a, b)
    length = np.linalg.norm(axis)
    return np.eye(3) if length < 1e-9 else rotation(axis, math.atan2(length, float(a @ b)))


def frame(x, n):
    """Orthonormal columns: x, n and what is across both."""
    return np.stack([x, n, np.cross(x, n)], 1)


def smoothstep(x, low, high):
    """0 below low, 1 above high, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t**2 * (3 - 2 * t)
