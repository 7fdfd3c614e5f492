"""iCalendar (RFC 5545, RFC 7986) as a `Programme`: what calendars and conference tools export.

Read tolerantly: CR CR LF, folds within a character, `;CHARSET=`, texts with their line breaks as they are, Windows'
zones and a file's own, several calendars in one file. `extra` has what a `Programme` has no place for, by the names of
the properties; DTSTAMP, CREATED, LAST-MODIFIED and SEQUENCE are of the export and not of the programme.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from server.interchange.errors import UnreadableSchedule
from server.interchange.ical.event import (
    BOOKKEEPING,
    Desk,
    Read,
    mark_of,
    place_of,
    session_of,
    texts,
    title_of,
    unread,
)
from server.interchange.ical.marks import PROGRAMME, ProgrammeMark, one_of, programme_mark
from server.interchange.ical.named import Register
from server.interchange.ical.repeats import repeats
from server.interchange.ical.times import When, span_of, when
from server.interchange.ical.tree import calendars_of
from server.interchange.ical.zones import Clock, Zones
from server.interchange.programme import Kind, Programme, Room, Session, Speaker, Texts, Track
from server.interchange.reading import values
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.session_keys import Identity, keys_of
from server.interchange.reading.spans import Span
from server.interchange.reading.texts import UNDETERMINED, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from server.interchange.ical.tree import Component
    from server.interchange.programme import Extra

MAX_SESSIONS = 20_000
"""Of a file, every time of an event that repeats counted."""

_CALENDAR = frozenset(
    {"VERSION", "PRODID", "METHOD", "CALSCALE", "NAME", "X-WR-CALNAME", "X-WR-TIMEZONE", "LAST-MODIFIED"}
    | {"REFRESH-INTERVAL", "X-PUBLISHED-TTL", "SOURCE", PROGRAMME}
)
_HIDDEN = frozenset({"PRIVATE", "CONFIDENTIAL"})
_NAMES = ("NAME", "X-WR-CALNAME", "X-WR-CALDESC")


def read(text: str, *, filename: str = "", timezone: str | None = None) -> Programme:
    """`timezone`, an IANA name, is the event's own: times without a zone are taken as times in it, unless the file names one.

    Raises `UnreadableSchedule` for what is no calendar, is cut short, or has no event to show.
    """
    log = RepairLog()
    calendars = calendars_of(text, log)
    zones = Zones(calendars, log)
    events = [(each, calendar) for calendar in calendars for each in calendar.components if each.name == "VEVENT"]
    if not events:
        raise UnreadableSchedule("no session at all in the file: it has no VEVENT; export the calendar again")
    desk = Desk(
        log=log,
        zones=zones,
        zone=_zone(calendars, [event for event, _ in events], zones, timezone, log),
        rooms=Register[Room](),
        tracks=Register[Track](),
        kinds=Register[Kind](),
        speakers=Register[Speaker](),
        keeper=_keeper([event for event, _ in events], log),
    )
    title, used = _title(calendars[0], filename, log)
    sessions = _sessions(events, desk)
    mark = _mark(calendars[0], log)
    return Programme(
        title=title,
        timezone=desk.zone.key,
        day_begins=mark.day_begins,
        version=mark.version or "",
        rooms=desk.rooms.all(),
        tracks=desk.tracks.all(),
        kinds=desk.kinds.all(),
        speakers=desk.speakers.all(),
        sessions=sessions,
        extra=_extra(calendars, used, log),
        repairs=log.repairs(),
    )


def _zone(
    calendars: Sequence[Component], events: Sequence[Component], zones: Zones, timezone: str | None, log: RepairLog
) -> ZoneInfo:
    """What the calendar says; else its only zone, the zone most events are in, the event's own, UTC."""
    said = (each.value.strip() for calendar in calendars for each in calendar.all("X-WR-TIMEZONE"))
    starts = (event.first("DTSTART") for event in events)
    used = Counter(tzid for start in starts if start and (tzid := start.parameters.get("TZID")))
    for name in (*(name for name in said if name), *(name for name, _ in used.most_common(3))):
        zone = zones.named(name)
        if zone is not None and not isinstance(zone, Clock):
            return zone
    only = zones.only()
    if only is not None:
        return only
    guessed = timezone or "UTC"
    log.note("conference", f"no time zone is named; {guessed}{', the event’s own,' if timezone else ''} was taken")
    return ZoneInfo(guessed)


