"""Pages are read once for all who ask, and never older than the question."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from server.db import Database
from server.feed import emit, pages as pages_module
from server.feed.pages import Page, Pages
from server.feed.types import Position


async def fill(db: Database, event_id: UUID, count: int) -> None:
    async with db.tx() as tx:
        for _ in range(count):
            await emit(tx, event_id, channel="schedule", kind="test.happened", data={})


async def where(pages: Pages, event_id: UUID) -> Position:
    position = await pages.position(event_id, "schedule")
    assert position is not None
    return position


def seqs(page: Page) -> list[int]:
    return [one["seq"] for one in msgspec.json.decode(page.body)["events"]]


async def test_a_hall_that_asks_at_once_is_one_question(db: Database, event_id: UUID) -> None:
    await fill(db, event_id, 7)
    pages = Pages(db)

    async def ask() -> list[int]:
        return seqs(await pages.get(event_id, await where(pages, event_id), after=2, limit=3))

    await ask()
    assert pages.queries == 2
    assert await asyncio.gather(*(ask() for _ in range(500))) == [[3, 4, 5]] * 500
    assert pages.queries <= 4, "at the most the query under way and the next"


async def test_an_end_is_an_end_only_until_something_happens(db: Database, event_id: UUID) -> None:
    pages = Pages(db)
    for count in range(3):
        assert seqs(await pages.get(event_id, await where(pages, event_id), after=0, limit=10)) == [
            *range(1, count + 1)
        ]
        await fill(db, event_id, 1)


async def never_older_than_the_question(db: Database, event_id: UUID) -> None:
    """Somebody knows of an event, and asks while an earlier question, which cannot know of it, is under way."""
    pages, going_on, asking = Pages(db), asyncio.Event(), asyncio.Event()
    get_position = pages_module.queries.get_position

    async def slow(tx: Any, *where: Any, **more: Any) -> Position | None:
        found = await get_position(tx, *where, **more)
        asking.set()
        await going_on.wait()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages_module.queries, "get_position", slow)
        early = asyncio.create_task(where(pages, event_id))
        await asking.wait()
        await fill(db, event_id, 1)
        late = [asyncio.create_task(where(pages, event_id)) for _ in range(3)]
        going_on.set()
        assert (await early).seq == 0
        assert [(await one).seq for one in late] == [1, 1, 1], "an answer older than the question"
    assert pages.queries == 2


async def test_nobody_gets_an_answer_older_than_the_question(db: Database, event_id: UUID) -> None:
    await never_older_than_the_question(db, event_id)


async def test_joining_a_question_under_way_would_be_noticed(
    db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = Pages.position

    async def join(pages: Pages, event_id: UUID, channel: str) -> Position | None:
        running = pages._running.get((event_id, channel))
        return await (asyncio.shield(running) if running else position(pages, event_id, channel))

    monkeypatch.setattr(Pages, "position", join)
    with pytest.raises(AssertionError, match="older than the question"):
        await never_older_than_the_question(db, event_id)


async def test_one_who_goes_away_takes_nobody_along(db: Database, event_id: UUID) -> None:
    pages = Pages(db)
    asked = [asyncio.create_task(where(pages, event_id)) for _ in range(3)]
    await asyncio.sleep(0)
    asked[0].cancel()
    assert [(await one).seq for one in asked[1:]] == [0, 0]


async def test_a_database_that_is_away_is_said_to_all_and_asked_again(
    db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Pages(db)

    async def fail(*_arguments: object, **_more: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(pages_module.queries, "get_position", fail)
        outcomes = await asyncio.gather(*(where(pages, event_id) for _ in range(5)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ConnectionResetError}
    assert (await where(pages, event_id)).seq == 0


async def test_only_so_many_are_kept(db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "MOST_PAGES", 2)
    await fill(db, event_id, 9)
    pages = Pages(db)
    position = await where(pages, event_id)
    for after in (0, 1, 0, 2):
        await pages.get(event_id, position, after=after, limit=2)
    asked = pages.queries
    await pages.get(event_id, position, after=0, limit=2)
    assert pages.queries == asked
    await pages.get(event_id, position, after=1, limit=2)
    assert pages.queries == asked + 1, "unused for longest"


async def test_an_epoch_has_its_own_pages(db: Database, event_id: UUID) -> None:
    await fill(db, event_id, 3)
    pages = Pages(db)
    before = await pages.get(event_id, await where(pages, event_id), after=0, limit=2)
    async with db.tx() as tx:
        await tx.execute("UPDATE feed_channel SET epoch = 'restored' WHERE event_id = $1", event_id)
    after = await pages.get(event_id, await where(pages, event_id), after=0, limit=2)
    assert msgspec.json.decode(after.body)["epoch"] == "restored"
    assert after.etag != before.etag
