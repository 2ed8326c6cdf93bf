"""The machine as an administrator has set it up: accounts, the installed package, two enrolments, a session on the seat."""

import subprocess

import cases
import helper
import seat
from helper import run

ROOT_PASSWORD = "root's own words"
ENROLMENTS = (
    ("chidi", "battery staple", [f"chidi_open_head_{number}" for number in range(3)]),
    ("ben", cases.RIGHT, [f"ben_circle_touch_{number}" for number in range(3)]),
)


def furnish():
    for user in ("ben", "chidi"):
        run("useradd", "--create-home", "--shell", "/bin/bash", user)
    accounts = {"root": ROOT_PASSWORD, "ben": cases.RIGHT, "chidi": "battery staple"}
    run("chpasswd", input="".join(f"{user}:{password}\n" for user, password in accounts.items()))
    # As `make install` says.
    run("systemd-sysusers")
    subprocess.run(["systemd-tmpfiles", "--create"], check=False)
    run("systemctl", "daemon-reload")
    run("systemctl", "reload", "dbus")
    helper.use_recordings()
    for user, password, clips in ENROLMENTS:
        helper.enrol(user, password, clips)
        helper.keep_state(user)
    seat.begin()
