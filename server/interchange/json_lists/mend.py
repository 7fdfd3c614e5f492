"""From what a JSON programme says to a `Programme`: mends what can be mended and notes each mend."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.errors import UnreadableSchedule
from server.interchange.json_lists import parts
from server.interchange.json_lists.keys import Placed, keys_of, once_each
from server.interchange.json_lists.parts import Register, address_of, links_of
from server.interchange.json_lists.times import days_of, span_of, whole_day, zone_of
from server.interchange.programme import SPEAKER, Kind, Programme, Room, Session, Speaker, Texts, Track
from server.interchange.reading import values
from server.interchange.reading.repairs import WHOLE
from server.interchange.reading.texts import UNDETERMINED, first_text, localized, plain, shown

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from server.interchange.json_lists.draft import FileDraft, PartDraft, PersonDraft, SessionDraft
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.reading.spans import Span

_LARGEST_NUMBER = 2**31 - 1

_TONGUES = {
    "arabic": "ar", "arabe": "ar", "العربية": "ar", "french": "fr", "français": "fr", "francais": "fr", "الفرنسية": "fr",
    "english": "en", "anglais": "en", "الإنجليزية": "en", "darija": "ary", "ary": "ary", "amazigh": "zgh", "zgh": "zgh",
    "tamazight": "zgh", "الأمازيغية": "zgh", "german": "de", "deutsch": "de", "allemand": "de", "spanish": "es",
    "español": "es", "espagnol": "es", "italian": "it", "italiano": "it", "italien": "it", "portuguese": "pt",
    "português": "pt", "dutch": "nl", "nederlands": "nl", "polish": "pl", "polski": "pl", "turkish": "tr",
    "japanese": "ja", "chinese": "zh", "hindi": "hi", "ukrainian": "uk", "russian": "ru", "swedish": "sv",
    "danish": "da", "norwegian": "no", "finnish": "fi", "czech": "cs",
}  # fmt: skip
"""Languages by the names that organisers write into forms."""


class _Desk(NamedTuple):
    """What the sessions of one file share while they are mended."""

    log: RepairLog
    zone: ZoneInfo
    numbers: set[int]
    rooms: Register[Room, PartDraft]
    tracks: Register[Track, PartDraft]
    kinds: Register[Kind, PartDraft]
    speakers: Register[Speaker, PersonDraft]


def programme_of(draft: FileDraft, log: RepairLog, *, filename: str, timezone: str | None) -> Programme:
    """The whole file. Raises `UnreadableSchedule` where no session is left, or no zone tells what its times mean."""
    if not draft.sessions:
        raise UnreadableSchedule("no session at all in the file: export it again once the programme is published")
    desk = _Desk(
        log=log,
        zone=zone_of(draft, timezone, log),
        numbers=set(),
        rooms=parts.rooms(log),
        tracks=parts.tracks(log),
        kinds=parts.kinds(log),
        speakers=parts.speakers(log),
    )
    title = _title(draft, filename, log)
    _read_lists(draft, desk)
    placed = once_each(_placed(draft, desk), log)
    if not placed:
        count, first = len(draft.sessions), draft.sessions[0].where
        raise UnreadableSchedule(f"no session of {count}, from {first} on, says when it starts; complete them"[:199])
    keys = keys_of(placed, desk.zone, repeats=draft.repeats, log=log)
    sessions = tuple(_session(key, each, desk) for key, each in zip(keys, placed, strict=True))
    return Programme(
        title=title,
        timezone=desk.zone.key,
        version=plain(draft.version, where=WHOLE, field="version", log=log),
        rooms=desk.rooms.all(),
        tracks=desk.tracks.all(),
        kinds=desk.kinds.all(),
        speakers=desk.speakers.all(),
        sessions=sessions,
        extra=draft.extra,
        repairs=log.repairs(),
    )


def _title(draft: FileDraft, filename: str, log: RepairLog) -> Texts:
    title = localized(draft.title, UNDETERMINED, where=WHOLE, field="title", log=log)
    if title:
        return title
    instead = values.text(PurePath(filename).name.partition(".")[0]) or "Programme"
    log.note(WHOLE, f"no title; {shown(instead)} was taken")
    return {UNDETERMINED: instead}


def _read_lists(draft: FileDraft, desk: _Desk) -> None:
    def where(noun: str, entry: PartDraft | PersonDraft) -> str:
        return f"{noun} {entry.id[:40]}" if entry.id else f"list of {noun}s"

    for room in draft.rooms:
        desk.rooms.enlist(room, where("room", room))
    for track in draft.tracks:
        desk.tracks.enlist(track, where("track", track))
    for kind in draft.kinds:
        desk.kinds.enlist(kind, where("kind", kind))
    for person in draft.people:
        desk.speakers.enlist(person, where("speaker", person))


def _placed(draft: FileDraft, desk: _Desk) -> list[Placed]:
    """With a span each. What has a day and no time at all lasts as long as that day's programme."""
    spans = [span_of(session, desk.zone, desk.log) for session in draft.sessions]
    days = days_of((span for span in spans if span is not None), desk.zone)
    found = []
    for session, span in zip(draft.sessions, spans, strict=True):
        during = span or _during_the_day(session, days, desk)
        if during is None:
            desk.log.note(session.where, "no usable start; left out")
            continue
        room = "" if session.room is None else session.room.id or first_text(session.room.name)
        found.append(Placed(session, during, first_text(session.title), room))
    return found


