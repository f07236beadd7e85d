"""Runs wrk and reads its report."""

import re
import subprocess
import sys
from dataclasses import dataclass

UNITS = {"us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


@dataclass
class Load:
    """What wrk said."""
    requests: int
    seconds: float
    connect_errors: int
    read_errors: int
    write_errors: int
    timeouts: int
    bad_statuses: int
    p50_microseconds: float
    p99_microseconds: float

    @property
    def errors(self):
        return self.connect_errors + self.read_errors + self.write_errors + self.timeouts + self.bad_statuses


def command(port, connections, seconds, script=None, path="/"):
    scripted = ["-s", str(script)] if script else []
    return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *scripted, f"http://127.0.0.1:{port}{path}"]


def run(port, connections, seconds, core):
    """One round, from a single thread on `core`."""
    pinned = ["taskset", "-c", str(core), *command(port, connections, seconds)]
    finished = subprocess.run(pinned, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 30)
    return parse(finished.stdout)


def parse(report):
    """The report that wrk 4.1 prints at its end."""
    counted = re.search(r"(\d+) requests in ([\d.]+)([a-z]+)", report)
    if counted is None:
        sys.exit(f"wrk did not report:\n{report}")
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", report)
    statuses = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    return Load(
        int(counted.group(1)),
        _microseconds(counted.group(2), counted.group(3)) / 1e6,
        *(map(int, sockets.groups()) if sockets else (0, 0, 0, 0)),
        int(statuses.group(1)) if statuses else 0,
        _percentile(report, 50),
        _percentile(report, 99),
    )


def _percentile(report, percent):
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)([a-z]+)", report, re.MULTILINE)
    return _microseconds(found.group(1), found.group(2)) if found else 0.0


def _microseconds(number, unit):
    return float(number) * UNITS[unit]
