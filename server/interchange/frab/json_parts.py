"""The objects of a schedule.json, versions 1 and 2: events, rooms, tracks, persons and links, as drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.interchange.frab.draft import DayDraft, LinkDraft, PersonDraft, RoomDraft, SessionDraft, TrackDraft
from server.interchange.frab.extra import put, unknown_fields
from server.interchange.reading import values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Extra, LinkKind
    from server.interchange.reading.repairs import RepairLog

_Map = dict[str, Any]

_TIMES = frozenset({"date", "start", "end", "duration"})
_PLAIN = frozenset({"title", "subtitle", "abstract", "description", "language", "url", "logo", "state"}) | _TIMES
_LINK_FIELDS: tuple[tuple[str, LinkKind], ...] = (
    ("feedback_url", "feedback"),
    ("video_download_url", "recording"),
    ("links", "link"),
    ("attachments", "file"),
)
_PARTS = frozenset({"guid", "id", "slug", "room", "track", "persons", "participants", "type"})
_RECORDING = frozenset({"recording", "recording_license", "do_not_record"})
_EVENT_FIELDS = _PLAIN | _PARTS | _RECORDING | {field for field, _ in _LINK_FIELDS}
_NO_NULL = frozenset({"title", "date", "start", "duration", "room", "type", "url", "persons"})
"""Fields that the standard does not let be null and that a session has use for."""

_META = frozenset({"BREAK", "META"})

_ROOM_FIELDS = frozenset({"guid", "name", "description", "capacity", "floor"})
_TRACK_FIELDS = frozenset({"name", "slug", "description", "color"})
_NAMES = ("name", "public_name", "full_public_name")
_ORGANISATIONS = ("organisation", "organization", "affiliation", "company")
_PHOTOS = ("avatar", "avatar_url", "photo", "photo_url")
_PERSON_FIELDS = frozenset({"guid", "role", "biography", "tagline", "url", "links"})


def entries(owner: _Map, field: str, where: str, log: RepairLog) -> Iterator[_Map]:
    """The objects of a list; a name alone is an object with that name. Nothing else is passed over in silence."""
    found = owner.get(field)
    if found is not None and not isinstance(found, list):
        log.note(where, f"`{field}` is no list; left out")
        return
    for entry in found or ():
        if isinstance(entry, dict):
            yield entry
        elif isinstance(entry, str):
            yield {"name": entry}
        elif entry is not None:
            log.note(where, f"an entry of `{field}` is no object; left out")


def session(event: _Map, place: str, day: DayDraft, listed: str, log: RepairLog) -> SessionDraft:
    """`listed` is the room whose list the event stands in; empty in version 2."""
    number, guid = values.text(event.get("id")), values.text(event.get("guid")).lower()
    where = f"event id={number}" if number else f"event guid={guid}" if guid else place
    for field in sorted(_NO_NULL & event.keys()):
        if event[field] is None:
            log.note(where, f"`{field}` is null; taken as absent")
    persons = "participants" if "participants" in event else "persons"
    recording = event["recording"] if isinstance(event.get("recording"), dict) else {}
    meta = values.text(event.get("type")) in _META
    return SessionDraft(
        where=where,
        guid=guid,
        id=number,
        slug=values.text(event.get("slug")),
        day=day,
        room=_room_of(event.get("room"), listed.strip(), where, log),
        track=_track_of(event.get("track"), log),
        persons=tuple(person(entry, log) for entry in entries(event, persons, where, log)),
        kind=None if meta else event.get("type"),
        meta=meta,
        links=(*_links(event, where, log), *_links_of_recording(recording)),
        license=event.get("recording_license") or recording.get("license"),
        do_not_record=event.get("do_not_record") or recording.get("optout"),
        extra=_event_extra(event, recording, log),
        **{field: event.get(field) for field in _PLAIN},
    )


def _event_extra(event: _Map, recording: _Map, log: RepairLog) -> Extra:
    extra = unknown_fields(event, _EVENT_FIELDS, "event", log)
    beyond = unknown_fields(recording, frozenset({"license", "optout", "url", "link"}), "event", log)
    put(extra, "recording", beyond if recording else event.get("recording"), "event", log)
    if event.get("type") == "META":
        extra["type"] = "META"
    return extra


def _links(owner: _Map, where: str, log: RepairLog) -> Iterator[LinkDraft]:
    for field, kind in _LINK_FIELDS:
        if isinstance(owner.get(field), list):
            for entry in entries(owner, field, where, log):
                yield _link(entry, field, kind, log)
        elif owner.get(field) is not None:
            yield LinkDraft(url=owner[field], kind=kind, field=field)


def _links_of_recording(recording: _Map) -> Iterator[LinkDraft]:
    for field in ("url", "link"):
        if recording.get(field):
            yield LinkDraft(url=recording[field], kind="recording", field="recording")


def _link(entry: _Map, field: str, kind: LinkKind, log: RepairLog) -> LinkDraft:
    known = frozenset({"url", "href", "title", "name"})
    title, url = entry.get("title"), entry.get("url") or entry.get("href")
    name = entry.get("name")
    return LinkDraft(
        url=url or name,
        title=title or (name if url else None),
        kind=kind,
        field=field,
        extra=unknown_fields(entry, known, "event", log),
    )


def _room_of(value: object, listed: str, where: str, log: RepairLog) -> RoomDraft | None:
    """The room an event is listed under; where it is not, its own `room`, an object in version 2."""
    if isinstance(value, dict):
        return room(value, log)
    written = values.text(value)
    if listed and written and written != listed:
        log.note(where, "its `room` is not the room it is listed under; the room it is listed under was taken")
    name = listed or written
    return RoomDraft(name=name) if name else None


def _track_of(value: object, log: RepairLog) -> TrackDraft | None:
    if isinstance(value, dict):
        return track(value, log)
    return TrackDraft(name=value) if values.text(value) else None


def room(entry: _Map, log: RepairLog) -> RoomDraft:
    """Descriptions are also written as `description_de`, an older way."""
    spoken = {field: value for field, value in entry.items() if field.startswith("description_")}
    description = entry.get("description")
    if spoken:
        first = description if isinstance(description, dict) else {"und": description} if description else {}
        description = {**{field.removeprefix("description_"): value for field, value in spoken.items()}, **first}
    return RoomDraft(
        guid=values.text(entry.get("guid")).lower(),
        slug=values.text(entry.get("slug")),
        name=entry.get("name"),
        description=description,
        capacity=entry.get("capacity"),
        floor=entry.get("floor"),
        extra=unknown_fields(entry, _ROOM_FIELDS | spoken.keys(), "room", log),
    )


def track(entry: _Map, log: RepairLog) -> TrackDraft:
    """Version 2 has a colour for light and one for dark screens; the light one is the track's."""
    shades = entry.get("colors")
    light = shades.get("light") if isinstance(shades, dict) else None
    return TrackDraft(
        guid=values.text(entry.get("guid")).lower(),
        slug=values.text(entry.get("slug")),
        name=entry.get("name"),
        description=entry.get("description"),
        color=entry.get("color") or light,
        extra=unknown_fields(entry, _TRACK_FIELDS, "track", log),
    )


