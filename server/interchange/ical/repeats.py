"""Events that repeat: every time of a short daily or weekly rule, what else is written is reported."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.ical.times import When, when
from server.interchange.reading import values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from server.interchange.ical.tree import Component
    from server.interchange.ical.zones import Zones
    from server.interchange.reading.repairs import RepairLog

MOST = 60
"""Times one event is repeated: an exhibition's opening, every day of two months."""

_TOO_MANY = f"it repeats more than {MOST} times; the first {MOST} were kept"
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_READ = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", ""})
_LOOKED_AT = 400
"""Days or weeks a rule is followed, for one that hardly ever comes true must end too; dates that are read of a list."""


_LAST_YEAR = 2190
"""Far from where a date overflows."""


class _Rule(NamedTuple):
    weekly: bool
    interval: int
    times: int | None
    until: datetime | None
    until_day: date | None
    days: tuple[int, ...]
    week_begins: int

    def locals(self, start: datetime) -> Iterator[datetime]:
        """The times on the clock from `start` on, which is the first whatever the rule says (section 3.8.5.3)."""
        yield start
        step = timedelta(days=self.interval * (7 if self.weekly else 1))
        back = (start.weekday() - self.week_begins) % 7 if self.weekly else 0
        first = start - timedelta(days=back)
        for _ in range(_LOOKED_AT):
            for each in self._within(first):
                if each > start:
                    yield each
            first += step
            if first.year > _LAST_YEAR:
                return

    def _within(self, first: datetime) -> Iterator[datetime]:
        if not self.weekly:
            if not self.days or first.weekday() in self.days:
                yield first
            return
        for number in range(7):
            each = first + timedelta(days=number)
            if each.weekday() in self.days:
                yield each

    def is_over(self, start: When) -> bool:
        if self.until is not None:
            return start.instant() > self.until
        return self.until_day is not None and start.local.date() > self.until_day


def repeats(
    event: Component, start: When, zones: Zones, event_zone: ZoneInfo, where: str, log: RepairLog
) -> tuple[When, ...]:
    """Every start of an event, the first first; EXDATEs are left out and RDATEs are in. Never more than `MOST`."""
    found = {start.local: start}
    rule = event.first("RRULE")
    read = _rule(rule.value, start) if rule else None
    if rule is not None and read is None:
        log.note(
            where,
            "it repeats by a rule without an end, or one that is not daily or weekly; only its first time was kept",
        )
    if read is not None:
        for number, local in enumerate(read.locals(start.local), start=1):
            each = start._replace(local=local)
            if (read.times is not None and number > read.times) or (number > 1 and read.is_over(each)):
                break
            if number > MOST:
                log.note(where, _TOO_MANY)
                break
            found[local] = each
    for each in islice(_dates(event, "RDATE", zones, event_zone, where, log), _LOOKED_AT):
        if len(found) >= MOST:
            log.note(where, _TOO_MANY)
            break
        found[each.local] = each
    _leave_out(found, tuple(islice(_dates(event, "EXDATE", zones, event_zone, where, log), _LOOKED_AT)))
    return tuple(sorted(found.values(), key=lambda each: each.instant()))


def _leave_out(found: dict[datetime, When], excepted: tuple[When, ...]) -> None:
    days = {each.local.date() for each in excepted if each.whole_day}
    instants = {each.instant() for each in excepted if not each.whole_day}
    for local, each in tuple(found.items()):
        if each.instant() in instants or local.date() in days:
            del found[local]


def _dates(
    event: Component, name: str, zones: Zones, event_zone: ZoneInfo, where: str, log: RepairLog
) -> Iterator[When]:
    for read in event.all(name):
        for written in read.value.split(","):
            each = when(read._replace(value=written.partition("/")[0]), zones, event_zone, where, log)
            if each is None:
                log.note(where, f"a date of `{name}` cannot be read; left out")
            else:
                yield each


def _rule(written: str, start: When) -> _Rule | None:
    """None for a rule that goes on for ever or is of another kind."""
    parts = {name.strip(): value for name, _, value in (part.partition("=") for part in written.upper().split(";"))}
    interval, count = (_number(parts.get(name)) for name in ("INTERVAL", "COUNT"))
    end = parts.get("UNTIL", "").strip()
    until, until_day = values.moment(end), None if "T" in end else values.calendar_date(end)
    days = [day.strip() for day in parts.get("BYDAY", "").split(",") if day.strip()]
    weekly = parts.get("FREQ") == "WEEKLY"
    if not parts.keys() <= _READ or parts.get("FREQ") not in {"DAILY", "WEEKLY"} or not set(days) <= set(_WEEKDAYS):
        return None
    if count is None and until is None and until_day is None:
        return None
    week_begins = parts.get("WKST", "MO")
    return _Rule(
        weekly=weekly,
        interval=interval or 1,
        times=count,
        until=_aware(until, start),
        until_day=until_day,
        days=tuple(_WEEKDAYS.index(day) for day in days) or ((start.local.weekday(),) if weekly else ()),
        week_begins=_WEEKDAYS.index(week_begins) if week_begins in _WEEKDAYS else 0,
    )


def _aware(until: datetime | None, start: When) -> datetime | None:
    """In UTC, as the standard wants it, or on the clock of the start, as many write it."""
    if until is None:
        return None
    return until.astimezone(UTC) if until.tzinfo else start._replace(local=until).instant()


def _number(written: str | None) -> int | None:
    return (
        int(written) if written is not None and written.isdecimal() and 0 < len(written) < 4 and int(written) else None
    )
