"""One VEVENT as a session: its texts, its place, its people and its links, with a note of what was mended."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, get_args
from urllib.parse import urlsplit

from server.interchange.ical.lines import text_of, texts_of
from server.interchange.ical.marks import SESSION, SessionMark, cast, one_of, session_mark
from server.interchange.programme import Extra, Kind, Link, LinkKind, Room, Session, Speaker, Status, Texts, Track
from server.interchange.reading import values
from server.interchange.reading.texts import UNDETERMINED, localized, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from server.interchange.ical.named import Register
    from server.interchange.ical.tree import Component
    from server.interchange.ical.zones import Zones
    from server.interchange.reading.repairs import RepairLog
    from server.interchange.reading.spans import Span

BOOKKEEPING = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE"})
"""When which program wrote what how often: different in every export, and no part of a programme."""

_READ = frozenset(
    {"UID", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "DTSTART", "DTEND", "DURATION", "SUMMARY", "DESCRIPTION"}
    | {"LOCATION", "CATEGORIES", "STATUS", "CLASS", "URL", "ATTACH", "CONFERENCE", "IMAGE", "ORGANIZER", "ATTENDEE"}
    | {"CONTACT", SESSION}
    | BOOKKEEPING
)
_PARAMETERS = frozenset(
    {"LANGUAGE", "CHARSET", "VALUE", "TZID", "ENCODING", "CN", "ROLE", "CUTYPE", "FILENAME", "LABEL", "FEATURE"}
    | {"FMTTYPE", "DISPLAY", "X-DIGITALNOW-KIND", "X-VOBJ-ORIGINAL-TZID", "X-VOBJ-FLOATINGTIME-ALLOWED"}
)
_LINK_KINDS: dict[str, LinkKind] = {kind: kind for kind in get_args(LinkKind)}
_LINKS: dict[str, LinkKind] = {"ATTACH": "file", "CONFERENCE": "stream"}
_CANCELLED = frozenset({"CANCELLED", "CANCELED"})


class Desk(NamedTuple):
    """What the events of one file share while they are read."""

    log: RepairLog
    zones: Zones
    zone: ZoneInfo
    rooms: Register[Room]
    tracks: Register[Track]
    kinds: Register[Kind]
    speakers: Register[Speaker]
    keeper: str
    """The ORGANIZER of every event: whoever keeps the calendar, and so nobody's speaker."""


class Read(NamedTuple):
    """An event at one of its times, and the mark of a file of ours."""

    event: Component
    where: str
    uid: str
    span: Span
    whole_day: bool
    mark: SessionMark | None
    cancelled: bool
    """By the METHOD of its calendar."""


def place_of(event: Component) -> str:
    uid = event.first("UID")
    return f"event uid={values.text(uid.value)[:60]}" if uid and uid.value.strip() else f"line {event.line}"


def mark_of(event: Component, log: RepairLog) -> SessionMark | None:
    written = event.first(SESSION)
    mark = session_mark(written.value) if written else None
    if written is not None and mark is None:
        log.note(place_of(event), f"`{SESSION}` cannot be read; left out")
    return mark


def title_of(read: Read, log: RepairLog) -> Texts:
    title = texts(read.event, "SUMMARY", read.where, log)
    if title:
        return title
    log.note(read.where, "no title; its place in the file stands for it")
    return {UNDETERMINED: read.where}


def session_of(key: str, title: Texts, read: Read, desk: Desk) -> Session:
    mark, event = read.mark, read.event
    description = texts(event, "DESCRIPTION", read.where, desk.log)
    speakers, roles = _speakers(read, one_of(description), desk)
    track, kind, others = _categories(read, desk)
    if read.whole_day:
        desk.log.note(read.where, "a date without a time; taken as the whole day, as nothing that somebody presents")
    links = tuple(_links(read, desk.log))
    return Session(
        key=key,
        number=mark.number if mark else None,
        title=title,
        description=_without_cast(description, mark),
        starts_at=read.span.starts_at,
        ends_at=read.span.ends_at,
        room=_room(read, desk),
        track=track,
        kind=kind,
        speakers=speakers,
        roles=roles,
        languages=mark.languages if mark else (),
        service=read.whole_day or (mark is not None and mark.service),
        url=_url(read, "URL", desk.log),
        logo_url=_url(read, "IMAGE", desk.log),
        links=links,
        status=_status(read, desk.log),
        extra=_extra(read, others, desk.log),
    )


def texts(component: Component, name: str, where: str, log: RepairLog) -> Texts:
    """The texts of a property by their LANGUAGE; of two in one language the first."""
    found: Texts = {}
    for read in component.all(name):
        tag = values.language(read.parameters.get("LANGUAGE", "")) or UNDETERMINED
        for language, text in localized(text_of(read.value), tag, where=where, field=name, log=log).items():
            if found.setdefault(language, text) != text:
                log.note(where, f"`{name}` has two texts in one language; the first was kept")
    return found


def _without_cast(description: Texts, mark: SessionMark | None) -> Texts:
    """Less the first paragraph of our own files, which only says who speaks."""
    people = cast(mark.speakers) if mark else ""
    if not people:
        return description
    bare = (
        (language, text.removeprefix(people).strip() if f"{text}\n\n".startswith(f"{people}\n\n") else text)
        for language, text in description.items()
    )
    return {language: text for language, text in bare if text}


