"""The programme of a real conference as it was published again and again: the feed tells exactly what changed from file to file.

What changed is counted here from the files themselves, without our reader. They are other people's and not part of the project:
the folder is named by DIGITALNOW_REAL_SCHEDULES, or lies as `shared/data` beside the checkout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import replace

from server.db import Database
from server.event.types import EventRow
from server.interchange.detect import read_schedule
from server.schedule import import_actions
from server.schedule.merging import Merged
from tests.schedule.applying import Document, apply_all
from tests.schedule.organizers import read_at, read_events, read_programme
from tests.schedule.programmes import bring, new_event, state_of

FOLDER = Path(os.environ.get("DIGITALNOW_REAL_SCHEDULES") or Path(__file__).parents[3] / "shared" / "data")
REVISIONS = sorted((FOLDER / "pyconfr_2025_revisions").glob("*.json"))
ZONE = "Europe/Paris"

FIELDS = {"title", "starts_at", "ends_at", "room_id", "speaker_ids"}

pytestmark = pytest.mark.skipif(not REVISIONS, reason="DIGITALNOW_REAL_SCHEDULES names the folder of real schedules")


class Fact(Struct, frozen=True):
    """A talk as a file has it."""

    title: str
    starts_at: datetime
    ends_at: datetime
    room_id: str
    speaker_ids: list[str]


def talks(value: Any) -> Iterator[Document]:
    """Every object with a code and slots, wherever it is."""
    if isinstance(value, dict):
        if "code" in value and "slots" in value:
            yield value
        for entry in value.values():
            yield from talks(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from talks(entry)


def facts_of(path: Path) -> dict[str, Fact]:
    """By code; a talk that is given several times has a number behind it from the second time on."""
    found: dict[str, set[tuple[datetime, datetime, str]]] = {}
    known: dict[str, Document] = {}
    for talk in talks(json.loads(path.read_bytes())):
        known[talk["code"]] = talk
        for slot in talk["slots"]:
            times = [datetime.fromisoformat(slot[name]).astimezone(UTC) for name in ("start", "end")]
            found.setdefault(talk["code"], set()).add((*times, str(slot["room"]["id"])))  # type: ignore[arg-type]
    facts = {}
    for code, slots in found.items():
        speakers = [speaker["code"] for speaker in known[code]["speakers"]]
        for number, (starts_at, ends_at, room) in enumerate(sorted(slots), start=1):
            key = code if number == 1 else f"{code}-{number}"
            facts[key] = Fact(known[code]["title"].strip(), starts_at, ends_at, room, speakers)
    return facts


def changes_of(old: dict[str, Fact], new: dict[str, Fact]) -> dict[str, set[str]]:
    """What a reader has to hear: by talk, the fields that changed, or that it is new or gone."""
    found = {}
    for key in old.keys() | new.keys():
        one, other = old.get(key), new.get(key)
        if one is None or other is None:
            found[key] = {"gone" if other is None else "new"}
        else:
            found[key] = {name for name in FIELDS if getattr(one, name) != getattr(other, name)}
    return {key: fields for key, fields in found.items() if fields}


async def told(db: Database, event: EventRow, events: list[Document]) -> dict[str, set[str]]:
    """The same as the feed says it."""
    keys = {str(thing_id): row.key for thing_id, row in (await state_of(db, event)).session.items()}
    found = {}
    for one in events:
        if one["kind"] == "session.added":
            found[keys[one["data"]["session"]["id"]]] = {"new"}
        elif one["kind"] == "session.changed":
            data = one["data"]
            what = {"gone"} if "cancelled" in data["kinds"] else {"new"} if "reinstated" in data["kinds"] else set()
            found[keys[data["session"]["id"]]] = what or data["changed"].keys() & FIELDS
        assert one["kind"] != "session.removed"
    return {key: fields for key, fields in found.items() if fields}


async def replay(db: Database, api: httpx.AsyncClient) -> int:
    """Brings the files one after the other. Fails where the feed says more or less than has changed; returns how much it was."""
    event, before, count = await new_event(db), dict[str, Fact](), 0
    async with httpx.AsyncClient(base_url=str(api.base_url).replace("digital-now", event.slug)) as client:
        reading = await read_programme(client)
        for path in REVISIONS:
            programme = read_schedule(path.read_bytes(), timezone=ZONE)
            done = await bring(db, event, replace(programme, version=path.stem))
            facts, events = facts_of(path), await read_events(client, reading)
            expected, heard = changes_of(before, facts), await told(db, event, events)
            assert {key: heard[key] for key in heard if key in facts or key in before} == expected, path.name
            assert done.overruled == []
            reading = apply_all(reading, events)
            assert reading == await read_at(client, reading["feed"]["seq"])
            before, count = facts, count + len(expected)
            assert (await bring(db, event, programme)).version is None
    return count


async def test_the_feed_tells_what_changed_from_file_to_file(db: Database, api: httpx.AsyncClient) -> None:
    first = len(facts_of(REVISIONS[0]))
    assert await replay(db, api) > first + 20


async def test_an_import_that_misses_a_change_is_caught(
    db: Database, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = import_actions.merge

    def merge_less(*arguments: Any, **more: Any) -> Merged:
        merged = merge(*arguments, **more)
        changed = [one for one in merged.edits if one.before is not None and one.subject == "session"]
        return replace(merged, edits=[one for one in merged.edits if one not in changed[:1]])

    monkeypatch.setattr(import_actions, "merge", merge_less)
    with pytest.raises(AssertionError):
        await replay(db, api)
