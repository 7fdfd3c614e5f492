"""What pretalx's API answers, as a draft: submissions and slots joined, breaks, and what is not for the public left out."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from server.interchange.json_lists import pretalx_lists
from server.interchange.json_lists.draft import FileDraft, PartDraft, PersonDraft, SessionDraft
from server.interchange.json_lists.pretalx_answers import Answers
from server.interchange.json_lists.pretalx_lists import Cell, Lists, by_id, gather, shown_minute
from server.interchange.programme import Extra, Status
from server.interchange.reading.json_values import Map, identifier, is_empty, remaining
from server.interchange.reading.texts import shown
from server.interchange.reading.values import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.reading.repairs import Kind, RepairLog

recognises = pretalx_lists.recognises

_STATES: dict[str, Status] = {
    "": "scheduled",
    "confirmed": "scheduled",
    "accepted": "scheduled",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
_HIDDEN = frozenset({"draft", "submitted", "rejected", "withdrawn", "deleted"})

_PRIVATE = frozenset(
    {
        "notes", "internal_notes", "email", "invitation_token", "access_code", "review_code", "anonymised_data", "reviews",
        "assigned_reviewers", "is_anonymised", "median_score", "mean_score", "invitations", "pending_state",
    }
)  # fmt: skip
"""Between organisers, reviewers and speakers: what the API gives to who may see more, and a programme must not publish."""

_PRIVATE_OF_SPEAKER = _PRIVATE | {"availabilities", "has_arrived", "locale", "timezone"}
_TIMES = frozenset({"start", "end", "room", "room_id"})
_PLACED = _TIMES | {
    "code", "title", "abstract", "description", "speakers", "submission_type", "submission_type_id", "session_type", "track",
    "track_id", "tags", "tag_ids", "state", "duration", "slot_count", "content_locale", "do_not_record", "image", "resources",
    "slot", "slots", "answers", "url", "id",
}  # fmt: skip
_PLACED_OF_ROOM = frozenset({"id", "name", "description", "capacity"})
_PLACED_OF_TRACK = frozenset({"id", "name", "description", "color"})
_PLACED_OF_TYPE = frozenset({"id", "name", "default_duration", "deadline", "requires_access_code"})
"""The last three are about handing in, not about the programme."""
_PLACED_OF_SPEAKER = frozenset({"code", "id", "name", "biography", "avatar_url", "avatar", "submissions", "answers"})
_PLACED_OF_EVENT = frozenset({"name", "timezone"})


class _Talk(NamedTuple):
    submission: Map
    slots: list[Map]
    met: set[tuple[str, str]]


class _Desk(NamedTuple):
    log: RepairLog
    answers: Answers
    tags: dict[str, Map]
    types: dict[str, Map]


def draft_of(file: object, log: RepairLog) -> FileDraft:
    lists = gather(file, log)
    slots = _released(lists, log)
    desk = _Desk(log, Answers(lists, log), by_id(lists.of("tags")), by_id(lists.of("types")))
    event = lists.file.get("event")
    about: Map = event if isinstance(event, dict) else {}
    extra = dict(lists.extra)
    if left := remaining(about, _PLACED_OF_EVENT) or (event if isinstance(event, str) else None):
        extra["event"] = left
    extra |= remaining(lists.file, frozenset({"event", "version", "timezone"}))
    return FileDraft(
        title=about.get("name"),
        timezone=lists.file.get("timezone") or about.get("timezone"),
        version=_version(lists),
        rooms=tuple(_room(entry) for entry in lists.of("rooms")),
        tracks=tuple(_track(entry) for entry in lists.of("tracks")),
        kinds=tuple(_type(entry, log) for entry in lists.of("types")),
        people=tuple(_person(entry, desk) for entry in lists.of("speakers")),
        sessions=(*_talks(lists, slots, desk), *_breaks(lists, slots, log)),
        repeats=True,
        extra=extra,
    )


def _version(lists: Lists) -> object:
    """`version` beside the lists, else that of the schedule published last."""
    named = [schedule for schedule in lists.of("schedules") if text(schedule.get("version"))]
    latest = max(named, key=lambda schedule: text(schedule.get("published")), default={})
    return lists.file.get("version") or latest.get("version")


def _talks(lists: Lists, slots: list[Map], desk: _Desk) -> Iterator[SessionDraft]:
    for code, talk in _joined(lists, slots, desk.log).items():
        where = f"submission {code[:40]}"
        state = text(talk.submission.get("state")).lower()
        if state in _HIDDEN:
            desk.log.note(where, f"its state is {state}; left out")
        elif not talk.slots:
            desk.log.note(where, "it has no place in the schedule; left out")
        else:
            shared = _shared(code, where, talk.submission, state, desk)
            for slot in talk.slots:
                yield _placed(shared, slot)


def _joined(lists: Lists, released: list[Map], log: RepairLog) -> dict[str, _Talk]:
    """Each submission once, with all its slots, each once."""
    slots = by_id(released)
    talks: dict[str, _Talk] = {}
    for entry in lists.of("submissions"):
        if text(entry.get("code")):
            _join(talks, entry, [*_own_slots(entry, slots, log)], log)
    for slot in released:
        submission = slot.get("submission")
        code = identifier(submission)
        if isinstance(submission, dict) and code:
            _join(talks, {"code": code, **submission}, [slot], log)
        elif code in talks:
            _join(talks, talks[code].submission, [slot], log)
        elif code:
            log.note("list of slots", "a slot of a submission that is described nowhere; left out")
    for cell in lists.cells:
        if text(cell.entry.get("code")):
            own = [*_own_slots(cell.entry, slots, log)] or [_slot_of_cell(cell)]
            _join(talks, cell.entry, own, log)
    return talks


def _join(talks: dict[str, _Talk], entry: Map, slots: list[Map], log: RepairLog) -> None:
    code = text(entry["code"])
    known = talks.setdefault(code, _Talk(dict(entry), [], set()))
    for name, value in entry.items():
        before = known.submission.get(name)
        if is_empty(before) or _says_more(value, before):
            known.submission[name] = value
        elif before != value and name not in _OF_MENTION and not is_empty(value) and not _says_more(before, value):
            log.note(f"submission {code[:40]}", f"{shown(name)} is not what it is elsewhere; the first was kept")
    for slot in slots:
        if _identity(slot) not in known.met:
            known.met.add(_identity(slot))
            known.slots.append(slot)


_OF_MENTION = _TIMES | {"slots", "slot", "id"}
"""Not the submission's own: where it was met."""


