"""Ctrl-C while the camera watches, at a program on a terminal: it ends, and the capture with it."""

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
