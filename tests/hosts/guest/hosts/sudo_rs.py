"""sudo-rs, typed at a terminal of the session. Debian 12 has no package of it: the runner builds it where it can."""

import pathlib
import sys

import interrupt
import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "sudo"
PROGRAM = "/usr/local/bin/sudo-rs"
# It reads this file instead of /etc/sudoers, where there is one.
RULES = pathlib.Path("/etc/sudoers-rs")


def absent():
    """Why it cannot be tried, if so."""
    return "" if pathlib.Path(PROGRAM).exists() else "sudo-rs could not be built"


def prepare():
    write_rules(tries=1)


def write_rules(tries):
    RULES.write_text(f"Defaults passwd_tries={tries}\nben ALL=(ALL) ALL\n")
    RULES.chmod(0o440)


def use(stack):
    stacks.write(SERVICE, stack)


def ask():
    return Terminal(PROGRAM, "-k", "sh", "-c", SAY_WHO)


def log_in(case, evidence):
    screen = ask()
    who = screen.answer(case.passwords)
    screen.end()
    return Seen(who == "root", screen.shown, [evidence.text(screen.shown)])


def interrupted(evidence):
    """It blocks Ctrl-C while no prompt is up; the module sees it pending and ends."""
    return interrupt.during_capture(sys.modules[__name__], evidence)


def left_first(evidence):
    return interrupt.at_prompt(sys.modules[__name__], evidence, wrong=0)


def left_second(evidence):
    return interrupt.at_second_prompt(sys.modules[__name__], evidence)


OWN = {
    "Ctrl-C during the capture": interrupted,
    "Ctrl-C at the prompt": left_first,
    "Ctrl-C at the second prompt": left_second,
}
