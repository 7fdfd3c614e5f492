"""Frab's schedule.xml, also as Pentabarf, pretalx, wafer and the hub of the congresses write it.

Facts after the public XSD (https://c3voc.de/schedule/schema.xsd) and after what real files do instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.interchange.errors import UnreadableSchedule
from server.interchange.frab.draft import (
    DayDraft,
    FileDraft,
    LinkDraft,
    PersonDraft,
    RoomDraft,
    SessionDraft,
    TrackDraft,
)
from server.interchange.frab.extra import put, unknown_parts
from server.interchange.frab.mend import language_of, programme_of
from server.interchange.frab.xml_tree import Node, tree_of
from server.interchange.reading.repairs import Kind, RepairLog
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Extra, LinkKind, Programme

_TIMES = frozenset({"date", "start", "end", "duration"})
_EVENT_TEXTS = frozenset({"title", "subtitle", "abstract", "description", "language", "url", "logo", "state"}) | _TIMES
_ADDRESSES: tuple[tuple[str, LinkKind], ...] = (("feedback_url", "feedback"), ("video_download_url", "recording"))
_LISTS: tuple[tuple[str, LinkKind], ...] = (("links", "link"), ("attachments", "file"))
_EVENT_PARTS = _EVENT_TEXTS | {"type", "room", "slug", "feedback_url", "video_download_url"}
_EVENT_TREES = frozenset({"track", "persons", "recording", "links", "attachments"})
_RECORDING_PARTS = frozenset({"license", "optout", "url", "link"})
_ABOUT_THE_FILE = frozenset({"generator", "url"})
"""Who wrote the file and where it lies, nothing about the event."""

_CONFERENCE_PARTS = frozenset(
    {"title", "acronym", "release", "time_zone_name", "base_url", "day_change", "start", "end", "days"}
)
"""`start`, `end` and `days` say again what the sessions say."""

_META = frozenset({"BREAK", "META"})
"""Types of version 2, which our own files have here too: no event, but what stands between the events."""


def read(text: str, *, filename: str = "") -> Programme:
    """Raises `UnreadableSchedule` for what is no XML, no schedule, or without any session."""
    root = tree_of(text)
    if root.tag != "schedule":
        raise UnreadableSchedule(
            f"line {root.line}: the outermost element is {shown(root.tag)}, not `schedule`; give a frab schedule.xml"
        )
    log = RepairLog()
    return programme_of(_draft(root, log), log, filename=filename)


def _draft(root: Node, log: RepairLog) -> FileDraft:
    conference = root.child("conference") or Node("conference", {}, root.line)
    fields = _texts(conference, _CONFERENCE_PARTS, "conference", log)
    own = _texts(root, _ABOUT_THE_FILE | {"version"}, "schedule", log)
    days = [node for node in root.children if node.tag == "day"]
    return FileDraft(
        title=fields.get("title"),
        acronym=fields.get("acronym"),
        version=own.get("version") or fields.get("release"),
        time_zone_name=fields.get("time_zone_name"),
        base_url=fields.get("base_url"),
        day_change=fields.get("day_change"),
        language=language_of(own.get("url")),
        days=tuple(_day(node) for node in days),
        rooms=tuple(
            _room_element(room, log)
            for node in days
            for room in node.children
            if room.tag == "room" and _is_named(room)
        ),
        tracks=tuple(_track(node, log) for node in conference.children if node.tag == "track"),
        sessions=tuple(session for node in days for session in _sessions(node, log)),
        extra=_conference_extra(root, conference, fields, log),
    )


def _conference_extra(root: Node, conference: Node, fields: dict[str, str], log: RepairLog) -> Extra:
    """The conference's by their names; what stands around it within `schedule`."""
    extra = _unknown(conference, _CONFERENCE_PARTS | {"track"}, frozenset(), "conference", log)
    around = _unknown(root, _ABOUT_THE_FILE | {"version", "conference", "day"}, frozenset(), "schedule", log)
    put(extra, "acronym", fields.get("acronym", "").strip(), "conference", log)
    put(extra, "schedule", around, "schedule", log)
    return extra


def _unknown(node: Node, parts: frozenset[str], attributes: frozenset[str], kind: Kind, log: RepairLog) -> Extra:
    others = {name: value for name, value in node.attributes.items() if name not in attributes}
    return unknown_parts([child for child in node.children if child.tag not in parts], others, kind, log)


def _texts(node: Node, known: frozenset[str], kind: Kind, log: RepairLog) -> dict[str, str]:
    """The children that are `known`, by name; of several the first, and a note where another differs."""
    found: dict[str, str] = {}
    for child in node.children:
        if child.tag in known and child.text() != found.setdefault(child.tag, child.text()):
            log.note(f"line {child.line}", f"a second `{child.tag}` in the same {kind}; the first was kept")
    return found


def _day(node: Node) -> DayDraft:
    return DayDraft(date=node.get("date"), start=node.get("start"), end=node.get("end"))


def _track(node: Node, log: RepairLog) -> TrackDraft:
    return TrackDraft(
        guid=node.get("guid").lower(),
        slug=node.get("slug"),
        name=node.get("name") or node.text(),
        color=node.get("color"),
        extra=_unknown(node, frozenset(), frozenset({"name", "slug", "color"}), "track", log),
    )


