"""A process's view of the channels: moved by hints, kept true without them, and never turned back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from server.db import Database, Tx
from server.feed import Watch, emit, open_channels, watch as watch_module
from server.feed.types import HINT_CHANNEL, ChannelHead
from tests.waiting import PATIENCE, until

NEVER = 3600.0


class Heard:
    """What a watch has told, in order."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._changed = asyncio.Event()
        self.growths: list[tuple[UUID, str, int]] = []
        watch.add_listener(self._on_growth)

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        position = self._watch.position(event_id, channel)
        assert position is not None, "a growth is told once it is known"
        self.growths.append((event_id, channel, position.seq))
        self._changed.set()

    async def wait_for(self, event_id: UUID, channel: str, seq: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while (event_id, channel, seq) not in self.growths:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def watching(url: str, *, heed_hints: bool = True) -> AsyncIterator[tuple[Watch, Heard]]:
    watch = Watch(url, name="watch under test", heed_hints=heed_hints)
    async with watch.run():
        yield watch, Heard(watch)


async def append(db: Database, event_id: UUID, channel: str = "announcements") -> None:
    async with db.tx() as tx:
        await emit(tx, event_id, channel=channel, kind="test.happened", data=None)


async def hint(tx: Tx, event_id: UUID, channel: str, seq: int) -> None:
    await tx.execute("SELECT pg_notify($1, $2)", HINT_CHANNEL, f"{event_id}:{channel}:{seq}")


@pytest.fixture
def hints_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", NEVER)


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.02)


async def test_positions_are_known_when_the_watch_begins(db: Database, database_url: str, event_id: UUID) -> None:
    await append(db, event_id)
    async with watching(database_url) as (watch, _):
        known = watch.position(event_id, "announcements")
        assert known is not None
        assert (known.channel, known.seq) == ("announcements", 1)
        assert watch.position(event_id, "no-such-channel") is None


@pytest.mark.usefixtures("hints_only")
async def test_a_hint_moves_a_position_at_once(
    db: Database, database_url: str, event_id: UUID, other_event_id: UUID
) -> None:
    async with db.tx() as tx:
        await open_channels(tx, other_event_id, ["announcements:vip"])
    async with watching(database_url) as (_, heard):
        await append(db, event_id)
        await append(db, event_id, "schedule")
        await append(db, other_event_id, "announcements:vip")
        await heard.wait_for(other_event_id, "announcements:vip", 1)
        assert heard.growths == [
            (event_id, "announcements", 1),
            (event_id, "schedule", 1),
            (other_event_id, "announcements:vip", 1),
        ]


@pytest.mark.usefixtures("hints_only")
async def test_a_rolled_back_event_is_never_hinted_at(db: Database, database_url: str, event_id: UUID) -> None:
    async with watching(database_url) as (_, heard):
        async with db.read() as connection:
            undone = connection.transaction()
            await undone.start()
            await emit(connection, event_id, channel="announcements", kind="test.happened", data=None)
            await undone.rollback()
        await append(db, event_id, "schedule")
        await heard.wait_for(event_id, "schedule", 1)
        assert heard.growths == [(event_id, "schedule", 1)]


@pytest.mark.usefixtures("hints_only")
async def test_late_and_repeated_hints_turn_nothing_back(db: Database, database_url: str, event_id: UUID) -> None:
    async with watching(database_url) as (watch, heard):
        async with db.read() as connection:
            for seq in (5, 3, 5, 4, 1):
                await hint(connection, event_id, "announcements", seq)
            await hint(connection, event_id, "schedule", 1)
        await heard.wait_for(event_id, "schedule", 1)
        assert heard.growths == [(event_id, "announcements", 5), (event_id, "schedule", 1)]
        known = watch.position(event_id, "announcements")
        assert known is not None
        watch.hear(ChannelHead(event_id, "announcements", known.epoch, 2))  # a reading that was under way meanwhile
        assert watch.position(event_id, "announcements") == known


@pytest.mark.usefixtures("looks_often")
async def test_a_lost_hint_is_made_up_for(
    db: Database, database_url: str, event_id: UUID, other_event_id: UUID
) -> None:
    async with watching(database_url, heed_hints=False) as (_, heard):
        await append(db, event_id)
        await heard.wait_for(event_id, "announcements", 1)
        await append(db, other_event_id, "a-channel-nobody-knew")
        await heard.wait_for(other_event_id, "a-channel-nobody-knew", 1)


@pytest.mark.usefixtures("hints_only")
async def test_hints_that_are_not_heeded_move_nothing(db: Database, database_url: str, event_id: UUID) -> None:
    """What the test above relies on."""
    async with watching(database_url) as (_, heeds), watching(database_url, heed_hints=False) as (_, ignores):
        await append(db, event_id)
        await heeds.wait_for(event_id, "announcements", 1)
        assert ignores.growths == []


