"""Presentation attacks: a print, still or moved by hand, and a tablet that replays a clip, before another webcam."""
import cv2
import numpy as np

from .geometry import X, Y, Z, rotation
from .motion import slow_noise
from .room import HEIGHT, WIDTH, room

# How much a panel of each kind is moved by the hand that holds it.
KINDS = {"still_static": 0.0, "still_moved": 1.0, "tablet_replay": 0.10}
# Size of the movement: places in frame widths, angles in radians.
REACH = (("tx", 0.045), ("ty", 0.035), ("yaw", 0.22), ("pitch", 0.16), ("roll", 0.09))


def attack(kind, clip, seed):
    """Frames of a camera that is shown the clip (its middle frame on paper, or all of it on a tablet)."""
    rng = np.random.default_rng(seed)
    background = room(rng)
    background = (np.clip(1 - np.exp(-1.1 * background), 0, 1) ** (1 / 2.2) * 255)[..., ::-1]
    count, amount = len(clip), KINDS[kind]
    periods = (("tx", 2.0), ("ty", 2.0), ("yaw", 1.6), ("pitch", 1.8), ("roll", 2.0), ("scale", 2.5))
    sway = {name: slow_noise(rng, count, period) for name, period in periods}
    jitter = {name: slow_noise(rng, count, 0.5) for name in sway}
    screen = kind == "tablet_replay"
    shown = count // 2 if kind == "still_static" else 0
    frames = []
    for k in range(count):
        pose = {name: amount * sway[name][k] * a + 0.05 * jitter[name][k] * a * (amount > 0) for name, a in REACH}
        pose["scale"] = (1.0 if screen else 0.98) * (1 + 0.05 * amount * sway["scale"][k])
        frames.append(_panel(clip[k] if screen else clip[shown], background, pose, screen, rng))
    return frames


def _panel(source, background, pose, screen, rng):
    """A flat panel with the picture, seen by the webcam."""
    up = _display(source) if screen else _print(source)
    matrix = _perspective(up.shape, pose)
    size = (WIDTH, HEIGHT)
    if screen:
        # A fairly sharp camera: blurred so little that some of the display's grid survives as beat patterns.
        up = cv2.GaussianBlur(up, (0, 0), 1.1)
        picture = cv2.warpPerspective(up, matrix, size, flags=cv2.INTER_LINEAR)
        mask = cv2.warpPerspective(np.ones(up.shape[:2], np.float32), matrix, size)
    else:
        double, big = np.float32([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]) @ matrix, (2 * WIDTH, 2 * HEIGHT)
        picture = cv2.resize(cv2.warpPerspective(up, double, big, flags=cv2.INTER_LINEAR), size, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(cv2.warpPerspective(np.ones(up.shape[:2], np.float32), double, big), size, interpolation=cv2.INTER_AREA)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    glare = np.exp(-(((xx / WIDTH - 0.7 - pose["yaw"] * 1.5 + 0.4 * (yy / HEIGHT - 0.5)) / 0.08) ** 2)) * (16 if screen else 8)
    picture = (picture + glare[..., None]) * mask[..., None] + background * (1 - mask[..., None])
    picture = cv2.GaussianBlur(picture, (0, 0), 0.45 if screen else 0.6)
    picture = picture + rng.normal(0, 1.0, picture.shape[:2])[..., None] + rng.normal(0, 0.5, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _display(source):
    """A display's sub-pixel grid (moire when resampled), gamma, blue tint and bezel."""
    h, w = source.shape[:2]
    k = 3
    up = cv2.resize(source, (w * k, h * k), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    grid = np.full((k, k, 3), 0.80, np.float32)
    for channel in range(3):
        grid[:, 2 - channel, channel] = 1.25
    grid[k - 1] *= 0.72
    up *= np.tile(grid, (h, w, 1))
    up = 255 * (up.clip(0, 255) / 255) ** 1.12 * np.float32([1.06, 1.0, 0.95])
    b = int(0.035 * w * k)
    return cv2.copyMakeBorder(up, b, b, b, b, cv2.BORDER_CONSTANT, value=(16, 15, 15))


def _print(source):
    """Paper: lower contrast, white edge."""
    h, w = source.shape[:2]
    up = cv2.resize(source, (w * 2, h * 2), interpolation=cv2.INTER_CUBIC).astype(np.float32) * 0.84 + 22
    b = int(0.02 * w * 2)
    return cv2.copyMakeBorder(up, b, b, b, b, cv2.BORDER_CONSTANT, value=(226, 230, 232))


def _perspective(shape, pose, fill=0.92):
    """How the panel's pixels land in the frame."""
    hh, ww = shape[:2]
    aspect, focal, size = ww / hh, WIDTH * 0.8, pose["scale"] * fill * HEIGHT
    corners = np.array([[-aspect / 2, -0.5, 0], [aspect / 2, -0.5, 0], [aspect / 2, 0.5, 0], [-aspect / 2, 0.5, 0]]) * size
    turn = rotation(Y, pose["yaw"]) @ rotation(X, pose["pitch"]) @ rotation(Z, pose["roll"])
    p = corners @ turn.T
    depth = focal + p[:, 2]
    x = WIDTH / 2 + pose["tx"] * WIDTH + p[:, 0] * focal / depth
    y = HEIGHT / 2 + pose["ty"] * HEIGHT + p[:, 1] * focal / depth
    return cv2.getPerspectiveTransform(np.float32([[0, 0], [ww, 0], [ww, hh], [0, hh]]), np.float32(np.stack([x, y], 1)))
