"""The skeleton: bones of the upper body, arms that reach a wrist target, and skinning."""
import math

import numpy as np

from .geometry import Y, Z, euler, frame, rotation, shortest_rotation, unit

SPINE = ["spine05", "spine04", "spine03", "spine02", "spine01"]
NECK = ["neck01", "neck02", "neck03", "head"]
# Bone, parent, joint of the mesh at which the bone starts; for one side.
ARM = [
    ("clavicle", "spine01", "clavicle"),
    ("shoulder01", "clavicle", "scapula"),
    ("upperarm01", "shoulder01", "shoulder"),
    ("upperarm02", "upperarm01", "shoulder"),
    ("lowerarm01", "upperarm02", "elbow"),
    ("lowerarm02", "lowerarm01", "elbow"),
    ("wrist", "lowerarm02", "hand"),
]
SIDES = ((".L", "l", 1.0), (".R", "r", -1.0))


class Arm:
    """Rest directions of upper and lower arm, the normal of their plane, and both lengths."""

    def __init__(self, shoulder, elbow, wrist):
        self.upper, self.lower = unit(elbow - shoulder), unit(wrist - elbow)
        self.normal = unit(np.cross(elbow - shoulder, wrist - elbow))
        self.upper_length = np.linalg.norm(elbow - shoulder)
        self.lower_length = np.linalg.norm(wrist - elbow)


