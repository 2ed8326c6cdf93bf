"""Renders clips: `python -m people render --out clips --only 'ben_circle.*'`, `python -m people list`."""
import argparse
import csv
import os
import re
from multiprocessing import Pool

# One process a core is faster than threads in each.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
import cv2  # noqa: E402

from .clips import catalogue, render  # noqa: E402

cv2.setNumThreads(1)
HEADER = "file identity gesture repetition kind fps frames seed".split()


def main():
    options = _options()
    chosen = [clip for clip in catalogue(options.repetitions) if re.search(options.only, clip.name)]
    if options.command == "list":
        print(*(clip.name for clip in chosen), sep="\n")
        return
    os.makedirs(options.out, exist_ok=True)
    rows = []
    with Pool(options.jobs) as pool:
        for attacks in (False, True):
            jobs = [(clip, options.out, options.quality) for clip in chosen if clip.is_attack() == attacks]
            for row in pool.imap(_render, jobs):
                rows.append(row)
                print(*row, flush=True)
    _write_index(f"{options.out}/index.csv", rows)


def _options():
    parser = argparse.ArgumentParser(prog="python -m people", description=__doc__)
    parser.add_argument("command", choices=["render", "list"])
    parser.add_argument("--out", default="clips", help="folder to write to")
    parser.add_argument("--only", default=".", help="regular expression that names must contain")
    parser.add_argument("--repetitions", type=int, default=6, help="of each gesture")
    parser.add_argument("--quality", type=int, default=78, help="of the JPEGs, 1 to 100")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    return parser.parse_args()


def _render(job):
    return render(*job)


def _write_index(path, rows):
    """Adds the rows to the index, replacing those of the same file."""
    known = {}
    if os.path.exists(path):
        with open(path, newline="") as file:
            known = {row[0]: row for row in list(csv.reader(file))[1:]}
    known.update({row[0]: row for row in rows})
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(known[name] for name in sorted(known))


if __name__ == "__main__":
    main()
