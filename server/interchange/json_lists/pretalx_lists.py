"""The lists in what pretalx's API answers, whichever of them a file holds and however they are wrapped.

After pretalx's API, version `v1` and `v2` and the older one without a name, its widget's `schedule/v2.json`, and what people
make of them: one page, pages one after another, or an object of several lists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from server.interchange.reading.json_values import Map, identifier, is_empty
from server.interchange.reading.values import calendar_date, clock, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.reading.repairs import RepairLog

Listing = Literal[
    "submissions", "slots", "breaks", "rooms", "tracks", "types", "speakers", "tags", "questions", "answers", "resources",
    "schedules",
]  # fmt: skip

_NAMES: dict[str, Listing] = {
    "submissions": "submissions", "talks": "submissions", "confirmed": "submissions", "sessions": "submissions",
    "slots": "slots", "breaks": "breaks", "rooms": "rooms", "tracks": "tracks", "types": "types",
    "submission_types": "types", "submission-types": "types", "speakers": "speakers", "tags": "tags",
    "questions": "questions", "answers": "answers", "resources": "resources", "schedules": "schedules",
}  # fmt: skip

_SUBMISSION_MARKS = frozenset(
    {"submission_type", "submission_type_id", "content_locale", "slot_count", "slot", "slots", "pending_state"}
)
_PAGE = frozenset({"count", "next", "previous", "results"})
_FILE_WORDS = frozenset({"event", "version", "timezone", "event_start", "event_end", "generator"})


class Cell(Struct, frozen=True):
    """What a plan by day and minute of the day has in one place."""

    where: str
    date: str
    minute: int
    room: str
    """Empty where it is the whole day's: a break."""
    entry: Map


class Lists(Struct, frozen=True):
    found: dict[Listing, list[Map]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    file: Map = field(default_factory=dict)
    """What stands beside the lists: `event`, `version`, `timezone`."""
    extra: Map = field(default_factory=dict)

    def of(self, listing: Listing) -> list[Map]:
        return self.found.get(listing, [])


def is_submission(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and bool(text(entry.get("code")))
        and "title" in entry
        and not _SUBMISSION_MARKS.isdisjoint(entry)
    )


def is_widget(file: object) -> bool:
    """`schedule/v2.json`: talks with codes, their times in them."""
    return (
        isinstance(file, dict)
        and isinstance(file.get("talks"), list)
        and any(isinstance(talk, dict) and "code" in talk and "start" in talk for talk in file["talks"])
    )


def recognises(file: object) -> bool:
    return is_widget(file) or any(is_submission(entry) for entry in _objects(file, 6))


def _objects(value: object, depth: int) -> Iterator[Map]:
    """The file itself and all in it, some levels deep."""
    if isinstance(value, dict):
        yield value
    if depth and isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _objects(entry, depth - 1)


def gather(file: object, log: RepairLog) -> Lists:
    lists = Lists()
    if isinstance(file, list):
        _take("", file, lists, log)
    elif isinstance(file, dict):
        for name, value in file.items():
            if name in _FILE_WORDS:
                lists.file[name] = value
            elif not (name in _PAGE and "results" in file and name != "results"):
                _take("" if name == "results" else name, value, lists, log)
    return lists


def _take(name: str, value: Any, lists: Lists, log: RepairLog) -> None:
    """One part of the file: a list, a page or several, a map by identifier, a plan by day, or a schedule with its slots."""
    if isinstance(value, dict) and "results" in value:
        _take(name, value["results"], lists, log)
    elif isinstance(value, dict) and _is_plan(value):
        lists.cells.extend(_cells(name, value))
    elif isinstance(value, dict) and isinstance(value.get("slots"), list) and not is_submission(value):
        lists.file.setdefault("version", value.get("version"))
        for part in ("slots", "breaks"):
            _take(part, value.get(part), lists, log)
        lists.found.setdefault("schedules", []).append(value)
    elif isinstance(value, dict) and value and all(isinstance(entry, dict) for entry in value.values()):
        _take_list(name, list(value.values()), lists, log)
    elif isinstance(value, list):
        _take_list(name, value, lists, log)
    elif not is_empty(value):
        lists.extra[name] = value


def _take_list(name: str, value: list[Any], lists: Lists, log: RepairLog) -> None:
    strange = [entry for entry in value if not isinstance(entry, dict) and not is_empty(entry)]
    if strange and name not in _NAMES:
        lists.extra[name] = value
        return
    if strange:
        log.note(f"list of {name}", "an entry is no object; left out")
    for entry in value:
        if not isinstance(entry, dict):
            continue
        if "results" in entry and _PAGE.issuperset(entry):
            _take(name, entry["results"], lists, log)
            continue
        listing = _listing(name, entry)
        if listing is None:
            lists.extra.setdefault(name or "results", []).append(entry)
        else:
            lists.found.setdefault(listing, []).append(entry)


def _listing(name: str, entry: Map) -> Listing | None:
    """The shape of an entry tells more than the name of its list: an old schedule's `slots` are submissions."""
    if is_submission(entry):
        return "submissions"
    if name in _NAMES:
        return _NAMES[name]
    shapes: tuple[tuple[Listing, frozenset[str]], ...] = (
        ("slots", frozenset({"submission", "start"})),
        ("speakers", frozenset({"code", "name"})),
        ("types", frozenset({"name", "default_duration"})),
        ("answers", frozenset({"answer", "question"})),
        ("questions", frozenset({"question", "variant"})),
        ("resources", frozenset({"resource", "description"})),
        ("rooms", frozenset({"name", "capacity"})),
        ("tracks", frozenset({"name", "color"})),
    )
    return next((listing for listing, fields in shapes if fields <= entry.keys()), None)


def _is_plan(value: Map) -> bool:
    """Days, in them minutes of the day."""
    return bool(value) and all(
        re.fullmatch(r"\d{4}-\d\d-\d\d", day) and calendar_date(day) and isinstance(rows, dict)
        for day, rows in value.items()
    )


def _cells(name: str, plan: Map) -> Iterator[Cell]:
    for day, rows in plan.items():
        for row, entry in rows.items():
            minute = _minute(row)
            if not isinstance(entry, dict) or minute is None:
                continue
            where = f"{name[:20]} {day} {shown_minute(minute)}"
            if "title" in entry:
                yield Cell(where, day, minute, "", entry)
                continue
            for room, inner in entry.items():
                if isinstance(inner, dict):
                    yield Cell(f"{where} room {room[:20]}", day, minute, room, inner)


def _minute(row: str) -> int | None:
    if re.fullmatch(r"\d{1,4}", row):
        return int(row) if int(row) <= 36 * 60 else None
    since = clock(row)
    return None if since is None else int(since.total_seconds()) // 60


def shown_minute(minute: int) -> str:
    """On the clock."""
    return f"{minute // 60:02}:{minute % 60:02}"


def by_id(entries: list[Map]) -> dict[str, Map]:
    """The first of each id."""
    found: dict[str, Map] = {}
    for entry in entries:
        if key := identifier(entry):
            found.setdefault(key, entry)
    return found
