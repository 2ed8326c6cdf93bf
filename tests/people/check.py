"""Checks a rendered clip of raise_left: it can be read, pictures differ, and the left wrist rises above the nose."""
import sys

import numpy as np

from . import avi

LEFT_WRIST, RIGHT_WRIST, NOSE = 4, 5, 6


def main(path):
    pictures = avi.read(path + ".avi")
    with np.load(path.replace("ben_", "joints/ben_") + ".npz") as file:
        joints = file["joints"]
    assert len(pictures) == len(joints) >= 30, (len(pictures), joints.shape)
    assert all((a != b).any() for a, b in zip(pictures, pictures[1:])), "two frames are the same"
    height = joints[:, :, 1]
    assert (height[:, LEFT_WRIST] < height[:, NOSE]).any(), "the left wrist never rises above the nose"
    assert (height[:, RIGHT_WRIST] > height[:, NOSE]).all(), "the right wrist rises, too"
    print(f"ok: {len(pictures)} frames, the left wrist rises")


if __name__ == "__main__":
    main(sys.argv[1])
