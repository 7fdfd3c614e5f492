"""Frab's schedule.xml, also as Pentabarf, pretalx, wafer and the hub of the congresses write it.

Facts after the public XSD (https://c3voc.de/schedule/schema.xsd) and after what real files do instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.interchange.errors import UnreadableSchedule
from server.interchange.frab_draft import DayDraft, FileDraft, PersonDraft, RoomDraft, SessionDraft, TrackDraft
from server.interchange.frab_mend import programme_of
from server.interchange.frab_repairs import Kind, RepairLog
from server.interchange.frab_texts import shown
from server.interchange.frab_tree import Node, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Programme

_TIMES = frozenset({"date", "start", "end", "duration"})
_EVENT_TEXTS = frozenset({"title", "subtitle", "abstract", "description", "language", "url", "state"}) | _TIMES
_EVENT_PARTS = _EVENT_TEXTS | {"type", "room", "track", "persons"}
_SCHEDULE_PARTS = frozenset({"generator", "version", "conference", "day"})
_CONFERENCE_PARTS = frozenset(
    {"title", "acronym", "release", "time_zone_name", "base_url", "day_change", "track", "start", "end", "days"}
)
"""`start`, `end` and `days` say again what the sessions say."""

_SINGLE = (_EVENT_PARTS | _CONFERENCE_PARTS | {"version", "name", "public_name", "biography"}) - {"track", "persons"}
"""Elements of which the first one is read and a different second one is reported."""


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
    own = _texts(root, _SCHEDULE_PARTS, "schedule", log)
    return FileDraft(
        title=fields.get("title"),
        acronym=fields.get("acronym"),
        version=own.get("version") or fields.get("release"),
        time_zone_name=fields.get("time_zone_name"),
        base_url=fields.get("base_url"),
        day_change=fields.get("day_change"),
        tracks=tuple(_track(node, log) for node in conference.children if node.tag == "track"),
        sessions=tuple(_sessions(root, log)),
    )


def _texts(node: Node, known: frozenset[str], kind: Kind, log: RepairLog) -> dict[str, str]:
    """The children that are `known`, by name; the others are counted where they hold something."""
    found: dict[str, str] = {}
    for child in node.children:
        if child.tag not in known:
            if child.holds_something():
                log.unkept(kind, child.tag)
        elif child.tag in _SINGLE and child.tag in found:
            if child.text() != found[child.tag]:
                log.note(f"line {child.line}", f"a second `{child.tag}` in the same {kind}; the first was kept")
        elif child.tag in _SINGLE:
            found[child.tag] = child.text()
    return found


def _attributes(node: Node, known: set[str], kind: Kind, log: RepairLog) -> None:
    for name, value in node.attributes.items():
        if name not in known and value.strip():
            log.unkept(kind, name)


def _track(node: Node, log: RepairLog) -> TrackDraft:
    _attributes(node, {"name", "slug", "color", "guid"}, "track", log)
    return TrackDraft(
        guid=node.get("guid").lower(),
        slug=node.get("slug"),
        name=node.get("name") or node.text(),
        color=node.get("color"),
    )


def _sessions(root: Node, log: RepairLog) -> Iterator[SessionDraft]:
    for node in (child for child in root.children if child.tag == "day"):
        _attributes(node, {"date", "start", "end", "index"}, "day", log)
        day = DayDraft(date=node.get("date"), start=node.get("start"), end=node.get("end"))
        for child in node.children:
            if child.tag == "room":
                yield from _sessions_of_room(child, day, log)
            elif child.tag == "event":
                yield _session(child, day, None, log)
            else:
                log.unkept("day", child.tag)


def _sessions_of_room(node: Node, day: DayDraft, log: RepairLog) -> Iterator[SessionDraft]:
    _attributes(node, {"name", "guid", "slug", "capacity"}, "room", log)
    room = RoomDraft(
        guid=node.get("guid").lower(), slug=node.get("slug"), name=node.get("name"), capacity=node.get("capacity")
    )
    for child in node.children:
        if child.tag == "event":
            yield _session(child, day, room, log)
        else:
            log.unkept("room", child.tag)


def _session(node: Node, day: DayDraft, room: RoomDraft | None, log: RepairLog) -> SessionDraft:
    _attributes(node, {"guid", "id"}, "event", log)
    number, guid = node.get("id"), node.get("guid").lower()
    where = f"event id={number}" if number else f"event guid={guid}" if guid else f"line {node.line}"
    fields = _texts(node, _EVENT_PARTS, "event", log)
    track, persons = node.child("track"), node.child("persons")
    return SessionDraft(
        where=where,
        guid=guid,
        id=number,
        day=day,
        room=_room(room, fields.get("room", ""), where, log),
        track=_track(track, log) if track is not None else None,
        persons=tuple(_person(person, log) for person in persons.children) if persons is not None else (),
        kind=fields.get("type"),
        **{name: fields.get(name) for name in _EVENT_TEXTS},
    )


def _room(around: RoomDraft | None, written: str, where: str, log: RepairLog) -> RoomDraft | None:
    """The room element around the event; the event's own `room` where there is none."""
    name = written.strip()
    if around is None or not (around.name or around.guid):
        return RoomDraft(name=name) if name else None
    if name and around.name and name != around.name:
        log.note(where, "its `room` is not the room it is listed under; the room it is listed under was taken")
    return around


def _person(node: Node, log: RepairLog) -> PersonDraft:
    _attributes(node, {"guid", "id", "name"}, "speaker", log)
    fields = _texts(node, frozenset({"name", "public_name", "biography"}), "speaker", log)
    number = node.get("id")
    return PersonDraft(
        guid=node.get("guid").lower(),
        id="" if number == "0" else number,
        name=node.get("name") or fields.get("public_name") or fields.get("name") or node.own_text(),
        bio=fields.get("biography"),
    )
