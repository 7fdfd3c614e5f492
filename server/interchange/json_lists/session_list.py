"""Lists of sessions in the JSON of an app or a website, whatever it calls its fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.json_lists.draft import FileDraft, LinkDraft, PartDraft, PersonDraft, SessionDraft
from server.interchange.json_lists.parts import web_address
from server.interchange.json_lists.session_fields import has_field, sorted_fields
from server.interchange.json_lists.times import clock_range, moment
from server.interchange.reading.json_values import Map, identifier, is_empty, objects
from server.interchange.reading.texts import UNDETERMINED, first_text
from server.interchange.reading.values import calendar_date, language, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import LinkKind, Status
    from server.interchange.reading.repairs import RepairLog

_DEPTH = 8
"""Objects and lists around a session: file, days, rooms, sessions, each with a list."""

_BREAK = re.compile(
    r"\b(?:registration|check-?in|breaks?|lunch|breakfast|dinner|coffee|tea|snacks?|networking|prayers?|reception|"
    r"inscriptions?|accueil|pauses?|déjeuner|petit-déjeuner|dîner|café|prière|cocktail)\b|"
    r"استراحة|التسجيل|تسجيل|غداء|الغداء|عشاء|فطور|قهوة|صلاة|الصلاة",
    re.IGNORECASE,
)
_LONGEST_BREAK_TITLE = 5
"""Words. `How to break a monolith before lunch` is a talk."""

_STATES: dict[str, Status] = {
    "cancelled": "cancelled", "canceled": "cancelled", "moved": "moved", "delayed": "delayed", "postponed": "delayed"
}  # fmt: skip
_HIDDEN = frozenset({"draft", "submitted", "rejected", "withdrawn", "deleted", "declined", "private", "hidden"})
_LINKS: dict[str, LinkKind] = {"recording": "recording", "stream": "stream", "file": "file", "feedback": "feedback"}
_ROLES = {"moderators": "moderator", "panelists": "panelist", "hosts": "host"}


class _Found(NamedTuple):
    """A session where it lies, with what the objects and lists around it say for all that is in them."""

    entry: Map
    place: str
    date: object
    room: object


def recognises(file: object) -> bool:
    return next(_sessions(file, "", None, None, _DEPTH), None) is not None


def draft_of(file: object, log: RepairLog) -> FileDraft:
    content: Map = file if isinstance(file, dict) else {}
    fields, extra = sorted_fields(content, "file")
    about = _about(content, extra)
    named = fields.get("title")
    if not isinstance(named, str) and not _is_texts(named):
        named = about.get("title")
    lists = {name: fields.get(name) for name in ("speakers", "rooms", "tracks")}
    return FileDraft(
        title=named,
        timezone=fields.get("timezone") or about.get("timezone"),
        remarks=tuple(_remarks(content)),
        version=fields.get("version"),
        rooms=tuple(_part(entry, "room") for entry in _listed(lists["rooms"], "rooms", log)),
        tracks=tuple(_part(entry, "track") for entry in _listed(lists["tracks"], "tracks", log)),
        people=tuple(_person(entry, log) for entry in _listed(lists["speakers"], "speakers", log)),
        sessions=tuple(draft for found in _sessions(file, "", None, None, _DEPTH) if (draft := _session(found, log))),
        extra={name: value for name, value in extra.items() if not _holds_sessions(value)},
    )


def _about(content: Map, extra: Map) -> Map:
    """What an object such as `event` or `conference` says of the whole; all of it stays in `extra` too."""
    for name, value in content.items():
        if (
            name.casefold() in {"event", "conference", "info", "meta"}
            and isinstance(value, dict)
            and not _is_texts(value)
        ):
            fields, rest = sorted_fields(value, "file")
            if rest := {field: left for field, left in rest.items() if not _holds_sessions(left)}:
                extra[name] = rest
            return fields
    return {}


def _remarks(content: Map) -> Iterator[str]:
    """Texts beside the sessions, and one level down: `{"event": {"note": …}}`."""
    for value in content.values():
        for inner in (value, *(value.values() if isinstance(value, dict) else ())):
            if isinstance(inner, str):
                yield inner


def _is_texts(value: object) -> bool:
    """A text in several languages: `{"fr": …, "ar": …}`."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(len(name) <= 7 and language(name) and isinstance(said, str) for name, said in value.items())
        and not {"id", "name"} & value.keys()
    )


def _is_session(entry: Map) -> bool:
    return has_field(entry, "session", "title") and has_field(entry, "session", "starts", "date")


def _holds_sessions(value: object) -> bool:
    return next(_sessions(value, "", None, None, _DEPTH - 1), None) is not None


