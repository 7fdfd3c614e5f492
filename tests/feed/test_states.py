"""The values of a state channel: numbered in the order of the commits, never moved or told for nothing, and gone when taken
away.

Values numbered by a sequence, which is the obvious way, are put through the same checks and must not pass them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from server.db import Database, Tx, open_database
from server.feed import OCCUPANCY, STATE_CHANNELS, Watch, queries, set_states, watch as watch_module
from server.feed.types import StateRow
from tests.feed.test_log import is_anybody_waiting
from tests.waiting import until

States = Mapping[str, object]
Write = Callable[[Tx, UUID, States], Awaitable[object]]
"""Sets the values of keys in a transaction."""


async def write_counted(tx: Tx, event_id: UUID, states: States) -> int:
    """The real one."""
    return await set_states(tx, event_id, OCCUPANCY, states)


async def write_by_sequence(tx: Tx, event_id: UUID, states: States) -> None:
    """The broken one: versions are handed out before the commit, and keys are locked in the caller's order."""
    for key, value in states.items():
        await tx.execute(
            "INSERT INTO feed_state (event_id, channel, key, version, at, data) "
            "VALUES ($1, $2, $3, nextval('broken_version'), now(), $4) ON CONFLICT (event_id, channel, key) "
            "DO UPDATE SET version = excluded.version, data = excluded.data",
            event_id,
            OCCUPANCY,
            key,
            json.dumps(value),
        )


class Missed(Exception):
    """A reader that always asked for what is new has another value than the table."""


class Follower:
    """Reads a state channel as a gateway does: always on from the last version it has seen."""

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        self.position = 0
        self.held: dict[str, StateRow] = {}

    async def look(self, connection: Tx) -> None:
        for row in await queries.list_states_after(connection, self.event_id, channel=OCCUPANCY, after=self.position):
            assert row.key not in self.held or row.version > self.held[row.key].version
            self.held[row.key] = row
            self.position = max(self.position, row.version)

    async def check(self, connection: Tx) -> None:
        """Raises `Missed`."""
        await self.look(connection)
        if self.held != {row.key: row for row in await all_states(connection, self.event_id)}:
            raise Missed


async def all_states(connection: Tx, event_id: UUID) -> list[StateRow]:
    return await queries.list_states_after(connection, event_id, channel=OCCUPANCY, after=0)


async def put(db: Database, event_id: UUID, states: States, write: Write = write_counted) -> object:
    async with db.tx() as tx:
        return await write(tx, event_id, states)


async def read(db: Database, event_id: UUID) -> dict[str, tuple[int, Any]]:
    """Key → version and value."""
    async with db.read() as connection:
        rows = await all_states(connection, event_id)
    return {row.key: (row.version, None if row.data is None else json.loads(row.data)) for row in rows}


async def count(db: Database, event_id: UUID) -> int:
    async with db.read() as connection:
        position = await queries.get_position(connection, event_id, channel=OCCUPANCY)
    assert position is not None
    return position.seq


@pytest.fixture
async def wide(database_url: str) -> AsyncIterator[Database]:
    """Connections enough for everybody at once, and the sequence of the broken variant."""
    async with open_database(database_url, size=10, name="test") as db:
        async with db.tx() as tx:
            await tx.execute("DROP SEQUENCE IF EXISTS broken_version; CREATE SEQUENCE broken_version")
        yield db


async def test_what_is_set_together_has_one_version(db: Database, event_id: UUID) -> None:
    assert await put(db, event_id, {"list:b": {"inside": 1}, "list:a": {"inside": 2}}) == 2
    assert await read(db, event_id) == {"list:a": (1, {"inside": 2}), "list:b": (1, {"inside": 1})}


async def test_only_what_differs_changes(db: Database, event_id: UUID) -> None:
    await put(db, event_id, {"a": 1, "b": 1})
    assert await put(db, event_id, {"a": 1, "b": 2, "c": 1}) == 2
    assert await read(db, event_id) == {"a": (1, 1), "b": (2, 2), "c": (2, 1)}


