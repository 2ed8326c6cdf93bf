"""sudo, typed at a terminal of the session."""

import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "sudo"


def prepare():
    """One try a call: what comes after a refusal is a case of its own."""
    with open("/etc/sudoers.d/hosts", "w", encoding="utf-8") as rules:
        rules.write("Defaults passwd_tries=1, !lecture\nben ALL=(ALL) ALL\n")


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    screen = Terminal("sudo", "-k", "-p", "Password: ", "sh", "-c", SAY_WHO)
    who = screen.answer(case.passwords)
    screen.end()
    return Seen(who == "root", screen.shown, [evidence.text(screen.shown)])