def _keeper(events: Sequence[Component], log: RepairLog) -> str:
    organisers = {each.value if (each := event.first("ORGANIZER")) else "" for event in events}
    if len(events) < 3 or len(organisers) > 1 or organisers == {""}:
        return ""
    log.note("the whole file", "every event has the same ORGANIZER, who keeps the calendar; not taken as a speaker")
    return next(iter(organisers))


def _title(calendar: Component, filename: str, log: RepairLog) -> tuple[Texts, str]:
    """And the name of the property it was taken from."""
    for name in _NAMES:
        title = texts(calendar, name, "conference", log)
        if title:
            return title, name
    instead = values.text(PurePath(filename).name.partition(".")[0]) or "Programme"
    log.note("conference", f"no title; {shown(instead)} was taken")
    return {UNDETERMINED: instead}, ""


def _mark(calendar: Component, log: RepairLog) -> ProgrammeMark:
    written = calendar.first(PROGRAMME)
    mark = programme_mark(written.value) if written else ProgrammeMark()
    if mark is None:
        log.note("conference", f"`{PROGRAMME}` cannot be read; left out")
    return mark or ProgrammeMark()


def _extra(calendars: Sequence[Component], used: str, log: RepairLog) -> Extra:
    found: Extra = {}
    for calendar in calendars:
        scale = calendar.first("CALSCALE")
        if scale is not None and scale.value.strip().upper() != "GREGORIAN":
            log.note("conference", f"its calendar is {shown(values.text(scale.value))}; read as Gregorian")
        for name, value in unread(calendar, _CALENDAR | {used}).items():
            found.setdefault(name, value)
        for component in calendar.components:
            if component.name not in {"VEVENT", "VTIMEZONE"}:
                log.unkept("file", component.name[:80])
    return found


def _sessions(events: Sequence[tuple[Component, Component]], desk: Desk) -> tuple[Session, ...]:
    found: list[Read] = []
    for same in _by_uid(events).values():
        found.extend(_occurrences(_latest(same, desk.log), desk))
        if len(found) > MAX_SESSIONS:
            raise UnreadableSchedule(
                f"{found[-1].where}: more than {MAX_SESSIONS} sessions; leave out what is no programme"
            )
    if not found:
        raise UnreadableSchedule(
            f"line {events[0][0].line}: no event from here on, {len(events)} in all, has a usable start and is public"
        )
    titles = [title_of(each, desk.log) for each in found]
    identities = [_identity(each, title, desk) for each, title in zip(found, titles, strict=True)]
    keys = keys_of(identities, desk.log)
    sessions = (session_of(*each, desk) for each in zip(keys, titles, found, strict=True))
    return tuple(_with_own_numbers(sessions, desk.log))


def _by_uid(events: Sequence[tuple[Component, Component]]) -> dict[str, list[tuple[Component, Component]]]:
    """In the order of the file; an event without a UID stands alone."""
    found: defaultdict[str, list[tuple[Component, Component]]] = defaultdict(list)
    for event, calendar in events:
        uid = event.first("UID")
        found[values.text(uid.value) if uid and values.text(uid.value) else f"\n{event.line}"].append((event, calendar))
    return found


def _latest(same: list[tuple[Component, Component]], log: RepairLog) -> list[tuple[Component, Component]]:
    """The events of one UID without those that a higher SEQUENCE of the same RECURRENCE-ID replaces."""
    if len(same) == 1:
        return same
    newest: dict[str, int] = {}
    for event, _ in same:
        instance = _instance(event)
        newest[instance] = max(newest.get(instance, 0), _sequence(event))
    kept: list[tuple[Component, Component]] = []
    contents: set[tuple[tuple[str, str], ...]] = set()
    for event, calendar in same:
        content = tuple((each.name, each.value) for each in event.properties if each.name not in BOOKKEEPING)
        if content in contents:
            log.note(place_of(event), "the same event is there twice; one was kept")
        elif _sequence(event) < newest[_instance(event)]:
            log.note(place_of(event), "its UID is there with a higher SEQUENCE too, the newer version; that was kept")
        else:
            contents.add(content)
            kept.append((event, calendar))
    return kept


