"""bascule check, start and reload of a large file, with clients who ask meanwhile."""

import argparse
import asyncio
import json
import shlex
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

from bench.lib import machine, processes
from bench.reload import farm

GOAL = 3.0
RESULTS = machine.ROOT / "bench/results"
WITNESSES = 8


@dataclass
class Story:
    checks: list = field(default_factory=list)
    start: float = 0.0
    up: float = 0.0
    reloads: dict = field(default_factory=dict)
    answers: int = 0
    failures: list = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0


def arguments():
    parser = argparse.ArgumentParser(prog="bench/reload/run", description=__doc__)
    parser.add_argument("--virtual-servers", type=int, default=2000)
    parser.add_argument("--real-servers", type=int, default=37_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind of reload")
    parser.add_argument("--pause", type=float, default=0.01, help="seconds between two requests of one of the eight clients")
    parser.add_argument("--interval", default="1m", help="of the checks")
    parser.add_argument("--patience", type=int, default=60, help="seconds to wait for a quiet machine")
    parser.add_argument("--no-page", action="store_true", help="print only")
    return parser.parse_args()


def timed(command):
    began = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return time.monotonic() - began, result.stdout


async def timed_aside(command):
    return await asyncio.to_thread(timed, command)


async def wait_until(what, seconds, every, condition):
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not happen within {seconds} s")
        await asyncio.sleep(every)


def is_answered(admin_socket):
    """It is there before anybody listens: the daemon makes sure of its name first."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(admin_socket)) == 0


def up_count(status):
    servers = [server for virtual in json.loads(status)["virtualServers"] for server in virtual["realServers"]]
    return sum(1 for server in servers if server["state"] == "up"), len(servers)


async def run(options, directory):
    story = Story()
    origin = farm.Origin()
    origin_port = await origin.start()
    admin = directory / "admin.sock"
    large = farm.Farm(options.virtual_servers, options.real_servers, processes.free_port(), origin_port, admin, directory / "state.json")
    file = directory / "bascule.yaml"
    file.write_text(large.text(interval=options.interval))
    bascule = str(machine.BASCULE)

    for _ in range(options.rounds):
        story.checks.append((await timed_aside([bascule, "check", str(file)]))[0])

    began = time.monotonic()
    daemon = processes.Process("bascule", [bascule, "run", "-c", str(file)], directory)
    try:
        async def answers():
            if daemon.has_ended():
                sys.exit(f"bascule has ended: {daemon.last_words()}")
            return is_answered(admin)

        await wait_until("the start", 120, 0.05, answers)
        story.start = time.monotonic() - began

        async def all_up():
            up, count = up_count((await timed_aside([bascule, "status", "--json", "-s", str(admin)]))[1])
            return up == count

        # Rarely: what such a status takes would be taken from what is waited for.
        await wait_until("the first check of every real server", 300, 5, all_up)
        story.up = time.monotonic() - began
        await load_and_reload(options, story, large, file, bascule, admin)
        story.memory = processes.resident_bytes([daemon.pid])
    finally:
        daemon.stop(20)
    return story


async def load_and_reload(options, story, large, file, bascule, admin):
    kept = max(1, options.virtual_servers - options.virtual_servers // 20)  # those that no reload takes away
    witnesses = [farm.Witness(large.port, range(i, kept, WITNESSES), options.pause) for i in range(WITNESSES)]
    stopping = asyncio.Event()
    asking = [asyncio.create_task(witness.run(stopping)) for witness in witnesses]
    await asyncio.sleep(2)
    kinds = {
        "nothing changed": lambda round: {},
        "a weight in each virtual server": lambda round: {"weight": 2 + round},
        "one virtual server in twenty gone": lambda round: {"weight": 100, "without": options.virtual_servers - kept},
        "one virtual server in twenty new": lambda round: {"weight": 100},
    }
    for round in range(options.rounds):
        for kind, change in kinds.items():
            if kind != "nothing changed":
                file.write_text(large.text(interval=options.interval, **change(round)))
            took, _ = await timed_aside([bascule, "reload", "-s", str(admin)])
            story.reloads.setdefault(kind, []).append(took)
            print(f"{kind}: {took:.2f} s", file=sys.stderr)
            await asyncio.sleep(1)
    stopping.set()
    await asyncio.gather(*asking)
    story.answers = sum(witness.answers for witness in witnesses)
    story.failures = [failure for witness in witnesses for failure in witness.failures]
    story.slowest = max(witness.slowest for witness in witnesses)


def page(options, story, quiet):
    def row(what, times):
        return f"| {what} | {statistics.median(times):.2f} s | {min(times):.2f} s | {max(times):.2f} s |"

    slowest = max(max(times) for times in story.reloads.values())
    holds = slowest < GOAL and not story.failures
    lines = [
        "# Reloading a large file",
        "",
        f"`{shlex.join(['bench/reload/run', *sys.argv[1:]])}`",
        "",
        *machine.describe(),
        f"- Bascule {machine.version('bascule')}, commit {machine.commit()}",
        f"- When it began, {quiet}.",
        "",
        f"{options.virtual_servers:,} virtual servers (`protocol: http`) with {options.real_servers:,} real servers, each checked (tcp, every {options.interval}). Eight clients ask all the while,"
        f" {options.pause * 1000:.0f} ms after each answer, on connections that they keep for eight requests; clients, real servers and director share the machine.",
        "",
        "| | median | shortest | longest |",
        "|---|---|---|---|",
        row("`bascule check`", story.checks),
        *[row(f"`bascule reload`, {kind}", times) for kind, times in story.reloads.items()],
        "",
        f"From the start to the admin socket {story.start:.2f} s, to the last real server up {story.up:.2f} s. Resident memory at the end {story.memory / 2**20:.0f} MiB.",
        "",
        f"{story.answers:,} answers, {len(story.failures)} failures; the slowest answer took {story.slowest * 1000:.0f} ms.",
        "",
        f"**{'Holds' if holds else 'Does not hold'}**: every reload under {GOAL:.0f} s, and no failed request.",
        "",
        *[f"- {failure}" for failure in story.failures[:20]],
    ]
    return "\n".join(lines).rstrip() + "\n", holds


def main():
    options = arguments()
    machine.build_bascule()
    processes.allow_many_files()
    quiet = machine.wait_for_quiet(options.patience)
    with processes.workshop("reload") as (directory, _):
        story = asyncio.run(run(options, directory))
    text, holds = page(options, story, quiet)
    print(text)
    if not options.no_page:
        (RESULTS / f"reload-{time.strftime('%Y-%m-%d')}.md").write_text(text)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
