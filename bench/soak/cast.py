"""Who takes part in a soak: the director, its real servers, and the clients beside wrk."""

import http.client
import json
import pathlib
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

from bench.lib import machine, processes

ESTABLISHED = "01"  # in /proc/net/tcp
HERE = pathlib.Path(__file__).parent
CLIENTS = 64
POOL_SECONDS = 3  # an idle connection to a real server is closed after it, so that after the load all of them are soon gone


class RealServer:
    """One nginx process on a port it keeps over restarts."""

    def __init__(self, name, directory, stack):
        self.name, self.port, self._directory = name, processes.free_port(), directory
        text = (HERE / "real-server.conf").read_text()
        for key, value in {"NAME": name, "PORT": self.port, "DIRECTORY": directory}.items():
            text = text.replace(f"@{key}@", str(value))
        self._file = directory / f"{name}.conf"
        self._file.write_text(text)
        self.process = None
        stack.callback(self.kill)
        self.start()

    def start(self):
        self.process = processes.Process(self.name, ["nginx", "-c", str(self._file), "-e", f"{self._file}.log"], self._directory)
        processes.wait_until_it_answers(self.process, self.port)

    def kill(self):
        if self.process:
            self.process.kill()

    def connections(self):
        """(open, in flight) connections to it. While both ends are frozen, a request or its answer is under way on those with
        bytes that one of the ends has not read yet, and on those too new to have been accepted."""
        open_ones, in_flight = set(), set()
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, state, queues, _, _, _, _, inode = line.split()[:10]
            local_port, remote_port = (int(address.rpartition(":")[2], 16) for address in (local, remote))
            if state != ESTABLISHED or self.port not in (local_port, remote_port):
                continue
            other = remote_port if local_port == self.port else local_port
            open_ones.add(other)
            unread = int(queues.rpartition(":")[2], 16)
            if unread > 0 or inode == "0":
                in_flight.add(other)
        return len(open_ones), len(in_flight)


class Director:
    """Bascule, with a file that can be rewritten and reloaded."""

    def __init__(self, directory, stack, real_servers):
        self.port, self.extra_port = processes.free_port(), processes.free_port()
        self._real_servers = real_servers
        self._socket = directory / "admin.sock"
        self._file = directory / "bascule.yaml"
        self.write({})
        self.process = processes.Process("bascule", [str(machine.BASCULE), "run", "-c", str(self._file)], directory)
        stack.callback(self.process.kill)
        processes.wait_until_it_answers(self.process, self.port)

    def write(self, change):
        """The file as it is, with one change: `weights` by name, a real server `without`, or an `extra` virtual server's scheduler."""
        weights, without, extra = change.get("weights", {}), change.get("without"), change.get("extra")
        real_servers = "".join(
            f"      - {{ address: 127.0.0.1:{server.port}, weight: {weights.get(server.name, 1)} }}\n"
            for server in self._real_servers if server.name != without)
        text = f"admin: {{ socket: {self._socket} }}\nstateFile: {self._socket.with_name('state.json')}\nvirtualServers:\n" + self._virtual_server("web", self.port, "wlc", real_servers)
        if extra:
            text += self._virtual_server("extra", self.extra_port, extra, real_servers)
        self._file.write_text(text)

    @staticmethod
    def _virtual_server(name, port, scheduler, real_servers):
        return (
            f"  {name}:\n    address: 127.0.0.1:{port}\n    protocol: http\n    scheduler: {scheduler}\n"
            "    check: { type: http, path: /, expect: 200, interval: 500ms, timeout: 500ms, rise: 2, fall: 2 }\n"
            f"    timeouts: {{ pool: {POOL_SECONDS}s }}\n"
            f"    realServers:\n{real_servers}")

    def reload(self):
        """By the command an operator would use. Returns what it complained about, or None."""
        command = [str(machine.BASCULE), "reload", "-c", str(self._file)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        return None if finished.returncode == 0 else f"exit code {finished.returncode}: {finished.stdout.strip()}"

    def status(self):
        connection = http.client.HTTPConnection("bascule", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._socket))
        try:
            connection.request("GET", "/v1/status")
            return json.load(connection.getresponse())
        finally:
            connection.close()

    def failures(self):
        """Requests that ended without a real server's answer, by outcome, over all virtual servers. Clients that left are not
        among them: wrk leaves with requests open at its end."""
        counted = {}
        for virtual_server in self.status()["virtualServers"]:
            for outcome, count in virtual_server["outcomes"].items():
                if outcome.lower() not in ("completed", "clientleft"):
                    counted[outcome] = counted.get(outcome, 0) + count
        return counted


@dataclass
class Failure:
    """A request that did not end with a real server's 200."""
    began: float  # seconds since the epoch
    ended: float
    what: str


class Witness(threading.Thread):
    """A client that asks steadily over one connection and notes when each failed request began and ended, which wrk does not."""

    PAUSE = 0.02

    def __init__(self, port, names, stopping):
        super().__init__(daemon=True)
        self.requests, self.failures = 0, []
        self._port, self._names, self._stopping = port, names, stopping
        self._connection = None

    def run(self):
        while not self._stopping.wait(self.PAUSE):
            began = time.time()
            problem = self._ask()
            self.requests += 1
            if problem:
                self.failures.append(Failure(began, time.time(), problem))
        self._close()

    def _ask(self):
        """One request; what is wrong with its answer, or None."""
        try:
            self._connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            self._connection.request("GET", "/")
            response = self._connection.getresponse()
            body = response.read().decode(errors="replace").strip()
            return None if response.status == 200 and body in self._names else f"{response.status} {body.partition(chr(10))[0][:80]}"
        except (OSError, http.client.HTTPException) as exception:
            self._close()
            return f"{type(exception).__name__}: {exception}"

    def _close(self):
        if self._connection:
            self._connection.close()
        self._connection = None
