"""Runs MediaPipe and ours on the same pixels in the same run and prints errors and times.

usage: compare.py TRACK_RGB OUTPUT.json [--lite|--heavy] CLIP...

For each clip, decoded once by ffmpeg:
- free: both track on their own, smoothed, in MediaPipe's fixed time. Errors can grow where tracking itself is
  unstable: a person who enters or leaves makes the loop of region and landmarks amplify the last bit.
- stepwise: each of our frames starts from the region that MediaPipe had. What differs is the pipeline's own error.
- time: both bound to one processor, then both to two (ours with two threads), alternating, medians of all frames.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def probe(clip):
    text = subprocess.check_output(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0",
         clip], text=True)
    return [int(v) for v in text.strip().strip(",").split(",")[:2]]


def run(command, processors=None):
    if processors is not None:
        command = ["taskset", "-c", processors] + command
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def errors(ours, theirs, width, height):
    """Distances in % of shoulder width, and frames in which only one side sees a person."""
    found, apart = [], 0
    for a, b in zip(ours, theirs):
        if (a["lm"] is None) != (b["lm"] is None):
            apart += 1
        if a["lm"] is None or b["lm"] is None:
            continue
        scale = np.array([width, height])
        a, b = (np.array(row["lm"])[:, :2] * scale for row in (a, b))
        found.extend(np.hypot(*(a - b).T) / np.hypot(*(b[11] - b[12])) * 100)
    return found, apart


def quantiles(values):
    return [round(float(np.percentile(values, q)), 4) if len(values) else None for q in (50, 95, 100)]


def main():
    track, output, clips = sys.argv[1], sys.argv[2], sys.argv[3:]
    extra = [option for option in clips if option in ("--lite", "--heavy")]
    variant = extra[0].removeprefix("--") if extra else "full"
    # The heavy model is not shipped; it is made beside the results.
    track = [track] + (["--models", os.path.join(os.path.dirname(output), "models")] if variant == "heavy" else [])
    clips = [clip for clip in clips if not clip.startswith("--")]
    mediapipe = [sys.executable, os.path.join(HERE, "mediapipe_side.py")]
    pooled = {"free": [], "stepwise": []}
    times = {(side, threads): [] for side in ("ours", "theirs") for threads in (1, 2)}
    rows = []
    print(f"{'clip':34} {'frames':>6}   {'free: median  95 %':>18} {'apart':>5}   {'stepwise: median  95 %':>22}   "
          f"{'ms, 1 thread: ours / theirs':>27}")
    for clip in clips:
        width, height = probe(clip)
        with tempfile.NamedTemporaryFile(suffix=".rgb") as raw, tempfile.NamedTemporaryFile("w") as regions:
            subprocess.check_call(["ffmpeg", "-v", "error", "-y", "-i", clip, "-f", "rawvideo", "-pix_fmt", "rgb24",
                                   raw.name])
            place = [raw.name, str(width), str(height)] + extra
            guide = run(mediapipe + place + ["--regions"])
            for row in guide:
                regions.write("" if row["region"] is None else " ".join(f"{v:.7g}" for v in row["region"]))
                regions.write("\n")
            regions.flush()
            stepwise, apart_step = errors(run(track + place + ["--regions", regions.name]), guide, width, height)
            ours, theirs = {}, {}
            for threads, processors in ((1, "0"), (2, "0,1")):
                theirs[threads] = run(mediapipe + place, processors)
                ours[threads] = run(track + place + ["--threads", str(threads)], processors)
                times["theirs", threads] += [row["ms"] for row in theirs[threads][1:]]
                times["ours", threads] += [row["ms"] for row in ours[threads][1:]]
        free, apart = errors(ours[1], theirs[1], width, height)
        pooled["free"] += free
        pooled["stepwise"] += stepwise
        f, s = quantiles(free), quantiles(stepwise)
        ms = [float(np.median([row["ms"] for row in side[1]])) for side in (ours, theirs)]
        rows.append({"clip": os.path.basename(clip), "frames": len(guide), "free_pct": f, "apart": apart,
                     "stepwise_pct": s, "stepwise_apart": apart_step, "ms_1thread": ms})
        print(f"{os.path.basename(clip):34} {len(guide):6}   {f[0]!s:>11} {f[1]!s:>6} {apart:5}   "
              f"{s[0]!s:>15} {s[1]!s:>6}   {ms[0]:20.2f} / {ms[1]:.2f}", flush=True)
    median = {key: float(np.median(values)) for key, values in times.items()}
    p95 = {key: float(np.percentile(values, 95)) for key, values in times.items()}
    f, s = quantiles(pooled["free"]), quantiles(pooled["stepwise"])
    summary = {
        "agreement_median_pct": f[0], "agreement_p95_pct": f[1],
        "stepwise_median_pct": s[0], "stepwise_p95_pct": s[1],
        "ms": {f"{side}_{threads}": [median[side, threads], p95[side, threads]] for side, threads in times},
        f"frame_ratio_1thread_{variant}": median["theirs", 1] / median["ours", 1],
        f"frame_ratio_2threads_{variant}": median["theirs", 2] / median["ours", 2],
    }
    print(f"\nall clips, % of shoulder width: free median {f[0]}, 95 % {f[1]}; stepwise median {s[0]}, 95 % {s[1]}")
    for threads in (1, 2):
        print(f"{threads} thread(s), ms a frame (median, 95 %): ours {median['ours', threads]:.2f}, "
              f"{p95['ours', threads]:.2f}; MediaPipe {median['theirs', threads]:.2f}, {p95['theirs', threads]:.2f}; "
              f"ratio {median['theirs', threads] / median['ours', threads]:.2f}")
    with open(output, "w") as file:
        json.dump({"summary": summary, "clips": rows}, file, indent=1)


main()
