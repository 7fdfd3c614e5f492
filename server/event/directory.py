"""The events by what a URL calls them, remembered for some seconds: every request begins with this question."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from server.db import Database
from server.errors import UnknownEvent
from server.event import queries
from server.event.types import EventRow

REMEMBER_SECONDS = 5.0
MAX_KNOWN = 1000
"""Names remembered: one event has many, because an id may be written with any capitals and hyphens."""
MAX_NAME_LENGTH = 64
_UUID_LENGTH = 36


class Events:
    """Looks events up by slug or id."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, tuple[float, EventRow]] = {}
        self._reading: dict[str, asyncio.Task[EventRow | None]] = {}

    def known(self, name: str) -> EventRow | None:
        """The event of this slug or id, if it is remembered."""
        known = self._known.get(name)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    async def get(self, name: str) -> EventRow:
        """The event of this slug or id. Raises `UnknownEvent`."""
        known = self.known(name)
        if known is not None:
            return known
        found = await self._read_once(name)
        if found is None:
            self._known.pop(name, None)
            raise UnknownEvent
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[name] = (time.monotonic() + REMEMBER_SECONDS, found)
        return found

    async def _read_once(self, name: str) -> EventRow | None:
        """One query however many ask at a time: when the memory expires, thousands do."""
        reading = self._reading.get(name)
        if reading is None:
            reading = self._reading[name] = asyncio.create_task(self._read(name))
            reading.add_done_callback(lambda _done: self._reading.pop(name, None))
        return await asyncio.shield(reading)  # one asker that goes away does not take the others' answer along

    async def _read(self, name: str) -> EventRow | None:
        if len(name) > MAX_NAME_LENGTH or "\x00" in name:
            return None
        async with self._db.read() as connection:
            if len(name) == _UUID_LENGTH:
                try:
                    return await queries.get_event(connection, UUID(name))
                except ValueError:
                    pass  # 36 characters that are no UUID may still be a slug
            return await queries.get_event_by_slug(connection, name)
