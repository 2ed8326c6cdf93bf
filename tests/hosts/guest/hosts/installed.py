"""What `make install` placed, as an administrator looks at it; and root's ways in when nothing of it works."""

import pathlib
import re
import subprocess

import cases
import helper
import machine
import stacks
from helper import run
from hosts import sudo
from terminal import SAY_WHO, Terminal

SERVICE = "sudo"
CASES = ()
# The unit's exposure as systemd-analyze counts it, at most.
EXPOSURE = 1.5
PASSWORD_ALONE = "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n"
ROOT_SHELL = r"root@pose:[^#\r\n]*# $"


def prepare():
    sudo.prepare()


def exposure(evidence):
    words = run("systemd-analyze", "security", "--no-pager", helper.UNIT)
    evidence.text(words)
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", words)[1])
    assert level <= EXPOSURE, f"{level} is more than {EXPOSURE}"
    return f"exposure {level}, at most {EXPOSURE}"


def sandbox(evidence):
    """The confinement is in force for the running process, not only written down."""
    helper.fresh("ben", cases.me(3))
    run("systemctl", "start", helper.UNIT)
    pid = run("systemctl", "show", "--property=MainPID", "--value", helper.UNIT).strip()
    status = dict(line.split(":\t", 1) for line in run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == 0 and status["NoNewPrivs"].strip() == "1", status
    assert status["Seccomp"].strip() == "2", status
    user = run("ps", "-o", "user=", "-p", pid).strip()
    assert user == "pam-pose", user
    inside = subprocess.run(["nsenter", "--target", pid, "--mount", "--net", "sh", "-c", "ip -br link; touch /usr/x /etc/x /home/x"],
                            capture_output=True, text=True, check=False)
    assert inside.returncode != 0 and inside.stderr.count("Read-only file system") >= 2, inside
    assert inside.stdout.split()[0] == "lo" and len(inside.stdout.splitlines()) == 1, inside.stdout
    return "no capability, no new privileges, seccomp filters, own network without devices, system read-only"


def real_helper(evidence):
    """The program that is shipped, without the tests' drop-in, on its own store: it starts and says what is missing."""
    with helper.shipped():
        status = helper.status()
        doctor = subprocess.run(["posectl", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    evidence.text(doctor + status)
    problems = [line.strip() for line in doctor.splitlines() if "PROBLEM" in line and " pam:" not in line]
    assert len(problems) == 1 and "no usable camera" in problems[0], doctor
    for topic in ("files", "user", "sandbox", "models", "configuration", "bus", "helper", "store"):
        assert re.search(rf"ok +{topic}:", doctor), f"{topic}: {doctor}"
    return "posectl doctor: all well but for the camera, which this machine has not"


def tried_first(evidence):
    """`posectl pam apply --try`: somebody has to get in through the new stack before it is put in place."""
    for service in ("sudo", "login"):
        pathlib.Path("/etc/pam.d", service).write_text(PASSWORD_ALONE)

    def apply(film):
        helper.fresh("ben", film)
        command = ["posectl", "pam", "apply", "sudo", "--try", "ben", "--option", stacks.OPTIONS]
        screen = Terminal("sudo", "-k", "-p", "Password: ", *command)
        # Once for sudo, once for the try.
        screen.answer([cases.RIGHT, cases.RIGHT])
        return screen.shown, pathlib.Path("/etc/pam.d/sudo").read_text()

    refused, before = apply(cases.OTHER)
    taken, after = apply(cases.me(3))
    evidence.text(refused + taken)
    assert "Nothing was changed" in refused and before == PASSWORD_ALONE, (refused, before)
    assert "asks for a pose from now on" in taken and "pam_pose.so" in after, (taken, after)
    helper.fresh("ben", cases.me(4))
    screen = sudo.ask()
    assert screen.answer([cases.RIGHT]) == "root" and "gesture" in screen.shown, screen.shown
    run("posectl", "pam", "rollback", "sudo")
    assert pathlib.Path("/etc/pam.d/sudo").read_text() == PASSWORD_ALONE
    return "a refused try changes nothing; after one that succeeds sudo asks for the pose; rolled back"


def root_gets_in(evidence):
    """The pose is required everywhere and the helper is gone: a rescue shell takes root's password, su trusts root, and
    `posectl emergency-off` lets everybody in by password again."""
    for service in ("sudo", "login", "sshd"):
        stacks.write(service, "second factor")
    stacks.write("su", "second factor", before=["sufficient pam_rootok.so"])
    helper.take_away()
    try:
        rescue = Terminal("sulogin", "/dev/tty", in_session=False)
        assert rescue.until(r"continue\): $", 30), rescue.shown
        rescue.type(machine.ROOT_PASSWORD)
        who = rescue.answer([], shell=(ROOT_SHELL, SAY_WHO))
        rescue.end()
        before = sudo.ask().answer([cases.RIGHT])
        run("posectl", "emergency-off")
        off = sudo.ask().answer([cases.RIGHT])
        run("posectl", "emergency-off", "--undo")
        undone = sudo.ask().answer([cases.RIGHT])
        changed = subprocess.run(["su", "ben", "-c", "id -un"], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    finally:
        helper.give_back()
    evidence.text(rescue.shown)
    assert (who, changed) == ("root", "ben"), (who, changed, rescue.shown)
    assert (before, off, undone) == (None, "root", None), (before, off, undone)
    return "sulogin (rescue shell): in with root's password; su from root: in; posectl emergency-off: sudo by password again"


def uninstall(evidence):
    """Takes the module out of pam.d first, and refuses where that cannot be done; then logins work as before."""
    def attempt():
        return subprocess.run(["/opt/hosts/uninstall"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    stacks.write("sudo", "second factor")
    # It is posectl that takes the module out.
    run("mv", "/usr/bin/posectl", "/run/posectl")
    refused = attempt()
    run("mv", "/run/posectl", "/usr/bin/posectl")
    assert refused.returncode != 0 and "/etc/pam.d/sudo" in refused.stdout, refused.stdout
    helper.stop()
    done = attempt()
    evidence.text(refused.stdout + done.stdout)
    assert done.returncode == 0, done.stdout
    named = subprocess.run(["grep", "-rl", "^[^#]*pam_pose", "/etc/pam.d"], stdout=subprocess.PIPE, text=True, check=False).stdout
    assert not named, named
    left = run("sh", "-c", "find /usr /etc -xdev \\( -name '*pam_pose*' -o -name 'pose-helperd*' -o -name 'posectl*' \\) | sort").split()
    # The administrator's own files stay.
    assert set(left) <= {"/etc/pam_pose"}, left
    screen = sudo.ask()
    who = screen.answer([cases.RIGHT])
    assert who == "root", screen.shown
    return "refused while pam.d names the module and posectl is gone; else pam.d is cleaned, nothing is left, sudo works as before"


OWN = {
    "posectl pam apply --try": tried_first,
    "systemd-analyze security": exposure,
    "sandbox in force": sandbox,
    "posectl doctor": real_helper,
    "helper down: root's other ways": root_gets_in,
    # The end: nothing is left for another host.
    "make uninstall": uninstall,
}