@pytest.mark.usefixtures("hints_only")
async def test_a_watch_that_was_cut_off_comes_back_and_looks(db: Database, database_url: str, event_id: UUID) -> None:
    """What happened meanwhile is found by the first look, and hints are heard again."""
    async with watching(database_url) as (watch, heard):
        for seq in (1, 3):
            async with db.tx() as tx:
                cut = await tx.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = 'digitalnow watch under test'"
                )
                assert cut == 1
                await emit(tx, event_id, channel="announcements", kind="test.happened", data=None)
            await heard.wait_for(event_id, "announcements", seq)
            await append(db, event_id)
            await heard.wait_for(event_id, "announcements", seq + 1)
            assert watch.ready.is_set()


@pytest.mark.usefixtures("looks_often")
async def test_a_table_that_cannot_be_read_stops_a_watch_only_for_as_long(
    db: Database, database_url: str, event_id: UUID
) -> None:
    async with watching(database_url, heed_hints=False) as (watch, heard):
        async with db.tx() as tx:
            await tx.execute("ALTER TABLE feed_channel RENAME TO feed_channel_away")
        try:
            await until(lambda: not watch.ready.is_set())
        finally:
            async with db.tx() as tx:
                await tx.execute("ALTER TABLE feed_channel_away RENAME TO feed_channel")
        await append(db, event_id)
        await heard.wait_for(event_id, "announcements", 1)
        assert watch.ready.is_set()


@pytest.mark.usefixtures("looks_often")
async def test_another_epoch_is_noticed_even_at_a_lower_position(
    db: Database, database_url: str, event_id: UUID
) -> None:
    for _ in range(3):
        await append(db, event_id)
    async with watching(database_url) as (watch, heard):
        async with db.tx() as tx:
            await tx.execute("UPDATE feed_channel SET epoch = 'e2', seq = 1 WHERE channel = 'announcements'")
        await heard.wait_for(event_id, "announcements", 1)
        known = watch.position(event_id, "announcements")
        assert known is not None
        assert (known.epoch, known.seq) == ("e2", 1)


COMPLAINT = "hints do not come through"


async def grow_for_a_while(db: Database, database_url: str, event_id: UUID) -> None:
    """Growth that each look of a watch finds, one after the other."""
    async with watching(database_url) as (_, heard):
        for seq in range(1, 2 * watch_module.UNHINTED_LOOKS + 1):
            await append(db, event_id)
            await heard.wait_for(event_id, "announcements", seq)


@pytest.mark.usefixtures("looks_often")
async def test_hints_that_never_come_are_complained_of_once(
    db: Database, database_url: str, event_id: UUID, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As behind a pooler that passes no notification on: everything works, a second late, and nobody would know why."""
    monkeypatch.setattr("server.feed.actions.HINT_CHANNEL", "somebody_else_s")
    await grow_for_a_while(db, database_url, event_id)
    assert len([record for record in caplog.records if COMPLAINT in record.message]) == 1


async def test_hints_that_come_are_not(
    db: Database, database_url: str, event_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    await grow_for_a_while(db, database_url, event_id)
    assert COMPLAINT not in caplog.text


@pytest.mark.usefixtures("hints_only")
async def test_a_flood_of_hints_is_a_few_looks(
    database_url: str, event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "MIN_LOOK_SECONDS", NEVER)
    looks: list[int] = []
    list_heads = watch_module.queries.list_heads

    async def counted(connection: Tx) -> list[ChannelHead]:
        looks.append(1)
        return await list_heads(connection)

    monkeypatch.setattr(watch_module.queries, "list_heads", counted)
    async with watching(database_url) as (watch, _):
        for _ in range(1000):
            watch.look_soon()
            await asyncio.sleep(0)
    assert len(looks) == 1, "the next comes when its pause is over"


async def end_as_something_happens(database_url: str) -> None:
    """Fails unless a watch ends that is told to in the moment in which it would have looked."""
    async with watching(database_url) as (watch, _):
        await asyncio.sleep(0)
        watch.look_soon()
        (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "feed watch"]
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([task])


@pytest.mark.usefixtures("hints_only")
async def test_a_watch_ends_in_the_moment_in_which_it_would_have_looked(database_url: str) -> None:
    for _ in range(20):
        await end_as_something_happens(database_url)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later Pythons' wait_for keeps the cancellation")
@pytest.mark.usefixtures("hints_only")
async def test_a_watch_that_loses_its_cancellation_would_be_noticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was: the process went on for ever, and nobody was left who would end it."""

    async def watch_once(watch: Watch) -> None:
        connection = await watch_module.connect(database_url, name="broken watch")
        try:
            while True:
                watch._wake.clear()
                watch.ready.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watch._wake.wait(), NEVER)
        finally:
            connection.terminate()

    monkeypatch.setattr(Watch, "_watch_once", watch_once)
    ending = asyncio.create_task(end_as_something_happens(database_url))
    done, _ = await asyncio.wait([ending], timeout=1.0)
    assert not done, "it would have waited for ever"
    for task in asyncio.all_tasks():
        if task.get_name() == "feed watch":
            task.cancel()
    await ending
