#!/usr/bin/python3
"""What must come of logins whose pictures came through the kernel. Runs in the guest as root; a line for each case."""
import glob
import os
import re
import struct
import subprocess
import time

import machine
import plug
from hosts import Login, Person, Sleeps, Unplugs, enrol
from machine import Verdicts, run
from plug import check, until

CIRCLES = [f"ben_circle_touch_{i}" for i in range(6)]
# Between the pull and what the host shows, seconds of the guest's clock.
SOON = 1.0 * plug.SLACK


def ben(camera, repetition=3):
    return Person(camera, "ben", CIRCLES[repetition])


def the_shipped_unit_is_started_by_the_bus_and_enrols_through_the_kernel():
    check(run("systemctl", "show", "-P", "ActiveState", "pose-helperd").strip() == "inactive", "it runs unasked")
    with machine.camera() as camera:
        until(lambda: os.path.islink("/dev/v4l/by-id/usb-pam_pose_Simulated_Camera_SIM0001-video-index0"), "udev's name")
        try:
            enrol(Person(camera, "ben", "", CIRCLES[:3]), "ben", 3)
        except Exception as error:
            raise AssertionError(f"{error}\n{machine.told()}")
    state = run("systemctl", "show", "-p", "ActiveState,FragmentPath,User,MainPID", "pose-helperd")
    for part in ["ActiveState=active", "FragmentPath=/lib/systemd/system/pose-helperd.service", "User=pam-pose"]:
        check(part in state, state)
    pid = re.search(r"MainPID=(\d+)", state)[1]
    check(os.readlink(f"/proc/{pid}/exe") == "/usr/libexec/pam_pose/pose-helperd", "another program")


def the_right_person_gets_in_by_login_and_sudo():
    with machine.camera() as camera:
        verdicts = Verdicts()
        with Login(ben(camera, 3), "ben") as terminal:
            verdicts.expect("success")
            check_sudo(terminal, ben(camera, 4), "in", "success")


def another_person_is_refused_by_login_and_sudo():
    with machine.camera() as camera:
        verdicts = Verdicts()
        check(Login(Person(camera, "chidi", "chidi_circle_touch_3"), "ben").end == "refused", "somebody else got in")
        verdicts.expect("wrong_pose")
        verdicts = Verdicts()
        try:
            terminal = Login(ben(camera, 5), "ben").__enter__()
        except AssertionError as e:
            raise AssertionError(f"{e} {verdicts.all()}")
        with terminal:
            check_sudo(terminal, Person(camera, "chidi", "chidi_circle_touch_5"), "refused", "wrong_pose")


def a_locker_opens_to_the_right_person_only():
    display = subprocess.Popen(["Xvfb", machine.DISPLAY, "-screen", "0", "320x240x24", "-nolisten", "tcp", "-ac"],
                               stderr=subprocess.DEVNULL)
    try:
        until(lambda: os.path.exists("/tmp/.X11-unix/X7"), "the display")
        with machine.camera() as camera, Login(ben(camera, 3), "ben") as terminal:
            for person, outcome, end in [(Person(camera, "chidi", "chidi_circle_touch_4"), "wrong_pose", "refused"),
                                         (ben(camera, 5), "success", "in")]:
                verdicts = Verdicts()
                seen = terminal.lock(person)
                check(seen == end, f"{seen}, not {end}\n{verdicts.all()}")
                verdicts.expect(outcome)
    finally:
        display.kill()


def an_unplug_in_each_phase_is_unavailable_at_once_and_the_next_login_works():
    told = []
    with machine.camera() as camera, Login(ben(camera, 3), "ben") as terminal:
        camera.unplug()
        # At the password prompt; before, in and after the gesture; in each challenge.
        for instruction, after in [(0, 0), (1, 0), (1, 0.1), (1, 1.5), (2, 0.1), (2, 1.0), (3, 0.3)]:
            verdicts = Verdicts()
            with machine.camera() as plugged:
                person = Unplugs(plugged, "ben", CIRCLES[4], instruction, after)
                end = terminal.ask(person)
            check(end == "unavailable", f"instruction {instruction} + {after} s: {end}\n{verdicts.all()}")
            verdicts.expect("camera_failed" if instruction else "camera_missing")
            late = terminal.at - person.pulled
            check(late < SOON, f"instruction {instruction} + {after} s: told after {late:.2f} s")
            told.append(f"{late * 1000:.0f}")
            with machine.camera() as plugged:
                verdicts = Verdicts()
                end = terminal.sudo(ben(plugged, 5))
                check(end == "in", f"after the unplug at {instruction} + {after} s: {end}\n{verdicts.all()}")
    return "told after " + ", ".join(told) + " ms"


def a_machine_that_goes_to_sleep_releases_the_camera_and_works_when_it_wakes():
    with machine.camera() as camera, Login(ben(camera, 3), "ben") as terminal:
        verdicts = Verdicts()
        end = terminal.ask(Sleeps(camera, "ben", CIRCLES[4]))
        check(end == "unavailable", f"it went on through the sleep: {end}\n{verdicts.all()}")
        check(not camera.is_read(), "the camera is still on")
        time.sleep(5)
        check_sudo(terminal, ben(camera, 5), "in", "success")


