"""Turns rounds into the page of tables."""

import random
import statistics

from bench.lib import machine

# What issue 2 asks for: at 64 connections, CPU per request as a share of the peer's.
GOALS = {("http", "haproxy"): 0.85, ("http", "nginx"): 0.95, ("tcp", "haproxy"): 0.95}
GOAL_CONNECTIONS = 64
IDLE_GOAL_MEBIBYTES = 200

# Above this share of the proxy's core taken by others a round counts as disturbed (clock ticks alone make up about 3 %).
DISTURBED = 0.05
LOAD_CORE_FULL = 0.97


def bootstrap(ratios, draws=10_000):
    """95 % confidence interval of the median, by drawing rounds with replacement; the same seed gives the same page."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(draws))
    return medians[int(draws * 0.025)], medians[int(draws * 0.975) - 1]


def page(rounds, command, quiet, arguments):
    lines = ["# CPU per proxied HTTP/1.1 request", "", f"`{command}`", "", *_where(arguments.products), f"- Quiet: {quiet}"]
    lines += [
        f"- Proxy: one worker, pinned to core 1. Origin (nginx, 13-byte body) and `wrk -t1` on core 0. Keep-alive on both sides, no access log, "
        f"health checks {'on (nginx has none)' if arguments.checks else 'off'}; configurations in `bench/http/configurations/`.",
        f"- {arguments.rounds} interleaved rounds of {arguments.seconds} s; medians. CPU is user + system of all threads and children of the proxy.",
        "- Ratio: Bascule's figure over the peer's, paired round by round; median and 95 % bootstrap interval. Below 1, Bascule is cheaper.",
    ]
    for mode in arguments.modes:
        lines += _mode([measured for measured in rounds if measured.mode == mode], mode, arguments)
    lines += _goals(rounds)
    return "\n".join(lines) + "\n"


def _where(products):
    versions = ", ".join(f"{product} {machine.version(product)}" for product in [*products, "wrk"])
    return [*machine.describe(), f"- Versions: {versions}; Bascule's sources at {machine.commit()}"]


def _mode(rounds, mode, arguments):
    title = "HTTP mode (each adds X-Forwarded-For)" if mode == "http" else "TCP mode"
    lines = [
        "", f"## {title}", "",
        "| c | product | CPU µs/req | user | sys | ratio of CPU | requests/s | ratio of req/s | p50 µs | p99 µs | core busy | notes |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for connections in arguments.connections:
        for product in arguments.products:
            lines.append(_row(rounds, connections, product))
    lines += ["", "≥: the load's core was full, so the proxy could have served more."]
    return lines


def _row(rounds, connections, product):
    mine = _of(rounds, connections, product)

    def median(figure):
        return statistics.median(getattr(measured, figure) for measured in mine)

    at_least = "≥ " if median("load_core_busy") >= LOAD_CORE_FULL and median("proxy_core_busy") < LOAD_CORE_FULL else ""
    return (
        f"| {connections} | {product} | {median('cpu_microseconds'):.2f} | {median('user_microseconds'):.2f} | {median('system_microseconds'):.2f} "
        f"| {_ratio_text(rounds, connections, product, 'cpu_microseconds')} "
        f"| {at_least}{median('requests_per_second'):,.0f} | {_ratio_text(rounds, connections, product, 'requests_per_second')} "
        f"| {median('p50_microseconds'):.0f} | {median('p99_microseconds'):.0f} | {median('proxy_core_busy'):.0%} | {_notes(mine)} |")


def _of(rounds, connections, product):
    return [measured for measured in rounds if measured.connections == connections and measured.product == product]


def _ratio(rounds, connections, peer, figure):
    """(median, low, high) of Bascule's figure over the peer's in the same round; None without both."""
    ours, theirs = _of(rounds, connections, "bascule"), _of(rounds, connections, peer)
    if peer == "bascule" or not ours or not theirs:
        return None
    ratios = [getattr(mine, figure) / getattr(other, figure) for mine, other in zip(ours, theirs) if getattr(other, figure) > 0]
    return (statistics.median(ratios), *bootstrap(ratios)) if ratios else None


def _ratio_text(rounds, connections, peer, figure):
    ratio = _ratio(rounds, connections, peer, figure)
    return "{:.2f} [{:.2f}–{:.2f}]".format(*ratio) if ratio else ""


def _notes(mine):
    notes = []
    if errors := sum(measured.errors for measured in mine):
        notes.append(f"**{errors} errors**")
    if disturbed := sum(measured.disturbance > DISTURBED for measured in mine):
        notes.append(f"{disturbed} of {len(mine)} rounds disturbed by other work")
    return ", ".join(notes)


def _goals(rounds):
    lines = []
    for (mode, peer), most in GOALS.items():
        ratio = _ratio([measured for measured in rounds if measured.mode == mode], GOAL_CONNECTIONS, peer, "cpu_microseconds")
        if ratio:
            verdict = "met" if ratio[0] <= most else "**missed**"
            lines.append(f"- {mode} mode, CPU per request at most {most:.2f} × {peer}'s: {ratio[0]:.2f} [{ratio[1]:.2f}–{ratio[2]:.2f}], {verdict}")
    return ["", f"## Goals at c = {GOAL_CONNECTIONS}", "", *lines] if lines else []


def idle_page(rows, command):
    lines = [
        "# Memory of idle keep-alive client connections", "", f"`{command}`", "", *_where([row.product for row in rows]),
        "- Each connection had one request answered, then stayed idle; at the end each was asked again. Resident memory is that of the proxy's processes.",
        "", "| product | connections | resident before MiB | resident MiB | bytes a connection | lost |", "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.product} | {row.connections} | {row.resident_before / 2**20:.1f} | {row.resident / 2**20:.1f} "
            f"| {row.bytes_per_connection:,.0f} | {row.lost} |")
    lines += [
        f"\nGoal: Bascule under {IDLE_GOAL_MEBIBYTES} MiB with every connection kept: {_idle_verdict(row)}."
        for row in rows if row.product == "bascule"]
    return "\n".join(lines) + "\n"


def _idle_verdict(row):
    return "met" if row.resident < IDLE_GOAL_MEBIBYTES * 2**20 and not row.lost else "**missed**"
