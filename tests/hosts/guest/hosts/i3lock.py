"""i3lock on an X display: it asks PAM after Enter only, and shows no text."""

import cases
import seat
import stacks
from display import Display, wait
from locked import Watch

SERVICE = "i3lock"
SHOWS_TEXT = False
HELPER_CONFIGURATION = cases.unchallenged(SERVICE)
CASES = (*cases.CASES, *cases.UNTOLD)


def prepare():
    """Nothing to set up."""


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    with Display() as display:
        lock = seat.start("i3lock", "--nofork", "--color", "336699", DISPLAY=display.name, log=f"/out/{evidence.stem}.log")
        wait(lambda: display.shows("#336699"), "i3lock did not lock")
        try:
            return Watch(display, evidence).unlock(case, is_open=lambda: lock.poll() is not None, prompts=None)
        finally:
            lock.kill()
            lock.wait()
