"""Any list and the events after it make the newest list; any list and what is asked for since make it too."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.announcement import actions, listing, queries
from server.announcement.actions import edit_announcement
from server.announcement.types import EDITED, EXPIRED, PUBLISHED, WITHDRAWN, ChangeAnnouncement
from server.feed import emit
from server.feed.types import Emitted
from tests.announcement.speaking import TITLE, Json, Speaker, Table, apply, later, newest_first
from tests.conftest import Demo
from tests.waiting import until_answered

OVERDUE = "SELECT count(*) FROM announcement WHERE due_at <= now() + interval '5 minutes'"


@pytest.fixture
def readers(api: httpx.AsyncClient, demo: Demo) -> list[Speaker]:
    tokens = ("", demo.attendees[0]["token"], demo.device(), demo.file.exhibitors[0].token, demo.file.organizer_token)
    return [Speaker(api, token) for token in tokens]


async def everything_of(reader: Speaker) -> Json:
    return await reader.page(lang="*", limit=500)


async def speak(organizer: Speaker, draw: random.Random, audiences: list[str | None]) -> None:
    """One random act of an organizer; some are refused, because another one was quicker."""
    known = await organizer.listed(status="all", limit=500)
    act = draw.random()
    if act < 0.4 or not known:
        body: Json = {"title": TITLE, "audience": draw.choice(audiences), "urgent": draw.random() < 0.3}
        if draw.random() < 0.5:
            body["publish_at"] = later(seconds=draw.uniform(-1, 0.6))
        if draw.random() < 0.4:
            body["expires_at"] = later(seconds=draw.uniform(0.8, 1.2))
        answer = await organizer.ask("POST", "/announcements", body)
        assert answer.status_code == 201 or "expires_at" in body, answer.text  # its end may have been quicker than we
    elif act < 0.75:
        changes: Json = {"urgent": draw.random() < 0.5, "body": {"fr": f"Texte {draw.randrange(5)}"}}
        if draw.random() < 0.3:
            changes["expires_at"] = later(seconds=draw.uniform(0.1, 0.5))
        if draw.random() < 0.2:
            changes["audience"] = draw.choice(audiences)
        await organizer.ask("PATCH", f"/announcements/{draw.choice(known)}", changes)
    else:
        await organizer.withdraw(draw.choice(known))


async def nothing_is_due(table: Table) -> None:
    async with table.db.read() as connection:
        await until_answered(lambda: connection.fetchval(OVERDUE), 0)


async def disagreements(reader: Speaker, snapshots: list[Json]) -> list[Json]:
    """Snapshots that the feed does not make into the present list."""
    fresh = await everything_of(reader)
    events = [
        event for position in fresh["feed"] for event in await reader.events(position["channel"])
    ]  # by channel, each in its order
    wanted = {"announcements": newest_first(fresh["announcements"]), "feed": fresh["feed"]}
    assert wanted["announcements"] == fresh["announcements"], "the list's own order"
    return [snapshot for snapshot in snapshots if apply(snapshot, events) != wanted]


@pytest.mark.parametrize("seed", range(4))
async def test_a_list_and_the_events_after_it_make_the_newest_one(
    organizer: Speaker, readers: list[Speaker], table: Table, seed: int
) -> None:
    """Three organizers at once, and lists read in between, whenever it happens."""
    track = (await organizer.api.get("/schedule")).json()["tracks"][0]["id"]
    audiences = [None, None, "attendees", "staff", "exhibitors", f"track:{track}", "ticket:visitor"]
    snapshots = [[await everything_of(reader)] for reader in readers]

    async def organize(draw: random.Random) -> None:
        for _ in range(10):
            await speak(organizer, draw, audiences)
            number = draw.randrange(len(readers))
            snapshots[number].append(await everything_of(readers[number]))

    await asyncio.gather(*(organize(random.Random(10 * seed + number)) for number in range(3)))
    await nothing_is_due(table)
    for reader, taken in zip(readers, snapshots, strict=True):
        assert await disagreements(reader, taken) == []


@pytest.mark.parametrize("kind", [PUBLISHED, EDITED, WITHDRAWN, EXPIRED])
async def test_what_is_not_told_is_noticed(
    organizer: Speaker, readers: list[Speaker], table: Table, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The broken variant: one of the steps tells nobody."""

    async def emit_others(tx: Any, event_id: UUID, **event: Any) -> Emitted:
        if event["kind"] != kind:
            return await emit(tx, event_id, **event)
        async with table.db.read() as connection:
            return Emitted(1, await connection.fetchval("SELECT now()"))

    before = [await everything_of(readers[0])]
    edited = await organizer.announce()
    expiring, withdrawn = await organizer.announce(expires_at=later(hours=1)), await organizer.announce()
    before.append(await everything_of(readers[0]))
    assert await disagreements(readers[0], before) == []
    monkeypatch.setattr(actions, "emit", emit_others)
    await organizer.announce()
    await organizer.edit(edited["id"], urgent=True)
    await organizer.withdraw(withdrawn["id"])
    await organizer.edit(expiring["id"], expires_at=later(seconds=0.1))
    await nothing_is_due(table)
    assert len(await disagreements(readers[0], before)) >= 1


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_asked_for_since_makes_the_newest_one(
    organizer: Speaker, readers: list[Speaker], table: Table, seed: int
) -> None:
    """Phones without a feed, that ask from time to time."""
    held: list[tuple[dict[str, Json], str]] = [({}, (await everything_of(reader))["as_of"]) for reader in readers]

    async def ask(number: int) -> None:
        shown, since = held[number]
        page = await readers[number].page(lang="*", limit=500, since=since)
        for one in page["announcements"]:
            shown[one["id"]] = one
        for gone in page["gone"]:
            shown.pop(gone, None)
        held[number] = shown, page["as_of"]

    async def organize(draw: random.Random) -> None:
        for _ in range(10):
            await speak(organizer, draw, [None, "attendees", "staff"])
            await ask(draw.randrange(len(readers)))

    # One organizer asks for one phone at a time: two answers to one phone that overtake each other are the phone's own affair.
    await organize(random.Random(seed))
    await nothing_is_due(table)
    for number, reader in enumerate(readers):
        await ask(number)
        fresh = (await everything_of(reader))["announcements"]
        assert newest_first(held[number][0].values()) == fresh