def _room(read: Read, desk: Desk) -> str | None:
    name = texts(read.event, "LOCATION", read.where, desk.log)
    marked = read.mark.room if read.mark else None
    if marked is not None and one_of(name) == marked.location():
        return desk.rooms.keyed(Room(key=marked.key, name=marked.name, floor=marked.floor))
    return desk.rooms.named(name, lambda key, found: Room(key=key, name=found)) if name else None


def _categories(read: Read, desk: Desk) -> tuple[str | None, str | None, list[str]]:
    """Track, kind and what else is named. A calendar does not say which is which: the first one is the track."""
    found = [
        (values.language(each.parameters.get("LANGUAGE", "")) or UNDETERMINED, values.text(name))
        for each in read.event.all("CATEGORIES")
        for name in texts_of(each.value)
    ]
    mark = read.mark
    if mark is not None and [name for _, name in found] == mark.categories():
        track = desk.tracks.keyed(Track(key=mark.track.key, name=mark.track.name)) if mark.track else None
        kind = desk.kinds.keyed(Kind(key=mark.kind.key, name=mark.kind.name)) if mark.kind else None
        return track, kind, []
    if not found:
        return None, None, []
    (tag, first), *others = found
    track = desk.tracks.named({tag: first}, lambda key, name: Track(key=key, name=name))
    return track, None, [name for _, name in others]


def _speakers(read: Read, description: str, desk: Desk) -> tuple[tuple[str, ...], dict[str, str]]:
    roles: dict[str, str] = {}
    keys: list[str] = []
    for marked in read.mark.speakers if read.mark else ():
        if one_of(marked.name) in description:
            person = Speaker(key=marked.key, name=marked.name, organisation=marked.organisation)
            keys.append(desk.speakers.keyed(person))
            if marked.role != "speaker":
                roles[keys[-1]] = marked.role
    for name, role in _people(read, desk):
        keys.append(desk.speakers.named(name, lambda key, found: Speaker(key=key, name=found)))
        if role:
            roles.setdefault(keys[-1], role)
    return tuple(dict.fromkeys(keys)), roles


def _people(read: Read, desk: Desk) -> Iterator[tuple[Texts, str]]:
    """Whoever ORGANIZER, ATTENDEE and CONTACT name. Their mail addresses are theirs and are not kept."""
    for each in read.event.properties:
        if each.name == "CONTACT" and (name := values.text(text_of(each.value))):
            yield {values.language(each.parameters.get("LANGUAGE", "")) or UNDETERMINED: name}, ""
        elif each.name in {"ORGANIZER", "ATTENDEE"} and not (each.name == "ORGANIZER" and each.value == desk.keeper):
            name = values.text(text_of(each.parameters.get("CN", "")))
            if each.parameters.get("CUTYPE", "").upper() in {"ROOM", "RESOURCE"}:
                desk.log.unkept("event", f"{each.name} of a room or a thing")
            elif not name or "@" in name:
                desk.log.note(read.where, f"`{each.name}` has an address and no name; left out")
            else:
                yield {UNDETERMINED: name}, "chair" if each.parameters.get("ROLE", "").upper() == "CHAIR" else ""


def _links(read: Read, log: RepairLog) -> Iterator[Link]:
    for each in read.event.properties:
        if each.name not in _LINKS:
            continue
        url = web(each.value)
        if url is None:
            log.note(read.where, f"`{each.name}` is no address of the web; left out")
            continue
        title = values.text(each.parameters.get("FILENAME") or each.parameters.get("LABEL"))
        tag = values.language(each.parameters.get("LANGUAGE", "")) or UNDETERMINED
        kind = _LINK_KINDS.get(each.parameters.get("X-DIGITALNOW-KIND", ""), _LINKS[each.name])
        yield Link(url=url, title={tag: title} if title else {}, kind=kind)


def _url(read: Read, name: str, log: RepairLog) -> str | None:
    written = read.event.first(name)
    url = web(written.value) if written else None
    if written is not None and written.value.strip() and url is None:
        log.note(read.where, f"`{name}` is no address of the web; left out")
    return url


def web(written: str) -> str | None:
    """A whole http address, and no other: a link must not run a script."""
    url = values.text(written)
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc and not values.NOT_TEXT.search(written) else None


def _status(read: Read, log: RepairLog) -> Status:
    written = read.event.first("STATUS")
    status = written.value.strip().upper() if written else ""
    if status in _CANCELLED or read.cancelled:
        return "cancelled"
    if status not in {"CONFIRMED", ""}:
        log.note(read.where, f"its status is {shown(values.text(status))}; taken as confirmed")
    marked = read.mark.status if read.mark else "scheduled"
    return "scheduled" if marked == "cancelled" else marked


def _extra(read: Read, categories: list[str], log: RepairLog) -> Extra:
    found = unread(read.event, _READ)
    if categories:
        found["CATEGORIES"] = categories
    for each in read.event.properties:
        for name in each.parameters.keys() - _PARAMETERS:
            log.unkept("event", f"{each.name};{name}"[:80])
    for component in read.event.components:
        log.unkept("event", component.name[:80])
    return found


def unread(component: Component, known: frozenset[str]) -> Extra:
    """Every other property with something in it: its text, or the list of its texts where there are several."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in component.properties:
        if each.name not in known and (text := values.text(text_of(each.value))):
            found[each.name].append(text)
    singly: dict[str, Any] = {name: each[0] if len(each) == 1 else each for name, each in found.items()}
    return singly
