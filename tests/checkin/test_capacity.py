"""The last seat: exactly as many as there are, through any number of writers, with people leaving and moving on."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest

from server.checkin import queries
from server.checkin.history import seats, stand
from server.checkin.types import Fact, LoggedScan, Scan
from server.checkin.writer import Writer
from server.db import Database, Tx, connect
from server.ids import new_id
from tests.checkin.histories import MORNING, entry, leaving, offline, random_uploads

SEATS = 30


def counted(scan: Scan, **more: Any) -> Scan:
    return msgspec.structs.replace(scan, capacity=SEATS, counted=True, **more)


async def write(url: str, *histories: Sequence[Scan], **options: Any) -> list[LoggedScan]:
    """Each history through a writer of its own, all at once."""

    async def one(history: Sequence[Scan]) -> list[LoggedScan]:
        async with Writer(lambda: connect(url, name="test writer"), **options).run() as writer:
            return await asyncio.gather(*(writer.submit(scan) for scan in history))

    return [logged for answers in await asyncio.gather(*map(one, histories)) for logged in answers]


async def facts_of(db: Database, event_id: UUID) -> dict[tuple[UUID, UUID], list[Fact]]:
    async with db.read() as connection:
        rows = await connection.fetch("SELECT * FROM scan WHERE event_id = $1 AND turn IS NOT NULL", event_id)
    people: dict[tuple[UUID, UUID], list[Fact]] = {}
    for row in rows:
        fields = {name: row[name] for name in Fact.__struct_fields__ if name != "offline"}
        fact = Fact(**fields, offline=row["decided"] is not None)
        people.setdefault((fact.area_id, fact.attendee_id), []).append(fact)
    return people


async def counts_of(db: Database, event_id: UUID) -> Counter[tuple[UUID, UUID | None, bool]]:
    """What the table says: list, session, and whether offline → people."""
    async with db.read() as connection:
        rows = await connection.fetch("SELECT * FROM checkin_count WHERE event_id = $1", event_id)
    found: Counter[tuple[UUID, UUID | None, bool]] = Counter()
    for row in rows:
        session = row["session_id"] if row["session_id"].int else None
        found[(row["list_id"], session, False)] = row["granted"]
        found[(row["list_id"], session, True)] = row["merged"]
    return +found


async def check_counts(db: Database, event_id: UUID) -> None:
    """The counts are what follows from the log."""
    expected: Counter[tuple[UUID, UUID | None, bool]] = Counter()
    for facts in (await facts_of(db, event_id)).values():
        expected.update(seats(stand(facts, {})))
    assert await counts_of(db, event_id) == expected


async def storm(url: str, db: Database, queues: Sequence[Sequence[UUID]]) -> None:
    """One queue of people before each writer; as many of them all as there are seats get in."""
    event_id = new_id()
    histories = []
    for number, people in enumerate(queues):
        device = new_id()
        histories.append(
            [counted(entry(event_id, person, f"{number}-{person}", device_id=device)) for person in people]
        )
    answers = await write(url, *histories, max_batch=16)
    admitted = [answer.attendee_id for answer in answers if answer.outcome == "admitted"]
    assert len(admitted) == SEATS == len(set(admitted))
    assert {answer.reason for answer in answers if answer.outcome == "refused"} == {"list_full"}
    await check_counts(db, event_id)


async def test_as_many_as_there_are_seats(database_url: str, db: Database) -> None:
    await storm(database_url, db, [[new_id() for _ in range(40)] for _ in range(4)])


async def test_as_many_as_there_are_seats_though_everybody_tries_every_door(database_url: str, db: Database) -> None:
    people = [new_id() for _ in range(5 * SEATS)]
    await storm(database_url, db, [random.Random(seed).sample(people, len(people)) for seed in range(4)])


async def test_a_seat_that_is_left_is_given_once(database_url: str, db: Database) -> None:
    event_id = new_id()
    inside = [new_id() for _ in range(SEATS)]
    await write(database_url, [counted(entry(event_id, person, f"in-{person}")) for person in inside])
    history = [counted(leaving(entry(event_id, person, f"out-{person}"))) for person in inside[:7]]
    history += [counted(entry(event_id, new_id(), f"late-{n}")) for n in range(20)]
    answers = await write(database_url, history)
    assert Counter(answer.outcome for answer in answers) == {"exited": 7, "admitted": 7, "refused": 13}
    await check_counts(db, event_id)


async def test_without_the_check_there_would_be_too_many(database_url: str, db: Database) -> None:
    """The first storm again, with nothing in the database to stop two writers that have read the same count."""
    async with db.tx() as tx:
        await tx.execute("ALTER TABLE checkin_count DROP CONSTRAINT within_capacity")

    async def storms() -> None:
        for _ in range(10):  # it takes a race, which may not happen at the first try
            await storm(database_url, db, [[new_id() for _ in range(40)] for _ in range(4)])

    with pytest.raises(AssertionError):
        await storms()


async def test_bodies_that_came_in_offline_are_counted_beyond_the_capacity(database_url: str, db: Database) -> None:
    event_id = new_id()
    uploads = [counted(scan, list_id=event_id, area_id=event_id) for scan in random_uploads(3, event_id, 200)]
    questions = [counted(entry(event_id, new_id(), f"q-{n}")) for n in range(40)]
    half = len(uploads) // 2
    await write(database_url, uploads[:half], [*questions, *uploads[half:]], max_batch=16)
    await check_counts(db, event_id)


@pytest.mark.parametrize("seed", range(3))
async def test_people_who_move_between_rooms_are_counted_where_they_are(
    database_url: str, db: Database, seed: int
) -> None:
    event_id = new_id()
    uploads = [counted(scan) for scan in random_uploads(seed, event_id, 150, rooms=True)]
    questions = [
        msgspec.structs.replace(scan, decided=None, at=None, scanned_at=None, scan_id="q" + scan.scan_id)
        for scan in uploads[::3]
    ]
    await write(database_url, uploads, questions, max_batch=16)
    await check_counts(db, event_id)


async def test_an_offline_entry_takes_the_seat_from_the_later_online_one(database_url: str, db: Database) -> None:
    event_id, person = new_id(), new_id()
    online = counted(entry(event_id, person, "online", device_id=new_id()))
    (answer,) = await write(database_url, [online])
    earlier = offline(counted(entry(event_id, person, "offline", device_id=new_id())), answer.at.replace(year=2025))
    (merged,) = await write(database_url, [earlier])
    assert (merged.outcome, merged.conflict) == ("admitted", True)
    assert await counts_of(db, event_id) == {(event_id, None, True): 1}


async def overtaken(url: str, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seat is left when a door looks; before it writes, a scanner that was offline brings somebody who is in already."""
    event_id, look = new_id(), queries.list_counts
    await write(url, [counted(entry(event_id, new_id(), f"in-{n}")) for n in range(SEATS - 1)])
    uploaded = offline(counted(entry(event_id, new_id(), "offline", device_id=new_id())), MORNING)
    async with Writer(lambda: connect(url, name="test writer")).run() as other:

        async def look_and_be_overtaken(tx: Tx, lists: Any) -> Any:
            found = await look(tx, lists)
            monkeypatch.setattr(queries, "list_counts", look)
            assert (await other.submit(uploaded)).outcome == "admitted"
            return found

        monkeypatch.setattr(queries, "list_counts", look_and_be_overtaken)
        (answer,) = await write(url, [counted(entry(event_id, new_id(), "last"))])
    assert (answer.outcome, answer.reason) == ("refused", "list_full"), "one more than there are seats"
    await check_counts(db, event_id)


async def test_a_body_merged_between_look_and_write_takes_the_seat(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await overtaken(database_url, db, monkeypatch)


async def test_a_ceiling_that_forgets_merged_bodies_is_noticed(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = queries.LOG_COUNTED_SCANS.replace("EXCLUDED.ceiling - checkin_count.merged", "EXCLUDED.ceiling")
    assert forgetful != queries.LOG_COUNTED_SCANS
    monkeypatch.setattr(queries, "LOG_COUNTED_SCANS", forgetful)
    with pytest.raises(AssertionError, match="one more than there are seats"):
        await overtaken(database_url, db, monkeypatch)
