"""sshd, from another address of the machine: a remote login is never asked for a pose."""

import pathlib

import cases
import stacks
from cases import Case
from helper import run
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "sshd"
# Of the range for documentation.
ADDRESS = "198.51.100.7"
# The film shows the right person: it is the place that is wrong. The camera is never opened for it.
CASES = (
    Case("right person", "second factor", cases.me(3), False, "remote"),
    Case("sufficient, right person", "sufficient", cases.me(3), True, "remote"),
    Case("helper down", "second factor", cases.me(3), False, None, helper=False),
    Case("sufficient, helper down", "sufficient", cases.me(3), True, None, helper=False),
)


def prepare():
    pathlib.Path("/etc/ssh/sshd_config.d/hosts.conf").write_text("PasswordAuthentication no\nKbdInteractiveAuthentication yes\n")
    run("ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo")
    run("systemctl", "start", "ssh.service")


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    screen = Terminal("ssh", "-o", "StrictHostKeyChecking=no", "-o", "NumberOfPasswordPrompts=1", "-o", "LogLevel=ERROR",
                      "-b", ADDRESS, f"ben@{ADDRESS}", SAY_WHO)
    who = screen.answer(case.passwords)
    screen.end()
    return Seen(who == "ben", screen.shown, [evidence.text(screen.shown)])
