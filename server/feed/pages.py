"""A log's pages over HTTP, read once however many ask for the same one.

After a long dead spot thousands of phones stand at the same few positions and want the same pages. A page with more behind it
never changes and is kept; whether the last one is still the last is asked anew each time, but by one query for all who wait.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec
from msgspec import Struct

from server.db import Database
from server.feed import queries
from server.feed.types import FeedPage, Position, name_of

MOST_PAGES = 200
"""Kept at a time; the one unused for longest goes first. Of 500 events each they are about 100 MB, of 200 announcements 20."""


class Page(Struct, frozen=True):
    """A stretch of a log, ready to send."""

    body: bytes
    etag: str
    seq: int
    """The log's end when it was read."""
    more: bool


class Pages:
    """The pages of all logs that several people read; not those of single people."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._pages: dict[tuple[UUID, str, str, int, int], Page] = {}
        self._running: dict[tuple[UUID, str], asyncio.Task[Position | None]] = {}
        self._next: dict[tuple[UUID, str], asyncio.Task[Position | None]] = {}
        self.queries = 0
        """Times the database was asked."""

    async def position(self, event_id: UUID, channel: str) -> Position | None:
        """Where the log stands, not earlier than this call began; None for no such log."""
        key = (event_id, channel)
        following = self._next.get(key)
        if following is None:
            following = self._next[key] = asyncio.create_task(self._ask_after(self._running.get(key), key))
        return await asyncio.shield(following)  # one that goes away does not take the others' answer along

    async def _ask_after(self, running: asyncio.Task[Position | None] | None, key: tuple[UUID, str]) -> Position | None:
        """A query that began before somebody asked may miss what that one knows already: they wait for the next together."""
        if running is not None:
            await asyncio.wait([running])
        self._running[key] = self._next.pop(key)
        try:
            self.queries += 1
            async with self._db.read() as connection:
                return await queries.get_position(connection, key[0], channel=key[1])
        finally:
            if self._running.get(key) is asyncio.current_task():
                del self._running[key]

    async def get(self, event_id: UUID, position: Position, *, after: int, limit: int) -> Page:
        """The events behind `after`, as many as `limit`."""
        key = (event_id, position.channel, position.epoch, after, limit)
        page = self._pages.pop(key, None)
        if page is None or not (page.more or page.seq == position.seq):
            self.queries += 1
            page = await read_page(self._db, event_id, position, after=after, limit=limit)
        self._pages[key] = page  # at the end: those before it were used earlier
        while len(self._pages) > MOST_PAGES:
            del self._pages[next(iter(self._pages))]
        return page


async def read_page(db: Database, event_id: UUID, position: Position, *, after: int, limit: int) -> Page:
    """From the table, as far as `position`: what was added since belongs to the next look."""
    async with db.read() as connection:
        rows = await queries.list_events_after(
            connection, event_id, channel=position.channel, after=after, limit=min(limit, position.seq - after)
        )
    last = rows[-1].seq if rows else after
    page = FeedPage(
        channel=name_of(position.channel),
        epoch=position.epoch,
        seq=position.seq,
        events=[row.to_event() for row in rows],
        more=last < position.seq,
    )
    etag = f'"{position.epoch}-{after}-{last}-{position.seq}"'
    return Page(msgspec.json.encode(page), etag, position.seq, page.more)
