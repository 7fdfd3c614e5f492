"""schedule.json: version 1, the twin of schedule.xml, and version 2 with flat events, languages and states.

Facts after the public JSON Schemas (https://c3voc.de/schedule/schema.json and its version 2, alpha-3) and after what
real files do instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.interchange import frab_values as values
from server.interchange.errors import UnreadableSchedule
from server.interchange.frab_draft import DayDraft, FileDraft, PersonDraft, RoomDraft, SessionDraft, TrackDraft
from server.interchange.frab_mend import programme_of
from server.interchange.frab_texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.frab_repairs import Kind, RepairLog
    from server.interchange.programme import Programme

_MAX_DAY_NAME = 20
"""Of what a file calls a day, in messages."""

_Map = dict[str, Any]

_TIMES = frozenset({"date", "start", "end", "duration"})
_PLAIN = frozenset({"title", "subtitle", "abstract", "description", "language", "url", "state"}) | _TIMES
_EVENT_FIELDS = frozenset({"guid", "id", "room", "track", "persons", "participants", "type", *_PLAIN})
_NO_NULL = frozenset({"title", "date", "start", "duration", "room", "type", "url", "persons"})
"""Fields that the standard does not let be null and that a session has use for."""

_FILE_FIELDS = frozenset({"schedule", "generator", "$schema"})
_SCHEDULE_FIELDS = frozenset({"version", "base_url", "conference", "events", "persons", "days", "$schema", "generator"})
_CONFERENCE_FIELDS = frozenset(
    {"title", "acronym", "start", "end", "daysCount", "days", "time_zone_name", "day_change", "tracks", "rooms"}
)
"""`start`, `end` and `daysCount` say again what the sessions say."""

_DAY_FIELDS = frozenset({"index", "date", "day_start", "day_end", "start", "end", "rooms"})
_ROOM_FIELDS = frozenset({"guid", "name", "slug", "capacity"})
_TRACK_FIELDS = frozenset({"guid", "name", "slug", "color", "colors"})
_NAMES = ("name", "public_name", "full_public_name")
_ORGANISATIONS = ("organisation", "organization", "affiliation", "company")
_PERSON_FIELDS = frozenset({"guid", "id", "role", "biography", *_NAMES, *_ORGANISATIONS})


def recognises(file: object) -> bool:
    """A `schedule` with a `conference` in it, whatever that is."""
    schedule = file.get("schedule") if isinstance(file, dict) else None
    return isinstance(schedule, dict) and "conference" in schedule


def read(file: object, log: RepairLog, *, filename: str = "") -> Programme:
    """What `json_values.decoded` made of a file. Raises `UnreadableSchedule` for no schedule, or one without any session."""
    schedule = file.get("schedule") if isinstance(file, dict) else None
    conference = schedule.get("conference") if isinstance(schedule, dict) else None
    if not isinstance(file, dict) or not isinstance(schedule, dict) or not isinstance(conference, dict):
        raise UnreadableSchedule(
            "line 1: JSON, but without a `schedule` with a `conference` in it; give a frab schedule.json"
        )
    _count_unkept(file, _FILE_FIELDS, "file", log)
    _count_unkept(schedule, _SCHEDULE_FIELDS, "schedule", log)
    _count_unkept(conference, _CONFERENCE_FIELDS, "conference", log)
    return programme_of(_draft(schedule, conference, log), log, filename=filename)


def _draft(schedule: _Map, conference: _Map, log: RepairLog) -> FileDraft:
    return FileDraft(
        title=conference.get("title"),
        acronym=conference.get("acronym"),
        version=schedule.get("version"),
        time_zone_name=conference.get("time_zone_name"),
        base_url=schedule.get("base_url"),
        day_change=conference.get("day_change"),
        rooms=tuple(_room(entry, log) for entry in _entries(conference, "rooms", "list of rooms", log)),
        tracks=tuple(_track(entry, log) for entry in _entries(conference, "tracks", "list of tracks", log)),
        people=tuple(_person(entry, log) for entry in _entries(schedule, "persons", "list of persons", log)),
        sessions=(*_sessions_by_day(schedule, conference, log), *_flat_sessions(schedule, log)),
    )


def _entries(owner: _Map, field: str, where: str, log: RepairLog) -> Iterator[_Map]:
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


def _sessions_by_day(schedule: _Map, conference: _Map, log: RepairLog) -> Iterator[SessionDraft]:
    """Version 1: days, in them rooms, in them events. The days of version 2 have no rooms."""
    owner = conference if "days" in conference else schedule
    for number, entry in enumerate(_entries(owner, "days", "list of days", log), start=1):
        _count_unkept(entry, _DAY_FIELDS, "day", log)
        where = f"day {values.text(entry.get('index'))[:_MAX_DAY_NAME] or number}"
        rooms = entry.get("rooms")
        if isinstance(rooms, dict):
            day = DayDraft(
                date=entry.get("date"),
                start=entry.get("day_start") or entry.get("start"),
                end=entry.get("day_end") or entry.get("end"),
            )
            for room in rooms:
                place = f"{where}, room {shown(values.text(room))}"
                for index, event in enumerate(_entries(rooms, room, place, log), start=1):
                    yield _session(event, f"{place}, event {index}", day, room, log)
        elif rooms is not None:
            log.note(where, "`rooms` is no object of rooms; left out")


def _flat_sessions(schedule: _Map, log: RepairLog) -> Iterator[SessionDraft]:
    """Version 2."""
    for index, event in enumerate(_entries(schedule, "events", "list of events", log), start=1):
        yield _session(event, f"event {index}", DayDraft(), "", log)


def _session(event: _Map, place: str, day: DayDraft, listed: str, log: RepairLog) -> SessionDraft:
    number, guid = values.text(event.get("id")), values.text(event.get("guid")).lower()
    where = f"event id={number}" if number else f"event guid={guid}" if guid else place
    _count_unkept(event, _EVENT_FIELDS, "event", log)
    for field in sorted(_NO_NULL & event.keys()):
        if event[field] is None:
            log.note(where, f"`{field}` is null; taken as absent")
    persons = "participants" if "participants" in event else "persons"
    return SessionDraft(
        where=where,
        guid=guid,
        id=number,
        day=day,
        room=_room_of(event.get("room"), listed.strip(), where, log),
        track=_track_of(event.get("track"), log),
        persons=tuple(_person(entry, log) for entry in _entries(event, persons, where, log)),
        kind=event.get("type"),
        **{field: event.get(field) for field in _PLAIN},
    )


def _room_of(value: object, listed: str, where: str, log: RepairLog) -> RoomDraft | None:
    """The room an event is listed under; where it is not, its own `room`, an object in version 2."""
    if isinstance(value, dict):
        return _room(value, log)
    written = values.text(value)
    if listed and written and written != listed:
        log.note(where, "its `room` is not the room it is listed under; the room it is listed under was taken")
    name = listed or written
    return RoomDraft(name=name) if name else None


def _track_of(value: object, log: RepairLog) -> TrackDraft | None:
    if isinstance(value, dict):
        return _track(value, log)
    return TrackDraft(name=value) if values.text(value) else None


def _room(entry: _Map, log: RepairLog) -> RoomDraft:
    _count_unkept(entry, _ROOM_FIELDS, "room", log)
    return RoomDraft(
        guid=values.text(entry.get("guid")).lower(),
        slug=values.text(entry.get("slug")),
        name=entry.get("name"),
        capacity=entry.get("capacity"),
    )


def _track(entry: _Map, log: RepairLog) -> TrackDraft:
    """Version 2 has a colour for light and one for dark screens; the light one is kept."""
    _count_unkept(entry, _TRACK_FIELDS, "track", log)
    shades = entry.get("colors")
    if isinstance(shades, dict) and shades.get("dark") not in (None, shades.get("light")):
        log.unkept("track", "colors.dark")
    light = shades.get("light") if isinstance(shades, dict) else None
    return TrackDraft(
        guid=values.text(entry.get("guid")).lower(),
        slug=values.text(entry.get("slug")),
        name=entry.get("name"),
        color=entry.get("color") or light,
    )


def _person(entry: _Map, log: RepairLog) -> PersonDraft:
    _count_unkept(entry, _PERSON_FIELDS, "speaker", log)
    role, number = values.text(entry.get("role")), values.text(entry.get("id"))
    if role.upper() not in {"", "SPEAKER"}:
        log.unkept("speaker", f"role={role}")
    return PersonDraft(
        guid=values.text(entry.get("guid")).lower(),
        id="" if number == "0" else number,
        name=_first(entry, _NAMES),
        organisation=_first(entry, _ORGANISATIONS),
        bio=entry.get("biography"),
    )


def _first(entry: _Map, fields: tuple[str, ...]) -> object:
    return next((entry[field] for field in fields if entry.get(field)), None)


def _count_unkept(entry: _Map, known: frozenset[str], kind: Kind, log: RepairLog) -> None:
    for field, value in entry.items():
        if field not in known and value not in (None, "", False, [], {}):
            log.unkept(kind, values.text(field))
