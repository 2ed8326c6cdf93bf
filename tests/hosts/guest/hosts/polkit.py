"""pkexec at a terminal of the session, with pkttyagent as the agent.

pkexec's own agent cannot end any authentication as somebody else than root ("No session for cookie"): pkexec is setuid and
registers it as root, and polkitd takes answers only under the uid that registered. An agent of the person's own, as every
desktop runs one, does not have that fault; nor has pkttyagent, which systemctl and the like start.
"""

import pathlib

import cases
import stacks
from seen import Seen
from terminal import SAY_WHO, Terminal

SERVICE = "polkit-1"
AGENT = "pkttyagent --process $$ & sleep 1; "
ASK = 'pkexec --disable-internal-agent sh -c "$1"; kill %1'


def prepare():
    """People may run programs as root after they have shown who they are."""
    pathlib.Path("/etc/polkit-1/rules.d/10-hosts.rules").write_text(
        'polkit.addRule(function(action) {\n'
        '  if (action.id == "org.freedesktop.policykit.exec") return polkit.Result.AUTH_SELF;\n});\n')


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    return through(AGENT + ASK, case.passwords, evidence)


def through(script, passwords, evidence):
    screen = Terminal("bash", "-c", script, "bash", SAY_WHO)
    who = screen.answer(passwords)
    screen.end()
    return Seen(who == "root", screen.shown, [evidence.text(screen.shown)])


def own_agent(evidence):
    """Shown with the password alone, so that it is plainly not the pose's fault."""
    pathlib.Path("/etc/pam.d", SERVICE).write_text("auth required pam_unix.so\naccount required pam_unix.so\n")
    seen = through('pkexec sh -c "$1"; true', [cases.RIGHT], evidence)
    assert not seen.entered and "No session for cookie" in seen.shown, seen.shown
    return "refused although the password is right: “No session for cookie”"


OWN = {"pkexec's own agent, pam_unix alone": own_agent}
