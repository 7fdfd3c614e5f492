"""The programme as finished bytes, one document for each event, format, language and part.

Reading the programme forty times a day by five thousand people must cost neither SQL nor encoding. The rows are read when
somebody first asks and dropped when channel `schedule` moves beyond them; a document is written from them when somebody first
asks for it, in a thread, because a file of a thousand sessions takes longer than a scanner at the door should wait.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from uuid import UUID

from server.db import Database
from server.event.types import EventRow
from server.feed import Watch
from server.feed.types import SCHEDULE
from server.schedule.edition import Edition, read_edition
from server.schedule.formats import Format, Part
from server.schedule.representation import Document, Packed, document_of, pack

MAX_BYTES = 128 * 1024 * 1024
"""Of all documents of a process. Who asked longest ago for something goes first."""
MAX_EVENTS = 16
"""Whose rows are kept."""
WRITING_AT_A_TIME = 2
"""An app's document does not wait for a long file, and more threads would only take the interpreter from each other."""

Key = tuple[UUID, str, str, Part | None]
"""Event, format, language, part."""


class Documents:
    """All documents of one process."""

    def __init__(self, db: Database, watch: Watch, *, address: str = "", max_bytes: int = MAX_BYTES) -> None:
        """`address` is that of the API, as files name it."""
        self._db = db
        self._watch = watch
        self._address = address
        self._max_bytes = max_bytes
        self._editions: OrderedDict[UUID, Edition] = OrderedDict()
        self._kept: OrderedDict[Key, tuple[object, Document]] = OrderedDict()
        """With the mark of the edition: one of an older edition is only there to be compared with its successor, so that whoever
        was given it is told right. The one that was asked for longest ago comes first."""
        self._size = 0
        self._reading: dict[UUID, asyncio.Task[Edition]] = {}
        self._writing: dict[tuple[object, str, str, Part | None], asyncio.Task[Document]] = {}
        self._turns = asyncio.Semaphore(WRITING_AT_A_TIME)
        watch.add_listener(self._on_growth)

    def ready(self, event: EventRow, wanted: Format, language: str, part: Part | None = None) -> Document | None:
        """The document as of the newest change this process has heard of, if it is in memory."""
        edition = self._current(event)
        key = (event.event_id, wanted.name, language, part)
        found = self._kept.get(key)
        if edition is None or found is None or found[0] is not edition.mark:
            return None
        self._kept.move_to_end(key)
        return found[1]

    async def get(self, event: EventRow, wanted: Format, language: str, part: Part | None = None) -> Document:
        """The same, written where it is not; once however many ask at a time. The part must be in the edition."""
        document = self.ready(event, wanted, language, part)
        return document or await self.write(await self.edition(event), wanted, language, part)

    async def edition(self, event: EventRow) -> Edition:
        """The programme as of the newest change this process has heard of; read once however many ask at a time."""
        found = self._current(event)
        if found is not None:
            return found
        reading = self._reading.get(event.event_id)
        if reading is None:
            reading = self._reading[event.event_id] = asyncio.create_task(self._read_and_keep(event))
            reading.add_done_callback(partial(self._read_is_done, event.event_id))
        return await asyncio.shield(reading)  # one asker that goes away does not take the others' answer along

    async def write(self, edition: Edition, wanted: Format, language: str, part: Part | None = None) -> Document:
        """A document of this edition, or of a newer one that is there by then."""
        key = (edition.mark, wanted.name, language, part)
        writing = self._writing.get(key)
        if writing is None:
            writing = self._writing[key] = asyncio.create_task(self._write(edition, wanted, language, part))
            writing.add_done_callback(lambda _done: self._writing.pop(key, None))
        return await asyncio.shield(writing)

    def forget(self, event_id: UUID) -> None:
        """Drops an event's rows: the next reader gets what the database says then."""
        self._editions.pop(event_id, None)
        self._reading.pop(event_id, None)

    def _current(self, event: EventRow) -> Edition | None:
        edition = self._editions.get(event.event_id)
        if edition is None or (edition.event is not event and edition.event != event):
            return None
        return edition

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        if channel != SCHEDULE:
            return
        edition = self._editions.get(event_id)
        if edition is None or edition.is_outdated(self._watch.position(event_id, SCHEDULE)):
            self.forget(event_id)

    def _read_is_done(self, event_id: UUID, reading: asyncio.Task[Edition]) -> None:
        if self._reading.get(event_id) is reading:
            del self._reading[event_id]

    async def _read_and_keep(self, event: EventRow) -> Edition:
        edition = await self._read(event)
        still_wanted = self._reading.get(event.event_id) is asyncio.current_task()
        if still_wanted and not edition.is_outdated(self._watch.position(event.event_id, SCHEDULE)):
            self._editions[event.event_id] = edition
            self._editions.move_to_end(event.event_id)
            while len(self._editions) > MAX_EVENTS:
                self._editions.popitem(last=False)
        return edition

    async def _read(self, event: EventRow) -> Edition:
        return await read_edition(self._db, event, base_url=f"{self._address}/v1/events/{event.slug}")

    async def _write(self, edition: Edition, wanted: Format, language: str, part: Part | None) -> Document:
        async with self._turns:
            packed = await asyncio.to_thread(_pack, edition, wanted, language, part)
        key = (edition.event.event_id, wanted.name, language, part)
        current = self._editions.get(edition.event.event_id)
        mark, last = self._kept.get(key, (None, None))
        if last is not None and current is not None and current is not edition and mark is current.mark:
            return last  # a newer one was quicker
        document = document_of(packed, wanted, language, edition, last)
        self._keep(key, edition, document)
        return document

    def _keep(self, key: Key, edition: Edition, document: Document) -> None:
        before = self._kept.pop(key, None)
        self._size += document.size - (before[1].size if before else 0)
        self._kept[key] = (edition.mark, document)
        while self._size > self._max_bytes and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._size -= gone.size


def _pack(edition: Edition, wanted: Format, language: str, part: Part | None) -> Packed:
    return pack(wanted.write(edition, language, part), wanted)
