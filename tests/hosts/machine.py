"""A booted machine, seen from outside: start it, run programs in it, switch it off."""

import pathlib
import subprocess
import time

HERE = pathlib.Path(__file__).parent


class Machine:
    """Boots when made; `out` is the folder that it shares with us."""

    def __init__(self, root, out):
        out.mkdir(parents=True, exist_ok=True)
        self.out = out
        with open(out / "start.log", "wb") as log:
            self.process = subprocess.Popen([HERE / "boot", root, out.resolve()], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        try:
            self.init = self.wait_for(lambda: self.find_init(), 120, "did not boot")
            self.wait_for(self.is_up, 120, "did not come up")
        except BaseException:
            self.stop()
            raise

    def wait_for(self, what, seconds, complaint):
        limit = time.monotonic() + seconds
        while not (found := what()):
            if self.process.poll() is not None or time.monotonic() > limit:
                logs = [path.read_text(errors="replace") for path in sorted(self.out.glob("*.log"))]
                raise RuntimeError(f"the machine {complaint}; it said:\n" + "".join(logs)[-4000:])
            time.sleep(0.1)
        return found

    def find_init(self):
        """The process id of the machine's init: the child of systemd-nspawn, the child of `boot`."""
        for nspawn in children(self.process.pid):
            if name(nspawn) == "systemd-nspawn":
                for init in children(nspawn):
                    return init
        return None

    def is_up(self):
        state = subprocess.run(self.inside("systemctl", "is-system-running"), capture_output=True, text=True, check=False)
        return state.stdout.strip() in ("running", "degraded")

    def inside(self, *command):
        return ["nsenter", "--target", str(self.init), "--all", "--", *command]

    def start(self, *command, **options):
        """Runs a program as a service of the machine."""
        service = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=KillMode=mixed"]
        return subprocess.Popen(self.inside(*service, *command), stdin=subprocess.DEVNULL, text=True, **options)

    def stop(self):
        if self.process.poll() is None and getattr(self, "init", None):
            subprocess.run(self.inside("systemctl", "poweroff", "-ff"), capture_output=True, timeout=30, check=False)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def children(pid):
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()[:15]
    except OSError:
        return ""
