"""From the table to the rings: nothing that was committed is overlooked, and what does not fit is not passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from server.db import Database, open_database
from server.feed import OCCUPANCY, Watch, queries as feed_queries, set_states, watch as watch_module
from server.feed.types import ChannelHead, FeedEventRow, StateRow
from server.live import queries as live_queries, relay as relay_module
from server.live.board import Board
from server.live.hub import Log
from server.live.protocol import Wanted
from server.live.relay import Followed, Relay
from server.live.session import Closing, Place, Session
from tests.conftest import Publish
from tests.waiting import until


class Bench:
    """A relay whose watch hears only what the test tells it."""

    def __init__(self, db: Database, watch: Watch) -> None:
        self.watch = watch
        self.appended: list[int] = []
        self.replaced: list[Followed] = []
        self.relay = Relay(db, watch, on_append=self._on_append, on_replaced=self.replaced.append)

    def _on_append(self, _log: Log, rows: list[FeedEventRow]) -> None:
        self.appended += [row.seq for row in rows]

    def tell(self, followed: Followed, seq: int, epoch: str | None = None) -> None:
        self.watch.hear(ChannelHead(followed.event_id, followed.channel, epoch or followed.epoch, seq))

    async def log(self, event_id: UUID, wanted: Wanted | None = None) -> Log:
        log = await self.relay.find(event_id, "announcements", wanted)
        assert isinstance(log, Log)
        return log

    async def board(self, event_id: UUID) -> Board:
        board = await self.relay.find(event_id, OCCUPANCY)
        assert isinstance(board, Board)
        return board


@asynccontextmanager
async def make_bench(url: str) -> AsyncIterator[Bench]:
    watch = Watch(url, name="relay under test", heed_hints=False)
    async with open_database(url, size=2, name="relay under test") as db, watch.run():
        yield Bench(db, watch)


@pytest.fixture
async def bench(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 3600.0)
    async with make_bench(database_url) as made:
        yield made


async def test_a_ring_begins_with_what_there_is(bench: Bench, event_id: UUID, publish: Publish) -> None:
    await publish(count=4)
    log = await bench.log(event_id)
    assert (log.seq, log.oldest, [entry.seq for entry in log.after(0)]) == (4, 0, [1, 2, 3, 4])
    assert await bench.log(event_id) is log
    assert await bench.relay.find(event_id, "no-such-channel") is None


async def test_many_first_questions_fill_one_ring(bench: Bench, event_id: UUID, publish: Publish) -> None:
    await publish()
    logs = await asyncio.gather(*(bench.log(event_id) for _ in range(20)))
    assert len(set(map(id, logs))) == 1
    assert bench.relay.queries == 1


async def test_one_hint_brings_everything_up_to_the_end(bench: Bench, event_id: UUID, publish: Publish) -> None:
    log = await bench.log(event_id)
    await publish(count=3)
    bench.tell(log, 1)
    await until(lambda: log.seq == 3)
    assert bench.appended == [1, 2, 3]


async def test_growth_heard_as_the_reading_ends_is_read_too(
    bench: Bench, event_id: UUID, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's task has finished, but its callbacks have not run: no later growth may come to the rescue."""
    monkeypatch.setattr(relay_module, "PAGE", 1)  # reads the first event and leaves the second for later
    log = await bench.log(event_id)
    await publish(count=2)
    bench.tell(log, 1)
    reading = bench.relay._following[event_id, "announcements"]
    await until(reading.done, pause=0)
    bench.tell(log, 2)
    await until(lambda: log.seq == 2)
    assert bench.appended == [1, 2]


async def test_a_position_from_a_fresh_snapshot_is_not_called_ahead(
    bench: Bench, event_id: UUID, publish: Publish
) -> None:
    """The gateway has not heard of the event yet that the client has read over HTTP already."""
    log = await bench.log(event_id)
    await publish(count=3)
    epoch = log.epoch
    await asyncio.gather(*(bench.log(event_id, Wanted("announcements", epoch, 3)) for _ in range(10)))
    assert log.place(Wanted("announcements", epoch, 3)) == (3, None)
    assert bench.appended == [1, 2, 3]
    assert bench.relay.queries == 3, "the ring's filling, one look for all ten, the events"
    assert (await bench.log(event_id, Wanted("announcements", epoch, 4))).place(Wanted("announcements", epoch, 4)) == (
        3,
        "ahead",
    )
    before = bench.relay.queries
    for wanted in (Wanted("announcements", "another", 9), Wanted("announcements", epoch, 2), Wanted("announcements")):
        await bench.log(event_id, wanted)
    assert bench.relay.queries == before, "nobody else makes the gateway look"


