"""What organizers see of the doors: after any day the numbers are those of the log, and pages leave nothing out."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.checkin.history import Key, stand
from server.checkin.types import Fact
from server.db import Database
from server.desk import actions
from server.desk.projection import BUCKET_SECONDS, Projection, counts_as
from tests.conftest import Demo
from tests.phones import Organizer, Phone, organizer_of, phone_of, said, scan

PATIENCE = 20
NOBODY_S = "a code that nobody has"


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return organizer_of(api, demo)


@pytest.fixture
def phones(api: httpx.AsyncClient, demo: Demo) -> list[Phone]:
    return [phone_of(api, demo, "scan+search", number) for number in range(4)]


async def spend_a_day(phones: Sequence[Phone], demo: Demo, dice: random.Random) -> None:
    """Scans online and offline, hours back, of entitled and other people, some undone."""
    now = datetime.now(UTC)
    passed: list[tuple[Phone, str]] = []
    for _ in range(60):
        phone = dice.choice(phones)
        batch = []
        for _ in range(dice.randrange(1, 6)):
            code = dice.choice([demo.badge(dice.randrange(20)), demo.badge(dice.randrange(20)), NOBODY_S])
            body = scan(code, list=dice.choice(["main", "lounge", "lunch"]))
            body["direction"] = dice.choice(["entry", "entry", "exit"])
            batch.append(body)
        if dice.random() < 0.5:
            for body in batch:
                body["scanned_at"] = (now - timedelta(minutes=dice.randrange(600))).isoformat()
            answers = (await phone.upload(*batch))["results"]
        else:
            answers = [await phone.send(body) for body in batch]
        passed += [(phone, one["scan_id"]) for one in answers if one["outcome"] in ("admitted", "exited")]
    for phone, scan_id in dice.sample(passed, 12):
        assert (await phone.undo(scan_id)).status_code == 200


LIST_COUNTED = """
    SELECT checkin_list.key, checkin_list.reentry, gate.name AS gate, COALESCE(attendee.ticket, '') AS ticket,
           scan.outcome, COALESCE(scan.reason, '') AS reason, scan.event_id, scan.area_id, scan.attendee_id, scan.turn,
           scan.device_id, scan.scan_id, scan.list_id, scan.session_id, scan.gate_id, scan.direction, scan.at,
           scan.decided IS NOT NULL AS offline, scan.undoes
    FROM scan
    JOIN checkin_list USING (event_id, list_id)
    JOIN gate USING (event_id, gate_id)
    LEFT JOIN attendee USING (event_id, attendee_id)
