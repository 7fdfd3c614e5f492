"""The programme as finished bytes, one document per event, language and version.

Reading the programme forty times a day by five thousand people must cost neither SQL nor encoding: a document is built when
somebody first asks for it and dropped when channel `schedule` moves beyond it.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from server.db import Database
from server.event.reader import Reader
from server.event.types import EventRow
from server.feed import Position, Watch, queries as feed_queries
from server.feed.types import SCHEDULE
from server.schedule import queries
from server.schedule.rows import VersionRow
from server.schedule.types import Schedule
from server.schedule.views import group_by_day, kind_view, room_view, session_view, speaker_view, track_view


class Document(Struct, frozen=True):
    """One representation of the programme, ready to send."""

    position: Position
    body: bytes
    etag: str
    gzipped: bytes
    gzipped_etag: str
    """Of the compressed bytes: another representation needs another strong ETag (RFC 9110 §8.8.3)."""


class Documents:
    """All documents of one process."""

    def __init__(self, db: Database, watch: Watch) -> None:
        self._db = db
        self._watch = watch
        self._ready: dict[tuple[UUID, str], Document] = {}
        self._building: dict[tuple[UUID, str], asyncio.Lock] = {}
        self._forgotten: dict[UUID, int] = {}
        """How often an event's documents were dropped: one that was being built meanwhile is not kept."""
        watch.add_listener(self._on_growth)

    async def get(self, event: EventRow, reader: Reader) -> Document:
        """The document as of the newest change this process has heard of; built once however many ask at a time."""
        key = (event.event_id, reader.language)
        document = self._ready.get(key)
        if document is not None:
            return document
        async with self._building.setdefault(key, asyncio.Lock()):
            document = self._ready.get(key)
            if document is None:
                forgotten = self._forgotten.get(event.event_id, 0)
                document = await self._build(event, reader)
                still_wanted = self._forgotten.get(event.event_id, 0) == forgotten
                if still_wanted and not self._is_outdated(event.event_id, document):
                    self._ready[key] = document
            return document

    def forget(self, event_id: UUID) -> None:
        """Drops an event's documents: the next reader gets what the database says then."""
        self._forgotten[event_id] = self._forgotten.get(event_id, 0) + 1
        for key in [key for key in self._ready if key[0] == event_id]:
            del self._ready[key]

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        if channel == SCHEDULE and any(
            self._is_outdated(event_id, document) for key, document in self._ready.items() if key[0] == event_id
        ):
            self.forget(event_id)

    def _is_outdated(self, event_id: UUID, document: Document) -> bool:
        heard = self._watch.position(event_id, SCHEDULE)
        return heard is not None and (heard.epoch != document.position.epoch or heard.seq > document.position.seq)

    async def _build(self, event: EventRow, reader: Reader) -> Document:
        async with self._db.snapshot() as tx:
            position = await feed_queries.get_position(tx, event.event_id, channel=SCHEDULE)
            version = await queries.get_version(tx, event.event_id)
            state = await queries.read_state(tx, event.event_id)
        position = position or Position(SCHEDULE, "", 0)
        version = version or VersionRow(0, datetime.fromtimestamp(0, UTC))
        sessions = state.session.values()
        schedule = Schedule(
            version=version.version,
            updated_at=version.updated_at,
            feed=position,
            timezone=event.timezone,
            day_begins=event.day_begins.isoformat("minutes"),
            days=group_by_day(state.day.values(), sessions, event, reader),
            rooms=[room_view(room, reader) for room in state.room.values()],
            tracks=[track_view(track, reader) for track in state.track.values()],
            kinds=[kind_view(kind, reader) for kind in state.kind.values()],
            speakers=[speaker_view(speaker, reader) for speaker in state.speaker.values()],
            sessions=[session_view(session, reader) for session in sessions],
        )
        body = msgspec.json.encode(schedule)
        return await asyncio.to_thread(_finish, position, body)


def _finish(position: Position, body: bytes) -> Document:
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Document(
        position=position,
        body=body,
        etag=f'"{digest}"',
        gzipped=gzip.compress(body, compresslevel=6, mtime=0),
        gzipped_etag=f'"{digest}-gzip"',
    )
