"""What came of an attempt, as the person saw it."""

import dataclasses
import re


@dataclasses.dataclass
class Seen:
    """One attempt's end."""

    entered: bool
    # Text that was on the screen, "" where the host shows none.
    shown: str
    # Names of the files in the artefacts' folder that show it.
    kept: list


def was_shown(case, text):
    """Whether the words that the case wants are there. What reads a screen takes a small letter for a large one."""
    return re.search(case.shown, text, re.IGNORECASE) is not None
