"""What is tried with every host, and what must come of it."""

import dataclasses

from helper import login_film

RIGHT = "correct horse"
WRONG = "incorrect horse"


@dataclasses.dataclass(frozen=True)
class Case:
    """One attempt to get in."""

    name: str
    stack: str
    film: str
    enters: bool
    # What the helper must have judged, by its audit line; None: it was never asked, or could not answer.
    outcome: str | None
    # Who is enrolled: "ben" or "chidi".
    enrolled: str = "ben"
    passwords: tuple = (RIGHT,)
    helper: bool = True
    # Words that the person must have seen, where the host shows text; a regular expression.
    shown: str = ""
    # Further lines of the helper's configuration; None: those of the host.
    configuration: str | None = None


def me(clip):
    return login_film(f"ben_circle_touch_{clip}", "ben")


def unchallenged(service):
    """Configuration that leaves the movements out at a host which can show none."""
    return f'\n[service.{service}]\nchallenge_policy = "when-shown"\n'


OTHER = login_film("chidi_circle_touch_3", "chidi")
NOBODY = login_film("nobody", "nobody")
UNPLUGGED = login_film("ben_circle_touch_3", "ben", 'fault = { kind = "unplug", after_ms = 1000 }')
GESTURE = "gesture"

CASES = (
    Case("right person", "second factor", me(3), True, "success", shown=GESTURE),
    Case("wrong person", "second factor", OTHER, False, "wrong_pose", shown=GESTURE),
    Case("wrong password", "required", me(3), False, "wrong_password", passwords=(WRONG,)),
    Case("no enrolment", "second factor", me(3), False, "not_enrolled", enrolled="chidi"),
    Case("no enrolment, nouserok", "second factor, nouserok", me(3), True, "not_enrolled", enrolled="chidi"),
    Case("helper down", "second factor", me(3), False, None, helper=False, shown="not available"),
    Case("camera unplugged", "second factor", UNPLUGGED, False, "camera_failed", shown="amera"),
    Case("time-out", "second factor, 5 s", NOBODY, False, "deadline", shown="too long|ut of time"),
    Case("required, own password", "required", me(4), True, "success", shown=GESTURE),
    Case("use_first_pass", "use_first_pass", me(5), True, "success", shown=GESTURE),
    Case("sufficient, right person", "sufficient", me(3), True, "success", passwords=(), shown=GESTURE),
    Case("sufficient, wrong person", "sufficient", OTHER, True, "wrong_pose", shown=GESTURE),
    Case("sufficient, helper down", "sufficient", me(3), True, None, helper=False),
)

# Of hosts that show no text. As shipped, movements are asked for all the same: nobody can do one without being told which.
UNTOLD = (
    Case("right person, movements required", "second factor", login_film("ben_circle_touch_3", None), False,
         "challenge_missed", configuration=""),
)
