"""What ten thousand health checks cost: the daemon's processor time beside that of a C program that only connects."""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass

from bench.health import report, starts
from bench.lib import machine, processes, results

SERVERS_CORE, DAEMON_CORE = 0, 1
HERE = pathlib.Path(__file__).parent
PER_VIRTUAL_SERVER = 100


@dataclass
class Round:
    """One stretch of checks, by the daemon or by the floor."""
    kind: str                   # tcp, http
    who: str                    # bascule, floor (closes as the daemon does), floor with reset
    round: int
    checks: int
    failed: int                 # due and not made, or failed
    cpu_microseconds: float     # per check: user and system
    user_microseconds: float
    system_microseconds: float
    core_share: float           # of one core, at the wanted pace
    drift: float                # mean interval over the wanted one, less 1; the daemon's only
    fullest: float              # most starts in a hundredth of the interval, over the mean; the daemon's only
    worst_interval: float       # the longest between two starts of one check, over the wanted one; the daemon's only
    disturbance: float          # share of the daemon's core that others took, the hypervisor included


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/health/run", description=__doc__)
    parser.add_argument("--kinds", default="tcp,http", help="which checks (default: tcp,http)")
    parser.add_argument("--real-servers", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--interval", type=int, default=2_000, help="of each check, in milliseconds (default: 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (default: 3)")
    parser.add_argument("--seconds", type=int, default=20, help="a round (default: 20)")
    parser.add_argument("--warmup", type=int, default=20, help="seconds of checks before the first round, for the daemon's JIT (default: 20)")
    parser.add_argument("--patience", type=int, default=60, help="seconds to wait for a quiet machine (default: 60)")
    parser.add_argument("--name", help="writes bench/results/NAME.md and .csv (default: health-DATE)")
    parser.add_argument("--smoke", action="store_true", help="a minute that shows it works: 1,000 real servers, one round of 5 s, nothing written")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.real_servers, arguments.rounds, arguments.seconds, arguments.warmup, arguments.patience = 1_000, 1, 5, 3, 0
    arguments.kinds = arguments.kinds.split(",")
    if any(kind not in ("tcp", "http") for kind in arguments.kinds):
        parser.error("the kinds are tcp and http")
    return arguments


def compile_helpers(directory):
    for name in ("servers", "floor"):
        built = subprocess.run(["clang", "-O2", "-o", directory / name, HERE / f"{name}.c"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if built.returncode != 0:
            sys.exit(f"clang did not build bench/health/{name}.c:\n{built.stdout}")


def start_servers(stack, directory, arguments):
    """All real servers in one process; returns the port they share and the file of what they accepted."""
    port, log = processes.free_port(), directory / "accepted"
    servers = processes.Process("servers", [directory / "servers", str(arguments.real_servers), str(port), log], directory, SERVERS_CORE)
    stack.callback(servers.stop)
    deadline = time.monotonic() + 30
    while not servers.log.read_text().startswith("ready"):
        if servers.has_ended() or time.monotonic() > deadline:
            sys.exit(f"the real servers do not listen. Their log ends:\n{servers.last_words()}")
        time.sleep(0.1)
    return port, log


def configuration(kind, port, directory, arguments):
    """Virtual servers of a hundred real servers each, every one checked."""
    check = f"{{ type: {kind}, interval: {arguments.interval}ms, timeout: {min(1000, arguments.interval)}ms }}"
    lines = ["workers: 1", f"admin: {{ socket: {directory}/admin.sock }}", f"stateFile: {directory}/state.json", "virtualServers:"]
    addresses = [starts.address(index) for index in range(arguments.real_servers)]
    for first in range(0, len(addresses), PER_VIRTUAL_SERVER):
        members = ", ".join(f"{address}:{port}" for address in addresses[first:first + PER_VIRTUAL_SERVER])
        lines += [f"  group{first // PER_VIRTUAL_SERVER}:", f"    address: 127.2.0.{first // PER_VIRTUAL_SERVER + 1}:{port}", f"    check: {check}", f"    realServers: [{members}]"]
    file = directory / f"{kind}.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def pace(arguments):
    """Checks a second, as configured."""
    return arguments.real_servers * 1000 / arguments.interval


def failing(directory):
    """Real servers whose last check has failed."""
    command = [machine.BASCULE, "status", "--json", "-s", directory / "admin.sock"]
    status = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    servers = [server for virtual in status["virtualServers"] for server in virtual["realServers"]]
    return sum(not server["lastCheck"]["passed"] for server in servers if server.get("lastCheck"))


def measure_daemon(daemon, kind, number, directory, log, arguments):
    core = processes.read_core(DAEMON_CORE)
    before, began = processes.read_cpu(daemon.pids()), time.monotonic_ns()
    time.sleep(arguments.seconds)
    reading, ended = processes.read_cpu(daemon.pids()), time.monotonic_ns()
    busy, stolen = processes.busy_share(core, processes.read_core(DAEMON_CORE))
    user, system = processes.cpu_seconds(before, reading)
    seen = starts.between(log, began, ended)
    rhythm = starts.rhythm(seen, arguments.real_servers, arguments.interval, (ended - began) / 1e9)
    seconds = (ended - began) / 1e9
    own, each = (user + system) / seconds, 1e6 / max(1, len(seen))
    return Round(kind, "bascule", number, len(seen), rhythm.missing + failing(directory), (user + system) * each, user * each, system * each, (user + system) * each * pace(arguments) / 1e6,
                 rhythm.drift, rhythm.fullest, rhythm.worst_interval, max(0.0, busy - own) + stolen)


def measure_floor(kind, closing, number, port, directory, arguments):
    core = processes.read_core(DAEMON_CORE)
    command = ["taskset", "-c", str(DAEMON_CORE), directory / "floor", str(arguments.real_servers), str(port), str(arguments.seconds),
               str(arguments.interval), kind, closing]
    user, system, checks, failed, seconds = (float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    busy, stolen = processes.busy_share(core, processes.read_core(DAEMON_CORE))
    own = (user + system) * checks / 1e6 / seconds
    who = "floor" if closing == "fin" else "floor with reset"
    return Round(kind, who, number, int(checks), int(failed), user + system, user, system, (user + system) * pace(arguments) / 1e6, 0, 0, 0, max(0.0, busy - own) + stolen)


def measure_kind(kind, stack, directory, port, log, arguments):
    file = configuration(kind, port, directory, arguments)
    daemon = processes.Process(f"bascule-{kind}", [machine.BASCULE, "run", "-c", file], directory, DAEMON_CORE)
    stack.callback(daemon.stop)
    time.sleep(arguments.interval / 1000 + arguments.warmup)
    if daemon.has_ended():
        sys.exit(f"bascule does not run. Its log ends:\n{daemon.last_words()}")
    rounds, histogram = [], []
    for number in range(1, arguments.rounds + 1):
        began = time.monotonic_ns()
        rounds.append(measure_daemon(daemon, kind, number, directory, log, arguments))
        histogram = starts.histogram(starts.between(log, began, time.monotonic_ns()), arguments.interval)
        daemon.signal(processes.signal.SIGSTOP)  # its checks rest while the floor has the core
        try:
            rounds += [measure_floor(kind, closing, number, port, directory, arguments) for closing in ("fin", "reset")]
        finally:
            daemon.signal(processes.signal.SIGCONT)
        time.sleep(2 * arguments.interval / 1000)  # what was missed is caught up with
        print(f"{kind} round {number}: " + ", ".join(f"{r.who} {r.cpu_microseconds:.1f} µs, {r.core_share:.1%}" for r in rounds[-3:]), file=sys.stderr)
    if daemon.has_ended():
        sys.exit(f"bascule ended during the run. Its log ends:\n{daemon.last_words()}")
    daemon.stop()
    return rounds, histogram


def main():
    arguments = parse_arguments()
    processes.allow_many_files()
    machine.build_bascule()
    commit = machine.commit()  # of what was built, whatever is committed meanwhile
    quiet = machine.wait_for_quiet(arguments.patience)
    with processes.workshop("health") as (directory, stack):
        compile_helpers(directory)
        port, log = start_servers(stack, directory, arguments)
        measured = {kind: measure_kind(kind, stack, directory, port, log, arguments) for kind in arguments.kinds}
    rounds = [row for rows, _ in measured.values() for row in rows]
    text = report.page(measured, arguments, shlex.join(["bench/health/run", *sys.argv[1:]]), commit, quiet)
    print(text)
    if not arguments.smoke:
        results.write(arguments.name or time.strftime("health-%Y-%m-%d"), text, rounds)
    if any(row.failed for row in rounds):
        sys.exit("Checks failed, or were not made: see the table.")


if __name__ == "__main__":
    main()
