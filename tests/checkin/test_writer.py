"""The writer on a real PostgreSQL: what it promises, and that the checks here would notice if it did not."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest

from server.checkin import queries, writer as writing
from server.checkin.errors import NotRecorded, ScanIdReused
from server.checkin.types import Fact, LoggedScan, Scan
from server.checkin.writer import Waiting, Writer
from server.db import LOST_CONNECTION, Database, Tx, UnsafeDatabase, connect, refuse_unsafe
from server.errors import Overloaded
from server.ids import new_id
from tests.checkin.histories import MORNING, double_turns, entry, expected_answers, leaving, offline, random_history
from tests.waiting import PATIENCE, until


async def write(url: str, scans: Sequence[Scan], **options: Any) -> list[LoggedScan]:
    async with Writer(lambda: connect(url, name="test writer"), **options).run() as writer:
        return await asyncio.gather(*[writer.submit(scan) for scan in scans])


async def log_of(db: Database, event_id: UUID) -> list[Any]:
    async with db.read() as connection:
        rows: list[Any] = await connection.fetch("SELECT * FROM scan WHERE event_id = $1", event_id)
    return rows


@pytest.mark.parametrize("seed", range(6))
async def test_batches_of_any_size_answer_as_one_after_the_other(database_url: str, seed: int) -> None:
    for size in (1, 7, 256):
        history = random_history(seed, new_id())
        logged = await write(database_url, history, max_batch=size)
        assert [(row.outcome, row.reason) for row in logged] == expected_answers(history), f"batches of {size}"


async def test_many_writers_admit_once(database_url: str, db: Database) -> None:
    event_id = new_id()
    people = [new_id() for _ in range(20)]
    histories = [[entry(event_id, person, f"w{n}-{person}", device_id=new_id()) for person in people] for n in range(4)]
    for history in histories:
        random.Random(5).shuffle(history)
    answers = await asyncio.gather(*(write(database_url, history) for history in histories))
    assert Counter(row.outcome for answer in answers for row in answer) == {"admitted": 20, "already_admitted": 60}
    assert double_turns(await log_of(db, event_id)) == 0


async def test_without_the_index_the_check_sees_double_turns(database_url: str, db: Database) -> None:
    async with db.tx() as tx:
        await tx.execute("DROP INDEX scan_turn")
    event_id, person = new_id(), new_id()
    await asyncio.gather(*(write(database_url, [entry(event_id, person, f"s{n}")]) for n in range(5)))
    assert double_turns(await log_of(db, event_id)) == 4


async def test_what_builds_on_itself_is_logged_whole_or_not_at_all(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes two turns between the look and the writing of three that follow from each other."""
    event_id, person, look, intruded = new_id(), new_id(), queries.list_facts, asyncio.Event()

    def passing(name: str, minutes: int) -> Scan:
        scan = entry(event_id, person, name, device_id=uuid5(event_id, name))
        return offline(leaving(scan) if name == "exit" else scan, MORNING + timedelta(minutes=minutes))

    await write(database_url, [passing("first", 0)])

    async def look_and_come_too_late(*asked: Any) -> list[Fact]:
        facts = await look(*asked)
        if not intruded.is_set():
            intruded.set()
            await write(database_url, [passing("intruder", 90), passing("another", 91)])
        return facts

    monkeypatch.setattr(queries, "list_facts", look_and_come_too_late)
    scans = [passing("exit", 60), passing("entry", 70), passing("repeated", 80)]
    logged = await write(database_url, scans)
    assert [row.blocking_device_id for row in logged] == [None, None, uuid5(event_id, "entry")]
    assert await write(database_url, scans) == logged
    assert sorted(row["turn"] for row in await log_of(db, event_id)) == [1, 2, 3, 4, 5, 6]


async def test_people_are_told_apart_by_event(database_url: str) -> None:
    person = new_id()
    logged = await write(
        database_url, [entry(new_id(), person, "same", list_id=person, device_id=person) for _ in range(3)]
    )
    assert [row.outcome for row in logged] == ["admitted"] * 3