def _sessions(node: Node, log: RepairLog) -> Iterator[SessionDraft]:
    """Of one day."""
    for field in node.attributes.keys() - {"date", "start", "end", "index"}:
        if node.get(field):
            log.unkept("day", field)
    day = _day(node)
    for child in node.children:
        if child.tag == "room":
            yield from _sessions_of_room(child, day, log)
        elif child.tag == "event":
            yield _session(child, day, None, log)
        else:
            log.unkept("day", child.tag)


def _sessions_of_room(node: Node, day: DayDraft, log: RepairLog) -> Iterator[SessionDraft]:
    room = _room_element(node, log)
    for child in node.children:
        if child.tag == "event":
            yield _session(child, day, room, log)


def _room_element(node: Node, log: RepairLog) -> RoomDraft:
    known = frozenset({"name", "guid", "capacity", "floor", "description"})
    return RoomDraft(
        guid=node.get("guid").lower(),
        slug=node.get("slug"),
        name=node.get("name"),
        description=node.get("description"),
        capacity=node.get("capacity"),
        floor=node.get("floor"),
        extra=_unknown(node, frozenset({"event"}), known, "room", log),
    )


def _session(node: Node, day: DayDraft, room: RoomDraft | None, log: RepairLog) -> SessionDraft:
    number, guid = node.get("id"), node.get("guid").lower()
    where = f"event id={number}" if number else f"event guid={guid}" if guid else f"line {node.line}"
    fields = _texts(node, _EVENT_PARTS, "event", log)
    track, persons, recording = (node.child(name) for name in ("track", "persons", "recording"))
    license_and_optout = {} if recording is None else _texts(recording, _RECORDING_PARTS, "event", log)
    kind = fields.get("type", "")
    return SessionDraft(
        where=where,
        guid=guid,
        id=number,
        slug=fields.get("slug", "").strip(),
        day=day,
        room=_room(room, fields.get("room", ""), where, log),
        track=_track(track, log) if track is not None else None,
        persons=tuple(_person(person, log) for person in persons.children) if persons is not None else (),
        kind=None if kind in _META else kind,
        meta=kind in _META,
        links=tuple(_links(node, fields, license_and_optout, log)),
        license=license_and_optout.get("license"),
        do_not_record=license_and_optout.get("optout"),
        extra=_event_extra(node, kind, recording, log),
        **{name: fields.get(name) for name in _EVENT_TEXTS},
    )


def _event_extra(node: Node, kind: str, recording: Node | None, log: RepairLog) -> Extra:
    extra = _unknown(node, _EVENT_PARTS | _EVENT_TREES, frozenset({"guid", "id"}), "event", log)
    if recording is not None:
        put(extra, "recording", _unknown(recording, _RECORDING_PARTS, frozenset(), "event", log), "event", log)
    if kind == "META":
        extra["type"] = kind
    return extra


def _links(node: Node, fields: dict[str, str], recording: dict[str, str], log: RepairLog) -> Iterator[LinkDraft]:
    for field, kind in _ADDRESSES:
        yield LinkDraft(url=fields.get(field), kind=kind, field=field)
    for field in ("url", "link"):
        yield LinkDraft(url=recording.get(field), kind="recording", field="recording")
    for field, kind in _LISTS:
        listed = node.child(field)
        for child in listed.children if listed is not None else ():
            yield _link(child, field, kind, log)


def _link(node: Node, field: str, kind: LinkKind, log: RepairLog) -> LinkDraft:
    """The address is `href`, else an element, else the text; the congress of 2025 had elements within."""
    inner = _texts(node, frozenset({"url", "href", "title"}), "event", log)
    own = node.own_text()
    url = node.get("href") or inner.get("href") or inner.get("url")
    return LinkDraft(
        url=url or own,
        title=inner.get("title") or node.get("title") or (own if url else None),
        kind=kind,
        field=field,
        extra=_unknown(node, frozenset({"url", "href", "title"}), frozenset({"href", "title"}), "event", log),
    )


def _is_named(node: Node) -> bool:
    return bool(node.get("name") or node.get("guid"))


def _room(around: RoomDraft | None, written: str, where: str, log: RepairLog) -> RoomDraft | None:
    """The room element around the event; the event's own `room` where there is none."""
    name = written.strip()
    if around is None or not (around.name or around.guid):
        return RoomDraft(name=name) if name else None
    if name and around.name and name != around.name:
        log.note(where, "its `room` is not the room it is listed under; the room it is listed under was taken")
    return around


def _person(node: Node, log: RepairLog) -> PersonDraft:
    parts = frozenset({"name", "public_name", "biography", "tagline", "organisation", "avatar", "url"})
    fields = _texts(node, parts, "speaker", log)
    number, guid = node.get("id"), node.get("guid").lower()
    known = frozenset({"guid", "name", "role"})
    links = node.child("links")
    return PersonDraft(
        guid=guid,
        id="" if number == "0" else number,
        name=node.get("name") or fields.get("public_name") or fields.get("name") or node.own_text(),
        organisation=fields.get("organisation"),
        tagline=fields.get("tagline"),
        bio=fields.get("biography"),
        photo=fields.get("avatar"),
        role=node.get("role").lower(),
        links=(
            *((LinkDraft(url=fields["url"], field="url"),) if fields.get("url") else ()),
            *(_link(link, "links", "link", log) for link in (links.children if links is not None else ())),
        ),
        extra=_unknown(node, parts | {"links"}, known if guid and number != "0" else known | {"id"}, "speaker", log),
    )
