"""Two sessions are not in one room at a time: PostgreSQL itself refuses it, whoever asks, and however many at once."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from server.db import Database
from server.schedule import storing
from tests.conftest import Demo
from tests.phones import said
from tests.schedule.office import LATER, NAME, NEW, NOON, Office

TAKEN = (409, "schedule.room_taken")
HALF_PAST = "2026-12-25T09:30:00Z"


@pytest.fixture
def office(api: httpx.AsyncClient, demo: Demo) -> Office:
    return Office(api, demo)


async def crowds(db: Database) -> int:
    """How many pairs of sessions are in one room at a time, counted without what the server thinks of it."""
    async with db.read() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM session AS a JOIN session AS b ON a.event_id = b.event_id AND a.room_id = b.room_id"
                " AND a.session_id < b.session_id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
                " WHERE NOT a.shares_room AND NOT b.shares_room AND 'cancelled' NOT IN (a.status, b.status)"
            )
        )


async def test_who_is_there_already_is_named(office: Office) -> None:
    room = await office.add("rooms", name={"en": "Atlas"})
    await office.add("sessions", room_id=room["id"], title={"en": "Sardines"})
    other = await office.add("sessions")
    before = await office.programme()
    answer = await office.ask("PATCH", f"/sessions/{other['id']}", {"room_id": room["id"]})
    assert said(answer)[:2] == TAKEN
    assert "“Sardines” is in Atlas" in answer.json()["detail"]
    assert await office.refused("POST", "/sessions", NEW["sessions"] | {"room_id": room["id"]}) == TAKEN
    assert await office.programme() == before


async def test_one_after_the_other_is_no_clash(office: Office) -> None:
    room = (await office.add("rooms"))["id"]
    await office.add("sessions", room_id=room)
    after = await office.add("sessions", room_id=room, starts_at=NOON, ends_at=LATER)
    early = {"starts_at": "2026-12-25T09:59:59.999999Z", "ends_at": LATER}
    assert await office.refused("PATCH", f"/sessions/{after['id']}", early) == TAKEN


async def test_a_cancelled_session_and_one_that_shares_leave_room(office: Office, db: Database) -> None:
    room = (await office.add("rooms"))["id"]
    one = await office.add("sessions", room_id=room)
    sharing = await office.add("sessions", room_id=room, shares_room=True)
    cancelled = await office.add("sessions", room_id=room, status="cancelled")
    assert await office.refused("PATCH", f"/sessions/{sharing['id']}", {"shares_room": False}) == TAKEN
    assert await office.refused("PATCH", f"/sessions/{cancelled['id']}", {"status": "scheduled"}) == TAKEN
    await office.change("sessions", one, status="cancelled")
    await office.change("sessions", cancelled, status="scheduled")
    await office.change("sessions", cancelled, room_id=None)
    await office.change("sessions", sharing, shares_room=False)
    assert await crowds(db) == 0


async def test_other_events_have_other_rooms(office: Office, db: Database, stranger: Demo) -> None:
    """Even where a room of another event had the same id."""
    room = await office.add("rooms")
    await office.add("sessions", room_id=room["id"])
    async with db.read() as connection:
        await connection.execute(
            "INSERT INTO room (event_id, room_id, key, name, position)"
            " SELECT event_id, $1, 'x', '{}', 0 FROM event WHERE slug = $2",
            room["id"],
            stranger.file.event,
        )
    base = str(office.api.base_url).replace("digital-now", stranger.file.event)
    async with httpx.AsyncClient(base_url=base) as client:
        await Office(client, stranger).add("sessions", room_id=room["id"])


async def test_the_database_refuses_it_whoever_asks(office: Office, db: Database) -> None:
    room = (await office.add("rooms"))["id"]
    await office.add("sessions", room_id=room)
    other = await office.add("sessions")
    async with db.read() as connection:
        with pytest.raises(asyncpg.ExclusionViolationError, match="session_room_is_free"):
            await connection.execute("UPDATE session SET room_id = $1 WHERE session_id = $2", room, other["id"])


async def test_an_action_that_does_not_look_is_refused_by_the_database(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = (await office.add("rooms"))["id"]
    await office.add("sessions", room_id=room)
    monkeypatch.setattr(storing.queries, "find_clash", see_nothing)
    assert await office.refused("POST", "/sessions", NEW["sessions"] | {"room_id": room}) == TAKEN


async def see_nothing(*_arguments: Any, **_more: Any) -> None:
    return None


async def both_want_the_room(office: Office, db: Database) -> None:
    """Two organizers put two sessions into one room at the same time. One of them does; fails otherwise."""
    for _ in range(5):
        room = (await office.add("rooms"))["id"]
        sessions = [await office.add("sessions"), await office.add("sessions", starts_at=HALF_PAST)]
        answers = await asyncio.gather(
            *(office.ask("PATCH", f"/sessions/{one['id']}", {"room_id": room}) for one in sessions)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await crowds(db) == 0


async def test_of_two_who_want_a_room_one_gets_it(office: Office, db: Database) -> None:
    await both_want_the_room(office, db)


async def test_without_the_lock_the_constraint_still_settles_it(
    office: Office, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for anybody, and nobody looks."""
    monkeypatch.setattr(storing.queries, "lock_version", see_nothing)
    monkeypatch.setattr(storing.queries, "find_clash", see_nothing)
    await both_want_the_room(office, db)


