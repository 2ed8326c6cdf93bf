"""Surfaces: the texture atlas of skin, face, clothes, eyes and hair.

The atlas is two squares wide: skin in the left one; shirt, trousers, eye and hair in quarters of the right one.
"""
import cv2
import numpy as np

from .geometry import smoothstep
from .raster import raster

BODY, EYE, SHIRT, TROUSERS, HAIR = range(5)
SIZE = 1024


def noise(rng, size, octaves=4, base=8):
    """Smooth noise of unit deviation, [size, size]."""
    total = np.zeros((size, size), np.float32)
    for k in range(octaves):
        grid = rng.standard_normal((base << k,) * 2).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) / (1.7**k)
    return total / total.std()


def linear(colour):
    """sRGB 0..255 -> linear light."""
    return (np.asarray(colour, np.float32) / 255.0) ** 2.2


class Face:
    """Where things of the face are on the rest body: eye [3], head_height (eye to crown), centre_z of the head."""

    def __init__(self, eye, head_height, centre_z):
        self.eye, self.head_height, self.centre_z = eye, head_height, centre_z


def atlas(assets, vertices, look, rng, face):
    """The texture, [SIZE, 2 * SIZE, 3] linear RGB."""
    texture = np.zeros((SIZE, 2 * SIZE, 3), np.float32)
    half, quarter = SIZE // 2, SIZE // 4
    texture[:, :SIZE] = _skin(assets, vertices, look, rng, face)
    texture[:half, SIZE : SIZE + half] = _shirt(look, rng, half)
    trousers = linear(look["trousers"]) * (1 + 0.08 * noise(rng, half, 5, 16))[..., None]
    texture[:half, SIZE + half :] = trousers.clip(0.003, 1)
    texture[half : half + quarter, SIZE : SIZE + quarter] = _eye(look, quarter)
    texture[half : half + quarter, SIZE + quarter : SIZE + 2 * quarter] = _hair(look, rng, quarter)
    return np.ascontiguousarray(texture)


def _baked_positions(assets, vertices):
    """The rest position of every point of the skin's texture, and where there is skin."""
    faces = np.array(assets.groups["body"])
    uv = assets.uvs[faces[:, :, 1]]
    count = len(faces)
    u, v = (uv[..., 0] * SIZE).ravel(), ((1 - uv[..., 1]) * SIZE).ravel()
    corners = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    depth, triangle = np.zeros((SIZE, SIZE), np.float32), np.full((SIZE, SIZE), -1, np.int32)
    b1, b2 = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    raster(u, v, np.ones(3 * count), np.ones(3 * count), corners, SIZE, SIZE, depth, triangle, b1, b2)
    q = faces[triangle.clip(0), :, 0]
    position = vertices[q[..., 0]] * (1 - b1 - b2)[..., None] + vertices[q[..., 1]] * b1[..., None] + vertices[q[..., 2]] * b2[..., None]
    return position.astype(np.float32), triangle >= 0