def _sessions(value: object, place: str, date: object, room: object, depth: int) -> Iterator[_Found]:
    """Lists of sessions wherever they are: in days, in rooms, by date."""
    if depth == 0:
        return
    if isinstance(value, list):
        for index, entry in enumerate(value, start=1):
            inner = list(_sessions(entry, f"{place} {index}", date, room, depth - 1))
            if inner:  # a day or a hall, though it has a name and a date itself
                yield from inner
            elif isinstance(entry, dict) and _is_session(entry):
                yield _Found(entry, f"{place or 'session'} {index}", date, room)
    elif isinstance(value, dict):
        day, hall = _says_for_all(value)
        for name, entry in value.items():
            if isinstance(entry, dict) and _is_map_of_sessions(name, entry):
                yield from (
                    _Found({"id": key, **inner}, key[:40], day or date, hall or room) for key, inner in entry.items()
                )
            elif isinstance(entry, list | dict):
                own = name if calendar_date(name) is not None else day or date
                yield from _sessions(entry, name[:40], own, hall or room, depth - 1)


def _is_map_of_sessions(name: str, value: Map) -> bool:
    """`{"sessions": {"a1": {…}, "a2": {…}}}`, as some databases export: the id is outside."""
    return (
        bool(value)
        and has_field({name: value}, "file", "sessions")
        and all(isinstance(entry, dict) and _is_session(entry) for entry in value.values())
    )


def _says_for_all(value: Map) -> tuple[object, object]:
    """The date of a day, the name of a room."""
    fields, _ = sorted_fields(value, "session")
    day = next((fields[name] for name in ("date", "starts") if calendar_date(fields.get(name)) is not None), None)
    named = fields.get("room")
    return day, named if isinstance(named, str) else None


def _session(found: _Found, log: RepairLog) -> SessionDraft | None:
    """None, and a note, for one that is not for the public."""
    fields, extra = sorted_fields(found.entry, "session")
    number = identifier(fields.get("id"))
    where = f"session {number[:40]}" if number else found.place
    state = text(fields.get("status")).casefold()
    if state in _HIDDEN:
        log.note(where, f"its state is {state}; left out")
        return None
    times = _times(fields, found.date)
    links, people = tuple(_links(fields, extra)), tuple(_people(fields, log))
    extra |= _not_placed(fields, state)
    return SessionDraft(
        where=where,
        id=number,
        number=fields.get("id"),
        title=_text(fields.get("title")),
        subtitle=_text(fields.get("subtitle")),
        abstract=_text(fields.get("abstract")),
        description=_text(fields.get("description")),
        date=times.date,
        starts=times.starts,
        ends=times.ends,
        duration=fields.get("duration"),
        room=_part_of(fields.get("room", found.room), "room"),
        track=_part_of(fields.get("track"), "track"),
        kind=_part_of(fields.get("kind"), "track"),
        people=people,
        language=_languages(fields.get("language")),
        service=_is_service(fields, people, where, log),
        url=_page(fields, extra),
        logo=_image(fields, extra),
        links=links,
        license=fields.get("license"),
        do_not_record=fields.get("unrecorded") is True,
        status="cancelled" if fields.get("cancelled") is True else _STATES.get(state, "scheduled"),
        extra=extra,
    )


def _not_placed(fields: Map, state: str) -> Map:
    """What a session has one of and the file several, and flags that are none: the first counts, all are kept."""
    several = {name: fields[name] for name in ("room", "track", "kind") if _length(fields.get(name)) > 1}
    flags = ("cancelled", "service", "unrecorded")
    odd = {name: fields[name] for name in flags if name in fields and not isinstance(fields[name], bool)}
    return several | odd | ({"status": fields["status"]} if "status" in fields and state not in _STATES else {})


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


class _Times(NamedTuple):
    date: object
    starts: object
    ends: object


def _times(fields: Map, day: object) -> _Times:
    """A field that should be a time may be a day, two clocks, or both a day and a time."""
    starts, ends, date = fields.get("starts"), fields.get("ends"), fields.get("date")
    if starts is None and moment(date) is not None:
        starts = date
    if (both := clock_range(starts)) is not None:
        starts, ends = both[0], ends or both[1]
    return _Times(
        date=date or (starts if _is_day(starts) else day),
        starts=None if _is_day(starts) else starts,
        ends=None if _is_day(ends) else ends,
    )


def _is_day(value: object) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text(value)))


def _page(fields: Map, extra: Map) -> object:
    address = fields.get("url")
    if address is None or isinstance(address, str):
        return address
    extra["url"] = address
    return None


def _image(fields: Map, extra: Map) -> object:
    """Its address; a file's name or an object with sizes is kept as it is."""
    image = fields.get("logo")
    if image is None or web_address(image):
        return image
    extra["image"] = image
    return None


def _languages(value: object) -> object:
    return [identifier(entry) for entry in value] if isinstance(value, list) else value


def _text(value: object) -> object:
    """Lines, each perhaps in several languages, are one text; whatever else is left for the mender to judge."""
    if not isinstance(value, list):
        return value
    lines: dict[str, list[str]] = {}
    for entry in value:
        for tag, line in (entry if isinstance(entry, dict) else {UNDETERMINED: entry}).items():
            if text(line):
                lines.setdefault(tag, []).append(text(line))
    return {tag: "\n".join(several) for tag, several in lines.items()}