async def send_another_body_under_the_same_id(database_url: str, db: Database) -> None:
    """Fails unless the other one is refused and the log stays as it was."""
    event_id, first, second = new_id(), new_id(), new_id()
    async with Writer(lambda: connect(database_url, name="test writer")).run() as writer:
        futures = [writer.submit(entry(event_id, person, "s")) for person in (first, second, first)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(answers[1], ScanIdReused), "another body was answered"
    assert answers[0] == answers[2]
    assert [row["attendee_id"] for row in await log_of(db, event_id)] == [first]


async def test_another_body_under_the_same_id_is_refused_and_changes_nothing(database_url: str, db: Database) -> None:
    await send_another_body_under_the_same_id(database_url, db)


async def test_a_writer_that_goes_by_the_id_alone_is_noticed(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "is_same_scan", lambda *_: True)
    with pytest.raises(AssertionError, match="another body was answered"):
        await send_another_body_under_the_same_id(database_url, db)


async def send_one_poisoned_scan(database_url: str) -> None:
    """Fails unless it is refused and its 255 neighbours are let in."""
    event_id = new_id()
    scans = [entry(event_id, new_id(), f"s{n}") for n in range(256)]
    scans[100] = entry(event_id, new_id(), "poison", code="\x00")
    async with Writer(lambda: connect(database_url, name="test writer")).run() as writer:
        answers = await asyncio.gather(*(writer.submit(scan) for scan in scans), return_exceptions=True)
    assert isinstance(answers.pop(100), NotRecorded)
    assert [getattr(answer, "outcome", answer) for answer in answers] == ["admitted"] * 255


async def test_one_poisoned_scan_spoils_no_other(database_url: str) -> None:
    await send_one_poisoned_scan(database_url)


async def test_a_writer_that_refuses_the_neighbours_too_is_noticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse_all(_writer: Writer, batch: list[Waiting], _error: Exception) -> None:
        for waiting in batch:
            waiting.fail(NotRecorded())

    monkeypatch.setattr(Writer, "_isolate", refuse_all)
    with pytest.raises(AssertionError, match="NotRecorded"):
        await send_one_poisoned_scan(database_url)


async def hang_up(database_url: str, db: Database) -> None:
    """Every other sender of a batch goes. Fails unless the others are answered and all of them logged."""
    event_id = new_id()
    people = [new_id() for _ in range(40)]
    async with Writer(lambda: connect(database_url, name="test writer")).run() as writer:
        await write(database_url, [entry(event_id, person, f"first-{person}") for person in people[:20]])
        futures = [writer.submit(entry(event_id, person, f"s-{person}")) for person in people]
        for future in futures[::2]:
            future.cancel()
        answers = await asyncio.gather(*futures[1::2])
    assert Counter(answer.outcome for answer in answers) == {"admitted": 10, "already_admitted": 10}
    assert len(await log_of(db, event_id)) == 60, "those who hung up are in the log as well"


async def test_a_sender_that_hangs_up_takes_nobody_along(database_url: str, db: Database) -> None:
    await hang_up(database_url, db)


async def test_a_writer_that_leaves_out_who_hung_up_is_noticed(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_batch = Writer._next_batch

    def next_batch_of_those_who_wait(writer: Writer) -> list[Waiting]:
        staying = [waiting for waiting in writer._waiting if not waiting.future.done()]
        writer._waiting.clear()
        writer._waiting.extend(staying)
        return next_batch(writer)

    monkeypatch.setattr(Writer, "_next_batch", next_batch_of_those_who_wait)
    with pytest.raises(AssertionError, match="hung up"):
        await hang_up(database_url, db)


class LosesAnswers:
    """A connection that breaks after PostgreSQL has committed and before we hear of it."""

    def __init__(self, connection: Tx, losses: list[int]) -> None:
        self._connection = connection
        self._losses = losses

    async def fetch(self, *arguments: Any) -> Any:
        return self._maybe(await self._connection.fetch(*arguments))

    async def fetchval(self, *arguments: Any) -> Any:
        return self._maybe(await self._connection.fetchval(*arguments))

    def _maybe(self, result: Any) -> Any:
        if self._losses and self._losses.pop():
            self._connection.terminate()
            raise ConnectionResetError("lost on the way back")
        return result

    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())

    def terminate(self) -> None:
        self._connection.terminate()


async def lose_answers(database_url: str) -> None:
    """Fails unless everybody gets the answer that the log holds, though half of the answers never arrived."""
    losses = [0, 1, 0, 0, 1, 1, 0, 1]

    async def connect_badly() -> Tx:
        return LosesAnswers(await connect(database_url, name="test writer"), losses)

    history = random_history(11, new_id(), length=60)
    async with Writer(connect_badly, max_batch=16).run() as writer:
        logged = await asyncio.gather(*(writer.submit(scan) for scan in history))
    assert not losses, "every loss happened"
    assert [(row.outcome, row.reason) for row in logged] == expected_answers(history)


async def test_an_unknown_outcome_is_asked_for_not_guessed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "RECONNECT_SECONDS", 0.0)
    await lose_answers(database_url)


