"""From the measured JSON files to plots and summary.json.

usage: report.py FOLDER

A section that was not measured is missing from the summary, not guessed.
"""
import json
import os
import sys

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

OURS, THEIRS, GREY = "#1f6f8b", "#c98b2b", "#8a8f98"


def load(folder, name):
    path = os.path.join(folder, name + ".json")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)


def summary(found):
    """The figures that the project promises something about, each with how it is told."""
    out = {}
    full = found["mediapipe_full"]
    for result in (full, found["mediapipe_lite"], found["mediapipe_heavy"]):
        if result:
            out.update({k: v for k, v in result["summary"].items() if k.startswith("frame_ratio")})
    if full:
        out["agreement_median_pct"] = full["summary"]["agreement_median_pct"]
        out["agreement_p95_pct"] = full["summary"]["agreement_p95_pct"]
    if found["frames"]:
        out["fps_1core_mjpg640_full"] = found["frames"]["full"]["fps"]
        out["fps_1core_mjpg640_lite"] = found["frames"]["lite"]["fps"]
    if found["start"]:
        out["cold_first_landmark_ms"] = found["start"]["cold_first_landmark_ms"]["median"]
        out["warm_first_landmark_after_enter_ms"] = found["start"]["warm_first_landmark_after_enter_ms"]["median"]
    if found["logins"]:
        out["verdict_after_movement_ms"] = found["logins"]["verdict_after_movement_ms"]["median"]
        out["module_overhead_ms"] = found["logins"]["module_overhead_beyond_floor_ms"]
        out["module_floor_ms"] = found["logins"]["floor_ms"]
    if found["memory"]:
        out["idle_rss_mb"] = found["memory"]["idle_after_a_login_mb"]
        out["peak_rss_mb"] = found["memory"]["daemon_and_workers_peak_mb"]
    return {key: round(value, 3) for key, value in out.items()}


def bars(axes, rows, unit):
    """Horizontal bars of (name, figures, colour), whiskers to the 95th percentile."""
    rows = rows[::-1]
    medians = [row[1]["median"] for row in rows]
    beyond = [max(0.0, row[1]["p95"] - row[1]["median"]) for row in rows]
    axes.barh([row[0] for row in rows], medians, xerr=[[0] * len(rows), beyond], capsize=3,
              color=[row[2] for row in rows])
    for i, value in enumerate(medians):
        axes.text(value, i + 0.28, f" {value:.1f}", va="bottom", fontsize=8)
    axes.set_xlabel(f"{unit}; bar: median, whisker: 95th percentile")
    axes.spines[["top", "right"]].set_visible(False)


def save(figure, folder, name):
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(os.path.join(folder, f"{name}.{kind}"), dpi=120)
    plt.close(figure)


def plot_frames(folder, found):
    rows = []
    for variant in ("full", "lite", "heavy"):
        result = found["mediapipe_" + variant]
        if result:
            for threads in (1, 2):
                for side, name, colour in (("ours", "pam_pose", OURS), ("theirs", "MediaPipe for Python", THEIRS)):
                    median, p95 = result["summary"]["ms"][f"{side}_{threads}"]
                    rows.append((f"{name}, {variant}, {threads} processor{'s' * (threads > 1)}",
                                 {"median": median, "p95": p95}, colour))
        if found["frames"] and variant in found["frames"]:
            rows.append((f"pam_pose, {variant}, 1 processor, from motion JPEG",
                         found["frames"][variant]["further_picture_ms"], GREY))
    if rows:
        figure, axes = plt.subplots(figsize=(9, 0.45 * len(rows) + 1.4))
        bars(axes, rows, "ms a picture of 640 × 480")
        axes.axvline(1000 / 30, color="black", lw=0.8, ls=":")
        axes.text(1000 / 30, len(rows) - 0.4, " 30 a second", fontsize=8)
        axes.set_title("Pictures to landmarks, same pictures, same run")
        save(figure, folder, "frames")