def person(entry: _Map, log: RepairLog) -> PersonDraft:
    number, guid = values.text(entry.get("id")), values.text(entry.get("guid")).lower()
    known = _PERSON_FIELDS | _repeated(entry) if guid and number != "0" else _PERSON_FIELDS | _repeated(entry) | {"id"}
    page = [LinkDraft(url=entry["url"], field="url")] if entry.get("url") else []
    listed = (_link(link, "links", "link", log) for link in entries(entry, "links", "list of persons", log))
    return PersonDraft(
        guid=guid,
        id="" if number == "0" else number,
        name=_first(entry, _NAMES),
        organisation=_first(entry, _ORGANISATIONS),
        tagline=entry.get("tagline"),
        bio=entry.get("biography"),
        photo=_first(entry, _PHOTOS),
        role=values.text(entry.get("role")).lower(),
        links=(*page, *listed),
        extra=unknown_fields(entry, known, "speaker", log),
    )


def _first(entry: _Map, fields: tuple[str, ...]) -> object:
    return next((entry[field] for field in fields if entry.get(field)), None)


def _repeated(entry: _Map) -> set[str]:
    """The fields that say what the first of their names says."""
    return {
        field
        for fields in (_NAMES, _ORGANISATIONS, _PHOTOS)
        for field in fields
        if field in entry and (not entry[field] or entry[field] == _first(entry, fields))
    }