"""


async def counted(db: Database, key: str) -> dict[str, Any]:
    """The numbers of a list, counted from the log as one would by hand: who passed by what it turned out to be."""
    async with db.read() as connection:
        rows = [dict(row) for row in await connection.fetch(LIST_COUNTED) if row["key"] == key]
    people: dict[UUID, list[Fact]] = {}
    for row in rows:
        if row["turn"] is not None:
            people.setdefault(row["attendee_id"], []).append(
                Fact(**{name: row[name] for name in Fact.__struct_fields__})
            )
    roles = {fact: role for facts in people.values() for fact, role in stand(facts, {}).roles.items()}
    for row in rows:
        role = roles.get((row["device_id"], row["scan_id"]))
        if role is not None:
            row["outcome"], row["reason"] = counts_as(role, row["reentry"])
        elif row["turn"] is not None:
            row["outcome"] = "undone"

    def bucket(row: Any) -> datetime:
        return datetime.fromtimestamp(row["at"].timestamp() // BUCKET_SECONDS * BUCKET_SECONDS, UTC)

    return {
        "admitted": sum(row["outcome"] == "admitted" for row in rows),
        "arrivals": Counter(
            (bucket(row), row["gate"], row["outcome"]) for row in rows if row["outcome"] in ("admitted", "exited")
        ),
        "tickets": Counter(row["ticket"] for row in rows if row["outcome"] == "admitted"),
        "refusals": Counter(row["reason"] for row in rows if row["outcome"] == "refused"),
    }


async def shown(who: Organizer | Phone, key: str, **query: str) -> dict[str, Any]:
    """The same as the API tells it."""
    found = await who.get("statistics", list=key, **query)
    arrivals: Counter[tuple[datetime, str, str]] = Counter()
    for row in found["arrivals"]:
        for outcome in ("admitted", "exited"):
            arrivals[(datetime.fromisoformat(row["at"]), row["gate"], outcome)] += row[outcome]
    return {
        "admitted": found["admitted"],
        "arrivals": +arrivals,
        "tickets": Counter({row["ticket"]: row["admitted"] for row in found["tickets"]}),
        "refusals": Counter({row["reason"]: row["scans"] for row in found["refusals"]}),
    }


async def until_all_is_told(db: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with db.read() as connection:
                if not await connection.fetchval("SELECT EXISTS (SELECT FROM scan_news)"):
                    return


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_numbers_are_those_of_the_log(
    organizer: Organizer, phones: list[Phone], demo: Demo, db: Database, seed: int
) -> None:
    await spend_a_day(phones, demo, random.Random(seed))
    await until_all_is_told(db)
    for key in ("main", "lounge", "lunch"):
        expected = await counted(db, key)
        assert await shown(organizer, key) == expected
        assert expected["admitted"] == sum(expected["tickets"].values())
    assert (await counted(db, "main"))["refusals"]["unknown_code"]


async def test_a_lost_undo_is_noticed(
    organizer: Organizer, phones: list[Phone], demo: Demo, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison above sees a projection that leaves out what an undo takes back."""

    class Forgetful(Projection):
        def add_history(self, facts: Sequence[Fact], news: Container[Key]) -> None:
            kept = [fact for fact in facts if fact.undoes is None]
            if any(fact.key in news for fact in kept):
                super().add_history(kept, news)

    monkeypatch.setattr(actions, "Projection", Forgetful)
    await spend_a_day(phones, demo, random.Random(1))
    await until_all_is_told(db)
    assert any([await shown(organizer, key) != await counted(db, key) for key in ("main", "lounge", "lunch")])


async def test_a_stretch_of_the_day(organizer: Organizer, phones: list[Phone], demo: Demo, db: Database) -> None:
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=minutes) for minutes in (90, 60, 30)]
    scans = [scan(demo.badge(n), scanned_at=at.isoformat()) for n, at in enumerate(moments)]
    await phones[0].upload(*scans)
    await until_all_is_told(db)
    early, late = (now - timedelta(minutes=75)).isoformat(), (now - timedelta(minutes=45)).isoformat()
    assert (await organizer.get("statistics"))["admitted"] == 3
    assert (await organizer.get("statistics", since=early))["admitted"] == 2
    assert (await organizer.get("statistics", until=early))["admitted"] == 1
    assert (await organizer.get("statistics", since=early, until=late))["admitted"] == 1
    assert (await organizer.get("statistics", since=late, until=early))["admitted"] == 0
    assert (await organizer.get("statistics", since=early))["inside"] == 3, "how many are inside is of now"


async def test_what_statistics_do_not_take(organizer: Organizer) -> None:
    for key in ("nowhere", "\0", "é", "Main"):
        assert said(await organizer.ask("GET", "/checkins/statistics", list=key))[:2] == (404, "checkin.unknown_list")
    for field in ("since", "until"):
        for moment in ("yesterday", "2026-12-18", "2026-12-18T09:00:00", "0001-01-01T00:00:00+14:00", "1e99", "\0"):
            response = await organizer.ask("GET", "/checkins/statistics", **{field: moment})
            assert said(response) == (422, "request.invalid", field), (moment, response.text)
    assert said(await organizer.ask("GET", "/checkins/statistics", list="x" * 65))[:2] == (422, "request.invalid")