async def test_without_the_constraint_two_get_it_and_are_seen(
    office: Office, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.read() as connection:
        await connection.execute(
            "ALTER TABLE session DROP CONSTRAINT session_room_is_free;"
            "ALTER TABLE session ADD CONSTRAINT session_room_is_free CHECK (true)"
        )
    monkeypatch.setattr(storing.queries, "lock_version", see_nothing)
    monkeypatch.setattr(storing.queries, "find_clash", see_nothing)
    monkeypatch.setattr(storing.queries, "check_now", see_nothing)
    with pytest.raises(AssertionError):
        await both_want_the_room(office, db)


async def test_two_sessions_change_rooms_in_one_release(office: Office, db: Database) -> None:
    rooms = [(await office.add("rooms"))["id"] for _ in range(2)]
    one, two = [await office.add("sessions", room_id=room) for room in rooms]
    await office.change("draft/sessions", one, room_id=rooms[1])
    clashes = (await office.draft())["clashes"]
    assert [(clash["session_id"], clash["with_session_id"]) for clash in clashes] in (
        [(one["id"], two["id"])],
        [(two["id"], one["id"])],
    )
    assert clashes[0]["room_id"] == rooms[1]
    assert await office.refused("POST", "/draft/release") == TAKEN
    await office.change("draft/sessions", two, room_id=rooms[0])
    assert (await office.draft())["clashes"] == []
    before = await office.programme()
    await office.release()
    shown = {session["id"]: session["room_id"] for session in (await office.programme())["sessions"]}
    assert [shown[one["id"]], shown[two["id"]]] == rooms[::-1]
    assert [kind for kind, _ in await office.heard_since(before)] == [
        "session.changed",
        "session.changed",
        "schedule.released",
    ]
    assert await crowds(db) == 0


async def test_two_days_change_dates_in_one_release(office: Office) -> None:
    one, two = await office.add("days"), await office.add("days", date="2026-12-26")
    await office.change("draft/days", one, date="2026-12-26")
    await office.change("draft/days", two, date="2026-12-25")
    await office.release()
    days = {day["id"]: day["date"] for day in (await office.programme())["days"]}
    assert (days[one["id"]], days[two["id"]]) == ("2026-12-26", "2026-12-25")


async def test_a_day_takes_the_place_of_another_in_one_release(office: Office) -> None:
    day = await office.add("days")
    await office.remove("draft/days", day)
    instead = await office.add("draft/days", name=NAME)
    await office.release()
    assert instead["id"] in [one["id"] for one in (await office.programme())["days"]]
    assert day["id"] not in [one["id"] for one in (await office.programme())["days"]]
