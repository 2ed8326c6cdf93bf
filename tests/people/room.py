"""The wall behind the person: blurred, with shelf, picture, window, door or plant."""
import cv2
import numpy as np

from .look import linear, noise

WIDTH, HEIGHT = 640, 480


def room(rng):
    """A wall, [HEIGHT, WIDTH, 3] linear RGB."""
    w, h = WIDTH, HEIGHT
    grey = rng.uniform(150, 215)
    wall = linear(grey + rng.uniform(-1, 1) * np.array([9, 1, -10]) + rng.normal(0, 3, 3))
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    lamp = rng.uniform(-0.2, 1.2)
    light = 0.62 + 0.55 * np.exp(-(((xx / w - lamp) / 0.7) ** 2 + ((yy / h - 0.2) / 0.8) ** 2))
    picture = np.ones((h, w, 3), np.float32) * wall * light[..., None]
    draw = {"shelf": _shelf, "frame": _frame, "window": _window, "door": _door, "plant": _plant}
    for kind in rng.permutation(["shelf", "frame", "window", "door", "plant"])[:3]:
        at_left = rng.integers(2) == 0
        x = rng.uniform(0.0, 0.16) * w if at_left else rng.uniform(0.66, 0.8) * w
        draw[str(kind)](picture, rng, x, rng.uniform(0.16, 0.26) * w, wall)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.8, 2.6))
    return picture * (1 + 0.012 * cv2.resize(noise(rng, 256, 4, 6), (w, h)))[..., None]


def _muted(rng, low, high):
    grey = rng.uniform(low, high)
    return np.clip(grey + rng.normal(0, 22, 3), 8, 230)


def _box(picture, x0, y0, x1, y1, colour):
    cv2.rectangle(picture, (int(x0), int(y0)), (int(x1), int(y1)), [float(v) for v in colour], -1)


def _shelf(picture, rng, x, width, _wall):
    h = HEIGHT
    wood = linear(rng.uniform([70, 45, 30], [150, 110, 80]))
    for y in np.arange(0.12, 0.95, 0.24) * h + rng.uniform(0, 15):
        book = x + 4
        while book < x + width - 10:
            thick = rng.uniform(5, 13)
            tall = rng.uniform(0.10, 0.17) * h
            _box(picture, book, y - tall, book + thick, y, linear(_muted(rng, 25, 170)))
            book += thick + rng.choice([0, 0, 1, 8])
        _box(picture, x, y, x + width, y + 7, wood)


def _frame(picture, rng, x, width, _wall):
    h = HEIGHT
    _box(picture, x, 0.10 * h, x + width, 0.38 * h, linear([40, 35, 30]))
    _box(picture, x + 5, 0.10 * h + 5, x + width - 5, 0.38 * h - 5, linear(_muted(rng, 110, 200)))
    _box(picture, x + 20, 0.24 * h, x + width - 20, 0.33 * h, linear(_muted(rng, 50, 150)))


def _window(picture, _rng, x, width, wall):
    h = HEIGHT
    _box(picture, x, 0.02 * h, x + width, 0.5 * h, np.float32([1.1, 1.15, 1.2]))
    _box(picture, x + width / 2 - 3, 0.02 * h, x + width / 2 + 3, 0.5 * h, wall)
    _box(picture, x, 0.25 * h, x + width, 0.26 * h, wall)


def _door(picture, _rng, x, width, wall):
    h = HEIGHT
    _box(picture, x, 0.1 * h, x + width, h, wall * 0.72)
    _box(picture, x + width * 0.12, 0.18 * h, x + width * 0.88, 0.5 * h, wall * 0.8)
    _box(picture, x + width * 0.85, 0.62 * h, x + width * 0.93, 0.64 * h, linear([90, 80, 60]))


def _plant(picture, rng, x, width, _wall):
    h = HEIGHT
    for _ in range(40):
        centre = (int(x + width / 2 + rng.normal(0, 22)), int(0.62 * h + rng.normal(0, 40)))
        axes = (int(rng.uniform(6, 22)), int(rng.uniform(3, 7)))
        angle = rng.uniform(0, 180)
        green = [float(v) for v in linear(rng.uniform([20, 60, 20], [80, 130, 60]))]
        cv2.ellipse(picture, centre, axes, angle, 0, 360, green, -1)
    _box(picture, x + width / 2 - 18, 0.74 * h, x + width / 2 + 18, 0.86 * h, linear(_muted(rng, 90, 180)))