async def all_pages(who: Organizer, path: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await who.get(path, limit=limit, **query, **cursor)
        assert len(page[path]) <= limit
        items += page[path]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


async def test_refusals_by_pages_are_all_of_them(
    organizer: Organizer, phones: list[Phone], demo: Demo, db: Database
) -> None:
    """Even those that were logged at one moment, which a batch's are."""
    for phone in phones:
        await phone.upload(*(scan(f"{NOBODY_S} {number}") for number in range(10)))
    visitor = next(line for line in demo.attendees if line["ticket"] == "visitor")
    await phones[0].scan(visitor["badge_code"], list="lounge")
    await phones[0].scan(visitor["badge_code"], direction="exit")
    whole = await all_pages(organizer, "refusals", 500)
    assert len({(one["device"], one["scan_id"]) for one in whole}) == len(whole) == 42
    async with db.read() as connection:
        logged = await connection.fetch(
            "SELECT scan_id FROM scan WHERE outcome = 'refused' ORDER BY received_at DESC, device_id, scan_id"
        )
    assert [one["scan_id"] for one in whole] == [scan_id for (scan_id,) in logged]
    for limit in (1, 7, 10, 41, 42):
        assert await all_pages(organizer, "refusals", limit) == whole, limit

    exit_, wrong = whole[:2]
    assert (exit_["reason"], wrong["reason"]) == ("not_inside", "wrong_ticket")
    assert (wrong["name"], wrong["list"], wrong["offline"]) == (visitor["name"], "lounge", False)
    assert wrong["code"] == exit_["code"] == "", "a code that somebody has would open a door"
    assert {one["code"] for one in whole[2:]} == {f"{NOBODY_S} {number}" for number in range(10)}


async def test_conflicts_by_pages_are_all_of_them(
    organizer: Organizer, phones: list[Phone], demo: Demo, db: Database
) -> None:
    now = datetime.now(UTC)
    for place, phone in enumerate(phones[:2]):
        at = (now - timedelta(minutes=60 - place)).isoformat()
        await phone.upload(*(scan(demo.badge(number), scanned_at=at) for number in range(7)))
    await phones[2].upload(scan(NOBODY_S, scanned_at=now.isoformat()))
    await until_all_is_told(db)
    whole = await all_pages(organizer, "conflicts", 500)
    assert sorted(one["kind"] for one in whole) == ["double_admission"] * 7 + ["not_entitled"]
    for limit in (1, 3, 7, 8):
        assert await all_pages(organizer, "conflicts", limit) == whole
    assert (await organizer.get("statistics"))["conflicts"] == 8
    assert [UUID(one["id"]) for one in whole] == sorted((UUID(one["id"]) for one in whole), reverse=True)

    solved = next(one for one in whole if one["kind"] == "double_admission")
    await organizer.ask("POST", f"/checkins/{solved['scan_id']}/undo", {"device_id": solved["device_id"]})
    await until_all_is_told(db)
    assert await all_pages(organizer, "conflicts", 3) == [one for one in whole if one != solved]
    both = await all_pages(organizer, "conflicts", 3, resolved=True)
    assert [one["id"] for one in both] == [one["id"] for one in whole]
    assert [one["id"] for one in both if one["resolved_at"]] == [solved["id"]]


async def test_foreign_cursors_and_limits_are_refused(organizer: Organizer) -> None:
    cursors = ("x", "é", "\0", "AAAA", "QTAxHw", "A" * 500, "MjAyNi0wMS0wMR94H3g", "MjAyNi0wMS0wMVQwMDowMDowMB8wH3g")
    for path in ("refusals", "conflicts"):
        for cursor in cursors:
            response = await organizer.ask("GET", f"/checkins/{path}", cursor=cursor)
            assert said(response)[:2] == (422, "request.invalid"), (path, cursor)
        for limit in ("0", "501", "x", "-1", "9" * 40):
            response = await organizer.ask("GET", f"/checkins/{path}", limit=limit)
            assert said(response) == (422, "request.invalid", "limit"), (path, limit)
