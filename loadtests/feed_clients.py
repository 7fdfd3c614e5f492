"""The crowd of phones: `python -m loadtests.feed_clients URL COUNT [--bare]`, started and told what to do by `Crowd`.

Thousands of sockets in one process that costs little: raw protocols, a handshake by hand, frames split without copying
more than their payload, one clock reading and one list entry per event. Each client checks that its events come without
a gap. `--bare` clients say no hello and take any server that sends text frames `{"type":"event",…,"seq":N,…}`: the bare
broadcast that the scenario starts, or nginx with nchan, whose subscriber location is then the URL.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import uvloop
from msgspec import Struct

from loadtests import frames
from loadtests.feed_client_state import Ready
from loadtests.feed_crowd import CONNECT_SECONDS, Arrived, Collect, Command, Connect, Delivered, Drop, Standing
from loadtests.histogram import Histogram

AT_ONCE = 1000
"""Clients that may be on their way in at the same time: beyond a listening socket's queue the kernel drops them."""
TRIES = 5
TRY_SECONDS = 20.0
POLL_SECONDS = 0.002
LONGEST_COMMAND = 64 * 1024 * 1024

KEY, ACCEPT = b"bG9hZHRlc3RzIG9mIGRpZw==", b"sec-websocket-accept:"


ready_frames = msgspec.json.Decoder(Ready)


