"""The large farm: its configuration file, the one real server that stands behind all its addresses, and clients who notice every failure."""

import asyncio
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PATIENCE = 10


def virtual_address(number):
    """Of a network of loopback, so that nothing has to be configured."""
    return f"127.100.{number // 250}.{1 + number % 250}"


def real_address(number):
    return f"127.{110 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Farm:
    """What is written into the file. Real servers are counted through, so that each has an address of its own."""

    def __init__(self, virtual_servers, real_servers, port, origin_port, socket, state):
        self.virtual_servers, self.real_servers = virtual_servers, real_servers
        self.port, self._origin_port, self._socket, self._state = port, origin_port, socket, state

    def text(self, weight=1, without=0, interval="1m"):
        """`weight` of the first real server of each; `without`: so many virtual servers from the end are left out."""
        lines = [f"admin: {{ socket: {self._socket} }}", f"stateFile: {self._state}", "virtualServers:"]
        for number in range(self.virtual_servers - without):
            first = number * self.real_servers // self.virtual_servers
            last = (number + 1) * self.real_servers // self.virtual_servers
            lines += [
                f"  service-{number}:",
                f"    address: {virtual_address(number)}:{self.port}",
                "    protocol: http",
                f"    check: {{ type: tcp, interval: {interval} }}",
                "    realServers:",
            ]
            lines += [f"      - {{ address: {real_address(real)}:{self._origin_port}, weight: {weight if real == first else 1} }}" for real in range(first, last)]
        return "\n".join(lines) + "\n"


class Origin:
    """Answers every request on every loopback address."""

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "0.0.0.0", 0, backlog=4096)
        return self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # the last: the bench has ended
            pass
        finally:
            writer.close()


class Witness:
    """A client that asks one virtual server after another, half of the time on a connection it keeps, and notes what fails, and how long the slowest took."""

    def __init__(self, port, numbers, pause):
        self._port, self._numbers, self._pause = port, numbers, pause
        self.answers, self.failures, self.slowest = 0, [], 0.0

    async def run(self, stopping):
        at = 0
        while not stopping.is_set():
            number = self._numbers[at % len(self._numbers)]
            at += 1
            await self._visit(number, stopping)

    async def _visit(self, number, stopping):
        began = time.monotonic()
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(virtual_address(number), self._port), PATIENCE)
        except (OSError, asyncio.TimeoutError) as failure:
            self.failures.append(f"connect to service-{number}: {failure!r}")
            await asyncio.sleep(self._pause)
            return
        for _ in range(8):
            if stopping.is_set():
                break
            began = time.monotonic()
            try:
                writer.write(REQUEST)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                await asyncio.wait_for(reader.readexactly(2), PATIENCE)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as failure:
                self.failures.append(f"service-{number}: {failure!r}")
                break
            if not head.startswith(b"HTTP/1.1 200 "):
                self.failures.append(f"service-{number}: {head.splitlines()[0].decode()}")
                break
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            await asyncio.sleep(self._pause)
        writer.close()
