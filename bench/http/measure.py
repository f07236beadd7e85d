"""What a proxied request costs: Bascule beside nginx and HAProxy, one core for the proxy, one for the load and the origin."""

import argparse
import shlex
import sys
import time
from dataclasses import dataclass

from bench.http import idle, products, report
from bench.lib import machine, processes, results, wrk

LOAD_CORE, PROXY_CORE = 0, 1


@dataclass
class Round:
    """One load on one proxy."""
    mode: str
    connections: int
    round: int
    product: str
    requests: int
    errors: int
    requests_per_second: float
    cpu_microseconds: float     # per request: user and system
    user_microseconds: float
    system_microseconds: float
    p50_microseconds: float
    p99_microseconds: float
    proxy_core_busy: float      # share of time, by the proxy
    load_core_busy: float
    disturbance: float          # share of the proxy's core that others took, the hypervisor included


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/http/run", description=__doc__)
    parser.add_argument("--modes", default="http,tcp", help="http, tcp or both (default: both)")
    parser.add_argument("--products", default="bascule,nginx,haproxy", help="which to measure (default: all three)")
    parser.add_argument("--connections", default="1,64,512", help="client connections, one table each (default: 1,64,512)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds a product (default: 7)")
    parser.add_argument("--seconds", type=int, default=5, help="a round (default: 5)")
    parser.add_argument("--warmup", type=int, default=20, help="seconds of load on Bascule before the first round, for its JIT; a peer gets 3 (default: 20)")
    parser.add_argument("--checks", action="store_true", help="health checks on in Bascule and HAProxy (nginx has none; default: off for all)")
    parser.add_argument("--idle", action="store_true", help="only measure the memory of idle keep-alive client connections")
    parser.add_argument("--idle-connections", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--patience", type=int, default=60, help="seconds to wait for a quiet machine (default: 60)")
    parser.add_argument("--name", help="writes bench/results/NAME.md and .csv (default: http-DATE, or idle-DATE)")
    parser.add_argument("--smoke", action="store_true", help="a minute that shows it works: 2 rounds of 1 s, c=64, nothing written")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.connections, arguments.rounds, arguments.seconds, arguments.warmup, arguments.patience = "64", 2, 1, 3, 0
    arguments.modes = _listed(parser, arguments.modes, ["http", "tcp"])
    arguments.products = _listed(parser, arguments.products, ["bascule", "nginx", "haproxy"])
    arguments.connections = [int(connections) for connections in arguments.connections.split(",")]
    return arguments


def _listed(parser, written, known):
    names = written.split(",")
    for name in names:
        if name not in known:
            parser.error(f"'{name}' is not one of {', '.join(known)}")
    return names


def check_equal_answers(proxies, origin):
    """Before anything is timed: the same answer through each, and the client's address told where HTTP is spoken."""
    direct = processes.get(origin)
    for proxy in proxies:
        if (answer := processes.get(proxy.port)) != direct:
            sys.exit(f"{proxy.name} ({proxy.mode}) answers {answer}, the origin {direct}: they cannot be compared.")
        told = processes.get(proxy.port, "/forwarded-for").body
        expected = b"127.0.0.1\n" if proxy.mode == "http" else b"\n"
        if told != expected:
            sys.exit(f"Through {proxy.name} ({proxy.mode}) the origin sees X-Forwarded-For {told!r}, not {expected!r}.")


def measure_round(proxy, connections, number, seconds):
    pids = proxy.process.pids()
    cores = [processes.read_core(core) for core in (LOAD_CORE, PROXY_CORE)]
    before, began = processes.read_cpu(pids), time.monotonic()
    load = wrk.run(proxy.port, connections, seconds, LOAD_CORE)
    user, system = processes.cpu_seconds(before, processes.read_cpu(pids))
    elapsed = time.monotonic() - began
    (load_busy, _), (busy, stolen) = (
        processes.busy_share(old, processes.read_core(core)) for core, old in zip((LOAD_CORE, PROXY_CORE), cores))
    requests = max(1, load.requests)
    own = (user + system) / elapsed
    return Round(
        proxy.mode, connections, number, proxy.name, load.requests, load.errors, load.requests / load.seconds,
        (user + system) / requests * 1e6, user / requests * 1e6, system / requests * 1e6,
        load.p50_microseconds, load.p99_microseconds, own, load_busy, max(0.0, busy - own) + stolen)


def warm_up(proxies, arguments):
    """Long enough for Bascule's JIT to have compiled the hot path with what it learnt; a C program only fills its pools."""
    for proxy in proxies:
        seconds = arguments.warmup if proxy.name == "bascule" else min(3, arguments.warmup)
        wrk.run(proxy.port, 64, max(1, seconds), LOAD_CORE)


def measure_mode(mode, origin, stack, directory, arguments):
    proxies = [
        products.start_proxy(stack, directory, name, mode, origin, PROXY_CORE, arguments.checks) for name in arguments.products]
    check_equal_answers(proxies, origin)
    warm_up(proxies, arguments)
    rounds = []
    for connections in arguments.connections:
        for proxy in proxies:  # unmeasured: the first round at a new size opens the pools
            wrk.run(proxy.port, connections, 1, LOAD_CORE)
        for number in range(1, arguments.rounds + 1):
            first = number % len(proxies)  # each goes first in turn: no one always follows the same neighbour
            for proxy in proxies[first:] + proxies[:first]:
                rounds.append(measure_round(proxy, connections, number, arguments.seconds))
            print(f"{mode} c={connections} round {number}: " + ", ".join(
                f"{measured.product} {measured.cpu_microseconds:.2f} µs" for measured in rounds[-len(proxies):]), file=sys.stderr)
    for proxy in proxies:
        if proxy.process.has_ended():
            sys.exit(f"{proxy.name} ({mode}) ended during the run. Its log ends:\n{proxy.process.last_words()}")
    return rounds


def main():
    arguments = parse_arguments()
    processes.allow_many_files()
    if "bascule" in arguments.products:
        machine.build_bascule()
    quiet = machine.wait_for_quiet(arguments.patience)
    command = shlex.join(["bench/http/run", *sys.argv[1:]])
    name = arguments.name or time.strftime("idle-%Y-%m-%d" if arguments.idle else "http-%Y-%m-%d")

    with processes.workshop("bench") as (directory, stack):
        origin = products.start_origin(stack, directory, LOAD_CORE)
        if arguments.idle:
            rows = idle.measure(stack, directory, origin, PROXY_CORE, arguments)
            text = report.idle_page(rows, command)
            failed = any(row.lost for row in rows)
        else:
            rows = []
            for mode in arguments.modes:
                rows += measure_mode(mode, origin, stack, directory, arguments)
            text = report.page(rows, command, quiet, arguments)
            failed = any(row.errors for row in rows)
    print(text)
    if not arguments.smoke:
        results.write(name, text, rows)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
