"""login on a terminal, started by root as getty does."""

import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "login"
OVER = r"pose login: $"
SHELL = r"ben@pose:~\$ $"


def prepare():
    """Nothing to set up."""


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    screen = Terminal("login", "ben", in_session=False)
    who = screen.answer(case.passwords, shell=(SHELL, SAY_WHO), over=OVER)
    screen.end()
    return Seen(who == "ben", screen.shown, [evidence.text(screen.shown)])