def _instance(event: Component) -> str:
    recurrence = event.first("RECURRENCE-ID")
    return recurrence.value.strip() if recurrence else ""


def _sequence(event: Component) -> int:
    written = event.first("SEQUENCE")
    digits = written.value.strip() if written else ""
    return int(digits) if digits.isdecimal() and len(digits) < 12 else 0


def _occurrences(same: list[tuple[Component, Component]], desk: Desk) -> Iterator[Read]:
    """Every time of the events of one UID; what has a RECURRENCE-ID stands for the time it names."""
    instances = [(event, calendar, _replaced(event, desk)) for event, calendar in same]
    changed = {at for _, _, at in instances if at is not None}
    first: datetime | None = None
    for event, calendar, replaced in sorted(instances, key=lambda instance: instance[2] is not None):
        where = place_of(event)
        start = _start(event, where, desk)
        if start is None:
            continue
        if replaced is None:
            first = first or start.instant()
        length = timedelta()
        for each in (start,) if replaced else repeats(event, start, desk.zones, desk.zone, where, desk.log):
            if replaced is None and each.instant() in changed:
                continue
            if not length:
                span = span_of(event, start, desk.zones, desk.zone, where, desk.log)
                length = span.ends_at - span.starts_at
            own = replaced or each.instant()
            suffix = "" if own == first or (not replaced and each == start) else f"/{own:%Y%m%dT%H%M%SZ}"
            yield _read(event, calendar, each, length, suffix, desk)


def _start(event: Component, where: str, desk: Desk) -> When | None:
    """None, and a note, for an event that is not for the public or has no start."""
    kept = event.first("CLASS")
    privacy = kept.value.strip().upper() if kept else ""
    if privacy in _HIDDEN:
        desk.log.note(where, f"its class is {privacy}; left out")
        return None
    written = event.first("DTSTART")
    start = when(written, desk.zones, desk.zone, where, desk.log) if written else None
    if start is None:
        desk.log.note(where, "no usable start; left out")
    return start


def _replaced(event: Component, desk: Desk) -> datetime | None:
    """The instant its RECURRENCE-ID names."""
    recurrence = event.first("RECURRENCE-ID")
    if recurrence is None:
        return None
    if recurrence.parameters.get("RANGE"):
        desk.log.note(place_of(event), "it changes all later times too; only the time it names was changed")
    at = when(recurrence, desk.zones, desk.zone, place_of(event), desk.log)
    return at.instant() if at else None


def _read(event: Component, calendar: Component, start: When, length: timedelta, suffix: str, desk: Desk) -> Read:
    method = calendar.first("METHOD")
    uid, mark = event.first("UID"), mark_of(event, desk.log)
    own = mark.key if mark else values.text(uid.value) if uid else ""
    return Read(
        event=event,
        where=place_of(event),
        uid=own and own + suffix,
        span=Span(start.instant(), start.instant() + length),
        whole_day=start.whole_day,
        mark=mark,
        cancelled=method is not None and method.value.strip().upper() == "CANCEL",
    )


def _identity(read: Read, title: Texts, desk: Desk) -> Identity:
    room = texts(read.event, "LOCATION", read.where, desk.log)
    return Identity(read.where, read.uid, "", read.span, one_of(title), one_of(room))


def _with_own_numbers(sessions: Iterable[Session], log: RepairLog) -> Iterator[Session]:
    seen: set[int] = set()
    for session in sessions:
        if session.number is not None and session.number in seen:
            log.note(f"session {shown(session.key)}", "its number is that of another session too; left out")
            yield msgspec.structs.replace(session, number=None)
        else:
            seen.update(() if session.number is None else (session.number,))
            yield session
