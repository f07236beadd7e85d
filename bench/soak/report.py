"""Judges a soak and writes its page."""

import statistics
from dataclasses import dataclass

from bench.lib import machine
from bench.soak.cast import CLIENTS

# A request that was in flight at a kill began before it. Its end is at once: the kernel closes the killed process's sockets.
# wrk's failures have only an end, which on a busy machine comes a little later.
CLOCK_SLACK, FAILS_WITHIN = 0.01, 0.5

# The first third is warm-up. From the second third to the last, medians may grow by noise, not more. How many connections are
# open varies with the load; the exact count of files is taken when it is over.
MORE_FILES_SHARE, MORE_FILES, MORE_THREADS, MORE_RESIDENT_SHARE, MORE_RESIDENT = 0.10, 8, 2, 0.05, 2 * 2**20
MORE_FILES_AFTER = 4
SHORTEST_TO_JUDGE_GROWTH = 180  # seconds; before that the JIT and the pools are still filling


@dataclass
class Claim:
    """A sentence that holds or does not, and the figures behind it."""
    sentence: str
    holds: bool
    figures: str


def claims(story, arguments):
    judged = [
        _failures_are_bounded(story),
        _failures_come_at_kills(story),
        Claim("Reloads, restarts and the status went as they should", not story.complaints,
              f"{len(story.complaints)} complaints, {story.reloads} reloads, slowest {story.slowest_reload:.2f} s"),
        Claim("The load ran to its end and the daemon stopped when asked (SIGTERM)", story.ended_by_itself and story.load.requests > 0,
              f"{story.load.requests:,} requests by wrk, {story.witness_requests:,} by the witnesses"),
    ]
    if arguments.kill_one:
        judged.append(Claim("One real server was killed", len(story.kills) == 1, f"{len(story.kills)} kills"))
    else:
        enough = max(1, int(arguments.seconds / 8))  # one every 5 s, less where a restart took longer
        judged.append(Claim("Real servers were killed all along", len(story.kills) >= enough, f"{len(story.kills)} kills"))
        if arguments.seconds >= SHORTEST_TO_JUDGE_GROWTH:
            judged += _nothing_grows(story.samples)
    before, after = (sum(files.values()) - files.get("assembly", 0) for files in (story.files_before, story.files_after))
    judged.append(Claim(
        "After the load the daemon holds the files it held before (assemblies aside: .NET keeps each it has loaded open)", after <= before + MORE_FILES_AFTER,
        f"{before} before, {after} after (allowed: +{MORE_FILES_AFTER}): " + ", ".join(
            f"{kind} {story.files_before.get(kind, 0)} → {count}" for kind, count in sorted(story.files_after.items()))))
    return judged


def _failures_are_bounded(story):
    """In all, and kill by kill for those whose time is known."""
    failed = story.load.errors + len(story.witnessed)
    bound = sum(_most_at(kill) for kill in story.kills)
    too_many = [kill for kill in story.kills if sum(_is_of(failure, kill) for failure in story.answers + story.witnessed) > _most_at(kill)]
    return Claim(
        "No kill failed more requests than were in flight on the real server killed", failed <= bound and not too_many,
        f"{failed} failed; {sum(kill.in_flight for kill in story.kills)} were in flight at {len(story.kills)} kills, and one more each may have been "
        f"inside the real server; {len(too_many)} kills failed more than that")


def _most_at(kill):
    return kill.in_flight + 1


def _is_of(failure, kill):
    return 0 <= failure.ended - kill.at <= FAILS_WITHIN


def _failures_come_at_kills(story):
    """Those whose time is known: wrk's answers other than 200, and everything the witnesses saw."""
    late = [failure for failure in story.answers if not any(_is_of(failure, kill) for kill in story.kills)]
    late += [
        failure for failure in story.witnessed
        if not any(failure.began <= kill.at + CLOCK_SLACK and kill.at <= failure.ended for kill in story.kills)]
    counted = _failures_counted_away_from_kills(story)
    return Claim(
        "Every failure belongs to a kill: none later", not late and not counted,
        f"{len(late)} of {len(story.answers) + len(story.witnessed)} failures with a known time came later; "
        f"{counted} of {sum(story.outcomes.values())} that the daemon counted came in a second without a kill")


