"""schedule.json: version 1, the twin of schedule.xml, and version 2 with flat events, languages and states.

Facts after the public JSON Schemas (https://c3voc.de/schedule/schema.json and its version 2, alpha-3) and after what
real files do instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.interchange.errors import UnreadableSchedule
from server.interchange.frab.draft import DayDraft, FileDraft, SessionDraft
from server.interchange.frab.extra import put, unknown_fields
from server.interchange.frab.json_parts import entries, person, room, session, track
from server.interchange.frab.mend import language_of, programme_of
from server.interchange.reading import values
from server.interchange.reading.repairs import RepairLog
from server.interchange.reading.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Extra, Programme

_MAX_DAY_NAME = 20
"""Of what a file calls a day, in messages."""

_Map = dict[str, Any]

_SCHEDULE_FIELDS = frozenset({"version", "base_url", "conference", "events", "persons", "days", "additions"})
_CONFERENCE_FIELDS = frozenset(
    {"title", "start", "end", "daysCount", "days", "time_zone_name", "day_change", "tracks", "rooms"}
)
"""`start`, `end` and `daysCount` say again what the sessions say."""

_ABOUT_THE_FILE = frozenset({"$schema", "generator", "url"})
"""Of the file or the schedule: who wrote the file and where it lies, nothing about the event."""

_DAY_FIELDS = frozenset({"index", "date", "day_start", "day_end", "start", "end", "rooms"})


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
    return programme_of(_draft(file, schedule, conference, log), log, filename=filename)


def _draft(file: _Map, schedule: _Map, conference: _Map, log: RepairLog) -> FileDraft:
    return FileDraft(
        title=conference.get("title"),
        acronym=conference.get("acronym"),
        version=schedule.get("version"),
        time_zone_name=conference.get("time_zone_name"),
        base_url=schedule.get("base_url"),
        day_change=conference.get("day_change"),
        language=language_of(schedule.get("url")),
        days=tuple(_day(entry) for entry in entries(_days(schedule, conference), "days", "list of days", log)),
        rooms=tuple(room(entry, log) for entry in entries(conference, "rooms", "list of rooms", log)),
        tracks=tuple(track(entry, log) for entry in entries(conference, "tracks", "list of tracks", log)),
        people=tuple(person(entry, log) for entry in entries(schedule, "persons", "list of persons", log)),
        sessions=(*_sessions_by_day(schedule, conference, log), *_flat_sessions(schedule, log)),
        extra=_extra(file, schedule, conference, log),
        additions=schedule.get("additions"),
    )


def _extra(file: _Map, schedule: _Map, conference: _Map, log: RepairLog) -> Extra:
    """The conference's by their names; what stands around it within `schedule` and `file`."""
    extra = unknown_fields(conference, _CONFERENCE_FIELDS, "conference", log)
    around = unknown_fields(schedule, _SCHEDULE_FIELDS | _ABOUT_THE_FILE, "schedule", log)
    put(extra, "schedule", around, "schedule", log)
    put(extra, "file", unknown_fields(file, _ABOUT_THE_FILE | {"schedule"}, "file", log), "file", log)
    return extra


def _days(schedule: _Map, conference: _Map) -> _Map:
    return conference if "days" in conference else schedule


def _day(entry: _Map) -> DayDraft:
    return DayDraft(
        date=entry.get("date"),
        start=entry.get("day_start") or entry.get("start"),
        end=entry.get("day_end") or entry.get("end"),
    )


def _sessions_by_day(schedule: _Map, conference: _Map, log: RepairLog) -> Iterator[SessionDraft]:
    """Version 1: days, in them rooms, in them events. The days of version 2 have no rooms."""
    days = _days(schedule, conference)
    for number, entry in enumerate(entries(days, "days", "list of days", RepairLog()), start=1):
        for field in unknown_fields(entry, _DAY_FIELDS, "day", log):
            log.unkept("day", field)
        where = f"day {values.text(entry.get('index'))[:_MAX_DAY_NAME] or number}"
        rooms = entry.get("rooms")
        if isinstance(rooms, dict):
            for name in rooms:
                place = f"{where}, room {shown(values.text(name))}"
                for index, event in enumerate(entries(rooms, name, place, log), start=1):
                    yield session(event, f"{place}, event {index}", _day(entry), name, log)
        elif rooms is not None:
            log.note(where, "`rooms` is no object of rooms; left out")


def _flat_sessions(schedule: _Map, log: RepairLog) -> Iterator[SessionDraft]:
    """Version 2."""
    for index, event in enumerate(entries(schedule, "events", "list of events", log), start=1):
        yield session(event, f"event {index}", DayDraft(), "", log)