def _says_more(value: object, other: object) -> bool:
    """An object where the other is its number, a list of objects where the other is one of numbers."""
    if isinstance(value, list) and isinstance(other, list):
        return bool(value) and isinstance(value[0], dict) and not any(isinstance(entry, dict) for entry in other)
    return isinstance(value, dict) and not isinstance(other, dict)


def _identity(slot: Map) -> tuple[str, str]:
    """Not the slot's id: pretalx numbers the slots anew with every version of the schedule."""
    return text(slot.get("start")), identifier(slot.get("room_id") or slot.get("room"))


def _own_slots(entry: Map, slots: dict[str, Map], log: RepairLog) -> Iterator[Map]:
    """`slots` of version 2, as objects or numbers; `slot` of version 1; times of its own in the widget's file."""
    listed = entry.get("slots")
    for slot in listed if isinstance(listed, list) else ():
        if isinstance(slot, dict):
            yield slot
        elif (number := identifier(slot)) in slots:
            yield slots[number]
        elif number and slots:
            log.note(f"submission {text(entry['code'])[:40]}", "one of its slots is described nowhere; left out")
    if isinstance(entry.get("slot"), dict):
        yield entry["slot"]
    if text(entry.get("start")):
        yield {name: entry.get(name) for name in (*_TIMES, "duration")}


def _slot_of_cell(cell: Cell) -> Map:
    return {"date": cell.date, "start": shown_minute(cell.minute), "room": cell.room}


