"""A page of announcements, and the positions from which the feed goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from server.announcement import queries
from server.announcement.policy import MAX_TRANSACTION_SECONDS, channels_heard
from server.announcement.types import EVERYBODY, AnnouncementRow, Status
from server.auth import Principal
from server.db import Database, Tx
from server.errors import InvalidRequest
from server.feed import Position, queries as feed_queries
from server.instants import FIRST_YEAR, LAST_YEAR
from server.paging import NOT_OURS, decode_cursor, encode_cursor

Place = tuple[datetime, UUID]
"""A row's time and id: where a page ends and the next one begins."""

_AFTER_ALL: Place = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
_FIRST_ID = UUID(int=0)
_NEWEST, _CHANGED = "newest", "changed"


class Question(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    audience: str | None
    """One alone; None: all that the asker hears."""
    statuses: Sequence[Status]
    urgent: bool | None
    since: datetime | None
    limit: int
    cursor: str | None

    def fits(self, row: AnnouncementRow, channels: Sequence[str]) -> bool:
        return row.channel in channels and row.status in self.statuses and self.urgent in (None, row.urgent)


class Found(Struct, frozen=True):
    """The answer, in no language yet."""

    rows: list[AnnouncementRow]
    gone: list[UUID]
    feed: list[Position]
    as_of: datetime
    next_cursor: str | None


async def read_page(db: Database, event_id: UUID, who: Principal | None, question: Question) -> Found:
    """A page, with the positions at which its channels stood at that same moment.

    Raises `InvalidRequest` for a cursor, and as `policy.channels_heard` for an audience.
    """
    place = _place(question)
    async with db.snapshot() as tx:
        channels = await channels_of(tx, event_id, who, question.audience)
        feed = await feed_queries.list_positions(tx, event_id, channels=channels)
        as_of = await queries.get_as_of(tx, seconds_ago=MAX_TRANSACTION_SECONDS)
        rows = await _rows(tx, event_id, who, question, channels, place)
    page = rows[: question.limit]
    return Found(
        [row for row in page if question.fits(row, channels)],
        [row.announcement_id for row in page if not question.fits(row, channels)],
        feed,
        as_of,
        _cursor_after(page[-1], question) if len(rows) > question.limit else None,
    )


async def channels_of(tx: Tx, event_id: UUID, who: Principal | None, wanted: str | None = None) -> list[str]:
    """The channels that somebody hears. Raises as `policy.channels_heard`."""
    needless = who is None and wanted in (None, EVERYBODY)  # most who ask: one question less for each of them
    audiences = [] if needless else await queries.list_audiences(tx, event_id)
    return channels_heard(who, audiences, wanted)


async def _rows(
    tx: Tx, event_id: UUID, who: Principal | None, question: Question, channels: list[str], place: Place
) -> list[AnnouncementRow]:
    at, announcement_id = place
    if question.since is None:
        return await queries.list_newest(
            tx,
            event_id,
            channels=channels,
            statuses=question.statuses,
            urgent=question.urgent,
            before=at,
            before_id=announcement_id,
            limit=question.limit + 1,
        )
    is_organizer = who is not None and who.kind == "organizer"
    if is_organizer and question.audience is not None:
        channels = await channels_of(
            tx, event_id, who
        )  # what nobody else has heard of may have moved to another audience
    return await queries.list_changed(
        tx,
        event_id,
        channels=channels,
        unpublished_too=is_organizer,
        after=at,
        after_id=announcement_id,
        limit=question.limit + 1,
    )


def _place(question: Question) -> Place:
    key = decode_cursor(question.cursor, parts=3)
    if key is None:
        return _AFTER_ALL if question.since is None else (question.since, _FIRST_ID)
    try:
        at, announcement_id = datetime.fromisoformat(key[1]), UUID(key[2])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None
    order = _NEWEST if question.since is None else _CHANGED
    if key[0] != order or at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise InvalidRequest(NOT_OURS)
    return at, announcement_id


def _cursor_after(row: AnnouncementRow, question: Question) -> str:
    order, at = (_CHANGED, row.changed_at) if question.since else (_NEWEST, row.published_at or row.publish_at)
    return encode_cursor(order, at.isoformat(), str(row.announcement_id))
