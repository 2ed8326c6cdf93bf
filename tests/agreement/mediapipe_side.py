"""MediaPipe's side of the comparison: raw RGB frames to landmarks, regions and times as JSON lines.

usage: mediapipe_side.py FRAMES.rgb WIDTH HEIGHT [--lite|--heavy] [--unsmoothed]
"""
import json
import os
import sys
import time

os.environ.setdefault("GLOG_minloglevel", "2")
import numpy as np  # noqa: E402
from mediapipe.python.solution_base import PacketDataType, SolutionBase  # noqa: E402
from mediapipe.python.solutions import pose as solution  # noqa: E402


def open_pose(complexity, smooth, with_region):
    """The Pose solution as its own class builds it; with_region also asks for the next region."""
    if not with_region:
        return solution.Pose(model_complexity=complexity, smooth_landmarks=smooth)
    roi = "pose_rect_from_landmarks"
    return SolutionBase(
        binary_graph_path=solution._BINARYPB_FILE_PATH,
        side_inputs={
            "model_complexity": complexity,
            "smooth_landmarks": smooth,
            "enable_segmentation": False,
            "smooth_segmentation": False,
            "use_prev_landmarks": True,
        },
        calculator_params={
            "posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": 0.5,
            "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__ThresholdingCalculator.threshold": 0.5,
        },
        outputs=["pose_landmarks", "pose_world_landmarks", roi],
        stream_type_hints={roi: PacketDataType.PROTO},
    )


def main():
    path, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with_region = "--regions" in sys.argv
    complexity = 0 if "--lite" in sys.argv else 2 if "--heavy" in sys.argv else 1
    pose = open_pose(complexity, "--unsmoothed" not in sys.argv, with_region)
    size = width * height * 3
    with open(path, "rb") as frames:
        while len(data := frames.read(size)) == size:
            image = np.frombuffer(data, np.uint8).reshape(height, width, 3)
            started = time.perf_counter()
            result = pose.process({"image": image} if with_region else image)
            ms = (time.perf_counter() - started) * 1e3
            row = {"ms": round(ms, 3), "region": None, "lm": None, "world": None}
            if result.pose_landmarks is not None:
                row["lm"] = [[p.x, p.y, p.z, p.visibility] for p in result.pose_landmarks.landmark]
                row["world"] = [[p.x, p.y, p.z] for p in result.pose_world_landmarks.landmark]
            if with_region and result.pose_rect_from_landmarks is not None:
                r = result.pose_rect_from_landmarks
                row["region"] = [r.x_center * width, r.y_center * height, r.width * width, r.rotation]
            print(json.dumps(row))


main()
