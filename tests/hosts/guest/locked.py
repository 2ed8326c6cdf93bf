"""A person before a locked screen or a greeter: types, watches the screen, and sees whether it opens."""

import hashlib
import pathlib
import re
import subprocess
import time

import helper
from display import words
from seen import Seen, was_shown

# After the last event (a key typed, a line in the journal) a screen that is still closed stays closed: libpam holds a
# refusal back for up to three seconds.
QUIET = 5
# A message that still shows after so many seconds has not heard its Enter. Not sooner: one too many would wait for the prompt
# that comes next, and answer it.
DEAF = 25


def asks_password(text):
    """Whether these words on the screen ask for a password."""
    return "assword" in text


class Watch:
    """One attempt at `screen` (with `picture`, `type` and `key`), filmed for whoever reads the table."""

    def __init__(self, screen, evidence):
        self.screen, self.evidence = screen, evidence
        # What was on the screen in turn: file and words, None while nobody has read it.
        self.pictures = []
        self.last = None

    def look(self):
        """Takes a picture; true if it shows something new."""
        picture = self.screen.picture()
        print_of_it = hashlib.sha256(picture).digest()
        new = bool(picture) and print_of_it != self.last
        if new:
            self.last = print_of_it
            path = pathlib.Path("/out") / self.evidence.file(f"{len(self.pictures)}.png")
            subprocess.run(["convert", f"{self.screen.FORMAT}:-", "-define", "png:compression-level=1", f"png:{path}"],
                           input=picture, check=True)
            self.pictures.append([path, None])
        return new

    def read(self, index):
        """The words of a picture."""
        if self.pictures[index][1] is None:
            self.pictures[index][1] = words(self.pictures[index][0])
        return self.pictures[index][1]

    def is_dark(self):
        """Whether there has been nothing to read yet. Not by the last picture alone: a screen that has refused may go dark."""
        return not any(self.read(index).strip() for index in range(len(self.pictures)))

    def unlock(self, case, is_open, prompts, holds=None, confirms=False, limit=90):
        """Types the case's passwords and watches until the end.

        `prompts` tells from the words on the screen that a password is asked for; None: the person types unasked.
        `holds` tells whether the host holds a message until Enter; `confirms`: where PAM asked nothing, it waits for Enter at
        the end.
        """
        left = list(case.passwords)
        if not prompts:
            for password in left or [""]:
                self.enter(password)
            left = []
        end = time.monotonic() + limit
        event, now, said, asked, woken = time.monotonic(), "", "", 0, 0
        confirmed, confirmed_at = None, 0
        while time.monotonic() < end:
            if is_open():
                self.look()
                return self.seen(True, case)
            new = self.look()
            if prompts and self.is_dark() and time.monotonic() - woken > 3:
                # A key that writes nothing wakes it, once it listens.
                self.screen.key("Shift_L")
                woken = time.monotonic()
            if new and left and prompts(self.read(-1)):
                self.enter(left.pop(0))
                event = time.monotonic()
            elif holds and self.pictures and holds(self.read(-1)):
                # By its long words: the same message is drawn anew with another clock, and small things are read differently.
                message = re.findall("[A-Za-z]{4,}", self.read(-1))
                if message != confirmed or time.monotonic() - confirmed_at > DEAF:
                    self.screen.key("Return")
                    event = confirmed_at = time.monotonic()
                    confirmed = message
            # Not at each turn: some hosts show a message for one second only.
            if time.monotonic() - asked > 1:
                now, asked = helper.verdicts_since(self.evidence.position), time.monotonic()
            if now != said:
                event, said = time.monotonic(), now
                if confirms and not case.passwords:
                    self.screen.key("Return")
            if said and time.monotonic() - event > QUIET:
                break
            time.sleep(0.2)
        return self.seen(False, case)

    def enter(self, password):
        if password:
            self.screen.type(password)
        self.screen.key("Return")

    def seen(self, entered, case):
        """The pictures that count: the first, the first with the words that the case wants, and the last."""
        keep = {0, len(self.pictures) - 1}
        text = []
        for index in range(len(self.pictures) if case.shown else 0):
            text.append(self.read(index))
            if was_shown(case, text[-1]):
                keep.add(index)
                break
        for index, (path, _) in enumerate(self.pictures):
            if index not in keep:
                path.unlink()
        return Seen(entered, " ".join(text), [self.pictures[index][0].name for index in sorted(keep)])
