#!/usr/bin/env python3
"""False rejects at the shipped threshold when login differs from enrolment.

usage: run.py POSECTL RECORDINGS.jsonl.gz [K]

Leaves the first K recordings of each user, gesture and view as they are (the templates of `posectl eval --k K`),
changes all later ones in one way at a time, and prints the figures of the shipped matcher. Standard library only.
"""
import collections, gzip, json, math, random, subprocess, sys, tempfile


def turned(degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def change(r, _):
        w, h = r["w"], r["h"]
        for p in points(r):
            x, y = (p[0] - 0.5) * w, (p[1] - 0.5) * h
            p[0], p[1] = 0.5 + (c * x - s * y) / w, 0.5 + (s * x + c * y) / h
    return change


def scaled(factor):
    def change(r, _):
        for p in points(r):
            p[0], p[1] = 0.5 + (p[0] - 0.5) * factor, 0.5 + (p[1] - 0.5) * factor
    return change


def tempo(factor):
    return lambda r, _: r.update(fps=r["fps"] * factor)


def resampled(fps):
    """Takes the nearest earlier picture, as a slower camera would; a faster one interpolates."""
    def change(r, _):
        lm, n = r["lm"], len(r["lm"])
        count = max(2, round((n - 1) / r["fps"] * fps) + 1)
        r["lm"] = [between(lm, i * r["fps"] / fps) for i in range(count)]
        r["fps"] = fps
    return change


def between(lm, at):
    low = min(int(at), len(lm) - 1)
    high, share = min(low + 1, len(lm) - 1), at - int(at)
    return [[a + (b - a) * share for a, b in zip(p, q)] for p, q in zip(lm[low], lm[high])]


def dropped(share):
    """Pictures in which nobody was found."""
    def change(r, rng):
        r["lm"] = [frame if rng.random() > share else None for frame in r["lm"]]
    return change


def jitter(share):
    """Noise as a share of the median shoulder width, each landmark and picture on its own."""
    def change(r, rng):
        w, h = r["w"], r["h"]
        widths = sorted(math.hypot((f[11][0] - f[12][0]) * w, (f[11][1] - f[12][1]) * h) for f in r["lm"])
        sd = share * widths[len(widths) // 2]
        for p in points(r):
            p[0], p[1] = p[0] + rng.gauss(0, sd) / w, p[1] + rng.gauss(0, sd) / h
    return change


def points(r):
    return (p for frame in r["lm"] if frame for p in frame)


CHANGES = [
    ("as recorded", lambda r, _: None),
    ("camera rolled by +10°", turned(10)), ("camera rolled by -10°", turned(-10)),
    ("25 % nearer", scaled(1.25)), ("25 % farther", scaled(0.75)),
    ("25 % slower", tempo(0.8)), ("25 % faster", tempo(1.25)),
    ("8 pictures a second", resampled(8)), ("30 pictures a second", resampled(30)),
    ("60 pictures a second", resampled(60)),
    ("30 % of the pictures without a person", dropped(0.3)),
    ("jitter of 1 % of the shoulder width", jitter(0.01)), ("jitter of 3 %", jitter(0.03)),
]


def main():
    posectl, path, k = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with gzip.open(path, "rt") as lines:
        recordings = [json.loads(line) for line in lines]
    cells = collections.defaultdict(list)
    for r in recordings:
        cells[r["user"], r["gesture"], r["view"]].append(r)
    templates = {id(r) for cell in cells.values() for r in sorted(cell, key=lambda r: r["rep"])[:k]}
    print("| Change of the probes | false rejects | zero-effort false accepts | informed |\n|---|---|---|---|")
    for name, change in CHANGES:
        rng = random.Random(1)
        with tempfile.NamedTemporaryFile(suffix=".jsonl.gz") as out:
            with gzip.open(out.name, "wt", compresslevel=1) as lines:
                for r in recordings:
                    if id(r) not in templates:
                        r = json.loads(json.dumps(r))
                        change(r, rng)
                    lines.write(json.dumps(r) + "\n")
            report = json.loads(subprocess.check_output([posectl, "eval", "--json", "--k", str(k), out.name]))
        t = report["shipped_threshold"]
        rates = (t["frr"], t["far_zero_effort"], t["far_informed"])
        print(f"| {name} | " + " | ".join(f"{100 * rate:.1f} %" for rate in rates) + " |", flush=True)


main()
