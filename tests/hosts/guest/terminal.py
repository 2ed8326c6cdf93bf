"""A person at a terminal: reads the screen, types passwords, and remembers all that was shown."""

import os
import re
import time

import pexpect

import seat

# What every program prints once it has let the person in.
ENTERED = "LET-IN-AS-"
SAY_WHO = f'echo {ENTERED[:4]}""{ENTERED[4:]}$(id -un)'
PROMPT = r"[Pp]assword[^\r\n]*: ?$"


class Terminal:
    """A program on a terminal of its own; within the seat's session, or as a system service starts it."""

    def __init__(self, *command, in_session=True, environment=None):
        environ = seat.environment() if in_session else {"PATH": os.environ["PATH"], "TERM": "dumb", "LANG": "C.UTF-8"}
        enter = seat.enter if in_session else None
        self.child = pexpect.spawn(command[0], list(command[1:]), encoding="utf-8", codec_errors="replace", timeout=None,
                                   echo=False, preexec_fn=enter, env={**environ, **(environment or {})}, dimensions=(40, 160))
        # Programs flush their input as they begin to ask.
        self.child.delaybeforesend = 0.2
        self.shown = ""

    def until(self, pattern, limit=60):
        """Reads until the pattern is shown; true if it came before the end of the program."""
        found = self.child.expect([pattern, pexpect.EOF, pexpect.TIMEOUT], timeout=limit)
        self.shown += self.child.before if isinstance(self.child.before, str) else ""
        if found == 0:
            self.shown += self.child.after
        if found == 2:
            self.shown += f"\n[nothing more within {limit} s]\n"
        return found == 0

    def type(self, text):
        self.child.sendline(text)

    def interrupt(self):
        # A signal between the prompt and the read is one that sudo overlooks; nobody is so quick. `sendintr` has no delay.
        time.sleep(1)
        self.child.sendintr()

    def answer(self, passwords, shell=None, over=None, limit=90):
        """Types the passwords, one a prompt, and leaves with Ctrl-C when more is asked. The user that was let in, or None.

        A host that ends in a shell gives the shell's prompt and what to type there; `over` is what a host shows when it
        starts over.
        """
        left = list(passwords)
        waited = [f"{ENTERED}\\w+", PROMPT, *([shell[0]] if shell else []), *([over] if over else [])]
        while self.until("|".join(waited), limit):
            entered = re.search(ENTERED + r"(\w+)$", self.shown)
            if entered:
                return entered[1]
            if shell and re.search(shell[0], self.shown):
                self.type(shell[1])
            elif left and re.search(PROMPT, self.shown):
                self.type(left.pop(0))
            else:
                self.interrupt()
                self.until(pexpect.EOF, 15)
                return None
        return None

    def end(self):
        """Ends the program and gives back its exit code (None after a signal)."""
        limit = time.monotonic() + 5
        while self.child.isalive() and time.monotonic() < limit:
            self.child.close(force=True)
        return self.child.exitstatus
