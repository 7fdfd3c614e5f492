"""The sessions that somebody asks for, from the programme in memory. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from server.errors import InvalidRequest
from server.paging import NOT_OURS, decode_cursor, encode_cursor
from server.schedule.edition import Edition
from server.schedule.rows import SessionRow, State, Status
from server.schedule.views import date_of

Place = tuple[datetime, int, int, int]
"""Where a session stands in the programme: by start, then in the order of the rooms, then by id."""
_NOWHERE = (2**31, 0)
"""Behind all rooms."""


class Wanted(Struct, frozen=True, kw_only=True):
    """All that is given must be true of a session."""

    day: date | None = None
    room: UUID | None = None
    track: UUID | None = None
    kind: UUID | None = None
    speaker: UUID | None = None
    language: str | None = None
    """Spoken on stage: `fr` is also `fr-MA`."""
    status: Status | None = None
    since: datetime | None = None
    """Not over yet then."""
    until: datetime | None = None
    """Begun by then."""
    now: bool = False
    """Going on at `at` and not cancelled."""
    next: bool = False
    """The first of its room that begins after `at` and is not cancelled. With `now` either will do."""
    at: datetime


def select(edition: Edition, wanted: Wanted) -> list[SessionRow]:
    """In the programme's order."""
    found = [one for one in edition.state.session.values() if _is_wanted(one, wanted, edition)]
    if not wanted.now and not wanted.next:
        return found
    on = [one for one in found if one.status != "cancelled"]
    ids = {one.session_id for one in on if wanted.now and one.starts_at <= wanted.at < one.ends_at}
    if wanted.next:
        ids |= _next_of_each_room(on, wanted.at)
    return [one for one in on if one.session_id in ids]


def page_after(
    state: State, sessions: Iterable[SessionRow], cursor: str | None, limit: int
) -> tuple[list[SessionRow], str | None]:
    """One page, and the cursor of the next if there is one. Raises `InvalidRequest` for a cursor that is none."""
    after = _read_place(cursor)
    left = [one for one in sessions if after is None or _place(state, one) > after]
    page = left[:limit]
    return page, _write_place(_place(state, page[-1])) if len(left) > limit else None


def _is_wanted(session: SessionRow, wanted: Wanted, edition: Edition) -> bool:
    event = edition.event
    return (
        (wanted.room is None or session.room_id == wanted.room)
        and (wanted.track is None or session.track_id == wanted.track)
        and (wanted.kind is None or session.kind_id == wanted.kind)
        and (wanted.speaker is None or wanted.speaker in session.speaker_ids)
        and (wanted.status is None or session.status == wanted.status)
        and (wanted.since is None or session.ends_at > wanted.since)
        and (wanted.until is None or session.starts_at < wanted.until)
        and (wanted.language is None or _is_spoken(wanted.language, session.languages))
        and (wanted.day is None or date_of(session.starts_at, ZoneInfo(event.timezone), event.day_begins) == wanted.day)
    )


def _is_spoken(language: str, languages: Iterable[str]) -> bool:
    asked = language.lower()
    return any(one.lower() == asked or one.lower().startswith(f"{asked}-") for one in languages)


def _next_of_each_room(sessions: Iterable[SessionRow], at: datetime) -> set[UUID]:
    """All that begin together, where a room holds several at a time. What has no room is as if it had one of its own."""
    starts: dict[UUID | None, datetime] = {}
    found: set[UUID] = set()
    for one in sessions:  # by start
        if one.starts_at > at and starts.setdefault(one.room_id, one.starts_at) == one.starts_at:
            found.add(one.session_id)
    return found


def _place(state: State, session: SessionRow) -> Place:
    room = None if session.room_id is None else state.room[session.room_id]
    where = _NOWHERE if room is None else (room.position, room.room_id.int)
    return session.starts_at, *where, session.session_id.int


def _write_place(place: Place) -> str:
    return encode_cursor(place[0].isoformat(), *map(str, place[1:]))


def _read_place(cursor: str | None) -> Place | None:
    parts = decode_cursor(cursor, parts=4)
    if parts is None:
        return None
    try:
        start = datetime.fromisoformat(parts[0])
        place, room, session = map(int, parts[1:])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None
    if start.tzinfo is None:
        raise InvalidRequest(NOT_OURS)
    return start, place, room, session
