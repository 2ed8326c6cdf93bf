"""Ctrl-C at a program on a terminal: while the camera watches it ends, and the capture with it; at a password prompt it ends
without a pose."""

import cases
import helper


def during_capture(host, evidence):
    """Of a host with `ask()` and `use(stack)`."""
    host.use("second factor")
    helper.fresh("ben", cases.me(3))
    screen = host.ask()
    assert screen.until("assword: ?$"), screen.shown
    screen.type(cases.RIGHT)
    assert screen.until("gesture"), screen.shown
    screen.interrupt()
    assert not screen.until("LET-IN", 20), screen.shown
    evidence.text(screen.shown)
    assert not screen.child.isalive(), screen.shown
    helper.wait_for_verdict(evidence.position)
    judged = helper.outcomes_since(evidence.position, host.SERVICE)
    assert judged == ["deadline"], judged
    return "it ended, the capture with it"


def at_prompt(host, evidence, wrong):
    """After so many wrong passwords; each of them is followed by a pose, which tells nobody what was wrong."""
    host.use("second factor")
    helper.fresh("ben", cases.me(3))
    screen = host.ask()
    for _ in range(wrong):
        assert screen.until("assword: ?$"), screen.shown
        screen.type(cases.WRONG)
    assert screen.until("assword: ?$"), screen.shown
    screen.interrupt()
    asked = screen.until("gesture", 20)
    evidence.text(screen.shown)
    assert not asked and not screen.child.isalive(), screen.shown
    judged = helper.outcomes_since(evidence.position, host.SERVICE)
    assert judged == ["success"] * wrong, judged
    return "it ended, no pose was asked"


def at_second_prompt(host, evidence):
    """The same after a wrong password, of a sudo: `write_rules(tries)` says how often it asks."""
    host.write_rules(tries=3)
    try:
        return at_prompt(host, evidence, wrong=1)
    finally:
        host.write_rules(tries=1)
