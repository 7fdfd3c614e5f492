"""What the public fields of a schedule.json cannot say, beside them in `schedule.additions`, which the schemas leave open.

    {"sessions": {"<guid>": {"status": {"value": "moved", "instead_of": "scheduled"}}}, "kinds": […]}

Per thing and field of a `Programme`: its value, and what the public fields alone are understood as. Where they say
something else by now, somebody has edited them, and they count: nobody should have to know of the additions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct, structs

from server.interchange.frab.extra import DEEPEST, clean
from server.interchange.frab.sound import is_sound
from server.interchange.programme import Kind, Programme, Room, Session, Speaker, Track

if TYPE_CHECKING:
    from collections.abc import Iterable

    from server.interchange.reading.repairs import RepairLog

_FIELDS: dict[type[Struct], tuple[str, ...]] = {
    Programme: ("title", "timezone", "day_begins", "version", "days", "extra"),
    Room: ("name", "description", "capacity", "floor", "extra"),
    Track: ("name", "description", "color", "extra"),
    Speaker: ("name", "organisation", "tagline", "bio", "photo_url", "links", "extra"),
    Session: (
        *("number", "title", "subtitle", "abstract", "description", "track", "kind", "roles", "languages", "service"),
        *("url", "logo_url", "links", "license", "do_not_record", "status", "extra"),
    ),
}
_LISTS: dict[str, type[Struct]] = {"rooms": Room, "tracks": Track, "speakers": Speaker, "sessions": Session}
_HINTS = {kind: get_type_hints(kind) for kind in _FIELDS}

_Thing = TypeVar("_Thing", bound=Struct)


def additions_of(meant: Programme, said: Programme) -> dict[str, Any]:
    """`said` is what a reader makes of the public fields. Both have the same keys. Empty where nothing is to be added."""
    found: dict[str, Any] = {"programme": _differences(meant, said)}
    for name in _LISTS:
        known = {thing.key: thing for thing in getattr(said, name)}
        pairs = ((thing, known.get(thing.key)) for thing in getattr(meant, name))
        changes = {thing.key: _differences(thing, public) for thing, public in pairs if public is not None}
        found[name] = {key: fields for key, fields in sorted(changes.items()) if fields}
    if _encoded(meant.kinds) != _encoded(said.kinds):
        found["kinds"] = msgspec.to_builtins(meant.kinds)
    return {name: value for name, value in found.items() if value}


def _differences(meant: Struct, said: Struct) -> dict[str, Any]:
    return {
        field: {"value": msgspec.to_builtins(value), "instead_of": msgspec.to_builtins(public)}
        for field in _FIELDS[type(meant)]
        if _encoded(value := getattr(meant, field)) != _encoded(public := getattr(said, field))
    }


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def complete(programme: Programme, additions: object, log: RepairLog) -> Programme:
    """The programme with the additions of its file. What is not sound in them is noted and left out."""
    if not isinstance(additions, dict):
        if additions:
            log.unkept("schedule", "additions")
        return programme
    kinds = _kinds(additions.get("kinds"), log)
    lists = {name: _completed(getattr(programme, name), additions.get(name), log) for name in _LISTS}
    done = structs.replace(_with(programme, additions.get("programme"), "programme", log), **lists)
    known = {kind.key: kind for kind in (*kinds, *programme.kinds, *kinds)}
    sessions = _resolved(done, programme.sessions, set(known), log)
    used = {session.kind for session in sessions}
    kept = tuple(kind for kind in known.values() if kind in kinds or kind.key in used)
    return structs.replace(done, sessions=sessions, kinds=kept)


def _kinds(value: object, log: RepairLog) -> tuple[Kind, ...]:
    try:
        kinds = msgspec.convert(clean(value or (), DEEPEST), tuple[Kind, ...])
    except (msgspec.ValidationError, RecursionError):
        kinds = ()
        log.note("additions", "`kinds` is no list of kinds; left out")
    return tuple({kind.key: kind for kind in kinds if is_sound("name", kind.name)}.values())


def _completed(things: Iterable[_Thing], changes: object, log: RepairLog) -> tuple[_Thing, ...]:
    by_key = changes if isinstance(changes, dict) else {}
    return tuple(_with(thing, by_key.get(key := getattr(thing, "key")), key, log) for thing in things)  # noqa: B009


def _with(thing: _Thing, changes: object, where: str, log: RepairLog) -> _Thing:
    if not isinstance(changes, dict):
        return thing
    found = {}
    for field in _FIELDS[type(thing)]:
        change = changes.get(field)
        if not isinstance(change, dict):
            continue
        try:
            before = _encoded(clean(change.get("instead_of"), DEEPEST))
            value = msgspec.convert(clean(change.get("value"), DEEPEST), _HINTS[type(thing)][field])
        except (msgspec.ValidationError, RecursionError):
            before, value = b"", None
        if before and before != _encoded(getattr(thing, field)):
            log.note(f"additions of {where}", f"`{field}` was edited after the export; the edited one was taken")
        elif before and is_sound(field, value):
            found[field] = value
        else:
            log.note(f"additions of {where}", f"`{field}` has no sound value; left out")
    return structs.replace(thing, **found)


def _resolved(done: Programme, before: tuple[Session, ...], kinds: set[str], log: RepairLog) -> tuple[Session, ...]:
    """References that lead nowhere and numbers met twice are as the public fields have them."""
    tracks, numbers = {track.key for track in done.tracks}, set[int]()
    found = []
    for session, public in zip(done.sessions, before, strict=True):
        wrong = {
            field: getattr(public, field)
            for field, right in (
                ("track", session.track is None or session.track in tracks),
                ("kind", session.kind is None or session.kind in kinds),
                ("roles", session.roles.keys() <= set(session.speakers)),
            )
            if not right
        }
        if session.number in numbers:
            wrong["number"] = None
        if wrong:
            log.note(f"additions of {session.key}", "they name what is not in the file, or a number twice; left out")
        whole = structs.replace(session, **wrong)
        numbers.update([] if whole.number is None else [whole.number])
        found.append(whole)
    return tuple(found)
