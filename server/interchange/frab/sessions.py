"""One session of a schedule file mended: from what the file says to a `Session`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.interchange.frab.columns import slug_of_session
from server.interchange.frab.links import address, links_of
from server.interchange.frab.times import span_of
from server.interchange.programme import SPEAKER, Session, Status, Texts
from server.interchange.reading import values
from server.interchange.reading.session_keys import Identity
from server.interchange.reading.texts import UNDETERMINED, first_text, localized, plain, shown

if TYPE_CHECKING:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from server.interchange.frab.draft import SessionDraft
    from server.interchange.frab.people import Speakers
    from server.interchange.frab.places import Kinds, Rooms, Tracks
    from server.interchange.programme import Extra
    from server.interchange.reading.repairs import RepairLog

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


class Placed(NamedTuple):
    draft: SessionDraft
    identity: Identity


class Desk(NamedTuple):
    """What the sessions of one file share while they are mended."""

    log: RepairLog
    zone: ZoneInfo
    day_change: timedelta
    base_url: str
    language: str
    """Of all the texts of the file; empty where it does not say."""
    rooms: Rooms
    tracks: Tracks
    kinds: Kinds
    speakers: Speakers


def place(draft: SessionDraft, desk: Desk) -> Placed | None:
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
    return Placed(draft, Identity(draft.where, draft.guid, draft.id, span, first_text(draft.title), room))


def session_of(key: str, number: int | None, placed: Placed, desk: Desk) -> Session:
    draft, where, log = placed.draft, placed.draft.where, desk.log
    spoken, spoken_tag = _languages(draft, log)
    tag = desk.language or spoken_tag

    def texts(field: str, value: object) -> Texts:
        return localized(value, tag, where=where, field=field, log=log)

    links, beyond = links_of(draft.links, desk.base_url, tag, where, log)
    speakers, roles = _speakers(draft, desk)
    return Session(
        key=key,
        number=number,
        title=texts("title", draft.title) or {UNDETERMINED: _stand_in(draft, log)},
        subtitle=texts("subtitle", draft.subtitle),
        abstract=texts("abstract", draft.abstract),
        description=texts("description", draft.description),
        starts_at=placed.identity.span.starts_at,
        ends_at=placed.identity.span.ends_at,
        room=None if draft.room is None else desk.rooms.add(draft.room, where),
        track=None if draft.track is None else desk.tracks.add(draft.track, where),
        kind=_kind(draft, desk),
        speakers=speakers,
        roles=roles,
        languages=spoken,
        service=draft.meta,
        url=address(draft.url, desk.base_url, where=where, field="url", log=log),
        logo_url=address(draft.logo, desk.base_url, where=where, field="logo", log=log),
        links=links,
        license=plain(draft.license, where=where, field="license", log=log),
        do_not_record=_yes(draft.do_not_record),
        status=_status(draft, log),
        extra=_extra(draft, number, beyond),
    )


def _kind(draft: SessionDraft, desk: Desk) -> str | None:
    tag = desk.language or UNDETERMINED
    return desk.kinds.add(localized(draft.kind, tag, where=draft.where, field="type", log=desk.log))


def _extra(draft: SessionDraft, number: int | None, links: Extra) -> Extra:
    """With the id that is no number of its own and the slug that is not made of the guid, as our own files make it."""
    extra = {**links, **draft.extra}
    if number is None and draft.id and draft.guid:
        extra["id"] = draft.id
    if draft.slug and draft.slug != slug_of_session(draft.guid):
        extra["slug"] = draft.slug
    return extra


def _yes(value: object) -> bool:
    return value is True or values.text(value).casefold() in {"true", "1", "yes"}


def _stand_in(draft: SessionDraft, log: RepairLog) -> str:
    log.note(draft.where, "no title; its place in the file stands for it")
    return draft.where


def _speakers(draft: SessionDraft, desk: Desk) -> tuple[tuple[str, ...], dict[str, str]]:
    """The keys in order, and the roles of those who are not simply speakers."""
    found: dict[str, str] = {}
    for person in draft.persons:
        key = desk.speakers.add(person, draft.where)
        if key is not None:
            found.setdefault(key, person.role or SPEAKER)
    return tuple(found), {key: role for key, role in found.items() if role != SPEAKER}


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
