"""What is scheduled goes out at its time, once: with several processes, after a restart, after a death in the middle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from server.announcement import actions, clock as ticking, queries
from server.announcement.clock import Clock
from server.announcement.types import LockedRow
from server.config import Settings
from server.db import Database, Patience, open_database, row
from server.event.queries import get_event, insert_event
from server.feed import emit, open_channels
from server.ids import new_id
from tests.announcement.speaking import Table
from tests.conftest import running_api
from tests.waiting import PATIENCE, until, until_answered

MANY = 50
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name LIKE 'digitalnow test clock%' AND datname = current_database()
"""


@pytest.fixture
async def clocks(database_url: str) -> AsyncIterator[list[Clock]]:
    """Those of two processes, which look when they are told to."""
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(open_database(database_url, size=2, name=f"test clock {number}"))
            for number in range(2)
        ]
        yield [Clock(pool) for pool in pools]


async def test_two_processes_publish_each_once(table: Table, clocks: list[Clock]) -> None:
    scheduled = await table.schedule(MANY)
    await asyncio.gather(*(clock.look() for clock in clocks))
    assert await table.told() == [], "none is due"
    await table.let_time_pass()
    await asyncio.gather(*(clock.look() for clock in clocks))
    assert await table.told_once(scheduled)
    assert set((await table.statuses()).values()) == {"published"}
    await asyncio.gather(*(clock.look() for clock in clocks))
    assert len(await table.told()) == MANY


