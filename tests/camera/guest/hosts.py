"""The programs that ask for a pose, used as a person does: reads what is shown, types, moves before the camera."""
import os
import subprocess
import time

import pexpect

import machine
from machine import DISPLAY, PASSWORDS
from plug import check, until

# Of the guest's clock, which stands while its processor works.
PATIENCE = 90
GESTURE = "Do your gesture now"
UNAVAILABLE = "Authentication service cannot retrieve authentication info"


class Person:
    """Somebody before the camera: does the gesture of a recording, answers challenges with those of `name`."""

    def __init__(self, camera, name, gesture, repetitions=()):
        self.camera, self.name, self.gesture = camera, name, gesture
        self.repetitions = list(repetitions)
        self.seen, self.movements = [], machine.movements()
        camera.tell(f"rest {machine.clip(self.repetitions[0] if repetitions else gesture)}")

    def texts(self):
        """What may be shown, each a text to wait for."""
        return [GESTURE, *self.movements]

    def react(self, text):
        """Does what was asked for."""
        self.seen.append(text)
        if text == GESTURE:
            clip = self.repetitions.pop(0) if self.repetitions else self.gesture
        else:
            clip = f"{self.name}_{self.movements[text]}"
        self.camera.tell(f"play {machine.clip(clip)}")


class Unplugs(Person):
    """Pulls the camera out: so many seconds after the so manieth instruction (0: the password prompt)."""

    def __init__(self, camera, name, gesture, instruction, after):
        super().__init__(camera, name, gesture)
        self.instruction, self.after, self.pulled = instruction, after, None

    def react(self, text):
        super().react(text)
        self.pull_at(len(self.seen))

    def pull_at(self, instruction):
        if instruction == self.instruction:
            time.sleep(self.after)
            self.camera.unplug()
            self.pulled = time.monotonic()


class Sleeps(Person):
    """Lets the machine sleep while the gesture is under way; it wakes by itself."""

    def react(self, text):
        super().react(text)
        if len(self.seen) == 1:
            time.sleep(1)
            # Not `systemctl suspend`, which goes on without logind, and so without its warning, where logind refuses.
            machine.run("busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1",
                        "org.freedesktop.login1.Manager", "Suspend", "b", "false")


def follow(child, person, ends):
    """Reacts to instructions until one of `ends` (name to pattern) is shown; its name."""
    texts, names = person.texts(), list(ends)
    while True:
        found = child.expect_exact([*texts, *ends.values()], timeout=PATIENCE)
        if found >= len(texts):
            return names[found - len(texts)]
        person.react(texts[found])


def enrol(person, user, repetitions):
    child = pexpect.spawn("posectl", ["enroll", user, "--repetitions", str(repetitions), "--yes"], encoding="utf-8",
                          timeout=PATIENCE)
    for _ in range(2):
        child.expect(["(?i)password[^\n]*: ", "The same again: "])
        child.sendline(PASSWORDS[user])
    end = follow(child, person, {"enrolled": "is enrolled.", "refused": "error:", "over": pexpect.EOF})
    check(end == "enrolled", f"{end}: {child.before[-800:]}")
    child.expect(pexpect.EOF)


class Login:
    """`login` on a terminal; afterwards the user's shell in it."""

    def __init__(self, person, user, password=None):
        self.user = user
        self.child = pexpect.spawn("login", [user], encoding="utf-8", timeout=PATIENCE, echo=False)
        self.child.expect_exact("Password: ")
        self.child.sendline(password or PASSWORDS[user])
        ends = {"in": "$ ", "refused": "Login incorrect", "over": pexpect.EOF}
        self.end = follow(self.child, person, ends)

    def __enter__(self):
        check(self.end == "in", f"login: {self.end}: {self.child.before[-800:]}\n{machine.told()}")
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def sudo(self, person):
        """How `sudo` ends: in or refused."""
        self.child.sendline("sudo -k; sudo -p 'Pass''word: ' echo is''-in; echo over''=$?")
        self.child.expect_exact("Password: ")
        self.child.sendline(PASSWORDS[self.user])
        # It says the same after any refusal, also one that says that there is no camera.
        end = follow(self.child, person, {"in": "is-in", "refused": "incorrect password attempt", "failed": "over="})
        if end != "failed":
            self.child.expect_exact("over=")
        self.child.expect_exact("$ ")
        return end

    def ask(self, person):
        """What PAM answers to a program that asks with sudo's stack: in, refused or unavailable; `at`, when."""
        self.child.sendline("pamtester sudo $USER authenticate; echo over''=$?")
        self.child.expect_exact("Password: ")
        if isinstance(person, Unplugs):
            person.pull_at(0)
        self.child.sendline(PASSWORDS[self.user])
        end = follow(self.child, person, {"in": "successfully authenticated", "unavailable": UNAVAILABLE,
                                          "refused": "Authentication failure", "failed": "over="})
        self.at = time.monotonic()
        if end != "failed":
            self.child.expect_exact("over=")
        self.child.expect_exact("$ ")
        return end

    def lock(self, person):
        """Locks a display, types the password into the locker; whether it opens.

        The locker shows no text. Its user is told what to do by what the helper says on the bus.
        """
        told = pexpect.spawn("dbus-monitor", ["--system", "interface='org.pam_pose.Helper1'", "type='method_return'"],
                             encoding="utf-8", timeout=PATIENCE)
        codes = {f'"challenge:{name}"': text for text, name in person.movements.items()} | {'"gesture"': GESTURE}
        self.child.sendline(f"DISPLAY={DISPLAY} i3lock -n & echo star''ted")
        self.child.expect_exact("started")
        until(i3lock_runs, "the locker", pause=1)
        time.sleep(2)
        for key in ("type", PASSWORDS[self.user]), ("key", "Return"):
            subprocess.run(["xdotool", *key], env={**os.environ, "DISPLAY": DISPLAY}, check=True)
        end = ""
        while not end:
            found = told.expect_exact([*codes, '"verdict"'], timeout=PATIENCE)
            if found == len(codes):
                end = "over"
            else:
                person.react(list(codes.values())[found])
        told.close(force=True)
        try:
            until(lambda: not i3lock_runs(), "the locker's end", 10, pause=1)
            return "in"
        except AssertionError:
            subprocess.run(["pkill", "-x", "i3lock"], check=True)
            return "refused"
        finally:
            self.child.sendline("wait; echo free''d")
            self.child.expect_exact("freed")
            self.child.expect_exact("$ ")


def i3lock_runs():
    """Whether it still locks: one that has ended stays in the table until its shell looks."""
    return subprocess.run(["pgrep", "-x", "-r", "R,S,D", "i3lock"], capture_output=True).returncode == 0
