"""A reference client of the live feed: what an app has to do in order to miss nothing, and nothing more.

Its rules are in `feed_client_state`; here is when it connects, how long it waits, and how it asks. It resumes after every cut,
reads by HTTP what the server no longer remembers, and goes on by HTTP alone where no websocket can be opened.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import NoReturn

import msgspec
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from loadtests.feed_client_http import FeedHttp, NotForUs
from loadtests.feed_client_state import (
    Ask,
    Begin,
    Bye,
    CatchUp,
    Event,
    Frame,
    Hear,
    Heartbeat,
    Place,
    Reading,
    Ready,
    Show,
    State,
    Wish,
    after_close,
    read_frame,
)
from loadtests.scanner_network import NoAnswer

REPLACED = 4102
UNAUTHORIZED = 401


class Stopped(Exception):
    """Coming back in the same way would end the same way: the token is revoked, or the app too old. `code` says which."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the feed has ended with {code}")
        self.code = code


class Manners(Struct, frozen=True, kw_only=True):
    """How long the client waits. Everything is drawn at random below these, so that a hall does not come back as one."""

    first_wait: float = 0.5
    longest_wait: float = 30.0
    replaced_wait: float = 60.0
    """After another connection took this one's place."""
    silence: float = 10.0
    """Beyond the heartbeat's pause: then the connection is dead, whatever the system believes."""
    ack_within: float = 5.0
    polling_after: int = 4
    """Websockets that could not be opened before HTTP alone is used."""
    poll_every: float = 20.0
    polls: int = 6
    """Rounds by HTTP before the websocket is tried again."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class FeedClient:
    """One reader of some channels of one event."""

    def __init__(
        self,
        http: FeedHttp,
        live_url: str,
        channels: Iterable[str],
        *,
        on_event: Callable[[Event], Awaitable[None]],
        refetch: Callable[[str], Awaitable[Place | None]],
        on_state: Callable[[str, State | None], Awaitable[None]] | None = None,
        boards: Iterable[str] = (),
        places: Mapping[str, Place] | None = None,
        manners: Manners | None = None,
    ) -> None:
        """`on_event` applies an event; when it returns, the event counts as read. `refetch` reads a channel's data anew, and
        returns the position the data has, or None where it has none. `on_state` hears of the `boards`, the state channels; None
        means to forget what is known of one. What any of them raises ends `run`, but `NoAnswer` only the connection.
        """
        self.reading = Reading(channels, places)
        self.closed_with: list[int] = []
        """The codes of all connections that were closed."""
        self.connections = self.rounds = 0
        """Websockets that were opened, and rounds by HTTP."""
        self._http = http
        self._live_url = live_url
        self._on_event = on_event
        self._on_state = on_state
        self._refetch = refetch
        self._boards = tuple(boards)
        self._manners = manners or Manners()
        self._failures = 0
        self._return_between: tuple[int, int] | None = None
        self._acking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listens until it is cancelled. Raises `Stopped`."""
        try:
            while True:
                wait = await self._listen()
                if self._failures >= self._manners.polling_after:
                    await self._poll()
                await self._manners.sleep(wait)
        except NotForUs as refusal:
            raise Stopped(refusal.status) from refusal

    # One connection.

    async def _listen(self) -> float:
        """From the ticket to the end of a connection; returns how long to wait before the next. Raises `Stopped`."""
        self._return_between = None
        try:
            ticket = await self._http.ticket()  # a fresh one each time: it opens one connection, within a minute
            socket = await connect(self._live_url, compression=None, ping_interval=None, proxy=None)
        except (NoAnswer, OSError, WebSocketException):  # a time-out is an OSError
            return self._backoff()
        self.connections += 1
        try:
            await self._say(socket, "hello", [*self.reading.places, *self._boards], version=1, ticket=ticket)
            await self._converse(socket)
        except ConnectionClosed as closed:
            return self._after(closed.rcvd.code if closed.rcvd else 1006)
        except NoAnswer:
            return self._backoff()
        finally:
            if self._acking is not None:
                self._acking.cancel()
            await socket.close()

    async def _say(self, socket: ClientConnection, sort: str, channels: Iterable[str], **more: object) -> None:
        frame = {"type": sort, **more, "channels": self.reading.ask(channels)}
        await socket.send(msgspec.json.encode(frame), text=True)

    async def _converse(self, socket: ClientConnection) -> NoReturn:
        patience = self._manners.silence
        while True:
            frame = await _next_frame(socket, patience)
            match frame:
                case Ready():
                    self._failures = 0
                    patience = frame.heartbeat_seconds + self._manners.silence
                case Heartbeat() if self._acking is None or self._acking.done():
                    self._acking = asyncio.create_task(self._acknowledge(socket))
                case Bye():
                    self._return_between = frame.retry_after_ms
            await self._carry_out(self.reading.on_frame(frame), socket)

    async def _acknowledge(self, socket: ClientConnection) -> None:
        await self._manners.sleep(self._manners.chance() * self._manners.ack_within)
        with suppress(ConnectionClosed):  # whoever reads hears of it
            await socket.send(msgspec.json.encode({"type": "ack", "seq": self.reading.acknowledgement()}), text=True)

    # What follows from what was heard.

    async def _carry_out(self, wishes: Iterable[Wish], socket: ClientConnection | None = None) -> None:
        todo = deque(wishes)
        while todo:
            match todo.popleft():
                case Hear(event):
                    await self._on_event(event)
                    self.reading.applied(event)
                case Show(channel, state):
                    if self._on_state is not None:
                        await self._on_state(channel, state)
                case Ask(channels) if socket is not None:
                    await self._say(socket, "subscribe", channels)
                case (CatchUp() | Begin()) as wish:
                    todo.extendleft(reversed(await self._read(wish)))  # a channel's pages before the next channel

    async def _read(self, wish: CatchUp | Begin) -> list[Wish]:
        """Asks by HTTP; returns what follows from it."""
        try:
            match wish:
                case CatchUp(channel, place):
                    return self.reading.on_page(channel, await self._http.page(channel, place))
                case Begin(channel, at):
                    end = at or await self._http.end(channel)  # before the data, which then is at least as new
                    self.reading.begun(channel, await self._refetch(channel) or end)
        except NotForUs as refusal:
            if refusal.status == UNAUTHORIZED:
                raise
            self.reading.forbid(wish.channel)
        return []

    # How long to wait.

    def _after(self, code: int) -> float:
        """The wait that a close code asks for. Raises `Stopped`."""
        self.closed_with.append(code)
        if after_close(code) == "stop":
            raise Stopped(code)
        if self._return_between is not None:
            earliest, latest = self._return_between
            return (earliest + (latest - earliest) * self._manners.chance()) / 1000
        if code == REPLACED:
            return self._manners.replaced_wait * (1 + self._manners.chance()) / 2
        return self._backoff()

    def _backoff(self) -> float:
        """Full jitter: anything between nothing and a bound that doubles with every failure in a row."""
        bound = min(self._manners.longest_wait, self._manners.first_wait * float(2 ** min(self._failures, 16)))
        self._failures += 1
        return bound * self._manners.chance()

    # Without websockets.

    async def _poll(self) -> None:
        """Reads by HTTP for a while: some networks let nothing else through."""
        for _ in range(self._manners.polls):
            with suppress(NoAnswer):
                await self._read_everything()
                self.rounds += 1
            await self._manners.sleep(self._manners.poll_every * (0.5 + self._manners.chance()))

    async def _read_everything(self) -> None:
        await self._carry_out(self.reading.by_http())
        for channel in self._boards:
            states = (await self._http.states(channel)).states
            await self._carry_out([Show(channel, None), *(Show(channel, state) for state in states)])


async def _next_frame(socket: ClientConnection, patience: float) -> Frame | None:
    """Raises `ConnectionClosed`, and `NoAnswer` after so many seconds of silence."""
    try:
        async with asyncio.timeout(patience):
            return read_frame(await socket.recv())
    except TimeoutError as silence:
        raise NoAnswer("nothing comes over the websocket") from silence
