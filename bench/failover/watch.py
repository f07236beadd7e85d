"""What the client's machine sees: `bascule lab-watch` asks every 5 ms who has the address and whether it answers."""

import subprocess
import threading
import time
from dataclasses import dataclass

from bench.failover.network import MACS, VIRTUAL
from bench.lib import machine

PERIOD_MS = 5

# Shorter silences of an owner are the machine's; longer ones end its being an owner.
PAUSE = 0.2


@dataclass
class Sight:
    at: float  # seconds on the monotonic clock, the same for all processes
    what: str  # Owner, Answer, Announcement, Advertisement
    sender: str  # a MAC address


class Watch:
    def __init__(self, network):
        command = network.inside("client", "chrt", "-r", "30", str(machine.BASCULE), "lab-watch", "eth0", VIRTUAL, "80", str(PERIOD_MS))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._seen = []
        self._process.stdout.readline()  # "watching"
        threading.Thread(target=self._read, daemon=True).start()

    def seen(self, since=0.0):
        return [sight for sight in list(self._seen) if sight.at > since]

    def wait_for(self, director, what, since, patience=20.0):
        """The first of this kind from a director."""
        deadline = time.monotonic() + patience
        mac = MACS[director].replace(":", "").upper()
        while time.monotonic() < deadline:
            for sight in self.seen(since):
                if sight.what == what and sight.sender == mac:
                    return sight
            time.sleep(0.005)
        raise TimeoutError(f"{director}: no {what} within {patience} s")

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            at, what, sender, _, _ = line.split()
            self._seen.append(Sight(int(at) / 1e9, what, sender))


def outage(sights):
    """The longest time between two echoes, less the time that passes between two anyway."""
    answers = [sight.at for sight in sights if sight.what == "Answer"]
    return max((b - a for a, b in zip(answers, answers[1:])), default=0.0)


def overlap(sights):
    """How long two machines said in turns that the address is theirs."""
    terms = sorted(term for sender in {s.sender for s in sights} for term in _terms([s.at for s in sights if s.what == "Owner" and s.sender == sender]))
    both, until = 0.0, 0.0
    for start, end in terms:
        both += max(0.0, min(until, end) - start)
        until = max(until, end)
    return both


def _terms(times):
    terms = []
    for at in times:
        if terms and at - terms[-1][1] <= PAUSE:
            terms[-1][1] = at
        else:
            terms.append([at, at])
    return terms
