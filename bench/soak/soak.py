"""Load, reloads and killed real servers at the same time: nothing may fail but what was in flight at a kill, nothing may grow."""

import argparse
import collections
import contextlib
import itertools
import os
import pathlib
import shlex
import signal
import sys
import threading
import time
from dataclasses import dataclass, field

from bench.lib import machine, processes, results, wrk
from bench.soak import report
from bench.soak.cast import CLIENTS, POOL_SECONDS, Director, Failure, RealServer, Witness

NAMES = ["alpha", "beta", "gamma"]
WITNESSES = 4
RELOAD_EVERY, KILL_EVERY, DEAD_FOR = 1.0, 5.0, 2.0

# What the file says, one step a reload, over and over. Seven, so that over time every kill meets every step.
STEPS = [
    {"weights": {"beta": 3}},
    {"without": "gamma"},
    {},
    {"weights": {"alpha": 2, "gamma": 5}},
    {"extra": "rr"},
    {"extra": "lc"},
    {},
]


@dataclass
class Kill:
    """One real server killed."""
    at: float          # seconds since the epoch
    name: str
    open: int          # connections to it
    in_flight: int     # of these, with a request or an answer under way


@dataclass
class Sample:
    """The daemon, once a second."""
    second: float      # since the load began
    resident: int      # bytes
    files: int
    threads: int
    failures: int      # the daemon's own count of requests that did not complete, since its start


@dataclass
class Story:
    """All that happened."""
    began: float = 0.0
    kills: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    files_before: dict = field(default_factory=dict)  # by kind
    files_after: dict = field(default_factory=dict)                             # once the load is over and idle connections are closed
    reloads: int = 0
    slowest_reload: float = 0.0
    complaints: list = field(default_factory=list)   # a reload refused or without effect, a status not answered
    load: wrk.Load | None = None
    answers: list = field(default_factory=list)      # Failures: wrk's answers that were not 200
    witnessed: list = field(default_factory=list)    # Failures the witnesses saw
    witness_requests: int = 0
    outcomes: dict = field(default_factory=dict)     # the daemon's own count at the end
    ended_by_itself: bool = False                    # after SIGTERM


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/soak/run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of load (default: 10)")
    parser.add_argument("--kill-one", action="store_true", help="no reloads; kill one real server once, 5 s into 15 s of load")
    parser.add_argument("--name", help="writes bench/results/NAME.md and .csv (default: soak, or kill-one)")
    parser.add_argument("--smoke", action="store_true", help="20 seconds, nothing written")
    arguments = parser.parse_args()
    arguments.seconds = 15 if arguments.kill_one else 20 if arguments.smoke else round(arguments.minutes * 60)
    arguments.name = arguments.name or ("kill-one" if arguments.kill_one else "soak")
    return arguments


def every(seconds, stopping):
    """Yields at fixed times until told to stop; a late turn does not move the ones after it."""
    due = time.monotonic() + seconds
    while not stopping.wait(max(0.0, due - time.monotonic())):
        yield
        due = max(due + seconds, time.monotonic())


def keep_reloading(director, story, stopping):
    steps = itertools.cycle(STEPS)
    for _ in every(RELOAD_EVERY, stopping):
        step = next(steps)
        director.write(step)
        began = time.monotonic()
        complaint = director.reload() or missing_effect(director, step)
        story.slowest_reload = max(story.slowest_reload, time.monotonic() - began)
        story.reloads += 1
        if complaint:
            story.complaints.append(f"reload {story.reloads}, {step or 'as at first'}: {complaint}")


def missing_effect(director, step):
    """The extra virtual server must be in the daemon's status exactly when it is in the file."""
    is_there = any(virtual_server["name"] == "extra" for virtual_server in director.status()["virtualServers"])
    return None if is_there == ("extra" in step) else "the daemon does not run what the file says"


def kill(director, server, story):
    """Both ends are frozen for the millisecond between the count and the kill: what is counted is what the kill hits."""
    director.process.signal(signal.SIGSTOP)
    server.process.signal(signal.SIGSTOP)
    try:
        open_ones, in_flight = server.connections()
        story.kills.append(Kill(time.time(), server.name, open_ones, in_flight))
        server.kill()
    finally:
        director.process.signal(signal.SIGCONT)


