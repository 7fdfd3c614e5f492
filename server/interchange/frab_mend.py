"""From what a schedule file says to a `Programme`: mends what can be mended and notes each mend."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from server.interchange import frab_values as values
from server.interchange.errors import UnreadableSchedule
from server.interchange.frab_keys import Placed, keys_of
from server.interchange.frab_people import Speakers
from server.interchange.frab_places import Kinds, Rooms, Tracks
from server.interchange.frab_texts import UNDETERMINED, first_text, localized, plain, shown
from server.interchange.frab_times import DEFAULT_DAY_CHANGE, span_of, zone_of
from server.interchange.programme import Programme, Session, Status, Texts

if TYPE_CHECKING:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from server.interchange.frab_draft import FileDraft, SessionDraft
    from server.interchange.frab_repairs import RepairLog

_STATUS: dict[str, Status] = {
    "": "scheduled",
    "CONFIRMED": "scheduled",
    "ACCEPTED": "scheduled",
    "SCHEDULED": "scheduled",
    "MOVED": "moved",
    "DELAYED": "delayed",
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
}
"""The states of schedule.json version 2 in which a session is shown, and the spellings met beside them."""

_HIDDEN = frozenset({"DRAFT", "SUBMITTED", "REJECTED", "WITHDRAWN", "DELETED"})
"""States of version 2 that are not for the public."""


class _Desk(NamedTuple):
    """What the sessions of one file share while they are mended."""

    log: RepairLog
    zone: ZoneInfo
    day_change: timedelta
    base_url: str
    rooms: Rooms
    tracks: Tracks
    kinds: Kinds
    speakers: Speakers


def programme_of(draft: FileDraft, log: RepairLog, *, filename: str = "") -> Programme:
    """The whole file. Raises `UnreadableSchedule` where no session is left."""
    desk = _Desk(
        log=log,
        zone=zone_of(draft, log),
        day_change=_day_change(draft, log),
        base_url=values.text(draft.base_url),
        rooms=Rooms(log),
        tracks=Tracks(log),
        kinds=Kinds(),
        speakers=Speakers(log),
    )
    title, version = _title(draft, filename, log), _version(draft, log)
    _read_lists(draft, desk)
    placed = [found for session in draft.sessions if (found := _place(session, desk))]
    if not placed:
        raise UnreadableSchedule(_emptiness(draft))
    keys = keys_of(placed, log)
    sessions = tuple(_session(key, each, desk) for key, each in zip(keys, placed, strict=True))
    return Programme(
        title=title,
        timezone=desk.zone.key,
        version=version,
        rooms=desk.rooms.all(),
        tracks=desk.tracks.all(),
        kinds=desk.kinds.all(),
        speakers=desk.speakers.all(),
        sessions=sessions,
        repairs=log.repairs(),
    )


def _emptiness(draft: FileDraft) -> str:
    if not draft.sessions:
        return "no session at all in the file: export the schedule again once it is published"
    first, count = draft.sessions[0].where, len(draft.sessions)
    return f"{first}: no session from here on, {count} in all, has a usable start and a public state; complete them"


def _day_change(draft: FileDraft, log: RepairLog) -> timedelta:
    written = values.clock(draft.day_change)
    if written is None and values.text(draft.day_change):
        log.note("conference", "`day_change` is no time of day; 06:00 was taken")
    return DEFAULT_DAY_CHANGE if written is None else written


def _title(draft: FileDraft, filename: str, log: RepairLog) -> Texts:
    title = localized(draft.title, UNDETERMINED, where="conference", field="title", log=log)
    if title:
        return title
    instead = values.text(draft.acronym) or values.text(PurePath(filename).name.partition(".")[0]) or "Programme"
    log.note("conference", f"no title; {shown(instead)} was taken")
    return {UNDETERMINED: instead}


def _version(draft: FileDraft, log: RepairLog) -> str:
    version = plain(draft.version, where="schedule", field="version", log=log)
    if not version:
        log.note("schedule", "no version is given; left empty")
    return version


def _read_lists(draft: FileDraft, desk: _Desk) -> None:
    for room in draft.rooms:
        if desk.rooms.add(room, "list of rooms") is None:
            desk.log.note("list of rooms", "a room without a name; left out")
    for track in draft.tracks:
        desk.tracks.enlist(track, "list of tracks")
    for person in draft.people:
        desk.speakers.add(person, "list of persons")


def _place(draft: SessionDraft, desk: _Desk) -> Placed | None:
    """None, and a note, for a session that is not public or has no start."""
    state = values.text(draft.state).upper()
    if state in _HIDDEN:
        desk.log.note(draft.where, f"its state is {state}; left out")
        return None
    span = span_of(draft, desk.zone, desk.day_change, desk.log)
    if span is None:
        desk.log.note(draft.where, "no usable start; left out")
        return None
    room = "" if draft.room is None else first_text(draft.room.name) or draft.room.guid
    return Placed(draft=draft, span=span, title=first_text(draft.title), room=room)


def _session(key: str, placed: Placed, desk: _Desk) -> Session:
    draft, where = placed.draft, placed.draft.where
    spoken, tag = _languages(draft, desk.log)

    def texts(field: str, value: object) -> Texts:
        return localized(value, tag, where=where, field=field, log=desk.log)

    return Session(
        key=key,
        title=texts("title", draft.title) or {UNDETERMINED: _stand_in(draft, desk.log)},
        subtitle=texts("subtitle", draft.subtitle),
        abstract=texts("abstract", draft.abstract),
        description=texts("description", draft.description),
        starts_at=placed.span.starts_at,
        ends_at=placed.span.ends_at,
        room=None if draft.room is None else desk.rooms.add(draft.room, where),
        track=None if draft.track is None else desk.tracks.add(draft.track, where),
        speakers=_speakers(draft, desk),
        kind=desk.kinds.add(localized(draft.kind, UNDETERMINED, where=where, field="type", log=desk.log)),
        languages=spoken,
        url=_url(draft, desk),
        status=_status(draft, desk.log),
    )


def _stand_in(draft: SessionDraft, log: RepairLog) -> str:
    log.note(draft.where, "no title; its place in the file stands for it")
    return draft.where


def _speakers(draft: SessionDraft, desk: _Desk) -> tuple[str, ...]:
    keys = (desk.speakers.add(person, draft.where) for person in draft.persons)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _languages(draft: SessionDraft, log: RepairLog) -> tuple[tuple[str, ...], str]:
    """The languages on stage, and the tag for the session's texts: its first part, or `und` unless it is exactly one."""
    written = plain(draft.language, where=draft.where, field="language", log=log)
    if not written:
        return (), UNDETERMINED
    one = values.language(written)
    if one is not None:
        return (one,), one.partition("-")[0]
    several = values.languages(written)
    if not several:
        log.note(draft.where, f"language {shown(written)} is no language tag; left out")
        return (), UNDETERMINED
    return several, UNDETERMINED


def _status(draft: SessionDraft, log: RepairLog) -> Status:
    state = values.text(draft.state).upper()
    if state not in _STATUS:
        log.note(draft.where, f"state {shown(state)} is not known; taken as confirmed")
    return _STATUS.get(state, "scheduled")


def _url(draft: SessionDraft, desk: _Desk) -> str | None:
    """An http address, relative ones after the file's `base_url`; no other, for a link must not run a script."""
    written = plain(draft.url, where=draft.where, field="url", log=desk.log)
    if not written:
        return None
    try:
        whole = urljoin(desk.base_url, written)
        parts = urlsplit(whole)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        desk.log.note(draft.where, "`url` is no address of the web; left out")
        return None
    return whole
