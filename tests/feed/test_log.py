"""The log's numbers follow the commits without a gap, whoever writes at the same time and whatever is rolled back.

A log numbered by a sequence, which is the obvious way, is put through the same checks and must not pass them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest

from server.db import Database, Tx, open_database
from server.feed import emit, open_channels, queries
from server.ids import new_id

Append = Callable[[Tx, UUID, str], Awaitable[int]]
"""Appends an event to a channel in a transaction; returns its number."""

CHANNELS = ("announcements", "schedule")


class Gap(Exception):
    """A reader was shown an event before the one that precedes it."""


class Follower:
    """Reads a channel as a gateway does: always on from the last event it has seen."""

    def __init__(self, event_id: UUID, channel: str) -> None:
        self.event_id = event_id
        self.channel = channel
        self.seen: list[int] = []

    async def look(self, connection: Tx) -> None:
        """Raises `Gap`."""
        rows = await queries.list_events_after(
            connection, self.event_id, channel=self.channel, after=len(self.seen), limit=1000
        )
        for row in rows:
            if row.seq != len(self.seen) + 1:
                raise Gap(f"{row.seq} came after {len(self.seen)}")
            self.seen.append(row.seq)


async def append_counted(tx: Tx, event_id: UUID, channel: str) -> int:
    """The real one."""
    return (await emit(tx, event_id, channel=channel, kind="test.happened", data={"n": 1})).seq


async def append_by_sequence(tx: Tx, event_id: UUID, channel: str) -> int:
    """The broken one: numbers are handed out before the commit, and never taken back."""
    seq: int = await tx.fetchval("SELECT nextval($1::text::regclass)", f"broken_{channel}_{event_id.hex}")
    await tx.execute(
        "INSERT INTO feed_event (event_id, channel, seq, id, kind, data) VALUES ($1, $2, $3, $4, 'test.happened', '{}')",
        event_id,
        channel,
        seq,
        new_id(),
    )
    return seq


async def open_sequences(db: Database, events: Sequence[UUID]) -> None:
    async with db.tx() as tx:
        for event_id in events:
            await open_channels(tx, event_id, CHANNELS)
            for channel in CHANNELS:
                name = f"broken_{channel}_{event_id.hex}"
                await tx.execute(f"DROP SEQUENCE IF EXISTS {name}; CREATE SEQUENCE {name}")


async def play_at_random(db: Database, events: Sequence[UUID], append: Append, seed: int, rollbacks: float) -> None:
    """Eight writers whose transactions overlap, and a reader that never stops looking. Raises `Gap`."""
    committed = {(event_id, channel): 0 for event_id in events for channel in CHANNELS}
    followers = [Follower(*key) for key in committed]
    choice = random.Random(seed)

    async def write(choice: random.Random) -> None:
        for _ in range(12):
            # Always in the same order: a transaction that appends to several channels holds all their counters.
            chosen = sorted(choice.sample(list(committed), choice.randrange(1, 3)))
            fate = choice.random() < rollbacks
            with suppress(_Undone):
                async with db.tx() as tx:
                    for event_id, channel in chosen:
                        await append(tx, event_id, channel)
                        for _ in range(choice.randrange(3)):
                            await tx.execute("SELECT 1")
                    if fate:
                        raise _Undone
                for key in chosen:
                    committed[key] += 1

    writing = asyncio.gather(*(write(random.Random(choice.random())) for _ in range(8)))
    async with db.read() as connection:
        try:
            while not writing.done():
                for follower in followers:
                    await follower.look(connection)
        finally:
            await writing
        for follower in followers:
            await follower.look(connection)
            assert len(follower.seen) == committed[follower.event_id, follower.channel]


class _Undone(Exception):
    """The transaction is to be rolled back."""


async def commit_late(db: Database, event_id: UUID, append: Append) -> list[int]:
    """One transaction appends first and commits last; another would like to overtake it. Raises `Gap`."""
    follower = Follower(event_id, "announcements")
    async with db.read() as reading:
        async with db.tx() as late:
            await append(late, event_id, "announcements")
            quick = asyncio.create_task(append_and_commit(db, event_id, append))
            while not quick.done():
                if await is_anybody_waiting(reading):
                    break
            await follower.look(reading)
            assert follower.seen == [], "nothing is committed that comes first"
        await quick
        await follower.look(reading)
    return follower.seen


async def append_and_commit(db: Database, event_id: UUID, append: Append) -> None:
    async with db.tx() as tx:
        await append(tx, event_id, "announcements")


async def is_anybody_waiting(connection: Tx) -> bool:
    waiting: int = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return waiting > 0


@pytest.fixture
async def wide(database_url: str) -> AsyncIterator[Database]:
    """Connections enough for everybody at once."""
    async with open_database(database_url, size=10, name="test") as db:
        yield db


async def position(db: Database, event_id: UUID, channel: str = "announcements") -> int:
    async with db.read() as connection:
        found = await queries.get_position(connection, event_id, channel=channel)
    assert found is not None
    return found.seq


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_overlapping_writers_make_a_log_without_a_gap(
    wide: Database, event_id: UUID, other_event_id: UUID, seed: int
) -> None:
    await play_at_random(wide, [event_id, other_event_id], append_counted, seed, rollbacks=0.3)


async def test_a_log_numbered_by_a_sequence_is_caught(wide: Database, event_id: UUID, other_event_id: UUID) -> None:
    await open_sequences(wide, [event_id, other_event_id])
    with pytest.raises(Gap):
        await play_at_random(wide, [event_id, other_event_id], append_by_sequence, 1, rollbacks=0.3)


async def test_nobody_overtakes_a_transaction_that_commits_late(db: Database, event_id: UUID) -> None:
    assert await commit_late(db, event_id, append_counted) == [1, 2]


async def test_a_sequence_that_lets_somebody_overtake_is_caught(db: Database, event_id: UUID) -> None:
    await open_sequences(db, [event_id])
    with pytest.raises(Gap, match="2 came after 0"):
        await commit_late(db, event_id, append_by_sequence)


async def test_a_rollback_leaves_no_gap(db: Database, event_id: UUID) -> None:
    await append_and_commit(db, event_id, append_counted)
    for _ in range(3):
        with suppress(_Undone):
            async with db.tx() as tx:
                assert await append_counted(tx, event_id, "announcements") == 2
                raise _Undone
    async with db.tx() as tx:
        with suppress(_Undone):
            async with tx.transaction():  # a savepoint is rolled back too
                assert await append_counted(tx, event_id, "announcements") == 2
                raise _Undone
        assert await append_counted(tx, event_id, "announcements") == 2
        assert await append_counted(tx, event_id, "announcements") == 3
    assert await position(db, event_id) == 3


async def test_a_connection_that_dies_leaves_no_gap(db: Database, database_url: str, event_id: UUID) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("BEGIN")
    await append_counted(connection, event_id, "announcements")
    connection.terminate()
    await append_and_commit(db, event_id, append_counted)
    assert await position(db, event_id) == 1


async def test_an_event_is_invisible_before_its_commit(db: Database, event_id: UUID) -> None:
    async with db.read() as reading:
        async with db.tx() as tx:
            await append_counted(tx, event_id, "announcements")
            assert await position(db, event_id) == 0
            assert not await queries.list_events_after(reading, event_id, channel="announcements", after=0, limit=9)
        rows = await queries.list_events_after(reading, event_id, channel="announcements", after=0, limit=9)
    assert [(row.seq, row.kind, row.data) for row in rows] == [(1, "test.happened", '{"n":1}')]


async def test_channels_and_events_count_for_themselves(db: Database, event_id: UUID, other_event_id: UUID) -> None:
    for event, channel, count in (
        (event_id, "announcements", 3),
        (event_id, "schedule", 1),
        (other_event_id, "schedule", 2),
    ):
        for _ in range(count):
            async with db.tx() as tx:
                await append_counted(tx, event, channel)
    assert [await position(db, event_id, channel) for channel in CHANNELS] == [3, 1]
    assert await position(db, other_event_id, "schedule") == 2
    async with db.read() as connection:
        assert await queries.get_position(connection, other_event_id, channel="announcements") is None
        assert not await queries.list_events_after(
            connection, other_event_id, channel="announcements", after=0, limit=9
        )
        rows = await queries.list_events_after(connection, other_event_id, channel="schedule", after=0, limit=9)
    assert [row.seq for row in rows] == [1, 2]


async def test_one_event_s_writers_do_not_wait_for_another_s(
    db: Database, event_id: UUID, other_event_id: UUID
) -> None:
    async with db.tx() as unfinished:
        await append_counted(unfinished, event_id, "announcements")
        await append_and_commit(db, other_event_id, append_counted)
        async with db.tx() as tx:
            await append_counted(tx, event_id, "schedule")
    assert await position(db, other_event_id) == 1


async def test_a_channel_begins_with_its_first_event_and_keeps_its_epoch(db: Database, other_event_id: UUID) -> None:
    async with db.tx() as tx:
        await append_counted(tx, other_event_id, "announcements")
        first = await queries.get_position(tx, other_event_id, channel="announcements")
        await append_counted(tx, other_event_id, "announcements")
        await open_channels(tx, other_event_id, ["announcements", "schedule"])
        positions = await queries.list_positions(tx, other_event_id, channels=list(CHANNELS))
    assert first is not None
    assert [(one.channel, one.seq) for one in positions] == [("announcements", 2), ("schedule", 0)]
    assert positions[0].epoch == first.epoch
    assert positions[1].epoch != first.epoch


async def test_two_first_events_at_once_are_one_and_two(db: Database, other_event_id: UUID) -> None:
    assert await commit_late(db, other_event_id, append_counted) == [1, 2]


async def test_what_is_said_is_kept_to_the_letter(db: Database, event_id: UUID) -> None:
    data = {"z": 1, "a": "\u2028é مرحبا", "n": [1.0, 1e-7, 2**60]}
    async with db.tx() as tx:
        await emit(tx, event_id, channel="announcements", kind="test.happened", data=data)
        (row,) = await queries.list_events_after(tx, event_id, channel="announcements", after=0, limit=1)
    assert row.data == '{"z":1,"a":"\u2028é مرحبا","n":[1.0,1e-7,1152921504606846976]}'