async def test_the_same_again_writes_nothing_at_all(db: Database, event_id: UUID) -> None:
    await put(db, event_id, {"a": 1, "b": None})
    for same in ({"a": 1}, {"b": None}, {"never there": None}, {}):
        async with db.tx() as tx:
            assert await set_states(tx, event_id, OCCUPANCY, same) == 0, same
            assert await tx.fetchval("SELECT pg_current_xact_id_if_assigned() IS NULL"), "a row was locked or written"
    assert await count(db, event_id) == 1


async def test_a_key_that_was_taken_away_keeps_its_version_for_later(db: Database, event_id: UUID) -> None:
    await put(db, event_id, {"a": 1, "b": 1})
    assert await put(db, event_id, {"a": None}) == 1
    assert (await read(db, event_id))["a"] == (2, None)
    await put(db, event_id, {"a": 1})
    assert (await read(db, event_id))["a"] == (3, 1)


async def test_a_channel_begins_with_its_first_value(db: Database, other_event_id: UUID) -> None:
    assert await put(db, other_event_id, {"a": 1}) == 1
    assert await read(db, other_event_id) == {"a": (1, 1)}


async def test_another_event_s_values_are_its_own(db: Database, event_id: UUID, other_event_id: UUID) -> None:
    await put(db, event_id, {"a": 1})
    await put(db, other_event_id, {"a": 2, "b": 1})
    await put(db, other_event_id, {"a": None})
    assert await read(db, event_id) == {"a": (1, 1)}


async def test_a_log_is_no_place_for_values(db: Database, event_id: UUID) -> None:
    async with db.tx() as tx:
        with pytest.raises(ValueError, match="announcements is no state channel"):
            await set_states(tx, event_id, "announcements", {"a": 1})


async def commit_late(db: Database, event_id: UUID, write: Write) -> None:
    """One transaction writes first and commits last; another would like to overtake it. Raises `Missed`."""
    follower = Follower(event_id)
    async with db.read() as reading:
        async with db.tx() as late:
            await write(late, event_id, {"slow": 1})
            quick = asyncio.create_task(put(db, event_id, {"quick": 1}, write))
            while not quick.done():
                if await is_anybody_waiting(reading):
                    break
            await follower.look(reading)
        await quick
        await follower.check(reading)
    assert follower.held.keys() == {"slow", "quick"}


async def test_a_late_commit_is_not_overlooked(wide: Database, event_id: UUID) -> None:
    await commit_late(wide, event_id, write_counted)


async def test_a_late_commit_numbered_by_a_sequence_is_caught(wide: Database, event_id: UUID) -> None:
    with pytest.raises(Missed):
        await commit_late(wide, event_id, write_by_sequence)


async def set_in_opposite_orders(db: Database, event_id: UUID, write: Write) -> None:
    """Each transaction has written one key and then wants the other's. Raises `DeadlockDetectedError`."""

    async def write_both(tx: Tx, first: str, second: str) -> None:
        await write(tx, event_id, {first: 2})
        has_begun.add(first)
        async with db.read() as connection:
            while len(has_begun) < 2 and not await is_anybody_waiting(connection):
                pass
        await write(tx, event_id, {second: 3})

    async def in_a_transaction(first: str, second: str) -> None:
        async with db.tx() as tx:
            await write_both(tx, first, second)

    has_begun: set[str] = set()
    await put(db, event_id, {"a": 1, "b": 1}, write)
    await asyncio.gather(in_a_transaction("a", "b"), in_a_transaction("b", "a"))


async def test_writers_in_opposite_orders_wait_for_each_other(wide: Database, event_id: UUID) -> None:
    await set_in_opposite_orders(wide, event_id, write_counted)
    assert sorted(value for _, value in (await read(wide, event_id)).values()) == [2, 3]


async def test_writers_in_opposite_orders_without_the_counter_block_each_other(wide: Database, event_id: UUID) -> None:
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await set_in_opposite_orders(wide, event_id, write_by_sequence)


