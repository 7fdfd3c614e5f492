"""For every change of the programme: a snapshot and the events after it are a fresh snapshot."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from server.event.types import EventRow
from server.feed import queries as feed_queries
from server.feed.types import SCHEDULE
from server.schedule import actions
from server.schedule.documents import Documents
from server.schedule.edition import Edition
from server.schedule.rows import Edit, SessionRow
from server.schedule.types import EVENTS
from tests.conftest import Demo
from tests.schedule.applying import Document, MissedEvents, apply, apply_all
from tests.schedule.organizers import Organizer, read_events, read_programme


async def change_and_follow(api: httpx.AsyncClient, demo: Demo, seed: int, changes: int) -> list[Document]:
    """Random changes, one after the other; fails where a reader of events would differ from one who reads again."""
    before = await read_programme(api)
    organizer = Organizer(api, demo, before, seed)
    for _ in range(changes):
        await organizer.change_something()
    events = await read_events(api, before)
    assert apply_all(before, events) == await read_programme(api)
    return events


async def change_together(api: httpx.AsyncClient, demo: Demo, changes: int) -> None:
    """Several organizers at a time, and a reader who reads again and again: each reading and the events after it are the next."""
    first = await read_programme(api)
    organizers = [Organizer(api, demo, first, seed) for seed in (1, 2, 3)]
    readings = [first]

    async def work(organizer: Organizer) -> None:
        for _ in range(changes):
            await organizer.change_something()

    working = asyncio.gather(*(work(organizer) for organizer in organizers))
    while not working.done():
        readings.append(await read_programme(api))
    await working
    readings.append(await read_programme(api))

    events = await read_events(api, first)
    readings = list({reading["feed"]["seq"]: reading for reading in readings}.values())
    assert len(readings) > 3, "nobody has read in the middle"
    for reading in readings:
        for later in readings:
            if later["feed"]["seq"] >= reading["feed"]["seq"]:
                heard = [event for event in events if event["seq"] <= later["feed"]["seq"]]
                assert apply_all(reading, heard) == later


@pytest.mark.parametrize("seed", range(2))
async def test_whoever_applies_the_events_has_what_a_fresh_reader_gets(
    api: httpx.AsyncClient, demo: Demo, seed: int
) -> None:
    events = await change_and_follow(api, demo, seed, changes=40)
    assert {"session.changed", "schedule.released"} <= {event["kind"] for event in events}
    for event in events:
        msgspec.convert(event["data"], EVENTS[event["kind"]])


async def test_an_event_says_all_there_is_to_show(api: httpx.AsyncClient, demo: Demo) -> None:
    """The things that a session refers to as they are at that moment, and of each changed field what it was and what it is."""
    programme = await read_programme(api)
    organizer = Organizer(api, demo, programme, seed=11)
    for _ in range(60):
        await organizer.change_something()
    for event in await read_events(api, programme):
        before, programme = by_id(programme), apply(programme, event)
        after, data = by_id(programme), event["data"]
        thing = data.get(event["kind"].partition(".")[0])
        for field, change in data.get("changed", {}).items():
            assert change["new"] != change["old"]
            if field not in UNREAD:
                assert change["new"] == thing[field]
            if field not in UNREAD:
                assert change["old"] == before[thing["id"]][field]
            if field in ("room_id", "track_id", "kind_id", "speaker_ids"):
                assert change["old_names"] == [before[one]["name"] for one in ids(change["old"])]
                assert change["new_names"] == [after[one]["name"] for one in ids(change["new"])]
        if event["kind"] == "session.changed":
            assert data["speakers"] == [after[one] for one in thing["speaker_ids"]]
            assert data["room"] == (after[thing["room_id"]] if thing["room_id"] else None)
            assert data["track"] == (after[thing["track_id"]] if thing["track_id"] else None)
            assert data["sentence"].keys() == {"fr", "ar", "en"}
            assert data["kinds"]


NOUNS = ("days", "rooms", "tracks", "kinds", "speakers", "sessions")
UNREAD = ("description", "shares_room", "license", "number", "extra")
"""Of a session, what the programme does not have."""


def by_id(programme: Document) -> dict[str, Document]:
    return {one["id"]: one for things in NOUNS for one in programme[things]}


def ids(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


async def test_organizers_at_the_same_time(api: httpx.AsyncClient, demo: Demo) -> None:
    await change_together(api, demo, changes=15)


async def test_an_action_that_tells_nobody_is_caught(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell_nobody(*_arguments: Any, **_more: Any) -> None:
        return None

    monkeypatch.setattr(actions, "emit", tell_nobody)
    with pytest.raises(AssertionError):
        await change_and_follow(api, demo, seed=0, changes=5)


async def test_an_event_without_its_last_word_is_caught(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session as it was, instead of as it is."""
    tell = actions.told

    def tell_what_was(edit: Edit, *arguments: Any) -> Any:
        if isinstance(edit.before, SessionRow) and isinstance(edit.after, SessionRow):
            edit = replace(edit, after=replace(edit.after, speaker_ids=edit.before.speaker_ids))
        return tell(edit, *arguments)

    monkeypatch.setattr(actions, "told", tell_what_was)
    with pytest.raises(AssertionError):
        await change_and_follow(api, demo, seed=1, changes=60)


async def test_a_snapshot_whose_position_is_read_after_its_data_is_caught(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organizer is quicker than the reader: what changed in between is in neither the data nor the events after it."""
    organizer = Organizer(api, demo, await read_programme(api), seed=5)
    await organizer.change_something()  # so that no document is ready
    read = Documents._read

    async def read_and_look_too_late(self: Documents, event: EventRow) -> Edition:
        edition = await read(self, event)
        monkeypatch.setattr(Documents, "_read", read)
        await organizer.change_something()
        async with self._db.read() as connection:
            position = await feed_queries.get_position(connection, event.event_id, channel=SCHEDULE)
        assert position is not None
        edition.position = position
        return edition

    monkeypatch.setattr(Documents, "_read", read_and_look_too_late)
    with pytest.raises(AssertionError):
        await change_and_follow(api, demo, seed=0, changes=0)


def test_an_app_that_has_missed_something_says_so() -> None:
    programme = {"feed": {"seq": 4}}
    assert apply(programme, {"seq": 4}) is programme
    with pytest.raises(MissedEvents):
        apply(programme, {"seq": 6})
    with pytest.raises(MissedEvents):
        apply(programme, {"seq": 5, "kind": "schedule.replaced", "data": {"version": 1, "updated_at": ""}})
