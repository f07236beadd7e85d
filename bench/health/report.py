"""The page of results."""

import statistics

from bench.lib import machine

GOAL = 0.15  # of one core
MOST_DISTURBED = 0.05


def page(measured, arguments, command, commit, quiet):
    pace = arguments.real_servers * 1000 / arguments.interval
    lines = [
        "# The cost of health checks", "", f"`{command}`", "",
        *machine.describe(),
        f"- Versions: bascule {machine.version('bascule')}; Bascule's sources at {commit}",
        f"- {arguments.real_servers:,} real servers, each a listening socket, asked every {arguments.interval} ms: {pace:,.0f} checks a second; "
        f"{arguments.rounds} rounds of {arguments.seconds} s; at the beginning {quiet}",
        "",
        "The *floor* is a C program that connects to the same real servers at the same pace on the same core and does nothing else; *with reset* it closes by RST instead of FIN. "
        "On loopback the kernel does the real server's half of TCP in the time of whoever sends, so the floor's kernel time is more than a director pays that asks over a network card. "
        "*Over the floor* is what Bascule adds: its own code, and the calls the floor does not make.", "",
    ]
    for kind, (rounds, histogram) in measured.items():
        lines += _kind(kind, rounds, histogram)
    return "\n".join(lines)


def _kind(kind, rounds, histogram):
    lines = [
        f"## {kind}", "",
        "| who | checks | not made or failed | µs a check | of these user | of these kernel | of one core at this pace | disturbed rounds |",
        "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for who in ("bascule", "floor", "floor with reset"):
        rows = [row for row in rounds if row.who == who]
        disturbed = sum(row.disturbance > MOST_DISTURBED for row in rows)
        lines.append(
            f"| {who} | {sum(row.checks for row in rows):,} | {sum(row.failed for row in rows)} | {_median(rows, 'cpu_microseconds'):.1f} | {_median(rows, 'user_microseconds'):.1f} "
            f"| {_median(rows, 'system_microseconds'):.1f} | {_median(rows, 'core_share'):.1%} | {disturbed} of {len(rows)} |")
    ours, floor = ([row for row in rounds if row.who == who] for who in ("bascule", "floor"))
    over = statistics.median(a.cpu_microseconds - b.cpu_microseconds for a, b in zip(ours, floor))
    share = _median(ours, "core_share")
    lines += [
        "",
        f"Over the floor: {over:.1f} µs a check (median of the rounds' differences). Goal: under {GOAL:.0%} of one core: {'met' if share < GOAL else 'not met'}.", "",
        f"Rhythm, as the real servers saw it: mean interval {_median(ours, 'drift'):+.3%} of the wanted one; the fullest hundredth of an interval had "
        f"{max(row.fullest for row in ours):.2f} times the mean number of starts; the longest time between two starts of one check was {max(row.worst_interval for row in ours):.2f} intervals.", "",
        "Starts in each hundredth of an interval, in the last round:", "",
        "| times the mean | hundredths |", "|---|--:|",
        *(f"| {low:g} to {high:g} | {count} |" if high != float("inf") else f"| {low:g} and more | {count} |" for low, high, count in histogram), ""]
    return lines


def _median(rows, name):
    return statistics.median(getattr(row, name) for row in rows)
