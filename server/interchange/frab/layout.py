"""Where a session stands in schedule.xml and in version 1 of schedule.json: on which day, in which column."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from server.interchange.frab.columns import NOWHERE, column_guid
from server.interchange.frab.days import are_doors
from server.interchange.reading.values import clock, instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from server.interchange.programme import Day, Programme, Session

NOWHERE_NAME = "\N{EN DASH}"
"""What the column of sessions without a room is called: in every language the same, and nothing."""

LONGEST = timedelta(hours=23, minutes=59)
"""Apps misread durations of a day and more, so a longer session has this one. Version 1 says its true end beside it."""

_MINUTE = timedelta(minutes=1)
_ONE_DAY = timedelta(days=1)


class PublicDay(NamedTuple):
    date: date
    starts_at: datetime
    """On the clocks of the zone, as `ends_at`."""
    ends_at: datetime


class Column(NamedTuple):
    name: str
    """No other column's, capitals apart."""
    guid: str
    sessions: tuple[Session, ...]
    """None at the same time as another, by their start."""


def written_duration(session: Session) -> timedelta:
    """In whole minutes, at least one, less than a day."""
    minutes = -(-(session.ends_at - session.starts_at) // _MINUTE)
    return min(max(minutes * _MINUTE, _MINUTE), LONGEST)


def hours_and_minutes(length: timedelta) -> str:
    minutes = length // _MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def on_clocks(moment: datetime, zone: ZoneInfo) -> datetime:
    """With the zone's offset then, in whole minutes: neither XML nor JSON has one with seconds, as Liberia had in 1970."""
    local = moment.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return moment.astimezone(timezone(offset // _MINUTE * _MINUTE))


def date_of(session: Session, programme: Programme) -> date:
    """The day it belongs to: what is earlier than the day begins belongs to the night before."""
    local = session.starts_at.astimezone(ZoneInfo(programme.timezone)).replace(tzinfo=None)
    return (local - _begins(programme)).date()


def days_of(programme: Programme, otherwise: datetime) -> list[PublicDay]:
    """Those with sessions and those with doors; the day of `otherwise` where there is none at all."""
    zone, begins = ZoneInfo(programme.timezone), _begins(programme)
    named = {date.fromisoformat(day.date): window for day in programme.days if (window := _doors(day, zone, begins))}
    dates = {date_of(session, programme) for session in programme.sessions} | named.keys()
    return [
        PublicDay(day, *(on_clocks(moment, zone) for moment in named.get(day) or _whole(day, zone, begins)))
        for day in sorted(dates or {otherwise.astimezone(zone).date()})
    ]


def _whole(day: date, zone: ZoneInfo, begins: timedelta) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, datetime.min.time())
    return instant(midnight + begins, zone), instant(midnight + begins + _ONE_DAY, zone)


def _doors(day: Day, zone: ZoneInfo, begins: timedelta) -> tuple[datetime, datetime] | None:
    """What is not said is the bound of the whole day; None where a reader would not take them for doors."""
    date_ = date.fromisoformat(day.date)
    first, last = _whole(date_, zone, begins)
    starts_at, ends_at = day.starts_at or first, day.ends_at or last
    return (starts_at, ends_at) if are_doors(date_, starts_at.astimezone(zone), ends_at.astimezone(zone)) else None


def _begins(programme: Programme) -> timedelta:
    return clock(programme.day_begins) or timedelta()


def columns_of(programme: Programme, language: str, *, cut: bool) -> list[Column]:
    """Of every room at least one, in the order of the rooms; last, where it is needed, that of no room.

    `cut`: sessions end where the format says they do, not where they truly end.
    """
    by_room: defaultdict[str | None, list[Session]] = defaultdict(list)
    for session in sorted(programme.sessions, key=lambda session: (session.starts_at, session.ends_at, session.key)):
        by_room[session.room].append(session)
    places = [
        (room.key, room.name.get(language, room.key), _lanes(by_room[room.key], cut=cut)) for room in programme.rooms
    ]
    if by_room[None]:
        places.append((NOWHERE, NOWHERE_NAME, _lanes(by_room[None], cut=cut)))
    taken: set[str] = set()
    firsts = [_free(name, 1, taken) for _, name, _ in places]
    return [
        Column(
            first if number == 1 else _free(name, number, taken),
            guid if number == 1 else column_guid(guid, number),
            lane,
        )
        for first, (guid, name, lanes) in zip(firsts, places, strict=True)
        for number, lane in enumerate(lanes, start=1)
    ]


def _lanes(sessions: Iterable[Session], *, cut: bool) -> Sequence[tuple[Session, ...]]:
    """Each in the first lane that is free when it starts; at least one lane."""
    lanes: list[list[Session]] = [[]]
    ends: list[datetime | None] = [None]
    for session in sessions:
        free = next((index for index, end in enumerate(ends) if end is None or end <= session.starts_at), None)
        if free is None:
            free = len(lanes)
            lanes.append([])
            ends.append(None)
        lanes[free].append(session)
        ends[free] = session.starts_at + written_duration(session) if cut else session.ends_at
    return [tuple(lane) for lane in lanes]


def _free(name: str, number: int, taken: set[str]) -> str:
    """`name`, or `name (2)` and on, whichever is nobody's yet."""
    written = name if number == 1 else f"{name} ({number})"
    while written.casefold() in taken:
        number += 1
        written = f"{name} ({number})"
    taken.add(written.casefold())
    return written
