"""Runs inside a booted machine as root: furnishes it, or tries every case with one host; prints one JSON line for each.

usage: drive.py furnish | HOST [CASE...]
"""

import importlib
import json
import pathlib
import re
import sys
import time
import traceback

import cases
import helper
import machine
import seat
from seen import was_shown


def main(action, *wanted):
    if action == "furnish":
        machine.furnish()
        return
    host = importlib.import_module(f"hosts.{action.replace('-', '_')}")
    if why := getattr(host, "absent", str)():
        report(action, "all cases", skipped=why, wrong=[])
        return
    host.prepare()
    for case in getattr(host, "CASES", cases.CASES):
        if not wanted or case.name in wanted:
            report(action, case.name, **attempt(action, host, case))
    for name, trial in getattr(host, "OWN", {}).items():
        if not wanted or name in wanted:
            report(action, name, **own(action, name, trial))


def attempt(name, host, case):
    """One case with one host: what was seen, and what of it is not as it must be."""
    if not case.helper:
        helper.take_away()
    seat.activate()
    host.use(case.stack)
    helper.configure(getattr(host, "HELPER_CONFIGURATION", "") if case.configuration is None else case.configuration)
    helper.fresh(case.enrolled, case.film)
    position = helper.journal_position()
    began = time.monotonic()
    try:
        seen = host.log_in(case, Evidence(name, case.name, position))
        outcomes = helper.outcomes_since(position, host.SERVICE)
        wrong = differences(host, case, seen, outcomes)
        result = {"entered": seen.entered, "outcomes": outcomes, "shown": last_words(seen.shown), "kept": seen.kept}
    except Exception:  # A broken case is a failed case, and the next ones still run.
        wrong, result = [traceback.format_exc()], {}
    finally:
        if not case.helper:
            helper.give_back()
    if wrong:
        result["journal"] = Evidence(name, case.name, position).file("journal", helper.said_since(position).encode())
    return {**result, "seconds": round(time.monotonic() - began, 1), "wrong": wrong}


def own(host, name, trial):
    """What is tried with one host alone: `trial` gives back what was seen in words, and asserts."""
    seat.activate()
    helper.configure("")
    position = helper.journal_position()
    began = time.monotonic()
    evidence = Evidence(host, name, position)
    try:
        note, wrong = trial(evidence), []
    except Exception:  # As above.
        note, wrong = "", [traceback.format_exc(), evidence.file("journal", helper.said_since(position).encode())]
    return {"note": note, "seconds": round(time.monotonic() - began, 1), "wrong": wrong}


def differences(host, case, seen, outcomes):
    wrong = []
    if seen.entered != case.enters:
        wrong.append("let in" if seen.entered else "not let in")
    expected = [] if case.outcome is None else [case.outcome]
    # Greeters begin anew by themselves after a refusal; that attempt ends with the greeter.
    if len(outcomes) > 1 and outcomes[-1] == "deadline":
        outcomes = outcomes[:-1]
    if outcomes != expected:
        wrong.append(f"the helper judged {outcomes}, not {expected}")
    if getattr(host, "SHOWS_TEXT", True) and not was_shown(case, seen.shown):
        wrong.append(f"the person never saw {case.shown!r}: {seen.shown!r}")
    return wrong


def last_words(shown):
    """The last lines that say something, for the table."""
    lines = [line.strip() for line in shown.splitlines()]
    return [line for line in lines if line][-3:]


class Evidence:
    """Files that show an attempt, kept for whoever reads the table."""

    def __init__(self, host, case, position):
        # Where the journal ended before the attempt.
        self.position = position
        self.stem = re.sub(r"[^a-z0-9_]+", "-", f"{host}-{case}".lower())

    def text(self, shown):
        return self.file("txt", shown.encode())

    def file(self, ending, content=None):
        """A name in the artefacts' folder; written if there is content."""
        path = pathlib.Path("/out") / f"{self.stem}.{ending}"
        if content is not None:
            path.write_bytes(content)
        return path.name


def report(host, case, **result):
    print(json.dumps({"host": host, "case": case, **result}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