def _failures_counted_away_from_kills(story):
    """The daemon's own count, second by second: this also dates the failures that wrk calls socket errors."""
    away, previous = 0, None
    for sample in story.samples:
        if previous:
            near_a_kill = any(previous.second - FAILS_WITHIN <= kill.at - story.began <= sample.second for kill in story.kills)
            away += 0 if near_a_kill else max(0, sample.failures - previous.failures)
        previous = sample
    return away


def _nothing_grows(samples):
    second, last = (samples[len(samples) * third // 3:len(samples) * (third + 1) // 3] for third in (1, 2))
    if not second or not last:
        return [Claim("The daemon was watched", False, f"{len(samples)} samples")]

    def medians(figure):
        return tuple(statistics.median(getattr(sample, figure) for sample in part) for part in (second, last))

    def claim(what, figure, allowance, unit=1, name=""):
        early, late = medians(figure)
        slope = statistics.linear_regression([sample.second for sample in second + last], [getattr(sample, figure) for sample in second + last]).slope
        return Claim(
            f"{what} do not grow", late <= early + allowance(early),
            f"median {early / unit:.1f}{name} in the second third, {late / unit:.1f}{name} in the last "
            f"(allowed: +{allowance(early) / unit:.1f}); fitted slope {slope * 60 / unit:+.3f}{name} a minute")

    return [
        claim("Open files", "files", lambda early: early * MORE_FILES_SHARE + MORE_FILES),
        claim("Threads", "threads", lambda _: MORE_THREADS),
        claim("Resident bytes", "resident", lambda early: early * MORE_RESIDENT_SHARE + MORE_RESIDENT, 2**20, " MiB"),
    ]


def page(story, judged, command, arguments):
    title = "One real server killed under load" if arguments.kill_one else "Soak: load, reloads and killed real servers"
    verdict = "every claim holds" if all(claim.holds for claim in judged) else "**not every claim holds**"
    load = story.load
    lines = [
        f"# {title}", "", f"`{command}`: {verdict}.", "", *machine.describe(),
        f"- Versions: bascule {machine.version('bascule')} at {machine.commit()}, nginx {machine.version('nginx')} (real servers), wrk {machine.version('wrk')}",
        f"- {arguments.seconds} s of `wrk -t1 -c{CLIENTS}` over three real servers, {load.requests / load.seconds:,.0f} requests/s, p99 {load.p99_microseconds / 1000:.1f} ms; "
        "nothing pinned; wrk, the real servers and the daemon share the machine",
        "", "| Claim | | Figures |", "|---|---|---|",
    ]
    lines += [f"| {claim.sentence} | {'holds' if claim.holds else '**broken**'} | {claim.figures} |" for claim in judged]
    lines += [
        "", f"wrk: {load.bad_statuses} answers other than 2xx, socket errors: connect {load.connect_errors}, read {load.read_errors}, "
        f"write {load.write_errors}, timeout {load.timeouts}. Witnesses: {len(story.witnessed)} failures.",
        "", f"The daemon's count of requests that did not complete: {_outcomes(story.outcomes)}.",
    ]
    lines += _examples("Complaints", story.complaints)
    lines += _examples("Failures", [
        f"{failure.ended - story.began:.3f} s, {_since_kill(failure, story.kills)}: {failure.what}"
        for failure in sorted(story.answers + story.witnessed, key=lambda failure: failure.ended)])
    lines += ["", "## Kills", "", "| s | real server | connections open | in flight | failed |", "|--:|---|--:|--:|--:|"]
    lines += [
        f"| {kill.at - story.began:.1f} | {kill.name} | {kill.open} | {kill.in_flight} "
        f"| {sum(_is_of(failure, kill) for failure in story.answers + story.witnessed)} |" for kill in story.kills[:10]]
    if len(story.kills) > 10:
        lines.append(f"| … | and {len(story.kills) - 10} more | | | |")
    return "\n".join(lines) + "\n"


def _outcomes(counted):
    return ", ".join(f"{outcome} {count}" for outcome, count in sorted(counted.items())) or "none"


def _since_kill(failure, kills):
    before = [kill for kill in kills if kill.at <= failure.ended]
    return f"{(failure.ended - before[-1].at) * 1000:.0f} ms after {before[-1].name} was killed" if before else "before any kill"


def _examples(title, sentences, most=20):
    if not sentences:
        return []
    more = [f"- and {len(sentences) - most} more"] if len(sentences) > most else []
    return ["", f"## {title}", "", *(f"- {sentence}" for sentence in sentences[:most]), *more]
