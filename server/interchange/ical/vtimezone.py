"""A VTIMEZONE from the time zone database, for the years a programme lies in.

Every change of the clocks is written by itself, without a rule: Ramadan, in which Morocco's are an hour back, follows
none. A change is written in the clock before it, as RFC 5545 section 3.6.5 asks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.ical.lines import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_STEP = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class _Period(NamedTuple):
    """From an instant on the clocks are at one offset."""

    since: datetime
    before: timedelta
    offset: timedelta
    saving: timedelta
    name: str


def vtimezone(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[str]:
    """Its lines, unfolded, for every time from January of the year before `first` to the end of the year after `last`.

    A zone whose summer is its standard time (Ireland, Morocco: the database takes an hour off in the other half) is
    written the other way round, the greater offset as DAYLIGHT: many programs take no saving below zero.
    """
    periods = tuple(
        _periods(zone, datetime(first.year - 1, 1, 1, tzinfo=UTC), datetime(last.year + 2, 1, 1, tzinfo=UTC))
    )
    backwards = any(period.saving < timedelta() for period in periods)
    yield "BEGIN:VTIMEZONE"
    yield written("TZID", zone.key)
    for period in periods:
        saves = period.saving == timedelta() if backwards else period.saving > timedelta()
        part = "DAYLIGHT" if saves else "STANDARD"
        yield f"BEGIN:{part}"
        yield f"DTSTART:{(period.since + period.before):%Y%m%dT%H%M%S}"
        yield f"TZOFFSETFROM:{_offset(period.before)}"
        yield f"TZOFFSETTO:{_offset(period.offset)}"
        yield written("TZNAME", period.name)
        yield f"END:{part}"
    yield "END:VTIMEZONE"


def _periods(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[_Period]:
    at, before = begin, _clock(zone, begin)
    yield _Period(begin, before[0], *before)
    while at < end:
        following = at + _STEP
        after = _clock(zone, following)
        if after != before:
            change = _change(zone, at, following)
            yield _Period(change, before[0], *after)
        at, before = following, after


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The minute between the two at which the clock becomes that of `high`."""
    after = _clock(zone, high)
    while high - low > _MINUTE:
        middle = low + (high - low) // _MINUTE // 2 * _MINUTE
        low, high = (low, middle) if _clock(zone, middle) == after else (middle, high)
    return high


def _clock(zone: ZoneInfo, at: datetime) -> tuple[timedelta, timedelta, str]:
    local = at.astimezone(zone)
    return local.utcoffset() or timedelta(), local.dst() or timedelta(), local.tzname() or ""


def _offset(offset: timedelta) -> str:
    sign, minutes = ("-", -offset // _MINUTE) if offset < timedelta() else ("+", offset // _MINUTE)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}"