async def test_they_share_the_work(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is held up with its first announcement holds up nobody else, and is not waited for."""
    first, *others = await table.schedule(5)
    await table.let_time_pass()
    held, go_on = asyncio.Event(), asyncio.Event()

    async def emit_slowly(*arguments: Any, data: Any, **more: Any) -> Any:
        if data.id == first:
            held.set()
            await go_on.wait()
        return await emit(*arguments, data=data, **more)

    monkeypatch.setattr(actions, "emit", emit_slowly)
    slow = asyncio.create_task(clocks[0].look())
    await held.wait()
    try:
        async with asyncio.timeout(PATIENCE):
            await clocks[1].look()
        assert await table.told_once(others)
        assert not caplog.records, "it was waited for, in vain"
    finally:
        go_on.set()
        await slow
    assert await table.told_once([first, *others])


async def together(clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, lock_due: str) -> None:
    """Both look, with this statement; each has read a row before either has changed it."""
    barrier = asyncio.Barrier(2)

    async def both_read(tx: Any, event_id: UUID, announcement_id: UUID) -> Any:
        found = await row(tx, LockedRow, lock_due, event_id, announcement_id)
        await barrier.wait()
        return found

    monkeypatch.setattr(queries, "lock_due", both_read)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(clock.look() for clock in clocks))


async def test_the_lock_is_what_makes_it_once(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled = await table.schedule(3)
    await table.let_time_pass()
    await together(clocks, monkeypatch, queries.LOCK_DUE)
    assert await table.told_once(scheduled)


async def test_without_the_lock_it_is_doubled_and_seen(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant."""
    scheduled = await table.schedule(3)
    await table.let_time_pass()
    await together(clocks, monkeypatch, queries.LOCK_DUE.replace("FOR UPDATE SKIP LOCKED", ""))
    assert len(await table.told()) == 6
    assert not await table.told_once(scheduled)


async def test_without_the_condition_it_is_doubled_and_seen(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: whoever waited for the lock does not look again what has become of it."""
    scheduled = await table.schedule(3)
    await table.let_time_pass()
    blind = queries.LOCK_DUE.replace("AND due_at <= now()", "").replace("SKIP LOCKED", "")

    async def lock_anyway(tx: Any, event_id: UUID, announcement_id: UUID) -> Any:
        return await row(tx, LockedRow, blind, event_id, announcement_id)

    barrier, list_due = asyncio.Barrier(2), queries.list_due

    async def both_list(*arguments: Any, **more: Any) -> Any:
        found = await list_due(*arguments, **more)
        await barrier.wait()
        return found

    monkeypatch.setattr(queries, "list_due", both_list)
    monkeypatch.setattr(queries, "lock_due", lock_anyway)
    monkeypatch.setattr(actions, "next_step", lambda _row: "publish")
    await asyncio.gather(*(clock.look() for clock in clocks))
    assert not await table.told_once(scheduled)


async def test_its_moment_passes_while_nobody_is_there(table: Table, clocks: list[Clock]) -> None:
    """A restart at the moment."""
    async with clocks[0].run():
        await until(lambda: clocks[0].looks)
    (scheduled,) = await table.schedule(1)
    await table.let_time_pass()
    assert await table.told() == []
    async with clocks[0].run(), clocks[1].run():
        await until_answered(table.told, [(1, "published", scheduled)])
        looks = [clock.looks for clock in clocks]
        for clock in clocks:
            clock.wake()
        await until(lambda: all(clock.looks > before for clock, before in zip(clocks, looks, strict=True)))
    assert await table.told_once([scheduled])


@pytest.mark.parametrize("moment", ["before it is told", "after it is told"])
async def test_a_process_that_stops_in_the_middle_has_told_nothing(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    scheduled = await table.schedule(3)
    await table.let_time_pass()
    reached = asyncio.Event()

    async def emit_and_hang(*arguments: Any, **more: Any) -> Any:
        if moment == "after it is told":
            await emit(*arguments, **more)
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(actions, "emit", emit_and_hang)
        async with clocks[0].run():
            await reached.wait()
    assert await table.told() == []
    await clocks[1].look()
    assert await table.told_once(scheduled)


async def test_a_connection_that_dies_in_the_middle_is_made_up_for(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed by the server between the event and the commit: the clock goes on by itself."""
    scheduled = await table.schedule(3)
    await table.let_time_pass()
    killed: list[object] = []

    async def emit_and_die(tx: Any, *arguments: Any, **more: Any) -> Any:
        emitted = await emit(tx, *arguments, **more)
        if not killed:
            killed.append(more["data"])
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return emitted

    monkeypatch.setattr(actions, "emit", emit_and_die)
    monkeypatch.setattr(ticking, "LOOK_SECONDS", 0.02)
    async with clocks[0].run():
        await until_answered(lambda: table.told_once(scheduled), wanted=True)
    assert killed
    assert "cannot look which announcements are due" in caplog.text


async def test_it_survives_its_connections(table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are cut again and again while it publishes."""
    monkeypatch.setattr(ticking, "LOOK_SECONDS", 0.01)
    scheduled = await table.schedule(MANY)
    async with clocks[0].run():
        await until(lambda: clocks[0].looks)
        await table.let_time_pass()
        for least in (1, 5, 15, 30):
            await until_answered(lambda least=least: table.has_told(least), wanted=True)
            async with table.db.read() as connection:
                await connection.execute(CUT)
        await until_answered(lambda: table.told_once(scheduled), wanted=True)


async def test_one_that_cannot_go_out_holds_up_no_other(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = await table.schedule(4)
    await table.let_time_pass()
    async with table.db.read() as connection:
        await connection.execute(
            "UPDATE announcement SET publish_at = publish_at - interval '1 day' WHERE announcement_id = $1", first
        )
    tried: list[UUID] = []

    async def emit_badly(*arguments: Any, data: Any, **more: Any) -> Any:
        tried.append(data.id)
        if data.id == first:
            raise asyncpg.DataError("this one is poisoned")
        return await emit(*arguments, data=data, **more)

    monkeypatch.setattr(actions, "emit", emit_badly)
    await clocks[0].look()
    assert tried[0] == first, "the poisoned one comes first"
    assert await table.told_once(others)
    assert "this one is poisoned" in caplog.text
    await clocks[0].look()
    assert tried.count(first) == 1, "it is left alone for a while"
    assert await clocks[0].look() == ticking.LOOK_SECONDS, "and not asked for without a pause"

    monkeypatch.setattr(actions, "emit", emit)
    monkeypatch.setattr(ticking, "REST_SECONDS", (0.0,))
    clocks[0] = Clock(table.db)
    await clocks[0].look()
    assert await table.told_once([first, *others])


async def test_a_channel_that_somebody_holds_holds_up_no_other(
    table: Table, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A hung session has the channel's counter: a step that cannot be taken in time is one that failed."""
    (stuck,) = await table.schedule(1, audience="staff")
    (free,) = await table.schedule(1, audience="attendees")
    await table.let_time_pass()
    patience = Patience(acquire_seconds=2.0, statement_seconds=0.3)
    async with open_database(database_url, size=2, name="test clock", patience=patience) as impatient:
        clock = Clock(impatient)
        async with table.db.tx() as tx:
            await emit(tx, table.event_id, channel="announcements:staff", kind="test.held", data={"id": str(stuck)})
            await clock.look()
            assert await table.told_once([free], "announcements:attendees")
    assert "the next step of announcement" in caplog.text
    await Clock(table.db).look()
    assert [kind for _, kind, _ in await table.told("announcements:staff")] == ["test.held", "published"]


async def test_what_has_expired_before_it_could_go_out_never_does(table: Table, clocks: list[Clock]) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=4000)
    (late,) = await table.schedule(1, expires_at=expires_at)
    (in_time,) = await table.schedule(1)
    await table.let_time_pass()
    await clocks[0].look()
    assert await table.told() == [(1, "published", in_time)]
    assert await table.statuses() == {late: "expired", in_time: "published"}


async def test_it_expires_once(table: Table, clocks: list[Clock]) -> None:
    scheduled = await table.schedule(10, in_seconds=-1, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert await table.told_once(scheduled)
    await table.let_time_pass()
    await asyncio.gather(*(clock.look() for clock in clocks))
    told = await table.told()
    assert [seq for seq, _, _ in told] == list(range(1, 21))
    assert sorted(one for _, kind, one in told if kind == "expired") == sorted(scheduled)
    assert set((await table.statuses()).values()) == {"expired"}


async def test_it_waits_for_the_very_moment(table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "LOOK_SECONDS", 60.0)
    assert await clocks[0].look() == ticking.LOOK_SECONDS, "nothing comes"
    await table.schedule(1, in_seconds=3600)
    assert await clocks[0].look() == ticking.LOOK_SECONDS, "it comes later than the next look"
    await table.schedule(1, in_seconds=50)
    assert 0 < await clocks[0].look() <= 50


async def test_what_its_process_schedules_wakes_it(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would sleep for a minute."""
    monkeypatch.setattr(ticking, "LOOK_SECONDS", 60.0)
    async with clocks[0].run():
        await until(lambda: clocks[0].looks)
        (scheduled,) = await table.schedule(1, in_seconds=1)
        assert await table.told() == []
        clocks[0].wake()
        await until_answered(table.told, [(1, "published", scheduled)])


async def test_all_events_are_looked_at(table: Table, clocks: list[Clock], db: Database) -> None:
    async with db.tx() as tx:
        event = await get_event(tx, table.event_id)
        assert event is not None
        other = msgspec.structs.replace(event, event_id=new_id(), slug="elsewhere")
        await insert_event(tx, other)
        await open_channels(tx, other.event_id, ["announcements"])
    elsewhere = Table(db, other.event_id)
    here, there = await table.schedule(2), await elsewhere.schedule(3)
    await table.let_time_pass()
    await clocks[0].look()
    assert await table.told_once(here)
    assert await elsewhere.told_once(there)


async def test_two_servers_publish_each_once(settings: Settings, table: Table) -> None:
    """Whole API processes' worth, by the time of day."""
    async with running_api(settings), running_api(settings):
        scheduled = await table.schedule(MANY, in_seconds=0.5)
        await until_answered(lambda: table.has_told(MANY), wanted=True)
        assert await table.told_once(scheduled)


async def test_a_failure_nobody_foresaw_does_not_stop_it(
    table: Table, clocks: list[Clock], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ticking, "LOOK_SECONDS", 0.02)
    list_due, failures = queries.list_due, [RuntimeError("not foreseen"), ConnectionResetError("gone")]

    async def list_badly(*arguments: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await list_due(*arguments, **more)

    monkeypatch.setattr(queries, "list_due", list_badly)
    (scheduled,) = await table.schedule(1)
    await table.let_time_pass()
    with caplog.at_level(logging.WARNING):
        async with clocks[0].run():
            await until_answered(table.told, [(1, "published", scheduled)])
    assert "not foreseen" in caplog.text
    assert "cannot look" in caplog.text
