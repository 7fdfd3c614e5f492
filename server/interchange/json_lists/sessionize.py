"""What Sessionize's API answers: its views `All`, `Sessions` and `GridSmart`.

Times are local and without an offset, or UTC, as the organiser has set for the endpoint (sessionize.com/playbook/api).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from server.interchange.json_lists.draft import FileDraft, LinkDraft, PartDraft, PersonDraft, SessionDraft
from server.interchange.json_lists.mend import tags_of
from server.interchange.programme import Extra
from server.interchange.reading.json_values import Map, identifier, is_empty, objects, remaining
from server.interchange.reading.texts import shown
from server.interchange.reading.values import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.reading.repairs import RepairLog

_MARKS = frozenset({"isServiceSession", "isPlenumSession", "categoryItems"})
_STATES = frozenset({"", "accepted", "confirmed", "cancelled", "canceled"})

_PLACED_OF_FILE = frozenset({"sessions", "speakers", "rooms", "categories", "questions"})
_PLACED_OF_GROUP = frozenset({"groupId", "groupName", "sessions", "isDefault", "date", "rooms", "timeSlots"})
_PLACED_OF_ROOM = frozenset({"id", "name", "sessions", "session", "hasOnlyPlenumSessions", "index"})
_PLACED = frozenset(
    {
        "id", "title", "description", "startsAt", "endsAt", "isServiceSession", "speakers", "categoryItems", "categories",
        "questionAnswers", "roomId", "room", "liveUrl", "recordingUrl",
    }
)  # fmt: skip
_PLACED_OF_SPEAKER = frozenset(
    {
        "id", "firstName", "lastName", "fullName", "name", "bio", "tagLine", "profilePicture", "links", "sessions",
        "categoryItems", "categories", "questionAnswers",
    }
)  # fmt: skip

_USES = {
    "language": re.compile(r"langu|sprache|idioma|taal|لغة", re.IGNORECASE),
    "level": re.compile(r"\blevel|niveau|nivel|difficult|مستوى", re.IGNORECASE),
    "kind": re.compile(r"\b(?:format|type|kind)\b|session type|صيغة|نوع", re.IGNORECASE),
    "track": re.compile(r"\btracks?\b|stream|theme|thème|topic|parcours|filière|مسار|محور", re.IGNORECASE),
}
"""What a category is, by its title, which is a question an organiser wrote. The first that fits."""


class _Item(NamedTuple):
    id: str
    name: str
    category: str


class _Desk(NamedTuple):
    log: RepairLog
    items: dict[str, _Item]
    questions: dict[str, str]


def recognises(file: object) -> bool:
    return any("startsAt" in session and not _MARKS.isdisjoint(session) for session, _ in _sessions(file))


def draft_of(file: object, log: RepairLog) -> FileDraft:
    content: Map = file if isinstance(file, dict) else {}
    desk = _Desk(log, dict(_items(content, log)), _questions(content, log))
    _count_unkept(file, log)
    return FileDraft(
        rooms=tuple(_room(entry) for entry in objects(content.get("rooms"), "list of rooms", "rooms", log)),
        tracks=tuple(_part(item) for item in desk.items.values() if _use(item.category) == "track"),
        kinds=tuple(_part(item) for item in desk.items.values() if _use(item.category) == "kind"),
        people=tuple(
            _person(entry, desk) for entry in objects(content.get("speakers"), "list of speakers", "speakers", log)
        ),
        sessions=tuple(_once_each(file, desk)),
        extra=remaining(content, _PLACED_OF_FILE),
    )


def _sessions(file: object) -> Iterator[tuple[Map, Map]]:
    """Each with the room it is listed under. `All` has one list, `Sessions` groups, `GridSmart` days and rooms.

    The grid's `timeSlots` have the same sessions again.
    """
    groups = [file] if isinstance(file, dict) else file if isinstance(file, list) else []
    for group in groups:
        if not isinstance(group, dict):
            continue
        if not _MARKS.isdisjoint(group):
            yield group, {}
        listed = group.get("sessions")
        yield from ((session, {}) for session in listed or () if isinstance(session, dict)) if _is_list(listed) else ()
        rooms = group.get("rooms")
        for room in rooms if isinstance(rooms, list) else ():
            inner = room.get("sessions") if isinstance(room, dict) else None
            yield from (
                ((session, room) for session in inner or () if isinstance(session, dict)) if _is_list(inner) else ()
            )


def _once_each(file: object, desk: _Desk) -> Iterator[SessionDraft]:
    """The grid lists a plenary in every room; a session of Sessionize has one time and one room."""
    met: set[tuple[str, str]] = set()
    for session, room in _sessions(file):
        identity = identifier(session), text(session.get("startsAt"))
        if identity[0] and identity in met:
            desk.log.note(f"session {identity[0][:40]}", "listed more than once; taken once")
            continue
        met.add(identity)
        draft = _session(session, room, desk)
        if draft is not None:
            yield draft


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _count_unkept(file: object, log: RepairLog) -> None:
    for group in file if isinstance(file, list) else ():
        if isinstance(group, dict) and _MARKS.isdisjoint(group):
            for name in remaining(group, _PLACED_OF_GROUP):
                log.unkept("schedule", name)


def _session(entry: Map, listed: Map, desk: _Desk) -> SessionDraft | None:
    """None, and a note, for one that is not for the public or not yet in the schedule."""
    number = identifier(entry)
    where = f"session {number[:40]}" if number else f"session {shown(text(entry.get('title')))}"
    state = text(entry.get("status")).lower()
    if state not in _STATES:
        desk.log.note(where, f"its status is {shown(text(entry.get('status')))}; left out")
        return None
    if is_empty(entry.get("startsAt")):
        desk.log.note(where, "it has no place in the schedule; left out")
        return None
    chosen, extra = _chosen(entry, desk)
    track, kind = chosen.get("track"), chosen.get("kind")
    return SessionDraft(
        where=where,
        id=number,
        number=number,
        title=entry.get("title"),
        description=entry.get("description"),
        starts=entry.get("startsAt"),
        ends=entry.get("endsAt"),
        room=_room_of(entry, listed),
        track=_part(track[0]) if track else None,
        kind=_part(kind[0]) if kind else None,
        people=tuple(_people(entry.get("speakers"))),
        language=[item.name for item in chosen.get("language", ())],
        service=entry.get("isServiceSession") is True,
        links=tuple(_links(entry)),
        status="cancelled" if state.startswith("cancel") else "scheduled",
        extra=remaining(entry, _PLACED) | _answers(entry, desk) | extra,
    )


def _links(entry: Map) -> Iterator[LinkDraft]:
    if not is_empty(entry.get("liveUrl")):
        yield LinkDraft(url=entry["liveUrl"], kind="stream")
    if not is_empty(entry.get("recordingUrl")):
        yield LinkDraft(url=entry["recordingUrl"], kind="recording")


def _room_of(entry: Map, listed: Map) -> PartDraft | None:
    number = identifier(entry.get("roomId")) or identifier(listed)
    name = entry.get("room") or listed.get("name")
    return PartDraft(id=number, name=name) if number or not is_empty(name) else None


def _room(entry: Map) -> PartDraft:
    return PartDraft(id=identifier(entry), name=entry.get("name"), extra=remaining(entry, _PLACED_OF_ROOM))


def _part(item: _Item) -> PartDraft:
    return PartDraft(id=item.id, name=item.name)


def _people(value: object) -> Iterator[PersonDraft]:
    """Ids in `All`; in the other views an id and a name."""
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield PersonDraft(id=identifier(entry), name=_name(entry))
        elif text(entry):
            yield PersonDraft(id=text(entry))


def _name(entry: Map) -> object:
    parts = " ".join(part for name in ("firstName", "lastName") if (part := text(entry.get(name))))
    return entry.get("fullName") or entry.get("name") or parts or None


def _person(entry: Map, desk: _Desk) -> PersonDraft:
    where = f"speaker {identifier(entry)[:40]}"
    links = [link for link in objects(entry.get("links"), where, "links", desk.log) if not is_empty(link.get("url"))]
    for link in links:
        if text(link.get("linkType")) not in {"", text(link.get("title"))}:
            desk.log.unkept("speaker", "links.linkType")
    _, extra = _chosen(entry, desk, speaker=True)
    return PersonDraft(
        id=identifier(entry),
        name=_name(entry),
        tagline=entry.get("tagLine"),
        bio=entry.get("bio"),
        photo=entry.get("profilePicture"),
        links=tuple(LinkDraft(url=link["url"], title=link.get("title")) for link in links),
        extra=remaining(entry, _PLACED_OF_SPEAKER) | _answers(entry, desk) | extra,
    )


def _items(content: Map, log: RepairLog) -> Iterator[tuple[str, _Item]]:
    for category in objects(content.get("categories"), "list of categories", "categories", log):
        title = text(category.get("title")) or text(category.get("name"))
        for item in objects(category.get("items"), "list of categories", "items", log):
            if number := identifier(item):
                yield number, _Item(number, text(item.get("name")) or number, title)


def _use(category: str) -> str:
    return next((use for use, pattern in _USES.items() if pattern.search(category)), "")


def _chosen(entry: Map, desk: _Desk, *, speaker: bool = False) -> tuple[dict[str, list[_Item]], Extra]:
    """The items by what they are used for, and the rest for `extra`: names by the category's title."""
    uses: dict[str, list[_Item]] = {}
    rest: dict[str, list[str]] = {}
    levels: list[str] = []
    for item in _items_of(entry, desk):
        use = "" if speaker else _use(item.category)
        if use == "level":
            levels.append(item.name)
        elif (use in {"track", "kind"} and use not in uses) or (use == "language" and tags_of(item.name)):
            uses.setdefault(use, []).append(item)
        else:
            rest.setdefault(item.category, []).append(item.name)
    extra: Extra = {"categories": rest} if rest else {}
    return uses, extra | ({"level": levels[0] if len(levels) == 1 else levels} if levels else {})