def _skin(assets, vertices, look, rng, face):
    """Painted in object space: redness, eye sockets, lips, brows, lash line, beard."""
    position, there = _baked_positions(assets, vertices)
    eye, hh, zc = face.eye, face.head_height, face.centre_z
    base = np.ones((SIZE, SIZE, 3), np.float32) * linear(look["skin"])
    grain = noise(rng, SIZE, 5, 16)
    base *= (1 + 0.05 * grain)[..., None]
    x, y, z = abs(position[..., 0]), position[..., 1], position[..., 2]
    face_mask = assets.mask("face", SIZE)

    def blob(cx, cy, rx, ry):
        return np.exp(-(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)) * (z > zc)

    red = 0.55 * blob(eye[0] * 1.35, eye[1] - 0.38 * hh, 0.022, 0.018) + 0.5 * blob(0, eye[1] - 0.36 * hh, 0.016, 0.014)
    base *= 1 - red[..., None] * np.float32([0.02, 0.22, 0.20])
    sockets = 0.45 * blob(eye[0], eye[1] - 0.004, 0.024, 0.010)
    base *= 1 - sockets[..., None] * np.float32([0.35, 0.45, 0.4])
    lips = cv2.GaussianBlur(assets.mask("lips", SIZE), (0, 0), 1.2)[..., None]
    base = base * (1 - lips) + lips * base * np.float32(look["lips"])

    bx = (x - eye[0]) / 0.027
    by = (y - (eye[1] + 0.022 + 0.09 * (x - eye[0]) - 0.006 * ((x - eye[0]) / 0.025) ** 2)) / 0.0052
    brow = np.clip(1.35 - abs(bx) ** 3 - by**2, 0, 1) * (z > zc) * (0.75 + 0.25 * noise(rng, SIZE, 2, 256).clip(-1, 1))
    hair = linear(look["hair"])
    base = base * (1 - 0.85 * brow[..., None].clip(0, 1)) + 0.85 * brow[..., None].clip(0, 1) * hair * 0.8
    lash = np.exp(-(((x - eye[0]) / 0.016) ** 2 + ((y - eye[1] - 0.0055) / 0.0028) ** 2)) * (z > zc) * 0.75
    base *= 1 - lash[..., None] * 0.8

    if look.get("beard"):
        top = vertices[:, 1].max()
        jaw = (
            smoothstep(-(y - (eye[1] - 0.50 * hh)), -0.012, 0.02) * smoothstep(y, top - 2.5 * hh, top - 2.25 * hh)
            * (z > zc - 0.02) * np.clip(face_mask + 0.3, 0, 1) * (1 - lips[..., 0])
        )
        jaw *= 1 - np.exp(-((x / 0.016) ** 2 + ((y - (eye[1] - 0.52 * hh)) / 0.01) ** 2)) * 0.6
        jaw = np.clip(jaw * look["beard"] * (0.85 + 0.25 * grain), 0, 1)[..., None]
        base = base * (1 - jaw) + jaw * hair
    return _padded(base, there)


def _padded(base, there):
    """Paint spread a little beyond the skin's edges, so that no seam shows."""
    base[~there] = 0
    known = there.astype(np.float32)
    for _ in range(3):
        spread = cv2.blur(base, (5, 5)) / (cv2.blur(known, (5, 5))[..., None] + 1e-6)
        new = (known == 0) & (cv2.blur(known, (5, 5)) > 0)
        base[new] = spread[new]
        known[new] = 1
    return base


def _shirt(look, rng, size):
    first, second = linear(look["shirt"]), linear(look.get("shirt2", look["shirt"]))
    yy, xx = np.mgrid[0:size, 0:size] / size
    mix = np.zeros((size, size))
    pattern = look.get("pattern", "plain")
    if pattern == "stripes":
        mix = (np.sin(yy * 2 * np.pi * 11) > 0.3) * 1.0
    elif pattern == "check":
        mix = (np.sin(xx * 2 * np.pi * 24) > 0.35) * 0.5 + (np.sin(yy * 2 * np.pi * 13) > 0.35) * 0.5
    elif pattern == "print":
        mix = (((xx - 0.5) / 0.055) ** 2 + ((yy - 0.42) / 0.10) ** 2 < 1) * 1.0 * (np.sin(yy * 60 + 6 * np.sin(xx * 50)) > -0.3)
    cloth = first * (1 - mix[..., None]) + second * mix[..., None]
    cloth = cloth * (1 + 0.06 * noise(rng, size, 5, 8) + 0.04 * rng.standard_normal((size, size)))[..., None]
    return cv2.GaussianBlur(cloth, (0, 0), 0.8).clip(0.004, 1)


def _eye(look, size):
    yy, xx = (np.mgrid[0:size, 0:size] + 0.5) / size * 2 - 1
    r, iris = np.hypot(xx, yy), linear(look["eye"])
    eye = np.ones((size, size, 3), np.float32) * np.float32([0.62, 0.60, 0.58])
    eye[r > 0.62] *= 0.8
    eye[r < 0.46] = iris
    eye[(r < 0.46) & (r > 0.40)] = iris * 0.4
    eye[r < 0.2] = 0.004
    eye[np.hypot(xx - 0.13, yy + 0.15) < 0.07] = 0.9
    return cv2.GaussianBlur(eye, (0, 0), 1.5)


def _hair(look, rng, size):
    strands = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), sigmaX=0.8, sigmaY=9)
    strands /= strands.std()
    return (linear(look["hair"]) * (1 + 0.35 * strands + 0.12 * noise(rng, size, 3, 4))[..., None]).clip(0.002, 1)
