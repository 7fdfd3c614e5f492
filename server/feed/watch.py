"""One process's view of how far every channel has come, kept true by one connection.

A notification moves a position at once. Every second the table itself is read over the same connection, so a lost
notification costs at most that second, and a dead connection is noticed because its reading fails. Both only ever say
"there is more up to N": whoever wants the events reads them from the table.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from server.background import in_background
from server.db import LOST_CONNECTION, Tx, connect
from server.feed import queries
from server.feed.bus import Bus
from server.feed.types import HINT_CHANNEL, ChannelHead, Position, new_epoch

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MIN_LOOK_SECONDS = 0.005
"""Between two looks, however many hints come from wherever."""
UNHINTED_LOOKS = 5
"""So often in a row may a look find what nobody has hinted at before it is said."""
RECONNECT_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)

OnGrowth = Callable[[UUID, str], None]
"""Called with event and channel whenever a channel has new events or a new epoch; must not block."""


class Watch:
    """Positions of all channels, and who wants to hear of their growth."""

    def __init__(self, url: str, *, name: str, heed_hints: bool = True, bus: Bus | None = None) -> None:
        """`heed_hints=False` ignores notifications, which shows what the look every second does alone."""
        if bus is not None and heed_hints:
            bus.listener = self.look_soon
        self._url = url
        self._name = name
        self._heed_hints = heed_hints
        self._positions: dict[tuple[UUID, str], Position] = {}
        self._listeners: list[OnGrowth] = []
        self._wake = asyncio.Event()
        self._unhinted = 0
        """Looks in a row that found what no hint had told of."""
        self.ready = asyncio.Event()
        """Set while positions are known and the connection stands."""

    def position(self, event_id: UUID, channel: str) -> Position | None:
        """How far the channel had come when last heard of, or None for an unknown channel."""
        return self._positions.get((event_id, channel))

    def add_listener(self, listener: OnGrowth) -> None:
        self._listeners.append(listener)

    def look_soon(self) -> None:
        """Something may have grown: the table is read now, once for however many say so meanwhile."""
        self._wake.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Watch]:
        """Watches in the background for the length of the block; the first positions are known when it begins."""
        async with in_background(self._keep_watching(), name="feed watch"):
            await self.ready.wait()
            yield self

    async def _keep_watching(self) -> None:
        failures = 0
        while True:
            try:
                await self._watch_once()
            except Exception as error:
                self.ready.clear()
                if not isinstance(error, LOST_CONNECTION):
                    logger.exception("feed watch failed in a way nobody foresaw")
                delay = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures = 0 if isinstance(error, ConnectionResetError) else failures + 1  # 0: it had stood until now
                logger.warning("feed watch lost its connection (%s); trying again in %.2f s", error, delay)
                await asyncio.sleep(delay)

    async def _watch_once(self) -> None:
        connection = await connect(self._url, name=self._name)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(partial(self._on_end, lost))
            if self._heed_hints:
                await connection.add_listener(HINT_CHANNEL, self._on_hint)
            await self._notice_restore(connection)
            told = True
            while not lost.is_set():
                self._wake.clear()
                self._judge_hints(await self._read_positions(connection), told=told)
                self.ready.set()
                told = await self._wait()
            raise ConnectionResetError("PostgreSQL closed the connection")
        finally:
            connection.terminate()

    async def _wait(self) -> bool:
        """Until the next look; True: somebody has said that there is something to see."""
        await asyncio.sleep(MIN_LOOK_SECONDS)
        try:
            # Not wait_for: Python 3.11's loses a cancellation that comes together with what it waits for, and this would then go
            # on for ever, with nobody who wants to know.
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _judge_hints(self, grown: int, *, told: bool) -> None:
        """What only the clock has found was not hinted at. Once or twice that is chance; always, hints do not come through."""
        if told or not self._heed_hints:
            self._unhinted = 0
        elif grown:
            self._unhinted += 1
            if self._unhinted == UNHINTED_LOOKS:
                logger.warning(
                    "hints do not come through to %s: what happens is heard of a second late (is there a pooler in between?)",
                    self._name,
                )

    def _on_end(self, lost: asyncio.Event, _connection: Tx) -> None:
        lost.set()
        self._wake.set()

    async def _notice_restore(self, connection: Tx) -> None:
        """At every new connection: behind the same address there may be another PostgreSQL than before."""
        if await queries.renew_if_restored(connection, epoch=new_epoch()):
            logger.warning("the database was restored, or another has taken its place: every channel has a new epoch")

    async def _read_positions(self, connection: Tx) -> int:
        """How many channels have grown that were known before."""
        return sum([self.hear(head) for head in await queries.list_heads(connection)])

    def _on_hint(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        event_text, _, rest = str(payload).partition(":")
        channel, _, seq = rest.rpartition(":")  # a channel's name may hold a colon itself
        self._unhinted = 0
        known = self._positions.get((UUID(event_text), channel))
        if known is not None:  # a channel never heard of waits for the next reading, which knows its epoch
            self.hear(ChannelHead(UUID(event_text), channel, known.epoch, int(seq)))

    def hear(self, head: ChannelHead) -> bool:
        """Takes note of how far a channel has come, from whoever has read it; an older reading changes nothing.

        True: a channel that was known has grown.
        """
        key = (head.event_id, head.channel)
        known = self._positions.get(key)
        if known is not None and known.epoch == head.epoch and known.seq >= head.seq:
            return False
        self._positions[key] = Position(head.channel, head.epoch, head.seq)
        for listener in self._listeners:
            listener(head.event_id, head.channel)
        return known is not None and known.epoch == head.epoch