async def ask_in_the_middle_of_an_edit(
    organizer: Speaker, table: Table, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, list[str]]:
    """Somebody reads the list while an edit is written and not committed; returns it, and what that reader is told since."""
    made = await organizer.announce()
    reached, go_on = asyncio.Event(), asyncio.Event()
    update = queries.update_announcement

    async def update_slowly(*arguments: Any, **more: Any) -> Any:
        written = await update(*arguments, **more)
        reached.set()
        await go_on.wait()
        return written

    monkeypatch.setattr(queries, "update_announcement", update_slowly)
    change = ChangeAnnouncement(urgent=True)
    editing = asyncio.create_task(edit_announcement(table.db, table.event_id, UUID(made["id"]), change))
    await reached.wait()
    page = await organizer.page()
    assert page["announcements"][0]["urgent"] is False
    go_on.set()
    await editing
    return made["id"], await organizer.listed(since=page["as_of"], urgent="true")


async def test_what_was_under_way_when_one_asked_is_told_the_next_time(
    organizer: Speaker, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, told = await ask_in_the_middle_of_an_edit(organizer, table, monkeypatch)
    assert told == [made]


async def test_without_the_margin_it_is_lost_and_seen(
    organizer: Speaker, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant."""
    monkeypatch.setattr(listing, "MAX_TRANSACTION_SECONDS", 0)
    _, told = await ask_in_the_middle_of_an_edit(organizer, table, monkeypatch)
    assert told == []


async def test_positions_that_are_read_after_the_list_lose_an_event_and_are_seen(
    organizer: Speaker, readers: list[Speaker], table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: not one snapshot, and the feed's positions last."""
    list_newest = queries.list_newest

    async def list_and_let_something_happen(*arguments: Any, **more: Any) -> Any:
        rows = await list_newest(*arguments, **more)
        monkeypatch.undo()
        await organizer.announce()
        return rows

    monkeypatch.setattr(queries, "list_newest", list_and_let_something_happen)
    snapshot = await everything_of(readers[0])
    assert await disagreements(readers[0], [snapshot]) == [], "in one snapshot nothing can come in between"
    late = {**snapshot, "feed": (await everything_of(readers[0]))["feed"]}
    assert await disagreements(readers[0], [late]) == [late]
