"""When a device was last heard of: noted in passing, written together, moved forward only."""

from __future__ import annotations

import asyncio
import timeit
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.db import Database
from server.device import queries, seen as seen_module
from server.device.seen import Seen, as_app
from server.ids import new_id
from tests.conftest import Demo, bearer, running_api
from tests.device.conftest import Organizer

SECOND = timedelta(seconds=1)


async def state(db: Database, name: str) -> tuple[datetime | None, str | None]:
    async with db.read() as connection:
        last, app = await connection.fetchrow("SELECT last_seen_at, app FROM device WHERE name = $1", name)
    return last, app


@pytest.fixture
async def device_id(db: Database) -> UUID:
    async with db.read() as connection:
        found: UUID = await connection.fetchval("SELECT device_id FROM device WHERE name = 'Scanner 01'")
    return found


async def test_a_request_is_noted_and_written_at_the_end(settings: Any, db: Database, demo: Demo) -> None:
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base) as api:
        headers = bearer(demo.device(0)) | {"User-Agent": "Portier/2.1 (Android 17)"}
        assert (await api.get("/devices/me", headers=headers)).status_code == 200
        assert await state(db, "Scanner 01") == (None, None), "a request waits for no writing"
    last, app = await state(db, "Scanner 01")
    assert last is not None
    assert abs(datetime.now(UTC) - last) < 20 * SECOND
    assert app == "Portier/2.1 (Android 17)"
    assert await state(db, "Scanner 02") == (None, None)


async def test_it_is_written_while_the_server_runs(
    db: Database, event_id: UUID, device_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_module, "WRITE_SECONDS", 0.01)
    async with Seen(db).run() as seen:
        seen.note(event_id, device_id, "Portier/1")
        while (await state(db, "Scanner 01"))[0] is None:
            pass


async def test_pairing_says_which_app_it_is(organizer: Organizer, db: Database) -> None:
    made = await organizer.add("Avec agent")
    body = {"code": made["pairing"]["code"]}
    await organizer.api.post("/devices/pair", json=body, headers={"User-Agent": "Portier/3 " + "x" * 300})
    listed = await organizer.device(made["device"]["id"])
    assert listed["app"] == ("Portier/3 " + "x" * 300)[:200]
    assert listed["last_seen_at"] is not None


async def moves_forward_only(db: Database, event_id: UUID, device_id: UUID) -> None:
    """Fails if news that come late move the time back or name an older app."""
    for age, app in ((10.0, "new"), (3600.0, "old"), (20.0, None)):
        async with db.read() as connection:
            await queries.mark_seen(connection, event_ids=[event_id], device_ids=[device_id], ages=[age], apps=[app])
    last, app = await state(db, "Scanner 01")
    assert last is not None
    assert datetime.now(UTC) - last < 15 * SECOND, "moved back"
    assert app == "new"


async def test_a_time_moves_forward_only(db: Database, event_id: UUID, device_id: UUID) -> None:
    await moves_forward_only(db, event_id, device_id)


async def test_a_time_that_moves_back_is_noticed(
    db: Database, event_id: UUID, device_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = queries.MARK_SEEN.partition("      AND (device.last_seen_at")[0]
    assert careless != queries.MARK_SEEN
    monkeypatch.setattr(queries, "MARK_SEEN", careless)
    with pytest.raises(AssertionError, match="moved back"):
        await moves_forward_only(db, event_id, device_id)


async def test_a_user_agent_that_is_missing_takes_nothing_away(db: Database, event_id: UUID, device_id: UUID) -> None:
    seen = Seen(db)
    for user_agent in ("Portier/1", None, ""):
        seen.note(event_id, device_id, user_agent)
        await seen.write()
    assert (await state(db, "Scanner 01"))[1] == "Portier/1"


async def test_notes_outlive_a_database_that_is_away(
    db: Database, event_id: UUID, device_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(db)
    seen.note(event_id, device_id, "Portier/1")
    mark = queries.mark_seen

    async def away(*_: object, **__: object) -> None:
        seen.note(event_id, device_id, "Portier/2")  # meanwhile
        raise ConnectionRefusedError

    monkeypatch.setattr(queries, "mark_seen", away)
    with pytest.raises(ConnectionRefusedError):
        await seen.write()
    monkeypatch.setattr(queries, "mark_seen", mark)
    await seen.write()
    assert (await state(db, "Scanner 01"))[1] == "Portier/2", "the newer note counts"


async def test_a_database_that_is_away_holds_up_neither_work_nor_the_end(
    db: Database, event_id: UUID, device_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def away(*_: object, **__: object) -> None:
        tries.append(1)
        raise ZeroDivisionError if len(tries) == 2 else ConnectionRefusedError

    monkeypatch.setattr(seen_module, "WRITE_SECONDS", 0.001)
    monkeypatch.setattr(queries, "mark_seen", away)
    async with Seen(db).run() as seen:
        seen.note(event_id, device_id, None)
        while len(tries) < 4:  # noqa: ASYNC110 - a task that nobody sees
            await asyncio.sleep(0.001)


async def test_devices_that_are_gone_are_no_trouble(db: Database, event_id: UUID, device_id: UUID) -> None:
    seen = Seen(db)
    seen.note(event_id, new_id(), "Fantôme")
    seen.note(event_id, device_id, "Portier/1")
    await seen.write()
    assert (await state(db, "Scanner 01"))[1] == "Portier/1"


def test_a_note_costs_next_to_nothing() -> None:
    seen = Seen(None)  # type: ignore[arg-type]
    event_id, device_id = new_id(), new_id()
    best = min(timeit.repeat(lambda: seen.note(event_id, device_id, "x"), number=10_000, repeat=5)) / 10_000
    assert best < 5e-6, f"{best * 1e6:.2f} µs"


def test_what_is_stored_of_a_user_agent() -> None:
    assert as_app(None) is as_app("") is as_app(" \x00 ") is None
    assert as_app("a\x00b") == "ab"
    assert as_app("x" * 500) == "x" * 200
