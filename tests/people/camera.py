"""The webcam: its place, the light, drawing a posed person before the room, and what the sensor makes of it."""
import math

import cv2
import numpy as np

from .geometry import Y, unit
from .identities import IDENTITIES
from .raster import SPECULAR, WRAP, normals, raster, shade
from .room import HEIGHT, WIDTH, room

# Drawn at twice the size and averaged down.
SUPERSAMPLING = 2
SHADOW_SIZE = 512
# The sensor's noise is cut from one larger field at a random place for each frame.
NOISE_MARGIN = 160


class Scene:
    """Room and camera are the identity's; light and seat change a little from session (seed) to session."""

    def __init__(self, identity, seed, person):
        own, rng = np.random.default_rng([IDENTITIES[identity]["seed"], 99]), np.random.default_rng([seed, 3])
        self.rng = rng
        shoulder = person.rig.head["upperarm01.L"][1]
        self.background = room(own)
        self.focal = WIDTH / 2 / math.tan(math.radians(own.uniform(62, 68)) / 2)
        self.place = np.array([own.normal(0, 0.04), shoulder - own.uniform(0.02, 0.14), person.height * own.uniform(0.74, 0.80)])
        pitch = math.atan2(shoulder + 0.035 * person.height - self.place[1], self.place[2])
        c, s = math.cos(pitch), math.sin(pitch)
        self.view = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])  # rows: right, up, towards the camera
        self._set_light(own, rng)
        self._set_sensor(rng)

    def _set_light(self, own, rng):
        azimuth = own.choice([-1, 1]) * own.uniform(0.45, 0.95) + rng.normal(0, 0.08)
        height = own.uniform(0.5, 0.9)
        self.light = np.array([math.sin(azimuth) * math.cos(height), math.sin(height), math.cos(azimuth) * math.cos(height)])
        warm = own.uniform(-0.12, 0.12)
        self.key = np.float32([1.25 * (1 + warm), 1.2, 1.16 * (1 - warm)]) * rng.uniform(0.93, 1.07)
        self.fill = np.float32([0.30, 0.32, 0.36]) * own.uniform(0.6, 1.2)
        self.from_above = np.float32([0.50, 0.50, 0.52]) * own.uniform(0.8, 1.2)
        self.from_below = np.float32([0.30, 0.27, 0.24]) * own.uniform(0.8, 1.2)

    def _set_sensor(self, rng):
        size = (HEIGHT + NOISE_MARGIN, WIDTH + NOISE_MARGIN)
        self.grain = (rng.normal(0, 1.0, (*size, 1)) + rng.normal(0, 0.5, (*size, 3))).astype(np.float32)
        self.exposure = 1.05 * rng.uniform(0.95, 1.06)
        self.white = 1 + rng.normal(0, 0.012, 3)
        self.tone = ((1 - np.exp(-1.15 * np.arange(8192) / 1024)) ** (1 / 2.2) * 255).astype(np.float32)
        yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH]
        falloff = ((xx - WIDTH / 2) / WIDTH) ** 2 + ((yy - HEIGHT / 2) / HEIGHT) ** 2
        self.vignette = (1 - 0.16 * falloff / 0.5).astype(np.float32)[..., None]

    def project(self, points, scale=1):
        """Pixels and nearness of points [n, 3]."""
        q = (points - self.place) @ self.view.T
        depth = np.maximum(-q[:, 2], 1e-3)
        x = scale * (WIDTH / 2 + self.focal * q[:, 0] / depth)
        y = scale * (HEIGHT / 2 - self.focal * q[:, 1] / depth)
        return x, y, np.where(-q[:, 2] > 0.08, 1 / depth, 0)

    def draw(self, person, pose):
        """Linear RGB [HEIGHT, WIDTH, 3], and the projected joints [7, 2]: shoulders, elbows, wrists, nose."""
        rig = person.rig
        turns, places = rig.pose(pose)
        base = person.points + pose["blink"] * person.blink + pose["smile"] * person.smile
        points = rig.skin(base, person.weights, turns, places)
        colour, alpha = self._person(person, points)
        picture = self.background * (1 - 0.33 * self._wall_shadow(alpha)) * (1 - alpha) + colour
        joints = [places[bone] for bone in ("upperarm01.L", "upperarm01.R", "lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R")]
        joints.append(turns["head"] @ (person.nose - rig.head["head"]) + places["head"])
        x, y, _ = self.project(np.array(joints))
        return picture, np.stack([x, y], 1)

    def _person(self, person, points):
        directions = np.zeros_like(points)
        normals(points, person.faces, directions)
        w, h = WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING
        depth, triangle, b1, b2 = _buffers(h, w)
        x, y, nearness = self.project(points, SUPERSAMPLING)
        raster(x, y, nearness, person.cover, person.faces, w, h, depth, triangle, b1, b2)
        shadow, to_light, placing = self._shadow_map(person, points)
        out, alpha = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
        shade(
            triangle, b1, b2, _occlusion(depth), person.faces, person.uv_faces, person.material, points, directions, person.uvs,
            person.texture, self.place, self.light, self.key, self.fill, self.from_above, self.from_below,
            shadow, to_light, placing, WRAP, SPECULAR, out, alpha,
        )
        out = cv2.resize(out, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return out, cv2.resize(alpha, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., None]

    def _shadow_map(self, person, points):
        across = unit(np.cross(Y, self.light))
        to_light = np.stack([across, np.cross(self.light, across), self.light])
        q, n = points @ to_light.T, SHADOW_SIZE
        low, high = q[:, :2].min(0), q[:, :2].max(0)
        k = (n - 4) / (high - low).max()
        placing = np.array([k, 2 - low[0] * k, 2 - low[1] * k])
        depth, triangle, b1, b2 = _buffers(n, n)
        raster(q[:, 0] * k + placing[1], q[:, 1] * k + placing[2], q[:, 2] + 10.0, person.cover, person.faces, n, n, depth, triangle, b1, b2)
        return depth, to_light, placing

    def _wall_shadow(self, alpha):
        """The person's soft shadow on the wall."""
        shift = np.float32([[1.04, 0, -self.light[0] * 60 - 0.02 * WIDTH], [0, 1.04, 14]])
        small = cv2.resize(cv2.warpAffine(alpha, shift, (WIDTH, HEIGHT)), (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
        return cv2.resize(cv2.GaussianBlur(small, (0, 0), 4), (WIDTH, HEIGHT))[..., None]

    def develop(self, picture):
        """Exposure, vignette, white balance, tone curve, blur, noise -> 8-bit BGR."""
        light = picture * (self.vignette * np.float32(self.exposure * self.white)) * 1024
        toned = self.tone[np.clip(light, 0, 8191).astype(np.uint16)]
        i, j = self.rng.integers(0, NOISE_MARGIN, 2)
        noisy = cv2.GaussianBlur(toned, (0, 0), 0.6) + self.grain[i : i + HEIGHT, j : j + WIDTH]
        return np.ascontiguousarray(np.clip(noisy, 0, 255).astype(np.uint8)[..., ::-1])


def _buffers(height, width):
    depth, b1, b2 = (np.zeros((height, width), np.float32) for _ in range(3))
    return depth, np.full((height, width), -1, np.int32), b1, b2


def _occlusion(depth):
    """Ambient occlusion at a quarter of the size: what lies behind the blurred depth is darker."""
    near = depth[::4, ::4]
    there = (near > 0).astype(np.float32)
    far = np.where(there > 0, 1 / np.maximum(near, 1e-6), 0).astype(np.float32)
    around = cv2.GaussianBlur(far, (0, 0), 4.5) / (cv2.GaussianBlur(there, (0, 0), 4.5) + 1e-4)
    return cv2.blur(1 - np.clip((far - around) * 5, 0, 0.6), (3, 3))