def keep_killing(director, servers, seconds, story, stopping):
    turns = itertools.cycle(servers)
    for _ in every(KILL_EVERY, stopping):
        if time.time() > story.began + seconds - DEAD_FOR:
            return  # the load would be over before it is back
        server = next(turns)
        kill(director, server, story)
        if stopping.wait(DEAD_FOR):
            return
        server.start()


def open_files(director):
    """How many of each kind: sockets, pipes, anonymous inodes (epoll, eventfd), assemblies, other paths."""
    kinds = collections.Counter()
    for link in pathlib.Path(f"/proc/{director.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            target = os.readlink(link)
            kinds["assembly" if target.endswith(".dll") else "path" if target.startswith("/") else target.partition(":")[0]] += 1
    return kinds


def keep_sampling(director, story, stopping):
    pid = director.process.pid
    for _ in every(1.0, stopping):
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        story.samples.append(Sample(
            time.time() - story.began, int(status["VmRSS"].split()[0]) * 1024, open_files(director).total(),
            int(status["Threads"]), sum(director.failures().values())))


def noting_what_goes_wrong(work, story):
    """A thread that dies must not make the soak look better."""
    def guarded(*given):
        try:
            work(*given)
        except (Exception, SystemExit) as exception:  # anything at all is a complaint in the report
            story.complaints.append(f"{work.__name__} ended early: {type(exception).__name__}: {exception}")
    return guarded


def read_answers(file):
    """The lines of record.lua. wrk does not say when a request began, so its failures begin when they end."""
    failures = []
    if file.exists():
        for line in file.read_text().splitlines():
            at, what = line.split(" ", 1)
            failures.append(Failure(float(at), float(at), what))
    return failures


def run_load(directory, director, seconds, work, story):
    """wrk and the witnesses, with the `work` in threads beside them until wrk has ended."""
    stopping = threading.Event()
    witnesses = [Witness(director.port, NAMES, stopping) for _ in range(WITNESSES)]
    others = [
        threading.Thread(target=noting_what_goes_wrong(function, story), args=(*given, story, stopping), daemon=True)
        for function, *given in work]
    story.began = time.time()
    record = directory / "answers"
    os.environ["RECORD_TO"] = str(record)
    load = processes.Process("wrk", wrk.command(director.port, CLIENTS, seconds, pathlib.Path(__file__).parent / "record.lua"), directory)
    try:
        for thread in [*witnesses, *others]:
            thread.start()
        deadline = time.monotonic() + seconds + 30
        while not load.has_ended() and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        stopping.set()
        load.stop()
        for thread in [*witnesses, *others]:
            thread.join(20)
    story.load = wrk.parse(load.last_words())
    story.answers = read_answers(record)
    story.witnessed = [failure for witness in witnesses for failure in witness.failures]
    story.witness_requests = sum(witness.requests for witness in witnesses)


def kill_one(director, server, story, stopping):
    if not stopping.wait(KILL_EVERY):
        kill(director, server, story)


def main():
    arguments = parse_arguments()
    processes.allow_many_files()
    machine.build_bascule()
    story = Story()
    with processes.workshop("soak") as (directory, stack):
        servers = [RealServer(name, directory, stack) for name in NAMES]
        director = Director(directory, stack, servers)
        if arguments.kill_one:
            work = [(kill_one, director, servers[0]), (keep_sampling, director)]
        else:
            work = [(keep_reloading, director), (keep_killing, director, servers, arguments.seconds), (keep_sampling, director)]
        story.files_before = open_files(director)
        run_load(directory, director, arguments.seconds, work, story)
        if director.process.has_ended():
            story.complaints.append(f"the daemon ended during the run; its log ends: {director.process.last_words()}")
        else:
            story.outcomes = director.failures()
            time.sleep(2 * POOL_SECONDS)
            story.files_after = open_files(director)
            story.ended_by_itself = director.process.stop(patience=40)

    command = shlex.join(["bench/soak/run", *sys.argv[1:]])
    claims = report.claims(story, arguments)
    text = report.page(story, claims, command, arguments)
    print(text)
    if not arguments.smoke:
        results.write(arguments.name, text, story.samples, digits=2)
    sys.exit(0 if all(claim.holds for claim in claims) else 1)


if __name__ == "__main__":
    main()