class Rig:
    """bones in order of their parents, head: bone -> start [3], parent, weights [vertices, bones]."""

    def __init__(self, assets, vertices):
        self.vertices = vertices
        self._joint = lambda name: vertices[assets.vertex_groups["joint-" + name]].mean(0)
        self._add_trunk()
        self._add_arms()
        self.index = {bone: i for i, bone in enumerate(self.bones)}
        self.weights = self._bone_weights(assets, len(vertices))
        self.arms = {
            side: Arm(*(self.head[bone + side] for bone in ("upperarm01", "lowerarm01", "wrist"))) for side in (".L", ".R")
        }
        self.arm_length = self.arms[".L"].upper_length + self.arms[".L"].lower_length

    def _add_trunk(self):
        joint = self._joint
        self.bones = ["root"] + SPINE + NECK
        self.head = {
            "root": joint("pelvis"), "spine05": joint("pelvis"), "spine04": joint("spine-4"), "spine03": joint("spine-3"),
            "spine02": joint("spine-2"), "spine01": joint("spine-1"), "neck01": joint("neck"), "head": joint("head"),
        }
        self.head["neck02"] = self.head["neck01"] * 2 / 3 + self.head["head"] / 3
        self.head["neck03"] = self.head["neck01"] / 3 + self.head["head"] * 2 / 3
        self.parent = {"root": None, "spine05": "root", "neck01": "spine01"}
        for chain in (SPINE, NECK):
            self.parent.update({child: parent for parent, child in zip(chain, chain[1:])})

    def _add_arms(self):
        for side, letter, _ in SIDES:
            for name, parent, joint in ARM:
                self._add(name + side, parent + side if parent != "spine01" else parent, f"{letter}-{joint}")
            for finger in range(1, 6):
                for k in range(1, 4):
                    parent = f"finger{finger}-{k - 1}{side}" if k > 1 else "wrist" + side
                    self._add(f"finger{finger}-{k}{side}", parent, f"{letter}-finger-{finger}-{k}")

    def _add(self, bone, parent, joint):
        self.bones.append(bone)
        self.parent[bone] = parent
        self.head[bone] = self._joint(joint)

    def _bone_weights(self, assets, count):
        """Bones that are not moved here hand their weight to the nearest one that is."""
        weights = np.zeros((count, len(self.bones)))
        for bone, entries in assets.weights.items():
            kept = bone
            while kept and kept not in self.index:
                kept = "spine02" if kept.startswith("breast") else assets.parent.get(kept)
            for vertex, weight in entries:
                weights[vertex, self.index[kept or "root"]] += weight
        weights[weights.sum(1) < 1e-6, 0] = 1
        return weights / weights.sum(1, keepdims=True)

    def pose(self, pose):
        """Rotation and position of every bone.

        pose: root_shift [3], root_turn [3, 3], spine and head (yaw, pitch, roll), and for each arm: wrist (in arm
        lengths from the shoulder, x outward), swivel, pronation, curl.
        """
        turns, places = {}, {}

        def put(bone, turn):
            parent = self.parent[bone]
            turns[bone] = turn
            places[bone] = turns[parent] @ (self.head[bone] - self.head[parent]) + places[parent]

        turns["root"] = pose["root_turn"]
        places["root"] = self.head["root"] + pose["root_shift"]
        for chain, angles in ((SPINE, np.array(pose["spine"]) / 5), (NECK, np.array(pose["head"]) / 4)):
            step = euler(*angles)
            for bone in chain:
                put(bone, turns[self.parent[bone]] @ step)
        for side, _, sign in SIDES:
            self._pose_arm(side, sign, pose["arm" + side], turns, places, put)
        return turns, places

    def _pose_arm(self, side, sign, request, turns, places, put):
        arm, chest = self.arms[side], turns["spine01"]
        wrist = np.array(request["wrist"], float)
        wrist[0] *= sign
        collar = self._collar_turn(chest, wrist, sign)
        for bone in ("clavicle", "shoulder01", "upperarm01"):
            put(bone + side, collar)
        shoulder = places["upperarm01" + side]

        # Two-bone reach: where the elbow goes on its circle is the swivel.
        reach = chest @ wrist * self.arm_length
        l1, l2 = arm.upper_length, arm.lower_length
        distance = np.clip(np.linalg.norm(reach), 0.32 * self.arm_length, 0.985 * (l1 + l2))
        direction = unit(reach)
        pole = chest @ np.array([sign * (0.6 + request.get("swivel", 0.0)), -0.7, -0.45])
        pole = unit(pole - direction * (pole @ direction))
        cosine = np.clip((l1 * l1 + distance * distance - l2 * l2) / (2 * l1 * distance), -1, 1)
        elbow = shoulder + l1 * (cosine * direction + math.sqrt(1 - cosine * cosine) * pole)
        hand = shoulder + distance * direction

        upper, lower = unit(elbow - shoulder), unit(hand - elbow)
        normal = unit(np.cross(pole, direction))
        normal = -normal if np.cross(upper, lower) @ normal < 0 else normal
        self._put_arm(side, sign, request, arm, collar, (upper, lower, normal), put)
        self._curl_fingers(side, sign, request, turns, put)

    def _collar_turn(self, chest, wrist, sign):
        """The shoulder blade follows a raised or reaching arm."""
        elevation = math.asin(np.clip(wrist[1] / (np.linalg.norm(wrist) + 1e-9), -1, 1))
        up = 0.42 * np.clip((elevation + 0.5) / 2.0, 0, 1) ** 1.5
        forward = 0.30 * np.clip(wrist[2], 0, 1) * np.clip(np.linalg.norm(wrist) - 0.5, 0, 0.5) / 0.5
        return chest @ rotation(Z, sign * up) @ rotation(Y, -sign * forward)

    def _put_arm(self, side, sign, request, arm, collar, goal, put):
        """Turns the arm's bones; twist is spread along each, as skin does."""
        upper, lower, normal = goal
        full = frame(upper, normal) @ frame(arm.upper, arm.normal).T
        swing = shortest_rotation(collar @ arm.upper, upper) @ collar
        relative = full @ swing.T
        twist = math.atan2(
            (relative[2, 1] - relative[1, 2]) * upper[0]
            + (relative[0, 2] - relative[2, 0]) * upper[1]
            + (relative[1, 0] - relative[0, 1]) * upper[2],
            np.trace(relative) - 1,
        )
        put("upperarm01" + side, rotation(upper, twist * 0.45) @ swing)
        put("upperarm02" + side, rotation(upper, twist) @ swing)
        forearm = frame(lower, normal) @ frame(arm.lower, arm.normal).T
        pronation = sign * request.get("pronation", 0.0)
        put("lowerarm01" + side, forearm)
        put("lowerarm02" + side, rotation(lower, pronation * 0.55) @ forearm)
        put("wrist" + side, rotation(lower, pronation) @ forearm)

    def _curl_fingers(self, side, sign, request, turns, put):
        knuckles = unit(self.head["finger5-1" + side] - self.head["finger2-1" + side])
        for finger in range(1, 6):
            for k in range(1, 4):
                bone = f"finger{finger}-{k}{side}"
                curl = request.get("curl", 0.25) * (0.35 if finger == 1 else 1.0) * (0.8 + 0.1 * finger)
                put(bone, turns[self.parent[bone]] @ rotation(knuckles, sign * curl))

    def skin(self, vertices, weights, turns, places):
        """Rest vertices moved by the bones (linear blend)."""
        rotations = np.stack([turns[bone] for bone in self.bones])
        shifts = np.stack([places[bone] - turns[bone] @ self.head[bone] for bone in self.bones])
        blended = weights @ np.concatenate([rotations.reshape(-1, 9), shifts], 1)
        return np.einsum("nij,nj->ni", blended[:, :9].reshape(-1, 3, 3), vertices) + blended[:, 9:]
