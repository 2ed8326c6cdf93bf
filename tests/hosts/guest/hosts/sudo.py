"""sudo, typed at a terminal of the session."""

import sys

import cases
import helper
import interrupt
import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "sudo"


def prepare():
    write_rules(tries=1)


def write_rules(tries):
    """One try a call in the cases for all hosts: what comes after a refusal is a case of its own."""
    with open("/etc/sudoers.d/hosts", "w", encoding="utf-8") as rules:
        rules.write(f"Defaults passwd_tries={tries}, !lecture\nben ALL=(ALL) ALL\n")


def use(stack):
    stacks.write(SERVICE, stack)


def ask():
    return Terminal("sudo", "-k", "-p", "Password: ", "sh", "-c", SAY_WHO)


def log_in(case, evidence):
    screen = ask()
    who = screen.answer(case.passwords)
    screen.end()
    return Seen(who == "root", screen.shown, [evidence.text(screen.shown)])


def three_wrong_passwords(evidence):
    """sudo asks three times; the helper lets each wrong password cost time and never a lock-out."""
    write_rules(tries=3)
    use("required")
    helper.fresh("ben", cases.me(3))
    screen = ask()
    who = screen.answer([cases.WRONG] * 3)
    write_rules(tries=1)
    evidence.text(screen.shown)
    assert who is None and "3 incorrect password attempts" in screen.shown, screen.shown
    judged = helper.outcomes_since(evidence.position, SERVICE)
    assert judged == ["wrong_password"] * 3, judged
    position = helper.journal_position()
    after = ask()
    assert after.answer([cases.RIGHT]) == "root", after.shown
    assert helper.outcomes_since(position, SERVICE) == ["success"]
    return "refused three times, then in with the right password"


def interrupted(evidence):
    """Ctrl-C while the camera watches: sudo blocks the signal while PAM works; the module sees it pending and ends."""
    return interrupt.during_capture(sys.modules[__name__], evidence)


def left_first(evidence):
    """sudo takes Ctrl-C at its prompt for an answer that failed, and lets the stack go on."""
    return interrupt.at_prompt(sys.modules[__name__], evidence, wrong=0)


def left_second(evidence):
    """The same after a wrong password."""
    return interrupt.at_second_prompt(sys.modules[__name__], evidence)


def without_terminal_input(evidence):
    """sudo -n may not ask for a password; the pose alone is never enough here."""
    use("second factor")
    helper.fresh("ben", cases.me(3))
    screen = Terminal("sudo", "-k", "-n", "sh", "-c", SAY_WHO)
    who = screen.answer([])
    evidence.text(screen.shown)
    assert who is None and "password is required" in screen.shown, screen.shown
    judged = helper.outcomes_since(evidence.position, SERVICE)
    assert "success" not in judged, judged
    return f"refused; judged: {judged or 'nothing'}"


def time_stamp(evidence):
    """Within sudo's own time stamp nobody is asked again: neither password nor pose."""
    use("second factor")
    helper.fresh("ben", cases.me(3))
    screen = Terminal("bash", "-c", f"sudo -k; sudo -p 'Password: ' true; sudo -n sh -c '{SAY_WHO}'")
    who = screen.answer([cases.RIGHT])
    evidence.text(screen.shown)
    assert who == "root", screen.shown
    judged = helper.outcomes_since(evidence.position, SERVICE)
    assert judged == ["success"], judged
    return "in twice, asked once"


OWN = {
    "wrong password three times": three_wrong_passwords,
    "Ctrl-C during the capture": interrupted,
    "Ctrl-C at the prompt": left_first,
    "Ctrl-C at the second prompt": left_second,
    "sudo -n": without_terminal_input,
    "time stamp": time_stamp,
}
