"""The background task that tells what was logged: every process has one, and one at a time does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from server.background import in_background
from server.checkin.doors import Doors
from server.db import LOST_CONNECTION, Database
from server.desk.actions import count_new_capacities, tell_news, tell_occupancy
from server.desk.types import Occupancy

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Between two messages of one list, whichever processes tell them."""
ROUND_SECONDS = 0.11
"""Between two rounds of this process: a little more, or each second one would come a moment too early."""
LOOK_SECONDS = 1.0
"""How often an event is looked at of which this process has logged nothing: another one may have died with news untold."""
MAX_NEWS = 400
"""Batches told at a time: some thousands of scans at the worst."""


class Projector:
    """The background task of one process."""

    def __init__(self, db: Database, doors: Doors) -> None:
        self._db = db
        self._doors = doors
        self._due: set[UUID] = set()
        self._told: dict[UUID, dict[str, Occupancy]] = {}
        """Occupancies by event, as this process has told them or found them told."""
        self._counted: dict[UUID, frozenset[UUID]] = {}
        """Lists with a capacity by event, as of the last look."""
        self._woken = asyncio.Event()
        self.rounds = 0
        """Times something was told."""

    def note(self, events: Iterable[UUID]) -> None:
        """Something was logged of these events."""
        self._due.update(events)
        self._woken.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Projector]:
        """Projects in the background for the length of the block, and once more at its end."""
        try:
            async with in_background(self._keep_projecting(), name="door projector"):
                yield self
        finally:
            await self._round(self._due)

    async def _keep_projecting(self) -> None:
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass  # the look below
            self._woken.clear()
            began = loop.time()
            events, self._due = self._due, set()
            if began - looked_at >= LOOK_SECONDS:
                looked_at = began
                events |= {door.event_id for door in self._doors.open}
                await self._look()
            await self._round(events)
            await asyncio.sleep(max(0.0, ROUND_SECONDS - (loop.time() - began)))

    async def _look(self) -> None:
        for door in self._doors.open:
            try:
                before = self._counted.get(door.event_id, frozenset())
                self._counted[door.event_id] = await count_new_capacities(self._db, door, before)
                told = await tell_occupancy(self._db, door, self._told.get(door.event_id))
                if told is not None:
                    self._told[door.event_id] = told
            except LOST_CONNECTION as error:
                logger.warning("cannot tell how full the lists of %s are (%s)", door.event_id, error)
            except Exception:
                logger.exception("telling how full the lists of %s are failed in a way nobody foresaw", door.event_id)

    async def _round(self, events: Iterable[UUID]) -> None:
        for event_id in list(events):
            try:
                if await self.project(event_id):
                    self.note([event_id])  # there is more
            except Exception as error:
                if not isinstance(error, LOST_CONNECTION):
                    logger.exception("counting the door of %s failed in a way nobody foresaw", event_id)
                logger.warning("cannot count the door of %s (%s); trying again", event_id, error)
                self._due.add(event_id)  # with the next look

    async def project(self, event_id: UUID) -> bool:
        """One round for one event; True where there may be more to tell."""
        told = await tell_news(self._db, self._doors, event_id, pause=PAUSE_SECONDS, limit=MAX_NEWS)
        if told.occupancy is not None:
            self.rounds += 1
            self._told[event_id] = told.occupancy
        return told.more
