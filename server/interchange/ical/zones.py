"""Which zone a name in an iCalendar file means: IANA's names, Windows', and what the file itself defines."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.ical.windows_zones import iana_of_windows
from server.interchange.reading import values
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from server.interchange.ical.tree import Component
    from server.interchange.reading.repairs import RepairLog

_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?")
_ALIKE = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_LAST_OR_NTH = re.compile(r"([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = timedelta(days=1)
_MAX_CHANGES = 250
"""Of a zone, and of the dates of one change: two a year for longer than clocks have been changed."""


class _Change(NamedTuple):
    """One STANDARD or DAYLIGHT: from when on which offset holds, and how that comes back every year."""

    since: datetime
    """Naive, on the clock before the change."""
    offset: timedelta
    before: timedelta
    month: int | None
    nth: int
    weekday: int
    until: int
    """The last year of a yearly change."""
    dates: tuple[datetime, ...]

    def onsets(self, year: int) -> Iterator[datetime]:
        """Those that may be the latest one at some time of that year."""
        yield from (date for date in (self.since, *self.dates) if date.year <= year)
        if self.month is not None:
            for each in (year - 1, year):
                if self.since.year < each <= self.until:
                    yield datetime.combine(_nth(each, self.month, self.nth, self.weekday), self.since.time())


class Clock:
    """The clock of one zone a file defines under a name of its own: only its offsets are known."""

    def __init__(self, changes: Iterable[_Change]) -> None:
        self._changes = sorted(changes, key=lambda change: change.since)
        self._years: dict[int, list[tuple[datetime, timedelta]]] = {}

    def instant(self, local: datetime) -> datetime:
        """A naive time on this clock, in UTC."""
        if local.year not in self._years:
            onsets = ((at, change.offset) for change in self._changes for at in change.onsets(local.year))
            self._years[local.year] = sorted(onsets)
        onsets_of_year = self._years[local.year]
        passed = bisect_right(onsets_of_year, local, key=lambda onset: onset[0])
        offset = onsets_of_year[passed - 1][1] if passed else self._changes[0].before
        return (local - offset).replace(tzinfo=UTC)


class Zones:
    """The zones of one file, each name looked up once."""

    def __init__(self, calendars: Iterable[Component], log: RepairLog) -> None:
        self._log = log
        self._defined: dict[str, Component] = {}
        self._known: dict[str, ZoneInfo | Clock | None] = {}
        for calendar in calendars:
            for component in calendar.components:
                if component.name == "VTIMEZONE" and (tzid := component.first("TZID")):
                    self._defined.setdefault(tzid.value.strip(), component)

    def only(self) -> ZoneInfo | None:
        """The zone of a file that defines a single one."""
        found = self.named(next(iter(self._defined))) if len(self._defined) == 1 else None
        return None if isinstance(found, Clock) else found

    def named(self, name: str) -> ZoneInfo | Clock | None:
        """None, and a note, for a name that means nothing here."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> ZoneInfo | Clock | None:
        zone = iana(name)
        if zone is None and (component := self._defined.get(name)) is not None:
            location = component.first("X-LIC-LOCATION")
            zone = iana(location.value) if location else None
            if zone is None and (clock := _clock(component)) is not None:
                self._log.note(
                    f"line {component.line}", f"zone {shown(name)} is the file's own; its offsets were taken"
                )
                return clock
        if zone is None:
            self._log.note(
                "conference", f"time zone {shown(name)} is not known; its times were taken as without a zone"
            )
        elif zone.key != name:
            self._log.note("conference", f"time zone {shown(name)} was taken as {zone.key}")
        return zone


def iana(name: str) -> ZoneInfo | None:
    """An IANA zone by its name, by Windows' name, behind another program's prefix or as a fixed offset."""
    name = name.strip().strip('"')[:120]
    windows = iana_of_windows(name)
    if windows is not None:
        return values.zone(windows)
    parts = [part for part in name.split("/") if part]
    for begin in range(min(len(parts), 6)):
        zone = values.zone("/".join(parts[begin:]))
        if zone is not None and (begin == 0 or len(parts) - begin > 1):
            return zone
    return _fixed(name)


def _fixed(name: str) -> ZoneInfo | None:
    found = _ALIKE.fullmatch(name)
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    zone = values.zone_of_offset(-offset if found[1] == "-" else offset)
    return values.zone(zone) if zone else None


def _clock(component: Component) -> Clock | None:
    """None where nothing is said in a way that can be read. A change by another rule than `nth weekday` is kept once."""
    parts = [part for part in component.components if part.name in {"STANDARD", "DAYLIGHT"}][:_MAX_CHANGES]
    changes = [change for part in parts if (change := _change(part)) is not None]
    return Clock(changes) if changes else None


def _change(part: Component) -> _Change | None:
    since, to, before, rule = (part.first(name) for name in ("DTSTART", "TZOFFSETTO", "TZOFFSETFROM", "RRULE"))
    offset = _offset(to.value) if to else None
    starts = _moment(since.value) if since else None
    if offset is None or starts is None:
        return None
    month, nth, weekday, until = _yearly(rule.value if rule else "")
    dates = (at for each in part.all("RDATE") for text in each.value.split(",") if (at := _moment(text)))
    earlier = _offset(before.value) if before else None
    return _Change(
        since=starts,
        offset=offset,
        before=offset if earlier is None else earlier,
        month=month,
        nth=nth,
        weekday=weekday,
        until=until,
        dates=tuple(islice(dates, _MAX_CHANGES)),
    )


def _moment(written: str) -> datetime | None:
    """Of any year: Windows writes 1601, which stands for `always`."""
    try:
        return datetime.strptime(written.strip()[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  on the file's own clock
    except ValueError:
        return None


def _offset(written: str) -> timedelta | None:
    found = _OFFSET.fullmatch(written.strip())
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -offset if found[1] == "-" else offset


def _yearly(rule: str) -> tuple[int | None, int, int, int]:
    """Month, which of its weekdays, the weekday, last year; the month None for a rule that is not of this kind."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    found = _LAST_OR_NTH.fullmatch(parts.get("BYDAY", ""))
    month = parts.get("BYMONTH", "")
    until = parts.get("UNTIL", "")[:4]
    if parts.get("FREQ") != "YEARLY" or found is None or month not in {str(each) for each in range(1, 13)}:
        return None, 0, 0, 0
    return int(month), int(found[1]), _WEEKDAYS.index(found[2]), int(until) if until.isdecimal() else 9999


def _nth(year: int, month: int, nth: int, weekday: int) -> datetime:
    """The nth of that weekday in a month, from its end where `nth` is negative."""
    if nth > 0:
        first = datetime(year, month, 1)  # noqa: DTZ001  on the file's own clock
        return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = datetime(year + month // 12, month % 12 + 1, 1) - _DAY  # noqa: DTZ001  on the file's own clock
    return last - _DAY * ((last.weekday() - weekday) % 7 + 7 * (-nth - 1))