def _during_the_day(session: SessionDraft, days: dict[date, Span], desk: _Desk) -> Span | None:
    if values.text(session.starts):
        return None
    span = whole_day(session.date, days, desk.zone)
    if span is not None:
        desk.log.note(session.where, "a day and no time; taken as lasting from the day's first start to its last end")
    return span


def _session(key: str, placed: Placed, desk: _Desk) -> Session:
    draft, where, log = placed.draft, placed.draft.where, desk.log
    spoken = languages_of(draft.language, where, log)
    tag = spoken[0].partition("-")[0] if len(spoken) == 1 else UNDETERMINED

    def texts(field: str, value: object) -> Texts:
        return localized(value, tag, where=where, field=field, log=log)

    speakers, roles = _people(draft, desk)
    return Session(
        key=key,
        number=_number(draft, desk),
        title=texts("title", draft.title) or {UNDETERMINED: _stand_in(draft, log)},
        subtitle=texts("subtitle", draft.subtitle),
        abstract=texts("abstract", draft.abstract),
        description=texts("description", draft.description),
        starts_at=placed.span.starts_at,
        ends_at=placed.span.ends_at,
        room=None if draft.room is None else desk.rooms.meet(draft.room, where),
        track=None if draft.track is None else desk.tracks.meet(draft.track, where),
        kind=None if draft.kind is None else desk.kinds.meet(draft.kind, where),
        speakers=speakers,
        roles=roles,
        languages=spoken,
        service=draft.service,
        url=address_of(draft.url, where, "url", log),
        logo_url=address_of(draft.logo, where, "image", log),
        links=links_of(draft.links, where, log),
        license=plain(draft.license, where=where, field="license", log=log),
        do_not_record=draft.do_not_record,
        status=draft.status,
        extra=draft.extra,
    )


def _stand_in(draft: SessionDraft, log: RepairLog) -> str:
    log.note(draft.where, "no title; its place in the file stands for it")
    return draft.where


def _number(draft: SessionDraft, desk: _Desk) -> int | None:
    """The first to have a number keeps it: no two sessions may share one."""
    written = values.text(draft.number)
    number = int(written) if re.fullmatch("[0-9]{1,10}", written) else 0
    if not 0 < number <= _LARGEST_NUMBER or number in desk.numbers:
        return None
    desk.numbers.add(number)
    return number


def _people(draft: SessionDraft, desk: _Desk) -> tuple[tuple[str, ...], dict[str, str]]:
    roles: dict[str, str] = {}
    for person in draft.people:
        key = desk.speakers.meet(person, draft.where)
        if key is not None and roles.setdefault(key, person.role or SPEAKER) == SPEAKER:
            roles[key] = person.role or SPEAKER
    return tuple(roles), {key: role for key, role in roles.items() if role != SPEAKER}


def languages_of(value: object, where: str, log: RepairLog) -> tuple[str, ...]:
    """The tags of a tag, of the name of a language, or of a list of either."""
    written = [values.text(entry) for entry in value] if isinstance(value, list) else [first_text(value)]
    found: list[str] = []
    for entry in filter(None, written):
        tags = tags_of(entry)
        if not tags:
            log.note(where, f"language {shown(entry)} is not known; left out")
        found += tags
    return tuple(dict.fromkeys(found))


def tags_of(written: str) -> list[str]:
    """The tags in `fr`, `fr, ar`, `French / Arabic`; no other word of three letters or more is taken for a tag."""
    words = [word for word in re.split(r"[\s,;/|&+]+", written) if word]
    tags = [_TONGUES.get(word.casefold()) or _tag(word) for word in words]
    return [tag for tag in tags if tag]


def _tag(word: str) -> str | None:
    tag = values.language(word)
    return tag if tag is not None and len(tag.partition("-")[0]) == 2 else None