class Client(asyncio.Protocol):
    """One phone."""

    __slots__ = ("_buffer", "_crowd", "_open", "epoch", "joined", "seq", "transport")

    def __init__(self, crowd: Clients) -> None:
        self._crowd = crowd
        self.epoch: str | None = None
        self.seq: int | None = None
        """The last event it has; None: not known yet."""
        self.joined: asyncio.Future[bool] | None = None
        """Ends when it is in, with whether it resumed."""
        self._buffer = b""
        self._open = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._buffer, self._open = b"", False
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self.transport.write(self._crowd.handshake)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            self._enter(head)
            if not self._open:
                return  # what follows is the refusal's text
        received, self._buffer = frames.split(data)
        for opcode, payload in received:
            self._take(opcode, payload)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._crowd.lost += 1
        self.transport = None
        self._join(ConnectionResetError("the server closed the connection"))

    def leave(self) -> None:
        """Goes without a word."""
        if self.transport is not None:
            self.transport.abort()
            self.transport = None

    def _enter(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 101") or ACCEPT not in head.lower():
            self._join(ConnectionRefusedError(head.partition(b"\r\n")[0].decode("ascii", "replace")))
            self.leave()
            return
        self._open = True
        if self._crowd.bare:
            self._join(False)  # noqa: FBT003 - the future's own value
        elif self.transport is not None:
            self.transport.write(frames.masked(frames.TEXT, self._hello()))

    def _hello(self) -> bytes:
        channel: dict[str, object] = {"name": "announcements"}
        if self.epoch is not None:
            channel |= {"epoch": self.epoch, "seq": self.seq}
        return msgspec.json.encode({"type": "hello", "version": 1, "ticket": None, "channels": [channel]})

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.TEXT:
            seq = frames.sequence_of(payload)
            if seq is not None:
                self._crowd.note(self, seq)
            elif payload.startswith(b'{"type":"ready"'):
                self._settle(payload)
        elif opcode == frames.PING and self.transport is not None:
            self.transport.write(frames.masked(frames.PONG, payload))
        elif opcode == frames.CLOSE:
            self._crowd.codes[int.from_bytes(payload[:2], "big")] += 1
            if self.transport is not None:
                self.transport.write(frames.masked(frames.CLOSE, payload[:2]))

    def _settle(self, payload: bytes) -> None:
        joined = ready_frames.decode(payload).channels[0]
        if not joined.resumed:
            self.seq = joined.seq
        self.epoch = joined.epoch
        self._join(joined.resumed)

    def _join(self, outcome: bool | Exception) -> None:  # noqa: FBT001 - the future's own value
        if self.joined is None or self.joined.done():
            return
        if isinstance(outcome, Exception):
            self.joined.set_exception(outcome)
        else:
            self.joined.set_result(outcome)


class Clients:
    """All phones of this process."""

    COMMANDS: Any = Command
    """What they can be told."""

    def __init__(self, url: str, count: int, *, bare: bool) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.bare = bare
        self.lost = self.events = self.gaps = self.retries = 0
        self.codes: Counter[int] = Counter()
        self.arrivals: defaultdict[int, list[float]] = defaultdict(list)
        self.handshake = (
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n\r\n"
        ).encode()
        self._clients = [Client(self) for _ in range(count)]

    @property
    def counted(self) -> int:
        """Those whose deliveries are waited for."""
        return len(self._clients)

    def note(self, client: Client, seq: int) -> None:
        """An event has reached a client."""
        if client.seq is not None and seq != client.seq + 1:
            self.gaps += 1
        client.seq = seq
        self.events += 1
        self.arrivals[seq].append(time.monotonic())

    async def connect(self) -> Arrived:
        places = asyncio.Semaphore(AT_ONCE)
        self.retries = 0
        began = time.monotonic()
        arriving = [asyncio.create_task(self._arrive(client, places)) for client in self._clients]
        done, late = await asyncio.wait(arriving, timeout=CONNECT_SECONDS)
        for task in late:
            task.cancel()
        outcomes = [task.result() for task in done]
        ready = [resumed for resumed in outcomes if resumed is not None]
        return Arrived(time.monotonic() - began, len(ready), sum(ready), self.retries)

    async def _arrive(self, client: Client, places: asyncio.Semaphore) -> bool | None:
        """Whether it resumed; None when it never got in."""
        loop = asyncio.get_running_loop()
        for attempt in range(TRIES):
            async with places:
                client.joined = loop.create_future()
                try:
                    async with asyncio.timeout(TRY_SECONDS):
                        await self._open(client)
                        return await client.joined
                except OSError as error:
                    if attempt + 1 == TRIES:
                        print(f"a client gave up: {error!r}", file=sys.stderr)
                    client.leave()
            self.retries += 1
            await asyncio.sleep(random.uniform(0, 1))
        return None

    async def _open(self, client: Client) -> None:
        await asyncio.get_running_loop().create_connection(lambda: client, self.host, self.port)

    def drop(self) -> Standing:
        for client in self._clients:
            client.leave()
        return self.look()

    async def collect(self, wanted: Collect) -> Delivered:
        deadline = time.monotonic() + wanted.seconds
        while len(self.arrivals[wanted.seq]) < self.counted and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)  # an asyncio.Event would add to each delivery, which is what is measured
        times = sorted(at - wanted.since for at in self.arrivals[wanted.seq])
        latencies = Histogram()
        for taken in times:
            latencies.record(taken)
        if not times:
            return Delivered(0, 0, 0, 0, 0, latencies.pack())
        last = len(times) - 1
        return Delivered(len(times), times[0], times[last // 2], times[int(last * 0.99)], times[last], latencies.pack())

    def look(self) -> Standing:
        connected = [client for client in self._clients if client.transport is not None]
        position = min((client.seq or 0 for client in connected), default=0)
        return Standing(len(connected), position, self.events, self.gaps, self.lost, dict(self.codes))

    async def carry_out(self, command: Any) -> Struct:
        match command:
            case Connect():
                return await self.connect()
            case Drop():
                return self.drop()
            case Collect():
                return await self.collect(command)
            case _:
                return self.look()


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until it is so, or the time is over."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - sockets know no event
        await asyncio.sleep(0.05)


async def serve(clients: Clients) -> None:
    """Carries out one command after the other until standard input ends."""
    reader = asyncio.StreamReader(limit=LONGEST_COMMAND)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = msgspec.json.decode(line, type=clients.COMMANDS)
        answer = await clients.carry_out(command)
        print(msgspec.json.encode(answer).decode(), flush=True)
    clients.drop()


def main(argv: list[str]) -> None:
    carry_on(Clients(argv[0], int(argv[1]), bare="--bare" in argv))


def carry_on(clients: Clients) -> None:
    """What a process of phones does from its beginning to its end."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(clients))


if __name__ == "__main__":
    main(sys.argv[1:])