def plot_times(folder, found):
    rows = []
    if found["logins"]:
        short = found["logins"]["short"]
        rows += [("pamtester, pam_permit", short["pam_permit_ms"], THEIRS),
                 ("pamtester, pam_unix", short["pam_unix_ms"], THEIRS),
                 ("pamtester, pam_pose refuses without a camera", short["refused_without_camera_ms"], OURS),
                 ("last needed movement to the host's end", found["logins"]["verdict_after_movement_ms"], OURS)]
    if found["start"]:
        start = found["start"]
        rows += [("daemon's process to ready", start["daemon_ready_ms"], OURS),
                 ("cold: daemon's process to first landmark", start["cold_first_landmark_ms"], OURS),
                 ("warm: Enter to first landmark", start["warm_first_landmark_after_enter_ms"], OURS)]
    if rows:
        figure, axes = plt.subplots(figsize=(9, 0.45 * len(rows) + 1.4))
        bars(axes, rows, "ms")
        axes.set_title("Waits around a login")
        save(figure, folder, "waits")


def plot_memory(folder, found):
    if found["memory"]:
        names = {"fresh_mb": "daemon, fresh", "idle_after_a_login_mb": "daemon, idle after a login",
                 "daemon_peak_mb": "daemon, peak", "worker_peak_mb": "worker, peak",
                 "daemon_and_workers_peak_mb": "together, peak"}
        figure, axes = plt.subplots(figsize=(9, 3))
        values = [found["memory"][key] for key in names][::-1]
        axes.barh(list(names.values())[::-1], values, color=OURS)
        for i, value in enumerate(values):
            axes.text(value, i, f" {value:.1f}", va="center", fontsize=8)
        axes.set_xlabel("resident, MiB")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title("Memory")
        save(figure, folder, "memory")


def plot_growth(folder, found):
    growth = found["growth"]
    if not growth:
        return
    panels = [
        ("users", "users", ["store_part_of_a_login_ms", "refused_without_camera_ms", "verdict_after_movement_ms",
                            "daemon_ready_ms"]),
        ("templates", "templates", ["match_ms", "verdict_after_movement_ms"]),
        ("waiting_clients", "clients", ["refused_without_camera_ms", "verdict_after_movement_ms"]),
    ]
    figure, all_axes = plt.subplots(1, len(panels) + 1, figsize=(16, 4))
    for axes, (section, key, curves) in zip(all_axes, panels):
        xs = [point[key] for point in growth[section]]
        for curve in curves:
            medians = [point[curve]["median"] for point in growth[section]]
            highs = [max(0.0, point[curve]["p95"] - point[curve]["median"]) for point in growth[section]]
            axes.errorbar(xs, medians, yerr=[[0] * len(xs), highs], marker="o", capsize=3,
                          label=curve.removesuffix("_ms").replace("_", " "))
        plain_log_scale(axes, xs)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(section.replace("_", " "))
        axes.set_ylabel("ms")
        axes.legend(fontsize=7)
    axes = all_axes[-1]
    xs = [point["users"] for point in growth["users"]]
    axes.plot(xs, [point["bytes_a_user"] / 1024 for point in growth["users"]], marker="o")
    plain_log_scale(axes, xs)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("users")
    axes.set_ylabel("store, KiB a user")
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Growth (points: medians, whiskers: 95th percentile)")
    save(figure, folder, "growth")


def plain_log_scale(axes, xs):
    axes.set_xscale("log")
    axes.set_xticks(xs, [f"{x:,}" for x in xs])
    axes.set_xticks([], minor=True)


def main():
    folder = sys.argv[1]
    names = ("mediapipe_full", "mediapipe_lite", "mediapipe_heavy", "frames", "start", "logins", "memory", "growth")
    found = {name: load(folder, name) for name in names}
    result = summary(found)
    with open(os.path.join(folder, "summary.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    for key, value in result.items():
        print(f"{key:40} {value}")
    missing = [name for name, value in found.items() if value is None]
    if missing:
        print("not measured:", ", ".join(missing))
    if plt is None:
        print("no plots: matplotlib is not installed (the mediapipe section brings it)")
        return
    for plot in (plot_frames, plot_times, plot_memory, plot_growth):
        plot(folder, found)
    print(f"plots and figures are in {os.path.relpath(folder)}/")


main()
