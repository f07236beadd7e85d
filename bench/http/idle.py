"""What idle keep-alive client connections cost in resident memory."""

import socket
import sys
import time
from dataclasses import dataclass

from bench.http import products
from bench.lib import processes

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass
class Idle:
    """One proxy holding them."""
    product: str
    connections: int
    lost: int                    # closed by the proxy, or not answered, when asked again at the end
    resident_before: int         # bytes
    resident: int                # bytes
    bytes_per_connection: float


def measure(stack, directory, origin, core, arguments):
    rows = []
    for name in arguments.products:
        proxy = products.start_proxy(stack, directory, name, "http", origin, core, arguments.checks)
        rows.append(_measure_one(proxy, arguments.idle_connections))
        proxy.process.stop()
        print(f"{name}: {rows[-1].resident / 2**20:.1f} MiB with {arguments.idle_connections} idle connections", file=sys.stderr)
    return rows


def _measure_one(proxy, wanted):
    for _ in range(100):  # so that what the first requests load and compile is not charged to idle connections
        processes.get(proxy.port)
    before = processes.resident_bytes(proxy.process.pids())
    clients, served = [], []
    try:
        for _ in range(wanted):  # each asks before the next connects, so that no queue of connections to accept overflows
            clients.append(_connect(proxy.port))
            served.append(_ask(clients[-1]))
        time.sleep(3)
        resident = processes.resident_bytes(proxy.process.pids())
        still = [_ask(client) for client in clients]
        lost = wanted - sum(first and again for first, again in zip(served, still))
        return Idle(proxy.name, wanted, lost, before, resident, (resident - before) / wanted)
    finally:
        for client in clients:
            client.close()


def _connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _ask(client):
    """One request; the answer is small enough to come in one piece."""
    try:
        client.sendall(REQUEST)
        return client.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
