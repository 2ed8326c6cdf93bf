"""A booted machine, seen from outside: start it, run programs in it, switch it off."""

import pathlib
import re
import subprocess
import time

HERE = pathlib.Path(__file__).parent
# Longest wait for a machine to boot, and then to be up, seconds. It takes a few.
PATIENCE = 120
# What to ask a machine that is not up.
COMPLAINTS = (("systemctl", "is-system-running"), ("systemctl", "list-jobs", "--no-pager"),
              ("systemctl", "--failed", "--no-pager", "--plain"), ("journalctl", "--no-pager", "--lines=30"))


class Machine:
    """Boots when made; `out` is the folder that it shares with us. It ends with the thread that made it."""

    def __init__(self, root, out):
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.init = out, None
        with open(out / "start.log", "wb") as log:
            self.process = subprocess.Popen([HERE / "boot", root, out.resolve()], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        try:
            self.init = self.wait_for(self.find_init, "did not boot")
            self.wait_for(self.is_up, "did not come up")
        except BaseException:
            self.stop()
            raise

    def wait_for(self, what, complaint):
        limit = time.monotonic() + PATIENCE
        while not (found := what()):
            if self.process.poll() is not None:
                raise RuntimeError(f"the machine {complaint}: it ended with code {self.process.returncode}\n{self.last_words()}")
            if time.monotonic() > limit:
                raise RuntimeError(f"the machine {complaint} within {PATIENCE} s\n{self.last_words()}")
            time.sleep(0.1)
        return found

    def last_words(self):
        """What may say why a machine is not up: its console, what it still waits for, and what failed."""
        parts = [(name, lines(self.out / name)) for name in ("start.log", "boot.log")]
        if self.is_there():
            parts += [(" ".join(command), self.ask(*command)) for command in COMPLAINTS]
        return "\n".join(f"--- {name} ---\n{text}" for name, text in parts)

    def find_init(self):
        """The process id of the machine's init: below `boot`'s two first processes and systemd-nspawn.

        systemd-nspawn has another child before it, which sets the machine up and ends: that one is not the first process of
        its own processes' namespace.
        """
        for boot in children(self.process.pid):
            for nspawn in children(boot):
                if name(nspawn) == "systemd-nspawn":
                    for init in children(nspawn):
                        if is_first(init):
                            return init
        return None

    def is_there(self):
        """Whether its init still lives: its number may be another process' by now."""
        return self.init and self.find_init() == self.init

    def is_up(self):
        return self.ask("systemctl", "is-system-running") in ("running", "degraded")

    def ask(self, *command):
        """What a program inside says at once."""
        try:
            said = subprocess.run(self.inside(*command), capture_output=True, text=True, check=False, timeout=20)
        except subprocess.TimeoutExpired:
            return "no answer"
        return (said.stdout or said.stderr).strip()

    def inside(self, *command):
        return ["nsenter", "--target", str(self.init), "--all", "--", *command]

    def start(self, *command, **options):
        """Runs a program as a service of the machine."""
        service = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=KillMode=mixed"]
        return subprocess.Popen(self.inside(*service, *command), stdin=subprocess.DEVNULL, text=True, **options)

    def stop(self):
        if self.is_there():
            self.ask("systemctl", "poweroff", "-ff")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            # The machine dies with it.
            self.process.kill()
            self.process.wait()


def children(pid):
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()[:15]
    except OSError:
        return ""


def is_first(pid):
    """Whether it is the first process of a namespace of its own."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return status.split("NSpid:")[1].splitlines()[0].split()[-1] == "1"


def lines(path, most=40):
    """The last lines of a file, if there is one, without what moves a terminal's cursor or colours it."""
    if not path.exists():
        return ""
    text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\]\d+;[^\x1b\x07]*(\x07|\x1b\\))", "", path.read_text(errors="replace"))
    return "\n".join([line.rstrip() for line in text.split("\n") if line.strip()][-most:])
