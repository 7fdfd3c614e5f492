"""The days of a file: when a day begins, and those of which the file says when their doors open and close."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from server.interchange.programme import Day
from server.interchange.reading import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from server.interchange.frab.draft import DayDraft
    from server.interchange.frab.sessions import Placed
    from server.interchange.reading.repairs import RepairLog

_MIDNIGHT = timedelta()
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NOON = timedelta(hours=12)
"""No night lasts longer: a window that ends after noon is an exhibition, or mistaken."""

_LONGEST_WINDOW = timedelta(hours=36)

_Window = tuple[datetime, datetime]


def day_begins_of(stated: timedelta | None, days: Sequence[DayDraft], placed: Sequence[Placed], zone: ZoneInfo) -> str:
    """`HH:MM`: what the file states, else what its days show.

    Days of 24 hours begin when the day does. Else no day ends later than the next one begins, and a session is listed
    under the day that it belongs to.
    """
    if stated is not None:
        return written(stated)
    windows = [window for day in days if (window := _window(day, zone))]
    whole = [_clock(begin) for begin, end in windows if _is_whole_day((begin, end))]
    if whole and whole[0] <= _NOON:
        return written(whole[0])
    ends = [_ceiled(_clock(end)) for begin, end in windows if end.date() > begin.date() and _clock(end) <= _NOON]
    least, most = _bounds(placed, zone)
    latest = max(ends, default=_MIDNIGHT)
    if latest < least or latest > most:
        latest = least if (hour := -(-least // _HOUR) * _HOUR) > most else hour
    return written(latest)


def days_of(days: Iterable[DayDraft], zone: ZoneInfo, log: RepairLog) -> tuple[Day, ...]:
    """Those whose window is neither the whole day nor nonsense, by date."""
    found: dict[str, Day] = {}
    for draft in days:
        window = _window(draft, zone)
        if window is None:
            if values.moment(draft.start) and values.moment(draft.end):
                log.note(f"day {_name(draft)}", "its end is not after its start, or many hours later; left out")
            continue
        begin, end = window
        if are_doors(values.calendar_date(draft.date) or begin.date(), begin, end):
            key = begin.date().isoformat()
            found.setdefault(key, Day(date=key, starts_at=begin.astimezone(UTC), ends_at=end.astimezone(UTC)))
        elif not _is_whole_day(window):
            log.note(f"day {_name(draft)}", "it starts on another date; its start and its end were left out")
    return tuple(found[key] for key in sorted(found))


def are_doors(listed: date, begin: datetime, end: datetime) -> bool:
    """Whether a window of the day, on the clocks of its zone, says more than that the day is one."""
    length = end - begin
    return _MIDNIGHT < length <= _LONGEST_WINDOW and begin.date() == listed and not _is_whole_day((begin, end))


def _name(draft: DayDraft) -> str:
    return values.text(draft.date)[: len("2026-12-18")] or "without a date"


def _window(draft: DayDraft, zone: ZoneInfo) -> _Window | None:
    """On the clocks of the zone."""
    start, end = values.moment(draft.start), values.moment(draft.end)
    if start is None or end is None:
        return None
    first, last = values.instant(start, zone), values.instant(end, zone)
    return (first.astimezone(zone), last.astimezone(zone)) if _MIDNIGHT < last - first <= _LONGEST_WINDOW else None


def _is_whole_day(window: _Window) -> bool:
    """By the clock, as a day in which it changes has 23 or 25 hours; wafer and pretalx leave out the last minute."""
    begin, end = (each.replace(tzinfo=None) for each in window)
    return _DAY - _MINUTE <= end - begin <= _DAY


def _bounds(placed: Iterable[Placed], zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Between which clocks the day may begin, so that sessions stay on the day they are listed under."""
    least, most = _MIDNIGHT, _NOON
    for listed, start in _listed(placed, zone):
        clock = _clock(start)
        if start.date() == listed:
            most = min(most, clock)
        elif start.date() == listed + _DAY and clock < _NOON:
            least = max(least, _floored(clock) + _MINUTE)
    return least, most


def _listed(placed: Iterable[Placed], zone: ZoneInfo) -> Iterator[tuple[date, datetime]]:
    for each in placed:
        listed = values.calendar_date(each.draft.day.date)
        if listed is not None:
            yield listed, each.identity.span.starts_at.astimezone(zone)


def _clock(local: datetime) -> timedelta:
    return local.replace(tzinfo=None) - datetime.combine(local.date(), time.min)


def _floored(clock: timedelta) -> timedelta:
    return clock // _MINUTE * _MINUTE


def _ceiled(clock: timedelta) -> timedelta:
    return -(-clock // _MINUTE) * _MINUTE


def written(clock: timedelta) -> str:
    minutes = clock // _MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"