async def test_a_writer_that_takes_silence_for_a_no_is_noticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Writer._attempt

    async def attempt_once(writer: Writer, batch: list[Waiting]) -> None:
        try:
            await attempt(writer, batch)
        except LOST_CONNECTION:
            for waiting in batch:
                if not waiting.answered:
                    waiting.fail(NotRecorded())
            raise

    monkeypatch.setattr(writing, "RECONNECT_SECONDS", 0.0)
    monkeypatch.setattr(Writer, "_attempt", attempt_once)
    with pytest.raises(NotRecorded):
        await lose_answers(database_url)


async def test_the_writer_outlives_its_connection(database_url: str, db: Database) -> None:
    event_id = new_id()
    async with Writer(lambda: connect(database_url, name="doomed writer")).run() as writer:
        for n in range(5):
            assert (await writer.submit(entry(event_id, new_id(), f"s{n}"))).outcome == "admitted"
            async with db.read() as connection:
                ended = await connection.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%doomed%'"
                )
            assert (True,) in map(tuple, ended), "there was no connection to lose"


async def test_too_many_are_told_at_once(database_url: str) -> None:
    event_id = new_id()
    async with Writer(lambda: connect(database_url, name="test writer"), max_waiting=10).run() as writer:
        futures = [writer.submit(entry(event_id, new_id(), f"s{n}")) for n in range(10)]
        with pytest.raises(Overloaded):
            writer.submit(entry(event_id, new_id(), "one too many"))
        assert {answer.outcome for answer in await asyncio.gather(*futures)} == {"admitted"}


async def test_fewer_may_wait_while_batches_take_long(database_url: str, db: Database) -> None:
    """What is in a batch and one batch behind it; as many as ever once batches are quick again."""
    event_id = new_id()

    async def come(writer: Writer, people: int) -> Counter[str]:
        scans = [entry(event_id, new_id(), f"{new_id()}") for _ in range(people)]
        futures, turned_away = [], 0
        for scan in scans:
            try:
                futures.append(writer.submit(scan))
            except Overloaded:
                turned_away += 1
            await asyncio.sleep(0)
        return Counter(answer.outcome for answer in await asyncio.gather(*futures)) | Counter(away=turned_away)

    async with db.tx() as tx:
        await tx.execute(
            "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$"
        )
        await tx.execute(
            "CREATE TRIGGER take_time AFTER INSERT ON scan FOR EACH STATEMENT EXECUTE FUNCTION take_time()"
        )
    async with Writer(lambda: connect(database_url, name="test writer"), max_batch=10).run() as writer:
        assert await come(writer, 1) == {"admitted": 1}
        answers = await come(writer, 60)
        assert 10 <= answers["admitted"] <= 2 * 10 + 1
        assert answers["away"] + answers["admitted"] == 60
        async with db.tx() as tx:
            await tx.execute("DROP TRIGGER take_time ON scan")
        assert await come(writer, 1) == {"admitted": 1}
        assert await come(writer, 60) == {"admitted": 60}