def _released(lists: Lists, log: RepairLog) -> list[Map]:
    """The slots of one schedule: an organiser's list has those of every version, of the one in the making too."""
    slots = [*lists.of("slots"), *({**entry, "submission": None} for entry in lists.of("breaks"))]
    numbers = {number for slot in slots if (number := identifier(slot.get("schedule")))}
    if len(numbers) > 1:
        published = {
            identifier(schedule): text(schedule.get("published"))
            for schedule in lists.of("schedules")
            if text(schedule.get("published"))
        }
        chosen = max(numbers, key=lambda number: (published.get(number, ""), len(number), number))
        log.note("list of slots", f"slots of {len(numbers)} schedules; those of schedule {chosen[:20]} were taken")
        slots = [slot for slot in slots if identifier(slot.get("schedule")) in {"", chosen}]
    shown_slots = [slot for slot in slots if slot.get("is_visible") is not False and slot.get("slot_type") != "blocker"]
    for _ in range(len(slots) - len(shown_slots)):
        log.note("list of slots", "a slot that is not shown to the public; left out")
    return shown_slots


def _shared(code: str, where: str, entry: Map, state: str, desk: _Desk) -> SessionDraft:
    """What all slots of a submission have in common."""
    _count_private(entry, _PRIVATE, "event", desk.log)
    if state not in _STATES:
        desk.log.note(where, f"state {shown(state)} is not known; taken as confirmed")
    extra = remaining(entry, _PLACED | _PRIVATE)
    answers, links = desk.answers.of(entry, "submission", code)
    extra |= {"answers": answers} if answers else {}
    resources, files = desk.answers.resources_of(entry)
    extra |= {"resources": resources} if resources else {}
    if tags := _tags(entry, desk):
        extra["tags"] = tags
    kind = entry.get("submission_type") or entry.get("session_type")
    return SessionDraft(
        where=where,
        id=code,
        title=entry.get("title"),
        abstract=entry.get("abstract"),
        description=entry.get("description"),
        duration=entry.get("duration") or _usual_length(kind, entry.get("submission_type_id"), desk),
        track=_part(entry.get("track"), entry.get("track_id"), _PLACED_OF_TRACK),
        kind=_part(kind, entry.get("submission_type_id"), _PLACED_OF_TYPE),
        people=tuple(_people(entry.get("speakers"), desk)),
        language=entry.get("content_locale"),
        url=entry.get("url"),
        logo=entry.get("image"),
        links=(*files, *links),
        do_not_record=entry.get("do_not_record") is True,
        status=_STATES.get(state, "scheduled"),
        extra=extra,
    )


def _usual_length(kind: object, number: object, desk: _Desk) -> object:
    """Of a submission without a duration: that of its type."""
    found = kind if isinstance(kind, dict) else desk.types.get(identifier(kind) or identifier(number), {})
    return found.get("default_duration")


def _placed(shared: SessionDraft, slot: Map) -> SessionDraft:
    return SessionDraft(
        **{name: getattr(shared, name) for name in shared.__struct_fields__ if name not in _OF_SLOT},
        date=slot.get("date"),
        starts=slot.get("start"),
        ends=slot.get("end"),
        duration=slot.get("duration") or shared.duration,
        room=_part(slot.get("room"), slot.get("room_id"), _PLACED_OF_ROOM),
        extra=shared.extra | _about_slot(slot),
    )


_OF_SLOT = frozenset({"date", "starts", "ends", "duration", "room", "extra"})


def _about_slot(slot: Map) -> Extra:
    return {} if is_empty(slot.get("description")) else {"slot": {"description": slot["description"]}}


def _breaks(lists: Lists, slots: list[Map], log: RepairLog) -> Iterator[SessionDraft]:
    """Slots without a submission, and what a plan has for the whole house. Their ids are not kept: they change."""
    for slot in slots:
        if not identifier(slot.get("submission")):
            yield _break(slot, slot.get("description") or slot.get("title"))
    for entry in lists.of("submissions"):
        if not text(entry.get("code")):
            yield _break(entry, entry.get("title") or entry.get("description"))
    starts: defaultdict[str, list[int]] = defaultdict(list)
    for cell in sorted(lists.cells, key=lambda cell: cell.minute):
        starts[cell.date].append(cell.minute)
    for cell in lists.cells:
        if not text(cell.entry.get("code")):
            yield _break_of_cell(cell, starts[cell.date], log)


_PLACED_OF_BREAK = _TIMES | {
    "id", "title", "description", "duration", "submission", "schedule", "is_visible", "slot_type", "updated", "date"
}  # fmt: skip