def _items_of(entry: Map, desk: _Desk) -> Iterator[_Item]:
    """`All` has numbers, the other views categories with their items in them."""
    listed = entry.get("categoryItems")
    for value in listed if isinstance(listed, list) else ():
        number = identifier(value)
        if number:
            name = text(value.get("name")) if isinstance(value, dict) else ""
            yield desk.items.get(number) or _Item(number, name or number, "")
    nested = entry.get("categories")
    for category in nested if isinstance(nested, list) else ():
        inner = category.get("categoryItems") if isinstance(category, dict) else None
        for item in inner if isinstance(inner, list) else ():
            if identifier(item):
                name = text(item.get("name")) if isinstance(item, dict) else ""
                title = text(category.get("name")) or text(category.get("title"))
                yield _Item(identifier(item), name or identifier(item), title)


def _questions(content: Map, log: RepairLog) -> dict[str, str]:
    listed = objects(content.get("questions"), "list of questions", "questions", log)
    return {identifier(entry): text(entry.get("question")) for entry in listed}


def _answers(entry: Map, desk: _Desk) -> Extra:
    """By the words of the question, or its number where the file does not say them."""
    listed = entry.get("questionAnswers")
    found: dict[str, Any] = {}
    for answer in listed if isinstance(listed, list) else ():
        if not isinstance(answer, dict):
            continue
        number = identifier(answer.get("questionId")) or identifier(answer)
        asked = text(answer.get("question")) or desk.questions.get(number) or number
        said = answer.get("answerValue") if is_empty(answer.get("answer")) else answer["answer"]
        if asked in found:
            asked = f"{asked} ({number})"
        if not is_empty(said):
            found[asked] = said if is_empty(answer.get("answerExtra")) else [said, answer["answerExtra"]]
    return {"questionAnswers": found} if found else {}
