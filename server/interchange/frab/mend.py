"""From what a schedule file says to a `Programme`: mends what can be mended and notes each mend."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from msgspec import structs

from server.interchange.errors import UnreadableSchedule
from server.interchange.frab.additions import complete
from server.interchange.frab.days import day_begins_of, days_of
from server.interchange.frab.people import Speakers
from server.interchange.frab.places import Kinds, Rooms, Tracks
from server.interchange.frab.sessions import Desk, place, session_of
from server.interchange.frab.times import DEFAULT_DAY_CHANGE, zone_of
from server.interchange.programme import Programme, Texts
from server.interchange.reading import values
from server.interchange.reading.session_keys import keys_of, numbers_of
from server.interchange.reading.texts import UNDETERMINED, localized, plain, shown

if TYPE_CHECKING:
    from server.interchange.frab.draft import FileDraft
    from server.interchange.reading.repairs import RepairLog

_DAY = timedelta(days=1)


def programme_of(draft: FileDraft, log: RepairLog, *, filename: str = "") -> Programme:
    """The whole file. Raises `UnreadableSchedule` where no session is left."""
    stated = _day_change(draft, log)
    desk = _desk(draft, DEFAULT_DAY_CHANGE if stated is None else stated, log)
    title, version = _title(draft, filename, desk), _version(draft, log)
    _read_lists(draft, desk)
    placed = [found for session in draft.sessions if (found := place(session, desk))]
    if not placed:
        raise UnreadableSchedule(_emptiness(draft))
    identities = [each.identity for each in placed]
    sessions = [
        session_of(key, number, each, desk)
        for key, number, each in zip(keys_of(identities, log), numbers_of(identities, log), placed, strict=True)
    ]
    programme = Programme(
        title=title,
        timezone=desk.zone.key,
        day_begins=day_begins_of(stated, draft.days, placed, desk.zone),
        version=version,
        days=days_of(draft.days, desk.zone, log),
        rooms=desk.rooms.all(),
        tracks=desk.tracks.all(),
        kinds=desk.kinds.all(),
        speakers=desk.speakers.all(),
        sessions=tuple(sessions),
        extra=draft.extra,
    )
    return structs.replace(complete(programme, draft.additions, log), repairs=log.repairs())


def _desk(draft: FileDraft, day_change: timedelta, log: RepairLog) -> Desk:
    tag, base_url = draft.language or UNDETERMINED, values.text(draft.base_url)
    return Desk(
        log=log,
        zone=zone_of(draft, log),
        day_change=day_change,
        base_url=base_url,
        language=draft.language,
        rooms=Rooms(log, tag),
        tracks=Tracks(log, tag),
        kinds=Kinds(),
        speakers=Speakers(log, base_url=base_url, tag=tag),
    )


def language_of(url: object) -> str:
    """The language of a file in its own address, as our files have it: `…/schedule.xml?lang=ar`. Empty where none is."""
    try:
        named = parse_qs(urlsplit(values.text(url)).query).get("lang", [""])
    except ValueError:
        return ""
    return values.language(named[0]) or ""


def _emptiness(draft: FileDraft) -> str:
    if not draft.sessions:
        return "no session at all in the file: export the schedule again once it is published"
    first, count = draft.sessions[0].where, len(draft.sessions)
    return f"{first}: no session from here on, {count} in all, has a usable start and a public state; complete them"


def _day_change(draft: FileDraft, log: RepairLog) -> timedelta | None:
    written = values.clock(draft.day_change)
    if values.text(draft.day_change) and (written is None or written >= _DAY):
        log.note("conference", "`day_change` is no time of day; 06:00 was taken")
        return DEFAULT_DAY_CHANGE
    return written


def _title(draft: FileDraft, filename: str, desk: Desk) -> Texts:
    tag, log = desk.language or UNDETERMINED, desk.log
    title = localized(draft.title, tag, where="conference", field="title", log=log)
    if title:
        return title
    instead = values.text(draft.acronym) or values.text(PurePath(filename).name.partition(".")[0]) or "Programme"
    log.note("conference", f"no title; {shown(instead)} was taken")
    return {tag: instead}


def _version(draft: FileDraft, log: RepairLog) -> str:
    version = plain(draft.version, where="schedule", field="version", log=log)
    if not version:
        log.note("schedule", "no version is given; left empty")
    return version


def _read_lists(draft: FileDraft, desk: Desk) -> None:
    for room in draft.rooms:
        if desk.rooms.add(room, "list of rooms") is None and not room.guid:
            desk.log.note("list of rooms", "a room without a name; left out")
    for track in draft.tracks:
        desk.tracks.enlist(track, "list of tracks")
    for person in draft.people:
        desk.speakers.add(person, "list of persons")
