"""Takeovers of Bascule and keepalived in turns, as a client in the same network sees them."""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from bench.failover.network import Network
from bench.failover.products import PRODUCTS as EVERYBODY
from bench.failover.watch import PERIOD_MS, Watch, outage, overlap
from bench.lib import machine, processes, results

FAULTS = {
    "kill": "killed (SIGKILL)",
    "cut": "cut off (no carrier)",
    "freeze": "frozen for two seconds (SIGSTOP, SIGCONT)",
    "stop": "stopped (SIGTERM)",
}

# How long after the fault it is watched: longer than a lease of one second.
WATCHED = 1.4
FROZEN = 2.0


@dataclass
class Measured:
    round: int
    product: str
    fault: str
    word_ms: float  # from the last advertisement of the old one to the first of the new one
    outage_ms: float
    overlap_ms: float


def main():
    arguments = _arguments()
    products = [product for product in EVERYBODY if product.name in arguments.products]
    machine.build_bascule()
    quiet = machine.wait_for_quiet(0 if arguments.smoke else 60)
    measured = []
    with processes.workshop("failover") as (folder, stack):
        network = Network(f"bascule-bench-{os.getpid()}")
        stack.callback(network.remove)
        watch = Watch(network)
        stack.callback(watch.close)
        for number in range(arguments.rounds):
            for product in products[number % len(products):] + products[:number % len(products)]:
                measured += _round(number, product, network, watch, folder, arguments.kills)
                print(f"round {number + 1} of {arguments.rounds}: {product.name}", file=sys.stderr)
    page = _page(measured, products, quiet)
    print(page)
    if not arguments.smoke:
        results.write(time.strftime("failover-%Y-%m-%d"), page, measured)
    return 0


def _arguments():
    parser = argparse.ArgumentParser(prog="bench/failover/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of each product, in turns (4)")
    parser.add_argument("--kills", type=int, default=5, help="a round; beside one of each other fault (5)")
    everybody = [product.name for product in EVERYBODY]
    parser.add_argument("--products", nargs="+", choices=everybody, default=everybody, help="only these")
    parser.add_argument("--smoke", action="store_true", help="one short round; writes nothing")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.kills = 1, 1
    return arguments


def _round(number, product, network, watch, folder, kills):
    active, backup = product(network, "one", folder), product(network, "two", folder)
    with contextlib.ExitStack() as stack:
        stack.callback(network.forget_virtual_address)
        stack.callback(active.end)
        stack.callback(backup.end)
        began = time.monotonic()
        active.start()
        watch.wait_for(active.director, "Answer", began)
        backup.start()
        measured = []
        for fault in [*["kill"] * min(kills, product.most_kills or kills), "cut", "freeze", "stop"]:
            measured.append(Measured(number, product.name, fault, *_fault(fault, active, backup, watch)))
            active, backup = backup, active
        return measured


def _fault(fault, active, backup, watch):
    _wait_until_heard(watch, active.director)
    began = time.monotonic()
    {"kill": active.kill, "cut": active.cut, "freeze": active.freeze, "stop": active.stop}[fault]()
    word = watch.wait_for(backup.director, "Advertisement", began)
    watch.wait_for(backup.director, "Answer", word.at)
    if fault == "freeze":
        time.sleep(max(0.0, began + FROZEN - time.monotonic()))
        active.thaw()
        time.sleep(WATCHED)  # what the thawed one does belongs to it
    else:
        time.sleep(max(0.0, began + WATCHED - time.monotonic()))
    sights = watch.seen(began - 1)
    last_words = [s.at for s in sights if s.what == "Advertisement" and s.at < word.at and s.sender != word.sender]
    if fault == "cut":
        active.plug()
    if fault in ("cut", "freeze"):
        active.kill()  # who of the two has won is different in each product
    elif fault == "stop":
        active.wait()
    active.start()
    return (word.at - last_words[-1]) * 1e3, outage(sights) * 1e3, overlap(sights) * 1e3


def _wait_until_heard(watch, director):
    """Two advertisements more: who listens now has heard it."""
    first = watch.wait_for(director, "Advertisement", time.monotonic())
    watch.wait_for(director, "Advertisement", first.at)


def _page(measured, products, quiet):
    lines = [
        "# Who has the address, and for how long nobody or both", "",
        "`bench/failover/run`", "",
        *machine.describe(),
        f"- Versions: bascule {machine.version('bascule')}, sources at {machine.commit()}; {_keepalived_version()}",
        f"- Quiet: {quiet}",
        f"- VRRP version 3, an advertisement every 100 ms, both directors at priority 100, no preemption: 3 × 100 + 100 × 156 / 256 = **361 ms** of silence before"
        " the other one takes over (RFC 9568 §6.1). Bascule's pair has heartbeats as well (every 25 ms), which count as advertisements.",
        f"- A client in the same network asks every {PERIOD_MS} ms for an echo, and in another name who has the address. *Without an answer*: the longest time"
        " between two echoes, which the kernel of a killed director's machine goes on sending for as long as it has the address. *Two owners*: how long both said that they have it, in turns, within 1.4 s of the fault.",
    ]
    for fault, words in FAULTS.items():
        lines += ["", f"## The Active one is {words}", "",
                  "| product | times | last word to first, median | worst | without an answer, median | worst | two owners, median | worst |",
                  "|---|--:|--:|--:|--:|--:|--:|--:|"]
        for product in products:
            mine = [m for m in measured if m.product == product.name and m.fault == fault]
            cells = [_median_and_worst([getattr(m, field) for m in mine]) for field in ("word_ms", "outage_ms", "overlap_ms")]
            lines.append(f"| {product.name} | {len(mine)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _median_and_worst(values):
    return f"{statistics.median(values):.0f} ms | {max(values):.0f} ms"


def _keepalived_version():
    said = subprocess.run(["keepalived", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return f"keepalived {re.search(r'v([0-9.]+)', said).group(1)}"


if __name__ == "__main__":
    sys.exit(main())