async def test_nobody_waits_for_ever_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ANSWER_SECONDS", 0.3)

    async def connect_nowhere() -> Tx:
        raise ConnectionRefusedError("nobody there")

    async with Writer(connect_nowhere).run() as writer:
        futures = [writer.submit(entry(new_id(), new_id(), f"s{n}")) for n in range(300)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Overloaded}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that does not answer is taken for dead after a fifth of a second, and replaced at once."""
    monkeypatch.setattr(writing, "BATCH_SECONDS", 0.2)
    monkeypatch.setattr(writing, "MIN_ATTEMPT_SECONDS", 0.2)
    monkeypatch.setattr(writing, "RECONNECT_SECONDS", 0.0)


async def lock_the_log(database_url: str, connections: list[Tx], *, patience: float = PATIENCE) -> None:
    """Fails unless the writer, stuck behind a lock, has cut two connections off and tries with the third."""

    async def connect_and_note() -> Tx:
        connections.append(await connect(database_url, name="test writer"))
        return connections[-1]

    blocker = await asyncpg.connect(database_url)
    try:
        async with Writer(connect_and_note).run() as writer:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE scan IN ACCESS EXCLUSIVE MODE")
                stuck = writer.submit(entry(new_id(), new_id(), "s"))
                await until(lambda: len(connections) == 3, patience=patience)
                assert not stuck.done(), "its fate is unknown: it is tried again, not refused"
            assert (await stuck).outcome == "admitted"
    finally:
        await blocker.close()


@pytest.mark.usefixtures("impatient")
async def test_a_database_that_does_not_answer_is_cut_off(database_url: str) -> None:
    connections: list[Tx] = []
    await lock_the_log(database_url, connections)
    assert all(connection.is_closed() for connection in connections)


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_nobody_cuts_off_is_noticed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long one waits: here five times as long as the writer should."""
    connections: list[Tx] = []
    terminate = asyncpg.Connection.terminate
    monkeypatch.setattr(asyncpg.Connection, "terminate", lambda _connection: None)
    with pytest.raises(TimeoutError):
        await lock_the_log(database_url, connections, patience=1.0)
    assert len(connections) == 1
    terminate(connections[0])


async def test_an_unsafe_database_is_refused(database_url: str) -> None:
    connection = await connect(database_url, name="test")
    try:
        with pytest.raises(UnsafeDatabase, match="fsync = off"):
            await refuse_unsafe(connection)
    finally:
        await connection.close()


class SetUpAs:
    """A connection to a PostgreSQL in which one setting is off: two of them only its own start can change."""

    def __init__(self, connection: Tx, off: str) -> None:
        self._connection = connection
        self._off = off

    async def fetchval(self, sql: str, setting: str) -> str:
        assert await self._connection.fetchval(sql, setting), "there is no such setting"
        return "off" if setting == self._off else "on"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_each_setting_that_loses_scans_is_refused(database_url: str, setting: str) -> None:
    connection = await connect(database_url, name="test")
    try:
        await refuse_unsafe(SetUpAs(connection, "jit"))
        with pytest.raises(UnsafeDatabase, match=f"set {setting} = on"):
            await refuse_unsafe(SetUpAs(connection, setting))
    finally:
        await connection.close()


class CountsRoundTrips:
    """A connection that counts how often PostgreSQL is asked."""

    def __init__(self, connection: Tx, counted: list[int]) -> None:
        self._connection = connection
        self._counted = counted

    async def fetch(self, *arguments: Any) -> Any:
        self._counted[-1] += 1
        return await self._connection.fetch(*arguments)

    async def fetchval(self, *arguments: Any) -> Any:
        self._counted[-1] += 1
        return await self._connection.fetchval(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def round_trips(url: str, batches: Sequence[Sequence[Scan]]) -> list[int]:
    """How many each of these batches takes."""
    counted: list[int] = []

    async def connect_and_count() -> Tx:
        return CountsRoundTrips(await connect(url, name="test writer"), counted)

    async with Writer(connect_and_count).run() as writer:
        for batch in batches:
            counted.append(0)
            await asyncio.gather(*(writer.submit(scan) for scan in batch))
    return counted


@pytest.mark.parametrize("size", [2, 20, 80])
async def test_a_batch_of_any_size_takes_as_many_round_trips(database_url: str, size: int) -> None:
    event_id = new_id()
    people = [new_id() for _ in range(size)]
    new = [entry(event_id, person, f"n-{person}") for person in people]
    repeats = [entry(event_id, person, f"r-{person}") for person in people]
    mixture = [leaving(entry(event_id, person, f"x-{person}")) for person in people[::2]]
    mixture += [entry(event_id, person, f"y-{person}") for person in people[1::2]]
    mixture += [entry(event_id, new_id(), f"z-{n}") for n in range(size)] + new[:3]
    assert await round_trips(database_url, [new, repeats, mixture]) == [1, 3, 4]
