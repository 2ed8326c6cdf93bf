"""Tries every host with every case in booted machines and writes the table; see README.md.

usage: runner.py ROOT OUT [--machines N] [HOST...]
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from itertools import chain

import table
from machine import HERE, Machine

# Long ones first, so that the machines end together; "installed" takes everything away again and stays last.
HOSTS = ["xscreensaver", "lightdm", "xsecurelock", "swaylock", "i3lock", "sudo", "sudo-rs", "greetd", "su", "login", "polkit",
         "ssh", "runuser", "installed"]


def main():
    arguments = parse(sys.argv[1:])
    queue, lock, results = list(arguments.hosts), threading.Lock(), []
    arguments.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if "sudo-rs" in queue:
        os.environ["SUDO_RS"] = subprocess.run([HERE / "make-sudo-rs"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def work(number):
        """One machine: takes host after host until none is left."""
        folder = arguments.out / f"machine-{number}"
        try:
            machine = Machine(arguments.root, folder)
        except RuntimeError as error:
            return note({"host": "machine", "case": f"boot {number}", "wrong": [str(error)]})
        try:
            for action in chain(["furnish"], iter(lambda: take(queue, lock), None)):
                drive(machine, action, note)
        finally:
            machine.stop()
        return None

    def note(result):
        with lock:
            results.append(result)
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            print(f"{minutes:2}:{seconds:02} {table.line(result)}", flush=True)

    machines = min(arguments.machines, len(queue))
    # Whoever ends the run does not wait for them; the machines end with them.
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(1, machines + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return table.finish(results, arguments.out, HOSTS)


def take(queue, lock):
    with lock:
        return queue.pop(0) if queue else None


def drive(machine, action, note):
    """Has the guest side do one thing and notes every result that it prints."""
    with open(machine.out / "drive.log", "a", encoding="utf-8") as log:
        guest = machine.start("python3", "-B", "/opt/hosts/drive.py", action, stdout=subprocess.PIPE, stderr=log)
        for line in guest.stdout:
            note({"machine": machine.out.name, **json.loads(line)})
        if guest.wait() != 0:
            said = (machine.out / "drive.log").read_text(encoding="utf-8")[-3000:]
            note({"host": action, "case": "as a whole", "wrong": [f"the guest side failed:\n{said}"]})


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--machines", type=int, default=3)
    parser.add_argument("hosts", nargs="*", default=HOSTS)
    return parser.parse_intermixed_args(words)


if __name__ == "__main__":
    sys.exit(main())
