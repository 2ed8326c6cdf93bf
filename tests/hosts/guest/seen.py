"""What came of an attempt, as the person saw it."""

import dataclasses


@dataclasses.dataclass
class Seen:
    """One attempt's end."""

    entered: bool
    # Text that was on the screen, "" where the host shows none.
    shown: str
    # Names of the files in the artefacts' folder that show it.
    kept: list
