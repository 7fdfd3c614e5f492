"""When a session of a JSON programme is: as two instants, with a note of what was mended, on the clocks of one zone."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from server.interchange.errors import UnreadableSchedule
from server.interchange.reading import values
from server.interchange.reading.spans import DEFAULT_DURATION, Span
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from server.interchange.json_lists.draft import FileDraft, SessionDraft
    from server.interchange.reading.repairs import RepairLog

_MENTION = re.compile(
    r"\b(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][A-Za-z_-]+(?:/[A-Z][A-Za-z_-]+)?"
)
_NOON = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*([ap])\.?\s?m\.?", re.IGNORECASE)
_RANGE = re.compile(r"\s*(\d{1,2}[:.h]\d{2})\s*(?:-|–|—|to|à)\s*(\d{1,2}[:.h]\d{2})\s*")

_SECONDS = range(10**9, 10**10)
_MILLISECONDS = range(10**12, 10**13)
"""Numbers that are moments since 1970: the years 2001 to 2286, in either unit."""

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def moment(value: object) -> datetime | None:
    """A date with a time, naive where it has no offset; or a moment since 1970 in seconds or milliseconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value if value in _SECONDS else value // 1000 if value in _MILLISECONDS else None
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return values.moment(value)


def clock(value: object) -> timedelta | None:
    """Since midnight: `09:30`, `9h30`, `9.30`, `9:30 pm`."""
    written = values.text(value) if isinstance(value, str) else ""
    if found := _NOON.fullmatch(written):
        hour, minute = int(found[1]), int(found[2] or 0)
        if not 1 <= hour <= 12 or minute > 59:
            return None
        return timedelta(hours=hour % 12 + (12 if found[3].lower() == "p" else 0), minutes=minute)
    return values.clock(re.sub(r"(?<=\d)[.hH](?=\d\d$)", ":", written))


def clock_range(value: object) -> tuple[str, str] | None:
    """The two clocks of `09:00 - 10:00`, which programmes made by hand have in one field."""
    found = _RANGE.fullmatch(values.text(value))
    return (found[1], found[2]) if found else None


def zone_of(draft: FileDraft, given: str | None, log: RepairLog) -> ZoneInfo:
    """The file's own zone, the one given for it, one its remarks name, the offset most of its times have; in this order.

    Raises `UnreadableSchedule` where there is none of them, for a time without a zone is no time.
    """
    name = values.text(draft.timezone)
    own = values.zone(name) if name else None
    if name and own is None:
        log.note("the whole file", f"time zone {shown(name)} is not known; left out")
    if own is not None:
        if own.key != name:
            log.note("the whole file", f"time zone {shown(name)} was taken as {own.key}")
        return own
    if given is not None:
        log.note("the whole file", f"no time zone is named; {given} was taken, as given for the event")
        return ZoneInfo(given)
    return _zone_by_the_way(draft, log)


def _zone_by_the_way(draft: FileDraft, log: RepairLog) -> ZoneInfo:
    for remark in draft.remarks:
        for found in _MENTION.findall(remark):
            if (zone := values.zone(found)) is not None:
                log.note("the whole file", f"no field names the time zone; {zone.key} was taken after a remark in it")
                return zone
    offset = _usual_offset(draft.sessions)
    if offset is None:
        raise UnreadableSchedule(
            "line 1: its times have no offset and it names no time zone: give the event's zone along with the file, "
            "for instance Africa/Casablanca"
        )
    guessed = values.zone_of_offset(offset) or "UTC"
    log.note("the whole file", f"no time zone is named; {guessed} was taken after the offsets of the times")
    return ZoneInfo(guessed)


def _usual_offset(sessions: Iterable[SessionDraft]) -> timedelta | None:
    """None where a time stands without an offset, or where there are no times at all."""
    offsets: Counter[timedelta] = Counter()
    for session in sessions:
        at = moment(session.starts)
        if at is not None and (offset := at.utcoffset()) is not None:
            offsets[offset] += 1
        elif at is not None or clock(session.starts) is not None or values.calendar_date(session.date) is not None:
            return None
    most = offsets.most_common(1)
    return most[0][0] if most else timedelta()


def span_of(draft: SessionDraft, zone: ZoneInfo, log: RepairLog) -> Span | None:
    """None where the session says no start."""
    starts_at = _instant(draft.starts, draft.date, zone, draft.where, log)
    return None if starts_at is None else Span(starts_at, _end(draft, starts_at, zone, log))


def _instant(value: object, written_day: object, zone: ZoneInfo, where: str, log: RepairLog) -> datetime | None:
    at = moment(value)
    if at is not None:
        if at.tzinfo is None:
            log.note(where, f"its times have no offset; taken as the time in {zone.key}")
        return values.instant(at, zone)
    since, day = clock(value), values.calendar_date(written_day)
    if since is None or day is None:
        return None
    log.note(where, f"a day and a clock; taken as the time in {zone.key}")
    return values.instant(datetime.combine(day, time.min) + since, zone)


def _end(draft: SessionDraft, starts_at: datetime, zone: ZoneInfo, log: RepairLog) -> datetime:
    """The end where one is given, else start and length, else a default; later than the start in any case."""
    length = values.duration(draft.duration)
    ends_at = _given_end(draft, starts_at, zone)
    if ends_at is not None:
        if timedelta() < ends_at - starts_at <= values.LONGEST_SESSION:
            return ends_at
        log.note(draft.where, "its end is not after its start, or many days later; left out")
    elif values.text(draft.ends):
        log.note(draft.where, "its end is no time; left out")
    if length is None:
        minutes = DEFAULT_DURATION // _MINUTE
        fault = "cannot be read" if values.text(draft.duration) else "is missing"
        log.note(draft.where, f"its duration {fault}; {minutes} minutes were taken")
    return starts_at + (length or DEFAULT_DURATION)


def _given_end(draft: SessionDraft, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    at = moment(draft.ends)
    if at is not None:
        return values.instant(at, zone)
    since = clock(draft.ends)
    if since is None:
        return None
    local = starts_at.astimezone(zone)
    midnight = datetime.combine(local.date(), time.min)
    same = values.instant(midnight + since, zone)
    if same > starts_at or clock(draft.starts) == since:
        return same
    over_night = values.instant(midnight + since + _DAY, zone)
    return over_night if over_night - starts_at <= _DAY / 2 else same


def days_of(spans: Iterable[Span], zone: ZoneInfo) -> dict[date, Span]:
    """Every day's first start and last end."""
    found: dict[date, Span] = {}
    for span in spans:
        day = span.starts_at.astimezone(zone).date()
        so_far = found.setdefault(day, span)
        found[day] = Span(min(so_far.starts_at, span.starts_at), max(so_far.ends_at, span.ends_at))
    return found


def whole_day(written: object, days: dict[date, Span], zone: ZoneInfo) -> Span | None:
    """From a day's first start to its last end; from midnight on where nothing else is on that day."""
    day = values.calendar_date(written)
    if day is None:
        return None
    midnight = datetime.combine(day, time.min)
    return days.get(day) or Span(values.instant(midnight, zone), values.instant(midnight + _DAY, zone))
