"""What the desk counts and tells is what the log says: each scan once, whoever does it, in whatever order scans came in."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

from server.checkin.door import Door
from server.checkin.doors import Doors, apply_passed, load_door
from server.checkin.events import PASSED, Passed
from server.checkin.history import stand
from server.checkin.types import Fact, Scan
from server.checkin.writer import Writer
from server.config import Settings
from server.db import Database, connect, open_database
from server.desk import actions, projector as projecting, queries
from server.desk.projection import bucket_of, counts_as
from server.desk.projector import Projector
from server.event.queries import get_event_by_slug
from server.feed import CHECKIN, Watch, queries as feed_queries
from tests.checkin.histories import entry, leaving, offline

TALLY = "SELECT list_id, bucket, gate_id, ticket, outcome, reason, scans FROM checkin_tally WHERE event_id = $1"
CONFLICTS = """
    SELECT kind, device_id, scan_id, first_device_id, first_scan_id
    FROM checkin_conflict WHERE event_id = $1 AND resolved_at IS NULL
"""


class Desk(NamedTuple):
    event_id: UUID
    door: Door
    """As loaded before anything happened."""
    db: Database
    url: str


@pytest.fixture
async def desk(database_url: str, db: Database) -> Desk:
    async with db.read() as connection:
        event = await get_event_by_slug(connection, "digital-now")
    assert event is not None
    return Desk(event.event_id, await load_door(db, event.event_id), db, database_url)


def random_day(desk: Desk, seed: int, length: int = 150) -> list[Scan]:
    """Questions and uploads of the event's own people, devices and lists, some undone."""
    draw = random.Random(seed)
    now = datetime.now(UTC)
    door = desk.door
    people = sorted({badge.attendee_id for badge in door.badges.values()})[:8]
    devices = sorted(door.devices.values(), key=lambda device: device.name)[:4]
    lists = [door.lists["main"], door.lists["lounge"]]
    day: list[Scan] = []
    for number in range(length):
        device = draw.choice(devices)
        scan = entry(
            desk.event_id,
            draw.choice(people),
            f"s{number}",
            device_id=device.device_id,
            gate_id=device.gate_id,
            list_id=draw.choice(lists).list_id,
        )
        scan = leaving(scan) if draw.random() < 0.35 else scan
        if draw.random() < 0.1:
            scan = msgspec.structs.replace(scan, outcome="refused", reason="wrong_ticket", turn=None)
        elif draw.random() < 0.5:
            scan = offline(scan, now - timedelta(seconds=draw.randrange(7200)))
        day.append(scan)
        if scan.turn is not None and draw.random() < 0.1:
            undo = {"scan_id": "~" + scan.scan_id, "outcome": "undone", "undoes": scan.scan_id, "turn": 1}
            day.append(msgspec.structs.replace(scan, **undo, decided=None, at=None, scanned_at=None, reason=None))
    return day


async def write(desk: Desk, day: list[Scan]) -> None:
    async with Writer(lambda: connect(desk.url, name="test writer"), max_batch=16).run() as writer:
        await asyncio.gather(*(writer.submit(scan) for scan in day))


async def project(desk: Desk, projectors: list[Projector]) -> None:
    """Lets them all at it until nothing is left to tell."""
    while True:
        await asyncio.gather(*(projector.project(desk.event_id) for projector in projectors))
        async with desk.db.read() as connection:
            if not await queries.has_news(connection, desk.event_id):
                return