def _is_service(fields: Map, people: tuple[PersonDraft, ...], where: str, log: RepairLog) -> bool:
    said = fields.get("service")
    if isinstance(said, bool):
        return said
    title = first_text(fields.get("title"))
    kind = first_text(fields.get("kind")).casefold()
    if kind in {"break", "service", "pause", "meal", "lunch", "registration"}:
        return True
    short = not fields.get("description") and len(title.split()) <= _LONGEST_BREAK_TITLE
    nothing_else = not re.search(r"\w", _BREAK.sub("", title))
    if not people and (short or nothing_else) and _BREAK.search(title):
        log.note(where, "taken as a break after its title")
        return True
    return False


def _links(fields: Map, extra: Map) -> Iterator[LinkDraft]:
    """What is no address is kept under the field's plain name."""
    for name, kind in _LINKS.items():
        value = fields.get(name)
        for entry in value if isinstance(value, list) else [value]:
            address = (
                next((entry[part] for part in ("url", "href", "link") if part in entry), None)
                if isinstance(entry, dict)
                else entry
            )
            if web_address(address):
                yield LinkDraft(url=address, kind=kind, title=entry.get("title") if isinstance(entry, dict) else None)
            elif not is_empty(entry):
                extra.setdefault(name, []).append(entry)


def _people(fields: Map, log: RepairLog) -> Iterator[PersonDraft]:
    for field in ("speakers", *_ROLES):
        value = fields.get(field)
        several = re.split(r"\s*[;\n]\s*", value) if isinstance(value, str) else value
        for entry in several if isinstance(several, list) else [several]:
            role = _ROLES.get(field, "")
            if isinstance(entry, dict):
                yield _person({"name": entry} if _is_texts(entry) else entry, log, role)
            elif text(entry):
                written = text(entry)
                yield (
                    PersonDraft(id=written, role=role)
                    if not re.search(r"\s", written)
                    else PersonDraft(name=written, role=role)
                )


def _listed(value: object, what: str, log: RepairLog) -> Iterator[Map]:
    if isinstance(value, list):
        value = [{"name": entry} if isinstance(entry, str) or _is_texts(entry) else entry for entry in value]
    yield from objects(value, f"list of {what}", what, log)


def _part_of(value: object, thing: str) -> PartDraft | None:
    """A name, a number, an object, or the first of a list of them."""
    if isinstance(value, list):
        value = next((entry for entry in value if not is_empty(entry)), None)
    if isinstance(value, dict) and not _is_texts(value):
        return _part(value, thing)
    if isinstance(value, int) and not isinstance(value, bool):
        return PartDraft(id=text(value))
    return None if is_empty(value) or value is True else PartDraft(name=value)


def _part(entry: Map, thing: str) -> PartDraft:
    fields, extra = sorted_fields(entry, thing)
    return PartDraft(
        id=identifier(fields.get("id")),
        name=_text(fields.get("name")),
        description=_text(fields.get("description")),
        capacity=fields.get("capacity"),
        floor=fields.get("floor"),
        color=fields.get("color"),
        extra={name: value for name, value in extra.items() if not _holds_sessions(value)},
    )


def _person(entry: Map, log: RepairLog, role: str = "") -> PersonDraft:
    fields, extra = sorted_fields(entry, "speaker")
    parts = " ".join(part for name in ("first", "last") if (part := text(fields.get(name))))
    if "private" in fields:
        log.unkept("speaker", "email or telephone")
    links = [*_links_of_person(fields.get("links"), extra)]
    own = [name for name, value in extra.items() if web_address(value)]
    links += [LinkDraft(url=extra.pop(name), title=name) for name in own]
    return PersonDraft(
        id=identifier(fields.get("id")),
        name=_text(fields.get("name")) or parts or None,
        organisation=_text(fields.get("organisation")),
        tagline=_text(fields.get("tagline")),
        bio=_text(fields.get("bio")),
        photo=_photo(fields, extra),
        links=tuple(links),
        role=role,
        extra=extra,
    )


def _photo(fields: Map, extra: Map) -> object:
    photo = fields.get("photo")
    if photo is None or web_address(photo):
        return photo
    extra["photo"] = photo
    return None


def _links_of_person(value: object, extra: Map) -> Iterator[LinkDraft]:
    """A list of addresses or of objects with one, or an object of addresses by network."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else [("", entry) for entry in value]
        if isinstance(value, list)
        else [("", value)]
    )
    for name, entry in pairs:
        address = entry.get("url") or entry.get("href") if isinstance(entry, dict) else entry
        title = (
            next((entry[part] for part in ("title", "name", "type") if text(entry.get(part))), None)
            if isinstance(entry, dict)
            else name
        )
        if web_address(address):
            yield LinkDraft(url=address, title=title or None)
        elif not is_empty(entry):
            extra.setdefault("links", []).append({name: entry} if name else entry)