async def test_who_waited_to_write_what_the_other_wrote_changes_nothing(wide: Database, event_id: UUID) -> None:
    """Its snapshot did not show the value that is there when its turn comes."""
    await put(wide, event_id, {"a": 1})
    async with wide.read() as observer:
        async with wide.tx() as first:
            await set_states(first, event_id, OCCUPANCY, {"a": 2})
            second = asyncio.create_task(put(wide, event_id, {"a": 2}))
            while not await is_anybody_waiting(observer):
                assert not second.done()
        assert await second == 0
    assert await read(wide, event_id) == {"a": (2, 2)}


async def test_writers_at_the_same_time_leave_a_reader_with_what_is_there(wide: Database, event_id: UUID) -> None:
    follower = Follower(event_id)

    async def write(number: int) -> None:
        for value in range(20):
            await put(wide, event_id, {f"k{(number + value) % 5}": value % 3, f"k{value % 5}": value % 2 or None})

    writing = asyncio.gather(*(write(number) for number in range(6)))
    async with wide.read() as connection:
        while not writing.done():
            await follower.look(connection)
        await writing
        await follower.check(connection)


async def test_a_change_is_hinted_at_once_and_nothing_else_is(
    database_url: str, wide: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 3600.0)
    heard: list[tuple[UUID, str, int]] = []
    watch = Watch(database_url, name="watch under test")
    async with watch.run():
        watch.add_listener(lambda event, channel: heard.append((event, channel, _seq(watch, event, channel))))
        await put(wide, event_id, {"a": 1, "b": 1})
        await put(wide, event_id, {"a": 1})
        async with wide.read() as connection:
            undone = connection.transaction()
            await undone.start()
            await set_states(connection, event_id, OCCUPANCY, {"a": 5})
            await undone.rollback()
        await put(wide, event_id, {"b": None})
        await until(lambda: (event_id, OCCUPANCY, 2) in heard)
    assert heard == [(event_id, OCCUPANCY, 1), (event_id, OCCUPANCY, 2)]


def _seq(watch: Watch, event_id: UUID, channel: str) -> int:
    position = watch.position(event_id, channel)
    assert position is not None
    return position.seq


async def test_the_present_values_over_http(
    api: httpx.AsyncClient, db: Database, event_id: UUID, other_event_id: UUID
) -> None:
    assert (await api.get("/states/occupancy")).json() == {"channel": "occupancy", "states": []}
    await put(db, event_id, {"list:main": {"inside": 3}, "list:old": {"inside": 1}})
    await put(db, event_id, {"list:vip": {"inside": 1, "capacity": None}})
    await put(db, event_id, {"list:old": None})
    await put(db, other_event_id, {"list:main": {"inside": 99}})
    response = await api.get("/states/occupancy", headers={"Authorization": "Bearer nonsense"})
    assert response.json() == {
        "channel": "occupancy",
        "states": [
            {"type": "state", "channel": "occupancy", "key": "list:main", "version": 1, "data": {"inside": 3}},
            {
                "type": "state",
                "channel": "occupancy",
                "key": "list:vip",
                "version": 2,
                "data": {"inside": 1, "capacity": None},
            },
        ],
    }
    assert response.headers["cache-control"] == "public, max-age=1"


async def test_logs_and_states_are_read_each_in_its_own_way(api: httpx.AsyncClient) -> None:
    for path in ("/states/announcements", "/states/no-such-channel", "/states/checkin", "/feed/occupancy"):
        response = await api.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "feed.unknown_channel"), path
    response = await api.get(str(api.base_url.copy_with(path="/v1/events/nowhere/states/occupancy")))
    assert (response.status_code, response.json()["code"]) == (404, "event.unknown")


async def test_the_sample_event_has_its_state_channels_from_the_beginning(db: Database, event_id: UUID) -> None:
    async with db.read() as connection:
        positions = await queries.list_positions(connection, event_id, channels=list(STATE_CHANNELS))
    assert [position.channel for position in positions] == list(STATE_CHANNELS)