async def test_a_log_with_a_hole_is_given_up(bench: Bench, db: Database, event_id: UUID, publish: Publish) -> None:
    log = await bench.log(event_id)
    await publish(count=3)
    async with db.tx() as tx:
        await tx.execute("DELETE FROM feed_event WHERE channel = 'announcements' AND seq = 1")
    bench.tell(log, 3)
    await until(lambda: bench.replaced)
    assert bench.replaced == [log]
    assert (log.seq, log.replaced, bench.appended) == (0, True, []), "none of it is passed on"
    anew = await bench.log(event_id)
    assert (anew.seq, anew.oldest) == (3, 1)


async def test_another_epoch_ends_a_ring(bench: Bench, db: Database, event_id: UUID, publish: Publish) -> None:
    await publish()
    log = await bench.log(event_id)
    async with db.tx() as tx:
        await tx.execute("UPDATE feed_channel SET epoch = 'e2' WHERE channel = 'announcements'")
    bench.tell(log, 1, epoch="e2")
    await until(lambda: bench.replaced)
    assert log.replaced
    assert (await bench.log(event_id)).epoch == "e2"


async def test_a_lost_connection_is_tried_again(bench: Bench, db: Database, event_id: UUID, publish: Publish) -> None:
    log = await bench.log(event_id)
    await publish()
    async with db.read() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'digitalnow relay under test'"
        )
    bench.tell(log, 1)
    await until(lambda: log.seq == 1)
    assert not bench.replaced


async def test_what_cannot_be_read_is_tried_again(bench: Bench, db: Database, event_id: UUID, publish: Publish) -> None:
    """Whatever the reason: nobody else would notice that a channel has fallen silent."""
    log = await bench.log(event_id)
    await publish()
    async with db.tx() as tx:
        await tx.execute("ALTER TABLE feed_event RENAME TO feed_event_away")
    try:
        bench.tell(log, 1)
        await until(lambda: bench.relay.queries >= 3)
    finally:
        async with db.tx() as tx:
            await tx.execute("ALTER TABLE feed_event_away RENAME TO feed_event")
    await until(lambda: log.seq == 1)


