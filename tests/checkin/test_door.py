"""The door in memory follows what is given out and revoked, in every process, while people are let in."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from server.access.actions import create_device, revoke
from server.checkin import doors
from server.config import Settings
from server.db import Database
from server.feed import emit, queries as feed_queries
from tests.conftest import Demo, bearer, running_api

_numbers = itertools.count()


async def ask(api: httpx.AsyncClient, token: str, code: str) -> httpx.Response:
    body: dict[str, Any] = {"scan_id": f"scan-{next(_numbers)}", "list": "main", "code": code}
    return await api.post("/checkins", json=body, headers=bearer(token))


async def test_a_revoked_device_is_turned_away_everywhere(
    settings: Settings, db: Database, demo: Demo, event_id: Any
) -> None:
    async with (
        running_api(settings) as one,
        running_api(settings) as two,
        httpx.AsyncClient(base_url=one) as here,
        httpx.AsyncClient(base_url=two) as there,
    ):
        for number in range(8):  # each by itself: nothing that comes later may be needed for it to be heard
            for api in (here, there):
                assert (await ask(api, demo.device(number), demo.badge(number))).status_code == 200
            await revoke(db, event_id, demo.device(number))
            for api in (here, there):
                response = await ask(api, demo.device(number), demo.badge(number))
                while response.status_code == 200:
                    response = await ask(api, demo.device(number), demo.badge(number))
                assert (response.status_code, response.json()["code"]) == (401, "auth.required")


async def test_a_revoked_badge_is_refused_by_both_its_codes(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any
) -> None:
    line = demo.attendees[7]
    await ask(api, demo.device(), demo.badge(8))  # the door is open
    await revoke(db, event_id, line["short_code"])
    for code in (line["short_code"], line["badge_code"]):
        answer = (await ask(api, demo.device(), code)).json()
        while answer["outcome"] != "refused":
            answer = (await ask(api, demo.device(), code)).json()
        assert answer["reason"] == "revoked"
        assert answer["attendee"]["name"] == line["name"]


async def test_a_new_device_may_scan_at_once(api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any) -> None:
    await ask(api, demo.device(), demo.badge(0))
    token = await create_device(db, event_id, name="Late scanner", gate="Back door")
    response = await ask(api, token, demo.badge(1))
    while response.status_code == 401:
        response = await ask(api, token, demo.badge(1))
    assert response.json()["admission"]["gate"] == "Back door"


async def test_new_attendees_are_known_after_the_door_was_loaded(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any
) -> None:
    await ask(api, demo.device(), demo.badge(0))
    async with db.tx() as tx:
        await tx.execute("UPDATE badge SET code = 'NEWCODE' WHERE event_id = $1 AND code = $2", event_id, demo.badge(2))
        await emit(tx, event_id, channel="checkin", kind="attendees.changed", data={})
    answer = (await ask(api, demo.device(), "newcode")).json()
    while answer["outcome"] == "refused":
        answer = (await ask(api, demo.device(), "newcode")).json()
    assert answer["attendee"]["name"] == demo.attendees[2]["name"]


async def test_a_door_that_could_not_read_tries_again(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(api, demo.device(0), demo.badge(0))
    monkeypatch.setattr(doors, "RETRY_SECONDS", 0.0)
    read = feed_queries.list_events_after
    failures: list[Exception] = [ConnectionResetError("gone"), ZeroDivisionError("a surprise")]

    async def read_badly(*arguments: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await read(*arguments, **more)

    monkeypatch.setattr(feed_queries, "list_events_after", read_badly)
    await revoke(db, event_id, demo.device(0))
    while (await ask(api, demo.device(0), demo.badge(1))).status_code == 200:
        pass
    assert not failures
