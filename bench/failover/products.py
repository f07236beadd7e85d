"""The programs that share the address: how each is configured, started, and killed."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from bench.failover.network import DIRECTORS, VIRTUAL
from bench.lib import machine

KEY = "00112233445566778899aabbccddeeff" * 2


class Router:
    """One of the two, on its machine."""

    def __init__(self, network, director, folder):
        self.director = director
        self._network = network
        self.folder = pathlib.Path(folder) / f"{self.name.replace(' ', '-')}-{director}"
        self.folder.mkdir(exist_ok=True)
        self._process = None

    def start(self):
        """Waits until it listens, as a Backup."""
        log = self.folder / "log"
        log.write_text("")
        with open(log, "ab") as output:
            self._process = subprocess.Popen(self._network.inside(self.director, *self.command()), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + 20
        while self.ready not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} on {self.director} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.005)

    def kill(self):
        """At once, before a parent can start its child again or a child can notice."""
        self._signal(signal.SIGSTOP)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def cut(self):
        self._network.cable(self.director, "down")

    def plug(self):
        self._network.cable(self.director, "up")

    def freeze(self):
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def stop(self):
        """As systemctl stop does, without waiting for its end."""
        self._process.terminate()

    def end(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def wait(self):
        self._process.wait(30)

    def _signal(self, number):
        for pid in (self._process.pid, *_children(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Keepalived(Router):
    name = "keepalived"
    most_kills = None
    ready = "Entering BACKUP STATE"

    def command(self):
        for name in ("pid", "vrrp-pid"):  # it was killed, and looks whether its number is somebody's now
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "conf").write_text(f"""
            global_defs {{
              vrrp_version 3
            }}
            vrrp_instance web {{
              state BACKUP
              nopreempt
              interface eth0
              virtual_router_id 51
              priority 100
              advert_int 0.1
              virtual_ipaddress {{ {VIRTUAL}/24 }}
            }}
            """)
        return ["keepalived", "--vrrp", "--dont-fork", "--log-console", "--log-detail", "--use-file", str(self.folder / "conf"),
                "--pid", str(self.folder / "pid"), "--vrrp_pid", str(self.folder / "vrrp-pid")]


class Bascule(Router):
    name = "Bascule"
    ready = "Ready:"
    more = ""
    most_kills = None

    def command(self):
        (other, address), = [(name, address) for name, address in DIRECTORS.items() if name != self.director]
        (self.folder / "yaml").write_text(f"""
node: {self.director}
workers: 1
admin: {{ socket: {self.folder}/socket }}
ha:
  stateFolder: {self.folder}/state
  handoverTimeout: 3s
  peers: {{ {other}: {{ addresses: [ {address} ], key: {KEY} }} }}
  instances:
    web:
      interface: eth0
      virtualRouterId: 51
      priority: 100
      preempt: false
      advertInterval: 100ms
      addresses: [ {VIRTUAL}/24 ]
      {self.more}
virtualServers:
  web: {{ address: "{VIRTUAL}:80", realServers: [ "127.0.0.1:8080" ] }}
""")
        return [str(machine.BASCULE), "run", "-c", str(self.folder / "yaml")]


class BasculeWithGate(Bascule):
    name = "Bascule with gate"
    more = "gate: 250ms"
    most_kills = 2  # a round: what differs is not the takeover but who answers beside it


def _children(pid):
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout
    return [int(line) for line in found.split()]


PRODUCTS = [Bascule, BasculeWithGate, Keepalived]