@pytest.fixture
async def projectors(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Projector]]:
    """Those of three processes, without pauses."""
    monkeypatch.setattr(projecting, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(projecting, "MAX_NEWS", 3)
    async with open_database(settings.database_url, size=8, name="test projectors") as db:
        watch = Watch(settings.database_url, name="test watch")
        async with watch.run():
            yield [Projector(db, Doors(db, watch)) for _ in range(3)]


async def check(desk: Desk) -> None:
    """Everything that is derived, against the log."""
    async with desk.db.read() as connection:
        rows = [dict(row) for row in await connection.fetch("SELECT * FROM scan WHERE event_id = $1", desk.event_id)]
        tally = {tuple(row)[:6]: row["scans"] for row in await connection.fetch(TALLY, desk.event_id)}
        conflicts = {tuple(row) for row in await connection.fetch(CONFLICTS, desk.event_id)}
        events = await feed_queries.list_events_after(
            connection, desk.event_id, channel=CHECKIN, after=desk.door.seq, limit=10_000
        )
    assert {key: count for key, count in tally.items() if count} == counted(desk, rows)
    facts = facts_by_person(rows)
    standings = {person: stand(own, desk.door.reentry()) for person, own in facts.items()}
    assert conflicts == {
        ("double_admission", *later.key, *first.key)
        for standing in standings.values()
        for first, later in standing.conflicts
    }
    heard = desk.door
    for event in events:
        if event.kind == PASSED:
            apply_passed(heard, msgspec.json.decode(event.data, type=Passed))
    fresh = await load_door(desk.db, desk.event_id)
    assert people_in(heard) == people_in(fresh), "the door as it was, and what was told since"
    assert people_in(fresh) == {
        (standing.since.list_id, person[1]) for person, standing in standings.items() if standing.since
    }


def counted(desk: Desk, rows: list[dict[str, Any]]) -> dict[Any, int]:
    """Each scan by what it turned out to be, whatever was answered."""
    found: Counter[Any] = Counter()
    for facts in facts_by_person(rows).values():
        roles = stand(facts, desk.door.reentry()).roles
        for fact in facts:
            if fact.key in roles:
                told = counts_as(roles[fact.key], "after_exit")
                found[(fact.list_id, bucket_of(fact.at), fact.gate_id, ticket_of(desk, fact.attendee_id), *told)] += 1
    for row in rows:
        if row["turn"] is None or row["undoes"]:
            ticket = ticket_of(desk, row["attendee_id"])
            told = row["outcome"], row["reason"] or ""
            found[(row["list_id"], bucket_of(row["at"]), row["gate_id"], ticket, *told)] += 1
    return dict(found)


def ticket_of(desk: Desk, attendee_id: UUID) -> str:
    (number, *_) = desk.door.numbers_of(attendee_id)
    return desk.door.badges[number].ticket


def facts_by_person(rows: list[dict[str, Any]]) -> dict[tuple[UUID, UUID], list[Fact]]:
    people: dict[tuple[UUID, UUID], list[Fact]] = {}
    for row in rows:
        if row["turn"] is not None:
            fields = {name: row[name] for name in Fact.__struct_fields__ if name != "offline"}
            fact = Fact(**fields, offline=row["decided"] is not None)
            people.setdefault((fact.area_id, fact.attendee_id), []).append(fact)
    return people


def people_in(door: Door) -> set[tuple[UUID, UUID]]:
    return {(list_id, attendee_id) for list_id, people in door.inside.items() for attendee_id in people}


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_told_is_what_was_logged(desk: Desk, projectors: list[Projector], seed: int) -> None:
    day = random_day(desk, seed)
    for start in range(0, len(day), 40):  # telling goes on while people arrive
        await asyncio.gather(write(desk, day[start : start + 40]), project(desk, projectors))
    await project(desk, projectors)
    await check(desk)


async def test_a_round_that_fails_is_told_later_and_once(
    desk: Desk, projectors: list[Projector], monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(desk, random_day(desk, 9))
    emit, failures = actions.emit, [True, True]

    async def emit_badly(*arguments: Any, **more: Any) -> Any:
        if failures and failures.pop():
            raise ConnectionResetError("gone in the middle")
        return await emit(*arguments, **more)

    monkeypatch.setattr(actions, "emit", emit_badly)
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            await projectors[0].project(desk.event_id)
    await project(desk, projectors)
    await check(desk)


async def test_news_that_stayed_would_be_counted_twice_and_seen(
    desk: Desk, projectors: list[Projector], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: what was told is not deleted with the telling."""
    await write(desk, random_day(desk, 10))
    kept = queries.TAKE_NEWS.replace("DELETE FROM scan_news", "UPDATE scan_news SET at = at")
    taken: list[list[Any]] = []

    async def take_and_leave(tx: Any, event_id: UUID, *, limit: int) -> Any:
        found = await queries.rows(tx, queries.NewsRow, kept, event_id, limit)
        taken.append(found)
        return found

    monkeypatch.setattr(queries, "take_news", take_and_leave)
    for _ in range(2):
        await projectors[0].project(desk.event_id)
    assert taken[0], "something was told"
    monkeypatch.undo()
    monkeypatch.setattr(projecting, "PAUSE_SECONDS", 0.0)
    await project(desk, projectors)
    with pytest.raises(AssertionError):
        await check(desk)


async def test_one_message_a_list_and_round(desk: Desk, projectors: list[Projector], monkeypatch: Any) -> None:
    monkeypatch.setattr(projecting, "MAX_NEWS", 400)
    people = sorted({badge.attendee_id for badge in desk.door.badges.values()})
    (device, *_) = desk.door.devices.values()
    main = desk.door.lists["main"].list_id
    where = {"device_id": device.device_id, "gate_id": device.gate_id, "list_id": main}
    await write(desk, [entry(desk.event_id, person, f"s{n}", **where) for n, person in enumerate(people)])
    await project(desk, projectors)
    async with desk.db.read() as connection:
        events = await feed_queries.list_events_after(
            connection, desk.event_id, channel=CHECKIN, after=desk.door.seq, limit=100
        )
    (passed,) = [msgspec.json.decode(event.data, type=Passed) for event in events if event.kind == PASSED]
    assert passed.inside == len(people)
    assert sorted(number for one in passed.entered for number in one.badges) == sorted(desk.door.badges)
