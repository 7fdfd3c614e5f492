"""When an event of an iCalendar file is: its times as instants, with a note of what was mended."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from server.interchange.ical.zones import Clock
from server.interchange.reading import values
from server.interchange.reading.spans import DEFAULT_DURATION, Span

if TYPE_CHECKING:
    from server.interchange.ical.lines import Property
    from server.interchange.ical.tree import Component
    from server.interchange.ical.zones import Zones
    from server.interchange.reading.repairs import RepairLog

_MINUTES = DEFAULT_DURATION // timedelta(minutes=1)


class When(NamedTuple):
    """A start as it is written: the time on its clock, and the clock."""

    local: datetime
    """Naive."""
    clock: ZoneInfo | Clock
    whole_day: bool

    def instant(self) -> datetime:
        return instant(self.local, self.clock)


def instant(local: datetime, clock: ZoneInfo | Clock) -> datetime:
    """A naive time on a clock, in UTC."""
    return clock.instant(local) if isinstance(clock, Clock) else values.instant(local, clock)


def when(read: Property, zones: Zones, event_zone: ZoneInfo, where: str, log: RepairLog) -> When | None:
    """None where nothing can be made of it. A floating time, one without a zone, is one on the event's own clocks."""
    written = read.value.strip()
    at = values.moment(written)
    if at is None:
        day = values.calendar_date(written) if len(written) in {8, 10} else None
        return None if day is None else When(datetime.combine(day, time.min), event_zone, whole_day=True)
    if at.tzinfo is not None:
        return When(at.astimezone(UTC).replace(tzinfo=None), ZoneInfo("UTC"), whole_day=False)
    tzid = read.parameters.get("TZID", "")
    clock = zones.named(tzid) if tzid else None
    if not tzid:
        log.note(where, f"its time has no zone; taken as the time in {event_zone.key}")
    return When(at, clock or event_zone, whole_day=False)


def span_of(event: Component, start: When, zones: Zones, event_zone: ZoneInfo, where: str, log: RepairLog) -> Span:
    """From start to DTEND or by DURATION; the whole day for a date alone, half an hour where nothing else is left."""
    starts_at = start.instant()
    written, length = event.first("DTEND"), event.first("DURATION")
    if written is not None and (end := when(written, zones, event_zone, where, log)) is not None:
        ends_at = end.instant()
    elif length is not None and (lasting := values.duration(length.value.strip().lstrip("+"))) is not None:
        ends_at = starts_at + lasting
    elif start.whole_day:
        ends_at = instant(start.local + timedelta(days=1), start.clock)
    else:
        said = "cannot be read" if written or length else "is missing"
        log.note(where, f"its end {said}; {_MINUTES} minutes were taken")
        return Span(starts_at, starts_at + DEFAULT_DURATION)
    if timedelta() < ends_at - starts_at <= values.LONGEST_SESSION:
        return Span(starts_at, ends_at)
    if start.whole_day:
        log.note(where, "its end is not after its day, or many days later; one day was taken")
        return Span(starts_at, instant(start.local + timedelta(days=1), start.clock))
    log.note(where, f"its end is not after its start, or many days later; {_MINUTES} minutes were taken")
    return Span(starts_at, starts_at + DEFAULT_DURATION)
