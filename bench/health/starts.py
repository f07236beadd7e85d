"""When checks began, as the real servers saw it."""

import array
import collections
import statistics
from dataclasses import dataclass

LINE = 2  # 64-bit integers: nanoseconds of the monotonic clock, number of the real server
BINS = 100
EDGE = 0.05  # of an interval: so much of it may have slipped over the edges of a stretch


@dataclass
class Rhythm:
    """How regular the checks of a stretch were."""
    drift: float            # mean interval over the wanted one, less 1
    fullest: float          # most starts in a hundredth of the interval, over the mean
    worst_interval: float   # the longest between two starts of one check, over the wanted one
    missing: int            # checks that were due and not made


def address(index):
    """As in addresses.h."""
    return f"127.1.{index // 250}.{index % 250 + 1}"


def between(log, began, ended):
    """(nanoseconds, real server) of every connection accepted in that time."""
    numbers = array.array("Q")
    data = log.read_bytes()
    numbers.frombytes(data[:len(data) - len(data) % (8 * LINE)])
    return [(at, server) for at, server in zip(numbers[::2], numbers[1::2]) if began <= at < ended]


def rhythm(seen, servers, interval, seconds):
    """Of what was seen in so many seconds, where each real server was to be asked every `interval` milliseconds."""
    times = collections.defaultdict(list)
    for at, server in seen:
        times[server].append(at)
    intervals = [(later - earlier) / 1e6 for starts in times.values() for earlier, later in zip(starts, starts[1:])]
    missing = missing_of(len(seen), servers - len(times), servers, seconds * 1000 / interval)
    if not intervals:
        return Rhythm(0, 0, 0, missing)
    counts = [count for _, count in per_bin(seen, interval)]
    return Rhythm(statistics.fmean(intervals) / interval - 1, max(counts) / statistics.fmean(counts), max(intervals) / interval, missing)


def missing_of(seen, never_asked, servers, due):
    """Checks that were due and not made: `due` of each real server, of which so many have never been asked."""
    short = round(servers * due) - seen
    return max(short if short > servers * EDGE else 0, never_asked * int(due))


def per_bin(seen, interval):
    """(bin, starts) over the whole stretch; a bin is a hundredth of the interval. The first and last may be cut, and are left out."""
    width = interval * 1_000_000 // BINS
    counts = collections.Counter(at // width for at, _ in seen)
    first, last = min(counts) + 1, max(counts) - 1
    return [(number, counts[number]) for number in range(first, last + 1)]


def histogram(seen, interval):
    """How many bins had so many starts: (from, to, bins)."""
    counts = [count for _, count in per_bin(seen, interval)]
    mean = statistics.fmean(counts)
    edges = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, float("inf")]
    return [(low, high, sum(low * mean <= count < high * mean for count in counts)) for low, high in zip(edges, edges[1:])]
