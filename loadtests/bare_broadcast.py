"""The yardstick of the feed: `websockets.broadcast` and nothing else, in a process of its own.

No channels, no positions, no database, no care for slow clients. What it does is the least that sending a text to
thousands of connections costs with the library that the gateway is built on. Same event loop, same settings.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import suppress
from typing import Self

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from loadtests.scenario import Aborted
from loadtests.server_under_test import CHECKOUT, end, read_line, tied

START_SECONDS = 20.0


class BareBroadcast:
    """The process, seen from the load test. As a context manager it is started and ended."""

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def publish(self, text: str) -> float:
        """Sends one line of text to everybody. Returns when that began, by the kernel's monotonic clock."""
        process = self._process
        if process is None or process.stdin is None:
            raise Aborted("the bare broadcast does not run")
        process.stdin.write(text + "\n")
        process.stdin.flush()
        return float(self._told(process))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            tied(["loadtests.bare_broadcast"]),
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url = f"ws://127.0.0.1:{int(self._told(self._process))}/"
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            end(self._process, 20.0)

    def _told(self, process: subprocess.Popen[str]) -> str:
        line = read_line(process, START_SECONDS)
        if not line:
            raise Aborted("the bare broadcast does not answer")
        return line


async def main() -> None:
    """Tells its port, then sends every line it reads to all connections and says when it began to."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with serve(
        handle, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096, server_header=None
    ) as it:
        print(next(iter(it.sockets)).getsockname()[1], flush=True)
        while line := await lines.readline():
            text = line.decode().rstrip("\n")
            began = time.monotonic()
            broadcast(connections, text)
            print(repr(began), flush=True)
        it.close(close_connections=False)  # the clients have gone already, or go with this process


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
