"""The table host × case: as lines while it runs, as Markdown and JSON at the end."""

import json

# What a result looks like in the table.
PASSED, FAILED, SKIPPED = "ok", "!!", "--"


def mark(result):
    if result.get("skipped"):
        return SKIPPED
    return FAILED if result["wrong"] else PASSED


def line(result):
    """One attempt, as it ends."""
    words = f"{mark(result)} {result['host']:<13} {result['case']:<28} {seen(result)}"
    return "\n".join([words, *(f"     {text}" for wrong in result.get("wrong", []) for text in wrong.splitlines())])


def seen(result):
    """What was seen, in a few words."""
    if result.get("skipped"):
        return result["skipped"]
    if "entered" not in result:
        return result.get("note", "")
    judged = ", ".join(result["outcomes"]) or "nothing judged"
    last = f"  “{result['shown'][-1]}”" if result.get("shown") else ""
    return f"{'in' if result['entered'] else 'refused'} · {judged} · {result['seconds']} s{last}"


def finish(results, out, hosts):
    """Writes the files, prints the sum, and gives back the exit code."""
    (out / "table.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "table.md").write_text(markdown(results, hosts), encoding="utf-8")
    marks = [mark(result) for result in results]
    print(f"\nThe table with what was seen: {out / 'table.md'}")
    print(f"{marks.count(PASSED)} passed, {marks.count(FAILED)} failed, {marks.count(SKIPPED)} skipped")
    return 0 if PASSED in marks and FAILED not in marks else 1


def markdown(results, hosts):
    """A table of cases that several hosts share, then a list of what was tried with one alone."""
    cells = {(result["host"], result["case"]): result for result in results}
    names = [host for host in hosts if any(result["host"] == host for result in results)]
    cases = list(dict.fromkeys(result["case"] for result in results if "entered" in result or result.get("skipped")))
    shared = [case for case in cases if sum((host, case) in cells for host in names) > 1 or len(names) == 1]
    rows = ["| case | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for case in shared:
        row = [cell(cells.get((host, case))) for host in names]
        rows.append(f"| {case} | " + " | ".join(row) + " |")
    alone = [result for result in results if result["case"] not in shared]
    rows += ["", "| host | case | seen |", "|---|---|---|"]
    rows += [f"| {result['host']} | {result['case']} | {mark(result)} {escape(seen(result))} |" for result in alone]
    return "\n".join(["# Hosts and cases", "", *rows]) + "\n"


def cell(result):
    if result is None:
        return ""
    if result.get("skipped"):
        return f"– {escape(result['skipped'])}"
    if "entered" not in result:
        return f"{mark(result)} {escape(seen(result))}"
    judged = ", ".join(result["outcomes"]) or "nothing judged"
    kept = f"{result.get('machine', '')}/{result['kept'][-1]}" if result.get("kept") else ""
    link = f" [seen]({kept})" if kept else ""
    return f"{mark(result)} {'in' if result['entered'] else 'refused'}, {judged}{link}"


def escape(text):
    return text.replace("|", "\\|").replace("\n", " ")