def the_camera_is_listed_with_the_reason_and_a_picture_shows_the_skeleton():
    with machine.camera() as camera:
        camera.tell(f"play {machine.clip('ben_t_pose')}")
        picture = machine.OUT + "/snapshot.png"
        text = run("posectl", "devices", "--snapshot", picture)
        width, height = camera.size
        for part in ["/dev/video0  Simulated Camera", "identity 1209:0001:SIM0001 in USB port", f"Mjpg {width}×{height}: 15 fps",
                     "may watch logins", "A login would use /dev/video0 Mjpg", "/dev/v4l/by-path/", "/dev/v4l/by-id/"]:
            check(part in text, f"{part!r} is missing in {text}")
        with open(picture, "rb") as file:
            check(file.read(24)[16:] == struct.pack(">II", width, height), "a picture of another size")


def each_camera_that_is_not_trusted_is_refused_with_its_own_reason():
    with machine.camera() as camera, Login(ben(camera, 3), "ben") as terminal:
        port = glob.glob("/dev/v4l/by-path/*-video-index0")[0]
        name = glob.glob("/dev/v4l/by-id/*-video-index0")[0]
        refused = [
            ({"allow_external": "false"}, "the firmware does not say that it is built in"),
            ({"device": '"/dev/v4l/by-path/elsewhere"'}, "is not connected"),
            ({"device": f'"{port}"', "identity": '"1209:0001:OTHER"'}, "it says that it is 1209:0001:SIM0001"),
        ]
        for keys, reason in refused:
            check_refused(terminal, camera, keys, reason)
        with machine.camera(port=1):
            check_refused(terminal, camera, {"device": f'"{name}"'}, "another camera claims to be the same one")
        with machine.software_camera() as node:
            check_refused(terminal, camera, {"device": f'"{node}"'}, "it is a software camera")
        with machine.configured({"device": f'"{port}"', "identity": '"1209:0001:SIM0001"', "allow_external": "false"}):
            check_sudo(terminal, ben(camera, 4), "in", "success")


def check_refused(terminal, camera, keys, reason):
    with machine.configured(keys):
        check_distrusted(terminal, camera, reason)


def check_distrusted(terminal, camera, reason):
    """Nobody gets in, by a verdict with that reason, which `posectl` tells as well; the camera stays dark."""
    before = camera.starts()
    verdicts = Verdicts()
    end = terminal.ask(ben(camera, 5))
    check(end == "unavailable", f"{reason}: {end}")
    verdicts.expect("camera_missing")
    for told in (verdicts.all(), machine.said("posectl", "devices"), machine.said("posectl", "doctor")):
        check(reason in told, f"{reason!r} is missing in {told}")
    check(camera.starts() == before, f"{reason}: the camera was switched on")


def a_camera_that_comes_to_a_locked_session_is_refused_until_it_is_approved_or_plugged_in_at_work():
    reason = "it was plugged in while the session was locked"
    with machine.camera() as camera, Login(ben(camera, 3), "ben") as terminal:
        camera.unplug()
        machine.lock("ben", True)
        with machine.camera() as plugged:
            check_distrusted(terminal, plugged, reason)
            machine.lock("ben", False)
            check_distrusted(terminal, plugged, reason)
            run("posectl", "devices", "--approve")
            check_sudo(terminal, ben(plugged, 4), "in", "success")
            machine.lock("ben", True)
            check_sudo(terminal, ben(plugged, 5), "in", "success")
        with machine.camera() as plugged:
            until(lambda: reason in machine.said("posectl", "devices"), "the reason", pause=1)
            machine.lock("ben", False)
        with machine.camera() as plugged:
            check_sudo(terminal, ben(plugged, 4), "in", "success")


def logins_in_a_row_end_in_the_right_verdicts():
    logins, others = int(os.environ["LOGINS"] or 3), 0
    with machine.camera() as camera, Login(ben(camera, 0), "ben") as terminal:
        for number in range(logins):
            check_sudo(terminal, Person(camera, "ben", f"ben_circle_touch_{number + 3}"), "in", "success")
            if number % 5 == 2:
                others += 1
                other = Person(camera, "chidi", f"chidi_circle_touch_{others % 3 + 3}")
                check_sudo(terminal, other, "refused", "wrong_pose")
            print(f"  {number + 1} of {logins}", flush=True)
    return f"{logins} times the right person got in, {others} times another was refused"


def check_sudo(terminal, person, end, outcome):
    verdicts = Verdicts()
    seen = terminal.sudo(person)
    check(seen == end, f"{person.gesture}: {seen}, not {end}\n{verdicts.all()}")
    verdicts.expect(outcome)


FIRST = the_shipped_unit_is_started_by_the_bus_and_enrols_through_the_kernel
CASES = [
    the_right_person_gets_in_by_login_and_sudo,
    another_person_is_refused_by_login_and_sudo,
    a_locker_opens_to_the_right_person_only,
    an_unplug_in_each_phase_is_unavailable_at_once_and_the_next_login_works,
    a_machine_that_goes_to_sleep_releases_the_camera_and_works_when_it_wakes,
    the_camera_is_listed_with_the_reason_and_a_picture_shows_the_skeleton,
    each_camera_that_is_not_trusted_is_refused_with_its_own_reason,
    a_camera_that_comes_to_a_locked_session_is_refused_until_it_is_approved_or_plugged_in_at_work,
    logins_in_a_row_end_in_the_right_verdicts,
]

if __name__ == "__main__":
    machine.furnish()
    chosen = [c for c in os.environ["CASES"].split(",") if c]
    plug.run_cases([FIRST, *CASES], chosen and [FIRST.__name__, *chosen])
