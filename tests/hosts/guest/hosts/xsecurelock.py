"""xsecurelock on an X display: it asks PAM at the first key and shows messages and prompts."""

import subprocess

import seat
import stacks
from display import Display, wait
from locked import Watch, asks_password

SERVICE = "xsecurelock"


def prepare():
    """Nothing to set up."""


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    with Display() as display:
        # Errors are dark red on black else, which people can read and what reads the pictures cannot.
        lock = seat.start("xsecurelock", DISPLAY=display.name, XSECURELOCK_PAM_SERVICE=SERVICE,
                          XSECURELOCK_SAVER="saver_blank", XSECURELOCK_AUTH_WARNING_COLOR="white", log=f"/out/{evidence.stem}.log")
        wait(lambda: display.shows("#000000"), "xsecurelock did not lock")
        try:
            return Watch(display, evidence).unlock(case, is_open=lambda: lock.poll() is not None, prompts=asks_password)
        finally:
            # The process that talks to PAM would otherwise end its attempt in the next case.
            subprocess.run(["pkill", "-KILL", "authproto_pam"], check=False)
            lock.kill()
            lock.wait()
