"""runuser, root's own way to become somebody: untouched, even if the module stands in its file."""

import subprocess

import helper
import stacks

SERVICE = "runuser"
CASES = ()


def prepare():
    """Nothing to set up."""


def with_helper_down(evidence):
    stacks.write(SERVICE, "second factor", before=["sufficient pam_rootok.so"])
    helper.take_away()
    try:
        who = subprocess.run(["runuser", "-u", "ben", "--", "id", "-un"], stdout=subprocess.PIPE, text=True, check=True)
    finally:
        helper.give_back()
    assert who.stdout.strip() == "ben", who.stdout
    asked = helper.verdicts_since(evidence.position)
    assert not asked, asked
    return "in as ben, nobody asked the helper"


OWN = {"helper down": with_helper_down}
