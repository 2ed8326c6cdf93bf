"""A person's session on the machine's seat, known to logind, and programs that run inside it."""

import os
import pathlib
import pwd
import subprocess
import time

from helper import run

USER = "ben"
UNIT = "seat-of-ben.service"
# A session without a login before it: what a display manager makes after it has let somebody in.
SERVICE = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_systemd.so\n"


def begin():
    """Starts the session. Without virtual terminals logind takes the newest session of the seat for the active one."""
    pathlib.Path("/etc/pam.d/seat").write_text(SERVICE)
    run("systemd-run", f"--unit={UNIT}", "--quiet", f"--property=User={USER}", "--property=PAMName=seat",
        "--setenv=XDG_SEAT=seat0", "--setenv=XDG_SESSION_TYPE=x11", "--setenv=XDG_SESSION_CLASS=user", "sleep", "infinity")
    limit = time.monotonic() + 30
    while not (session() and scope().exists()):
        if time.monotonic() > limit:
            raise RuntimeError("logind made no session:\n" + run("loginctl", "list-sessions"))
        time.sleep(0.1)


def session():
    """The number of the session, or nothing."""
    for line in run("loginctl", "list-sessions", "--no-legend").splitlines():
        number, _, user, seat, *_ = line.split() + [""] * 4
        if user == USER and seat == "seat0":
            return number
    return ""


def scope():
    """The list of processes that belong to the session."""
    uid = pwd.getpwnam(USER).pw_uid
    return pathlib.Path(f"/sys/fs/cgroup/user.slice/user-{uid}.slice/session-{session()}.scope/cgroup.procs")


def activate():
    """Brings the session to the foreground: a greeter may have taken the seat."""
    run("loginctl", "activate", session())


def environment(**more):
    """What programs of the session find in their environment."""
    entry = pwd.getpwnam(USER)
    found = {"HOME": entry.pw_dir, "USER": USER, "LOGNAME": USER, "SHELL": "/bin/bash", "PATH": "/usr/bin:/bin:/usr/games",
             "LANG": "C.UTF-8", "TERM": "dumb", "XDG_RUNTIME_DIR": f"/run/user/{entry.pw_uid}", "XDG_SESSION_ID": session(),
             "XDG_SEAT": "seat0", "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{entry.pw_uid}/bus"}
    return {**found, **more}


def enter():
    """To be called in a new process before it becomes another program: it joins the session as its user."""
    entry = pwd.getpwnam(USER)
    scope().write_text(str(os.getpid()))
    os.setgid(entry.pw_gid)
    os.initgroups(USER, entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.chdir(entry.pw_dir)


def start(*command, log=None, **environ):
    """Starts a program of the session."""
    output = open(log, "ab") if log else subprocess.DEVNULL
    return subprocess.Popen(command, preexec_fn=enter, env=environment(**environ), stdin=subprocess.DEVNULL, stdout=output,
                            stderr=output, start_new_session=True)
