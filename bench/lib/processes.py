"""Processes on a core of their own, what they cost, and an end for all of them."""

import contextlib
import http.client
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass


class Process:
    """A process started here, with its children, in a session of its own so that all of them can be ended together."""

    def __init__(self, name, command, directory, core=None):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        pinned = command if core is None else ["taskset", "-c", str(core), *command]
        with open(self.log, "ab") as log:
            self._popen = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, start_new_session=True)
        self.pid = self._popen.pid

    def has_ended(self):
        return self._popen.poll() is not None

    def pids(self):
        """The process and all its descendants."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (fields := _stat_fields(entry)):
                parents.setdefault(int(fields[1]), []).append(int(entry))
        found = [self.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def signal(self, number):
        """To the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def stop(self, patience=5):
        """Asks it to end; after `patience` seconds it is killed. Returns whether it ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        try:
            self._popen.wait(patience)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def workshop(name):
    """A temporary directory and a stack of things to end; both are cleared however we end, Ctrl-C included."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(f"{name}: ended by a signal"))
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"bascule-{name}-"))
    directory.chmod(0o755)  # nginx's worker runs as another user
    stack = contextlib.ExitStack()
    try:
        yield directory, stack
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.close()
        shutil.rmtree(directory, ignore_errors=True)


def allow_many_files(wanted=65536):
    """Raises the limit of open files for us and our children: as root to `wanted`, else as far as allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, hard), max(wanted, hard)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    """A free loopback port below the range that outgoing connections take theirs from, so that it stays free over a restart."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


@dataclass
class Answer:
    status: int
    body: bytes


def get(port, path="/", timeout=2.0):
    """One request to a loopback port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def wait_until_it_answers(process, port, seconds=15):
    """Until a GET on the port is answered with 200; a process that does not come so far is a reason to stop."""
    deadline = time.monotonic() + seconds
    problem = "nothing"
    while time.monotonic() < deadline:
        if process.has_ended():
            break
        try:
            answer = get(port)
            if answer.status == 200:
                return
            problem = f"status {answer.status}"
        except (OSError, http.client.HTTPException) as exception:
            problem = str(exception)
        time.sleep(0.1)
    sys.exit(f"{process.name} does not answer on 127.0.0.1:{port} (last: {problem}). Its log ends:\n{process.last_words()}")


# ---- what /proc knows

def _stat_fields(pid):
    """/proc/PID/stat from the state on (the name before it may hold spaces); None when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


@dataclass
class CpuReading:
    """CPU time of some processes up to now: to the nanosecond per thread, and in clock ticks split in user and system."""
    thread_nanoseconds: dict
    user_ticks: int
    system_ticks: int


def read_cpu(pids):
    reading = CpuReading({}, 0, 0)
    for pid in pids:
        fields = _stat_fields(pid)
        if fields is None:
            continue
        reading.user_ticks += int(fields[11])
        reading.system_ticks += int(fields[12])
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                reading.thread_nanoseconds[task.name] = int((task / "schedstat").read_text().split()[0])
    return reading


def cpu_seconds(before, after):
    """(user, system) seconds between two readings. The sum comes from the scheduler's nanoseconds, because a 10 ms tick is
    coarse for a round of seconds; only the split between user and system is the ticks'."""
    total = sum(now - before.thread_nanoseconds.get(thread, 0) for thread, now in after.thread_nanoseconds.items()) / 1e9
    user = after.user_ticks - before.user_ticks
    system = after.system_ticks - before.system_ticks
    user_share = user / (user + system) if user + system else 0.0
    return total * user_share, total * (1 - user_share)


@dataclass
class CoreReading:
    """Clock ticks of one core since boot."""
    busy: int
    stolen: int
    all: int


def read_core(core):
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
            busy = user + nice + system + irq + softirq
            return CoreReading(busy, steal, busy + idle + iowait + steal)
    sys.exit(f"This machine has no core {core}: the proxy needs one of its own beside that of the load (two cores).")


def busy_share(before, after):
    """(busy, stolen by the hypervisor), each as a share of the core's time."""
    elapsed = max(1, after.all - before.all)
    return (after.busy - before.busy) / elapsed, (after.stolen - before.stolen) / elapsed


def resident_bytes(pids):
    """Resident memory of all these processes, pages they share counted once a process."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
    return total
