"""su to the same person, typed at a terminal of the session: whose pose is asked is the target's."""

import sys

import interrupt
import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "su"


def prepare():
    """Nothing to set up."""


def use(stack):
    stacks.write(SERVICE, stack, before=["sufficient pam_rootok.so"])


def ask():
    return Terminal("su", "ben", "-c", SAY_WHO)


def log_in(case, evidence):
    screen = ask()
    who = screen.answer(case.passwords)
    screen.end()
    return Seen(who == "ben", screen.shown, [evidence.text(screen.shown)])


def interrupted(evidence):
    """Ctrl-C while the camera watches: su ends at once, and the capture with it."""
    return interrupt.during_capture(sys.modules[__name__], evidence)


def left(evidence):
    """su asks once."""
    return interrupt.at_prompt(sys.modules[__name__], evidence, wrong=0)


OWN = {"Ctrl-C during the capture": interrupted, "Ctrl-C at the prompt": left}