async def test_growth_heard_while_a_ring_is_filled_is_read_too(
    bench: Bench, event_id: UUID, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its filling sees the moment at which it began."""
    read_tail = live_queries.list_tail

    async def read_tail_while_somebody_writes(*where: Any, **more: Any) -> list[FeedEventRow]:
        tail = await read_tail(*where, **more)
        await publish()
        known = bench.watch.position(event_id, "announcements")
        assert known is not None
        bench.watch.hear(ChannelHead(event_id, "announcements", known.epoch, 1))
        return tail

    monkeypatch.setattr(live_queries, "list_tail", read_tail_while_somebody_writes)
    log = await bench.log(event_id)
    await until(lambda: log.seq == 1)
    assert bench.appended == [1]


async def test_a_ring_that_ends_while_another_is_found_is_not_entered(bench: Bench, event_id: UUID) -> None:
    """A cursor on a ring that nobody fills would wait for ever, and look healthy."""
    session = Session.__new__(Session)
    session.place, session.ticket = Place(event_id, "digital-now"), None
    session.cursors, session.viewers = {}, {}

    async def find(event_id: UUID, channel: str, _wanted: Wanted) -> Log | None:
        log = await bench.relay.find(event_id, channel)
        assert isinstance(log, Log)
        if channel == "schedule":
            bench.relay._replace((event_id, "announcements"), await bench.log(event_id))
        return log

    with pytest.raises(Closing) as closing:
        await session.enter([Wanted("announcements"), Wanted("schedule")], find)
    assert closing.value.code == 4003
    assert not session.cursors


async def put(db: Database, event_id: UUID, **values: object) -> None:
    async with db.tx() as tx:
        await set_states(tx, event_id, OCCUPANCY, values)


def on(board: Board) -> dict[str, int]:
    """Key → version."""
    return {posted.key: posted.version for posted in board._posted.values()}


async def test_a_board_begins_with_what_there_is(bench: Bench, db: Database, event_id: UUID) -> None:
    await put(db, event_id, a=1, b=1)
    await put(db, event_id, a=2)
    boards = await asyncio.gather(*(bench.board(event_id) for _ in range(20)))
    assert len(set(map(id, boards))) == 1
    assert (boards[0].seq, on(boards[0]), bench.relay.queries) == (2, {"b": 1, "a": 2}, 1)
    assert bench.relay.boards() == [boards[0]]
    assert await bench.relay.find(event_id, OCCUPANCY) is boards[0]
    assert await bench.relay.find(event_id, "announcements") is await bench.log(event_id)


async def test_a_board_follows_whatever_hint_arrives(bench: Bench, db: Database, event_id: UUID) -> None:
    board = await bench.board(event_id)
    await put(db, event_id, a=1, b=1)
    await put(db, event_id, a=None)
    bench.tell(board, 1)
    await until(lambda: board.seq == 2)
    assert on(board) == {"b": 1, "a": 2}
    await put(db, event_id, c=1)
    bench.tell(board, 3)
    await until(lambda: board.seq == 3)
    assert list(on(board)) == ["b", "a", "c"], "the newest stands at the end"
    assert bench.appended == []


async def test_a_count_that_changed_nothing_ends_the_reading(bench: Bench, db: Database, event_id: UUID) -> None:
    """Two writers of the same value at the same time: the second has counted for nothing."""
    board = await bench.board(event_id)
    async with db.tx() as tx:
        await tx.execute("UPDATE feed_channel SET seq = 1 WHERE channel = 'occupancy'")
    bench.tell(board, 1)
    await until(lambda: not bench.relay._following)
    assert (board.seq, bench.relay.queries) == (1, 2)


async def test_changes_heard_while_a_board_is_filled_are_read_too(
    bench: Bench, db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = feed_queries.list_states_after

    async def read_while_somebody_writes(*where: Any, **more: Any) -> list[StateRow]:
        rows = await read(*where, **more)
        monkeypatch.setattr(feed_queries, "list_states_after", read)
        await put(db, event_id, a=1)
        known = bench.watch.position(event_id, OCCUPANCY)
        assert known is not None
        bench.watch.hear(ChannelHead(event_id, OCCUPANCY, known.epoch, 1))
        return rows

    monkeypatch.setattr(feed_queries, "list_states_after", read_while_somebody_writes)
    board = await bench.board(event_id)
    await until(lambda: on(board) == {"a": 1})


async def test_a_board_that_cannot_be_read_is_tried_again(
    bench: Bench, db: Database, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "RETRY_SECONDS", 0.01)
    board = await bench.board(event_id)
    await put(db, event_id, a=1)
    async with db.tx() as tx:
        await tx.execute("ALTER TABLE feed_state RENAME TO feed_state_away")
    try:
        bench.tell(board, 1)
        await until(lambda: bench.relay.queries >= 3)
        assert board.seq == 0, "not taken for read"
    finally:
        async with db.tx() as tx:
            await tx.execute("ALTER TABLE feed_state_away RENAME TO feed_state")
    await until(lambda: on(board) == {"a": 1})


async def test_another_epoch_ends_a_board(bench: Bench, db: Database, event_id: UUID) -> None:
    board = await bench.board(event_id)
    async with db.tx() as tx:
        await tx.execute("UPDATE feed_channel SET epoch = 'e2' WHERE channel = 'occupancy'")
    bench.tell(board, 0, epoch="e2")
    await until(lambda: bench.replaced)
    assert bench.replaced == [board]
    assert board.replaced
    assert bench.relay.boards() == []
    assert (await bench.board(event_id)).epoch == "e2"