def _break(entry: Map, title: object) -> SessionDraft:
    return SessionDraft(
        where=f"break at {text(entry.get('start'))[:25] or 'no time'}",
        title=title,
        starts=entry.get("start"),
        ends=entry.get("end"),
        duration=entry.get("duration"),
        room=_part(entry.get("room"), entry.get("room_id"), _PLACED_OF_ROOM),
        service=True,
        extra=remaining(entry, _PLACED_OF_BREAK),
    )


def _break_of_cell(cell: Cell, starts: list[int], log: RepairLog) -> SessionDraft:
    entry = cell.entry
    following = bisect_right(starts, cell.minute)
    ends: object = entry.get("end")
    if is_empty(ends) and is_empty(entry.get("duration")) and following < len(starts):
        ends = shown_minute(starts[following])
        log.note(cell.where, "no end is given; taken as lasting until the next session begins")
    return SessionDraft(
        where=cell.where,
        id=identifier(entry),
        title=entry.get("title"),
        description=entry.get("description"),
        date=cell.date,
        starts=shown_minute(cell.minute),
        ends=ends,
        duration=entry.get("duration"),
        room=PartDraft(id=cell.room) if cell.room else None,
        service=True,
        extra=remaining(entry, _PLACED_OF_BREAK),
    )


def _part(value: object, number: object, placed: frozenset[str]) -> PartDraft | None:
    """A part as version 2 expands it, as its number, or as version 1 has it: a name in several languages and a number."""
    if isinstance(value, dict) and not value.keys().isdisjoint({"id", "name"}):
        return PartDraft(
            id=identifier(value),
            name=value.get("name"),
            description=value.get("description"),
            capacity=value.get("capacity"),
            color=value.get("color"),
            extra=remaining(value, placed),
        )
    if identifier(number):
        return PartDraft(id=identifier(number), name=None if isinstance(value, int) else value)
    if isinstance(value, int):
        return PartDraft(id=text(value)) if text(value) else None
    return None if is_empty(value) else PartDraft(name=value)


def _room(entry: Map) -> PartDraft:
    return _part({"id": None, **entry}, None, _PLACED_OF_ROOM) or PartDraft()


def _track(entry: Map) -> PartDraft:
    return _part({"id": None, **entry}, None, _PLACED_OF_TRACK) or PartDraft()


def _type(entry: Map, log: RepairLog) -> PartDraft:
    for name in remaining(entry, _PLACED_OF_TYPE):
        log.unkept("file", f"types.{name}")
    return PartDraft(id=identifier(entry), name=entry.get("name"))


def _people(value: object, desk: _Desk) -> Iterator[PersonDraft]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield _person(entry, desk)
        elif text(entry):
            yield PersonDraft(id=text(entry))


def _person(entry: Map, desk: _Desk) -> PersonDraft:
    _count_private(entry, _PRIVATE_OF_SPEAKER, "speaker", desk.log)
    code = text(entry.get("code")) or identifier(entry)
    extra = remaining(entry, _PLACED_OF_SPEAKER | _PRIVATE_OF_SPEAKER)
    answers, links = desk.answers.of(entry, "person", code)
    return PersonDraft(
        id=code,
        name=entry.get("name"),
        bio=entry.get("biography"),
        photo=entry.get("avatar_url") or entry.get("avatar"),
        links=links,
        extra=extra | ({"answers": answers} if answers else {}),
    )


def _tags(entry: Map, desk: _Desk) -> list[object]:
    """By their words, where the file says them."""
    listed = entry.get("tags")
    found: list[object] = []
    for tag in listed if isinstance(listed, list) else ():
        known = tag if isinstance(tag, dict) else desk.tags.get(identifier(tag), {})
        if known.get("is_public") is False:
            desk.log.unkept("event", "tags that are not public")
        else:
            found.append(known.get("tag") or tag)
    return [tag for tag in found if not is_empty(tag)]


def _count_private(entry: Map, private: frozenset[str], kind: Kind, log: RepairLog) -> None:
    for name in sorted(private & entry.keys()):
        if not is_empty(entry[name]) and entry[name] != "{}":
            log.unkept(kind, name)
