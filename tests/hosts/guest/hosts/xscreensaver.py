"""xscreensaver on an X display: it drops keys typed before its prompt, and shows messages and prompts."""

import pathlib
import subprocess

import seat
import stacks
from display import Display, wait
from locked import Watch, asks_password

SERVICE = "xscreensaver"


def prepare():
    """A black screen instead of a moving one."""
    pathlib.Path("/home/ben/.xscreensaver").write_text("mode: blank\n")


def use(stack):
    stacks.write(SERVICE, stack)


def log_in(case, evidence):
    with Display() as display:
        daemon = seat.start("xscreensaver", "--no-splash", DISPLAY=display.name, log=f"/out/{evidence.stem}.log")
        wait(lambda: "non-blanked" in ask(display, "-time"), "xscreensaver did not start")
        ask(display, "-lock")
        wait(lambda: "locked" in ask(display, "-time"), "xscreensaver did not lock")
        try:
            is_open = lambda: "non-blanked" in ask(display, "-time")
            return Watch(display, evidence).unlock(case, is_open, prompts=asks_password, holds=is_message)
        finally:
            ask(display, "-exit")
            daemon.kill()
            daemon.wait()


def ask(display, what):
    done = subprocess.run(["xscreensaver-command", what], preexec_fn=seat.enter, env=seat.environment(DISPLAY=display.name),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def is_message(text):
    """A dialogue without a question waits for Enter."""
    return "New Login" in text and not asks_password(text)
