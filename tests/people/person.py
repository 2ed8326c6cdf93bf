"""One identity, ready to pose: skin, eyes, clothes and hair as one mesh with weights and a texture."""
import numpy as np

from . import look as surfaces
from .geometry import smoothstep, unit
from .look import BODY, EYE, HAIR, SHIRT, TROUSERS
from .raster import normals
from .rig import Rig
from .shape import shaped_vertices


def _place(x0, y0, size):
    """Maps 0..1 squared into a square of the atlas (in units of one of its two squares)."""
    return lambda q: np.stack([(x0 + q[:, 0] * size) / 2, 1 - (y0 + (1 - q[:, 1]) * size)], 1)


class Person:
    """points [n, 3] at rest, weights [n, bones], cover [n], faces, uvs, uv_faces, material, texture, and how far blink
    and smile move each point."""

    def __init__(self, assets, identity):
        self.look = identity["look"]
        self.assets = assets
        rng = np.random.default_rng(identity["seed"])
        vertices = shaped_vertices(assets, identity["shape"])
        ground = assets.vertex_groups.get("joint-ground")
        body = assets.vertex_groups["body"]
        vertices[:, 1] -= vertices[ground].mean(0)[1] if ground is not None else vertices[body, 1].min()
        self.vertices = vertices
        self.rig = Rig(assets, vertices)
        self.height = vertices[body, 1].max()
        self._measure(body)
        # One draw that no surface uses: without it every later one, and so every published clip, would change.
        rng.standard_normal((3, 4))
        self._folds = np.random.default_rng(identity["seed"] + 5).standard_normal((5, 3))

        self._parts = []
        self._add_skin()
        self._add_eyes()
        self._add_clothes()
        self._add_hair()
        self._join()
        self._add_expressions()
        self._find_nose()
        face = surfaces.Face(self._eye, self._head_height, self._head_centre)
        self.texture = surfaces.atlas(assets, vertices, self.look, rng, face)

    # ---- measures of the rest body

    def _measure(self, body):
        v, rig, head = self.vertices, self.rig, self.rig.head
        self._arm_weight = self._weight_of("upperarm", "lowerarm", "wrist", "finger")
        self._eye = v[self.assets.vertex_groups["helper-l-eye"]].mean(0)
        self._head_height = self.height - self._eye[1]
        # Nothing below the middle of the thigh is ever in view.
        self._low = head["root"][1] - 0.42
        self._neck = head["neck01"]
        self._sleeve = self.look["sleeve"] * rig.arm_length
        of_head = rig.weights[body, rig.index["head"]] + rig.weights[body, rig.index["neck03"]] > 0.5
        self._head = body[of_head]
        self._head_radius = np.ptp(v[self._head, 2]) / 2
        self._head_centre = v[self._head, 2].min() + self._head_radius

    def _weight_of(self, *prefixes):
        rig = self.rig
        return sum(rig.weights[:, rig.index[bone]] for bone in rig.bones if bone.startswith(prefixes))

    def _along_arm(self, indices):
        """Distance from the shoulder along the arm, metres."""
        a, b, c = (self.rig.head[bone + ".L"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        p = self.vertices[indices].copy()
        p[:, 0] = abs(p[:, 0])
        upper, lower = unit(b - a), unit(c - b)
        length = np.linalg.norm(b - a)
        d1, d2 = (p - a) @ upper, length + (p - b) @ lower
        return np.where(d1 < length, d1, d2)

    def _shirt_cover(self, indices):
        """Above 0 inside the shirt: signed distance to sleeve end, collar and hem, metres."""
        p, neck = self.vertices[indices], self._neck
        sleeve = self._sleeve - self._along_arm(indices)
        torso = p[:, 1] - (self.rig.head["root"][1] - 0.02)
        from_neck = np.hypot(p[:, 0] - neck[0], (p[:, 2] - neck[2]) * 0.9 - 0.01)
        collar = (from_neck - self.look["collar"]) + 0.55 * (neck[1] + 0.0 - p[:, 1])
        collar = np.where(p[:, 1] > neck[1] - 0.10, collar, 1.0)
        cover = np.minimum(torso, collar)
        return np.where(self._arm_weight[indices] > 0.5, np.minimum(sleeve, cover), cover)

    def _wave(self, points):
        return sum(np.sin(points @ (fold * 18) + k) for fold, k in zip(self._folds, range(len(self._folds)))) / 3

    # ---- parts of the mesh

    def _add(self, faces, material, offset=None, cover=None, keep=None, uv=None):
        """A part: triangles of the base mesh, moved outwards by offset, cut where cover is below 0."""
        f = np.array(faces)
        vertex_faces, uv_faces = f[:, :, 0], f[:, :, 1]
        if keep is not None:
            kept = keep(vertex_faces)
            vertex_faces, uv_faces = vertex_faces[kept], uv_faces[kept]
        indices, inverse = np.unique(vertex_faces, return_inverse=True)
        vertex_faces = inverse.reshape(-1, 3)
        points = self.vertices[indices].copy()
        directions = np.zeros_like(points)
        normals(points, vertex_faces, directions)
        if offset is not None:
            points = points + directions * offset(indices, points)[:, None]
        if uv is not None:
            uvs, uv_faces = uv(indices, points), vertex_faces
        else:
            used, inverse = np.unique(uv_faces, return_inverse=True)
            uvs, uv_faces = self.assets.uvs[used], inverse.reshape(-1, 3)
        covers = np.full(len(points), 1.0) if cover is None else cover(indices)
        materials = np.full(len(vertex_faces), material)
        self._parts.append([points, self.rig.weights[indices], indices, covers, vertex_faces, uvs, uv_faces, materials])

    def _add_skin(self):
        v, low, hips = self.vertices, self._low, self.rig.head["root"][1]
        cover = self._shirt_cover(np.arange(len(v)))
        self._add(
            self.assets.groups["body"], BODY,
            keep=lambda f: (v[f, 1] > low).all(1) & ~((cover[f] > 0.03).all(1)) & (v[f, 1].max(1) > hips - 0.12),
        )
        uvs = self._parts[-1][5]
        self._parts[-1][5] = np.stack([uvs[:, 0] / 2, uvs[:, 1]], 1)

    def _add_eyes(self):
        place = _place(1.0, 0.5, 0.25)
        for group in ("helper-l-eye", "helper-r-eye"):
            indices = self.assets.vertex_groups[group]
            centre, radius = self.vertices[indices].mean(0), np.ptp(self.vertices[indices, 0]) / 2

            def uv(_, p, c=centre, r=radius):
                return place(np.stack([0.5 + 0.5 * (p[:, 0] - c[0]) / r, 0.5 + 0.5 * (p[:, 1] - c[1]) / r], 1))

            self._add(self.assets.groups[group], EYE, uv=uv)

    def _add_clothes(self):
        v, low, head = self.vertices, self._low, self.rig.head
        hips, cloth = head["root"][1], self.assets.groups["helper-tights"]
        shirt_place, trouser_place = _place(1.0, 0.0, 0.5), _place(1.5, 0.0, 0.5)

        def shirt_offset(_, p):
            belly = smoothstep(p[:, 1], head["spine02"][1], hips)
            return 0.005 + self.look["fit"] * (0.6 + 0.6 * belly) + 0.0035 * self._wave(p)

        def shirt_uv(_, p):
            across, up = np.clip(0.5 + p[:, 0] / 1.9, 0.01, 0.99), np.clip((p[:, 1] - hips + 0.2) / 1.0, 0.01, 0.99)
            return shirt_place(np.stack([across, up], 1))

        def trouser_uv(_, p):
            across, up = np.clip(0.5 + p[:, 0] / 0.8, 0.01, 0.99), np.clip((p[:, 1] - low) / 0.8, 0.01, 0.99)
            return trouser_place(np.stack([across, up], 1))

        self._add(
            cloth, SHIRT, offset=shirt_offset, cover=self._shirt_cover, uv=shirt_uv,
            keep=lambda f: (v[f, 1] > low).all(1),
        )
        self._add(
            cloth, TROUSERS, offset=lambda _, p: np.full(len(p), 0.006), cover=lambda i: hips + 0.01 - v[i, 1], uv=trouser_uv,
            keep=lambda f: (v[f, 1] > low).all(1) & (v[f, 1] < hips + 0.06).all(1) & (self._arm_weight[f] < 0.2).all(1),
        )

    def _add_hair(self):
        """A shell over the scalp, and long hair where the identity has it."""
        look, v, eye, hh = self.look, self.vertices, self._eye, self._head_height
        place, zc, zr = _place(1.25, 0.5, 0.25), self._head_centre, self._head_radius
        hairline = self._hairline()

        def uv(_, p):
            around = np.clip(0.5 + np.arctan2(p[:, 0], p[:, 2] - zc) / 6.6, 0, 1)
            return place(np.stack([around, np.clip((p[:, 1] - eye[1] + 0.25) / 0.45, 0, 1)], 1))

        def thickness(indices, p):
            body = smoothstep(hairline(indices), -0.005, 0.035) * (1 + 0.22 * self._wave(p * 3.3))
            return 0.002 + look["hair_thickness"] * body * (1 + 0.5 * smoothstep(p[:, 1], eye[1] + 0.5 * hh, self.height))

        def long_cover(indices):
            p = v[indices]
            below = p[:, 1] - (self._neck[1] + look["hair_low"])
            behind = np.where(p[:, 1] < eye[1] + 0.55 * hh, zc + 0.14 * zr - p[:, 2], 0.05)
            return np.minimum(below, np.minimum(1, behind))

        if look["hair_thickness"] > 0:
            self._add(
                self.assets.groups["body"], HAIR, offset=thickness, cover=hairline, uv=uv,
                keep=lambda f: (hairline(f.reshape(-1)).reshape(f.shape) > -0.03).any(1),
            )
        if look.get("long_hair"):
            self._add(
                self.assets.groups["helper-hair"], HAIR, uv=uv, cover=long_cover,
                offset=lambda _, p: look["long_hair"] * np.ones(len(p)),
            )

    def _hairline(self):
        """A function: signed distance of vertices to the hair line, above 0 under hair."""
        look, v, rig, eye, hh = self.look, self.vertices, self.rig, self._eye, self._head_height
        uv = np.zeros((len(v), 2))
        for triangle in self.assets.groups["body"]:
            for vertex, corner in triangle:
                uv[vertex] = self.assets.uvs[corner]
        row, column = ((1 - uv[:, 1]) * 1023).astype(int), (uv[:, 0] * 1023).astype(int)
        ear = self.assets.mask("ears", 1024)[np.clip(row, 0, 1023), np.clip(column, 0, 1023)]
        back_to_front = [-1, -0.35, 0.02, 0.18, 0.42, 0.62, 1]
        line_at = np.array([look["nape"], look["nape"] + 0.12, -0.28, -0.05, 0.30, look["front"], look["front"] + 0.02])
        width = 0.5 * np.ptp(v[self._head, 0])

        def distance(indices):
            p = v[indices]
            z = np.clip((p[:, 2] - self._head_centre) / self._head_radius, -1, 1)
            line = np.interp(z, back_to_front, line_at)
            side = np.clip(abs(p[:, 0]) / width - 0.55, 0, 1) * (z > 0.2) * 0.25
            cover = ((p[:, 1] - eye[1]) / hh - line + side * 0.3) * hh
            cover = np.where(ear[indices] > 0.3, -0.02, cover)
            of_head = rig.weights[indices, rig.index["head"]] + rig.weights[indices, rig.index["neck03"]] > 0.4
            return np.where(of_head, cover, -1)

        return distance

    # ---- one mesh out of the parts

    def _join(self):
        columns = [[] for _ in range(8)]
        points_before = uvs_before = 0
        for points, weights, indices, covers, faces, uvs, uv_faces, materials in self._parts:
            shifted = (points, weights, indices, covers, faces + points_before, uvs, uv_faces + uvs_before, materials)
            for column, part in zip(columns, shifted):
                column.append(part)
            points_before += len(points)
            uvs_before += len(uvs)
        joined = [np.concatenate(column) for column in columns]
        self.points, self.weights, self._indices, self.cover = joined[:4]
        self.faces, self.uvs, self.uv_faces, self.material = joined[4].astype(np.int32), joined[5], joined[6].astype(np.int32), joined[7].astype(np.int32)

    def _add_expressions(self):
        target = lambda name: self.assets.target(f"expression/units/caucasian/{name}")
        blink = (target("eye-left-closure") + target("eye-right-closure")) * 0.1
        smile = target("mouth-corner-puller") * 0.1
        self.blink, self.smile = blink[self._indices], smile[self._indices]
        eyes = np.isin(np.arange(len(self.points)), np.unique(self.faces[self.material == EYE]))
        for expression in (self.blink, self.smile):
            expression[eyes] = 0

    def _find_nose(self):
        """The foremost point of the middle of the face, [3]."""
        skin = self._parts[0][0]
        eye, hh = self._eye, self._head_height
        middle = (abs(skin[:, 0]) < 0.01) & (skin[:, 1] < eye[1]) & (skin[:, 1] > eye[1] - 0.5 * hh)
        self.nose = self.points[: len(skin)][np.argmax(np.where(middle, skin[:, 2], -9))]
