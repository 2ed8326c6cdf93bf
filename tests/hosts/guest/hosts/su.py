"""su to the same person, typed at a terminal of the session: whose pose is asked is the target's."""

import cases
import helper
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
    use("second factor")
    helper.fresh("ben", cases.me(3))
    screen = ask()
    assert screen.until("assword: ?$"), screen.shown
    screen.type(cases.RIGHT)
    assert screen.until("gesture"), screen.shown
    screen.interrupt()
    assert not screen.until("LET-IN", 20), screen.shown
    evidence.text(screen.shown)
    assert not screen.child.isalive(), screen.shown
    helper.wait_for_verdict(evidence.position)
    judged = helper.outcomes_since(evidence.position, SERVICE)
    assert judged == ["deadline"], judged
    return "su ended, the capture with it"


OWN = {"Ctrl-C during the capture": interrupted}
