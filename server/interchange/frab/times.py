"""When a session is: the many ways a file says it, as two instants, with a note of what was mended."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from server.interchange.reading import values
from server.interchange.reading.spans import DEFAULT_DURATION, Span
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from server.interchange.frab.draft import DayDraft, FileDraft, SessionDraft
    from server.interchange.reading.repairs import RepairLog

DEFAULT_DAY_CHANGE = timedelta(hours=6)
"""A clock time before this belongs to the night after the day it is listed under, as Giggity reads it."""


_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 24 * 60
_MOST = timedelta(hours=23, minutes=59)


def zone_of(draft: FileDraft, log: RepairLog) -> ZoneInfo:
    """The file's zone; without a usable name the offset most of its dates have, and UTC where that names no zone."""
    name = values.text(draft.time_zone_name)
    zone = values.zone(name) if name else None
    if zone is None:
        guessed = _zone_of_dates(draft.sessions)
        fault = f"time zone {shown(name)} is not known" if name else "no time zone is named"
        log.note("conference", f"{fault}; {guessed} was taken after the offsets of the dates")
        return ZoneInfo(guessed)
    if zone.key != name:
        log.note("conference", f"time zone {shown(name)} was taken as {zone.key}")
    return zone


def _zone_of_dates(sessions: Iterable[SessionDraft]) -> str:
    offsets: Counter[timedelta] = Counter()
    for session in sessions:
        moment = values.moment(session.date) or values.moment(session.start)
        if moment is not None and (offset := moment.utcoffset()) is not None:
            offsets[offset] += 1
    most = offsets.most_common(1)
    return (values.zone_of_offset(most[0][0]) if most else None) or "UTC"


def span_of(draft: SessionDraft, zone: ZoneInfo, day_change: timedelta, log: RepairLog) -> Span | None:
    """None where the file does not say when the session starts."""
    written = values.moment(draft.date) or values.moment(draft.start)
    if written is None:
        starts_at = _start_by_clock(draft, zone, day_change, log)
    else:
        starts_at = values.instant(written, zone)
        _compare(written, starts_at, draft, zone, log)
    return None if starts_at is None else Span(starts_at, _end(draft, starts_at, zone, log))


def _compare(written: datetime, starts_at: datetime, draft: SessionDraft, zone: ZoneInfo, log: RepairLog) -> None:
    local = starts_at.astimezone(zone)
    if written.tzinfo is None:
        log.note(draft.where, f"its date has no offset; taken as the time in {zone.key}")
    elif written.utcoffset() != local.utcoffset():
        log.note(draft.where, f"its date has another offset than {zone.key} has then; the instant it names was kept")
    clock = values.clock(draft.start)
    if clock is None:
        return
    if all(clock // _MINUTE % _DAY_MINUTES != at.hour * 60 + at.minute for at in (written, local)):
        log.note(draft.where, "its start is not the time of its date; the date was taken")


def _start_by_clock(draft: SessionDraft, zone: ZoneInfo, day_change: timedelta, log: RepairLog) -> datetime | None:
    clock = values.clock(draft.start)
    own = values.calendar_date(draft.date)
    listed = own or values.calendar_date(draft.day.date)
    if clock is None or listed is None:
        return None
    log.note(draft.where, f"no date with a time; day and start taken as the time in {zone.key}")
    same, following = (
        values.instant(datetime.combine(listed, time.min) + clock + timedelta(days=days), zone) for days in (0, 1)
    )
    if own is not None:
        return same
    inside = [at for at in (same, following) if _within(at, draft.day, zone)]
    after_midnight = inside[0] == following if len(inside) == 1 else clock < day_change
    if after_midnight:
        log.note(draft.where, "a start in the small hours; taken as the night after the day it is listed under")
    return following if after_midnight else same


def _within(at: datetime, day: DayDraft, zone: ZoneInfo) -> bool:
    first, last = values.moment(day.start), values.moment(day.end)
    return first is not None and last is not None and values.instant(first, zone) <= at < values.instant(last, zone)


def _end(draft: SessionDraft, starts_at: datetime, zone: ZoneInfo, log: RepairLog) -> datetime:
    """The end where one is given, else start and duration, else a default; later than the start in any case."""
    written, length = values.moment(draft.end), values.duration(draft.duration)
    if written is not None:
        ends_at = values.instant(written, zone)
        if timedelta() < ends_at - starts_at <= values.LONGEST_SESSION:
            if length is not None and not _same(ends_at - starts_at, length):
                log.note(draft.where, "its duration is not the time from start to end; the end was taken")
            return ends_at
        log.note(draft.where, "its end is not after its start, or many days later; left out")
    elif values.text(draft.end):
        log.note(draft.where, "its end is no date with a time; left out")
    if length is None:
        minutes = DEFAULT_DURATION // _MINUTE
        fault = "cannot be read" if values.text(draft.duration) else "is missing"
        log.note(draft.where, f"its duration {fault}; {minutes} minutes were taken")
    return (starts_at + (length or DEFAULT_DURATION)).astimezone(UTC)


def _same(true: timedelta, written: timedelta) -> bool:
    """Whole minutes, and one minute less than a day for all that is longer: files with an end beside it write that."""
    return abs(true - written) < _MINUTE or (written == _MOST and true > _MOST)
