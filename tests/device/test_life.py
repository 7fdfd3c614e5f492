"""A device from its making to its end, in two API processes and on the live feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.config import Settings
from server.db import Database
from server.device import actions
from server.feed.types import Emitted
from tests.conftest import Demo, bearer, running_api, running_gateway
from tests.device.conftest import Organizer, pair, paired, said, scan

WITHIN = 1.0
"""Seconds in which every process knows of a change."""


async def soon(ask: Callable[[], Awaitable[Any]], wanted: object) -> None:
    """Fails unless the answer becomes the wanted one within a second."""
    answer = None
    try:
        async with asyncio.timeout(WITHIN):
            while (answer := await ask()) != wanted:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"still {answer!r} after {WITHIN} s, not {wanted!r}") from None


async def listen(socket: ClientConnection, api: httpx.AsyncClient, token: str) -> None:
    """Enters channel `checkin` as the device that holds the token."""
    ticket = (await api.post("/live/ticket", headers=bearer(token))).json()["ticket"]
    hello = {"type": "hello", "version": 1, "ticket": ticket, "channels": [{"name": "checkin"}]}
    await socket.send(json.dumps(hello))
    assert json.loads(await socket.recv())["type"] == "ready"


async def closed(socket: ClientConnection) -> int | None:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as ended:
        return ended.rcvd.code if ended.rcvd else None


async def test_a_device_from_its_making_to_its_end(settings: Settings, demo: Demo) -> None:
    async with (
        running_api(settings) as one,
        running_api(settings) as two,
        running_gateway(settings) as feed,
        httpx.AsyncClient(base_url=one) as here,
        httpx.AsyncClient(base_url=two) as there,
        connect(feed, proxy=None) as socket,
    ):
        for api in (here, there):  # both doors are open before the device is there
            await scan(api, demo.device(1), demo.badge(0))
        organizer = Organizer(here, demo.file.organizer_token)
        made = await organizer.add("Nouvelle", gate="Porte Jardin")
        assert made["device"]["state"] == "waiting"

        answer = (await pair(there, made["pairing"]["code"], platform="Pixel 9, Android 17")).json()
        token = answer.pop("token")
        device_id = made["device"]["id"]
        assert answer == {
            "device_id": device_id,
            "name": "Nouvelle",
            "gate": "Porte Jardin",
            "profile": "scan",
            "event": "digital-now",
        }
        await listen(socket, there, token)

        async def gate(api: httpx.AsyncClient, badge: int) -> Any:
            answer = (await scan(api, token, demo.badge(badge))).json()
            return answer.get("admission", {}).get("gate")

        for badge, api in ((1, here), (2, there)):
            await soon(lambda api=api, badge=badge: gate(api, badge), "Porte Jardin")  # type: ignore[misc]

        await organizer.ask("PATCH", f"/devices/{device_id}", {"gate": "Porte Tramway"})
        fresh = iter(range(10, 60))
        for api in (here, there):
            await soon(lambda api=api: gate(api, next(fresh)), "Porte Tramway")  # type: ignore[misc]
            me = (await api.get("/devices/me", headers=bearer(token))).json()
            assert (me["name"], me["gate"], me["profile"], me["event"]) == (
                "Nouvelle", "Porte Tramway", "scan", "digital-now",
            )  # fmt: skip
            earlier = (await scan(api, demo.device(1), demo.badge(1))).json()
            assert earlier["admission"]["gate"] == "Porte Jardin", "where it stood at the time"

        assert (await organizer.ask("DELETE", f"/devices/{device_id}")).status_code == 204
        await turned_away(token, demo, here, there)
        async with asyncio.timeout(WITHIN):
            assert await closed(socket) == 4501
        listed = await organizer.device(device_id)
        assert (listed["state"], listed["platform"]) == ("revoked", "Pixel 9, Android 17")


async def turned_away(token: str, demo: Demo, *apis: httpx.AsyncClient) -> None:
    """Fails unless every process refuses the token, at the door and elsewhere, within a second."""
    for api in apis:
        await soon(lambda api=api: status(scan(api, token, demo.badge(3))), 401)  # type: ignore[misc]
        assert (await api.get("/devices/me", headers=bearer(token))).status_code == 401


async def status(asked: Awaitable[httpx.Response]) -> int:
    return (await asked).status_code


async def test_a_revocation_that_nobody_is_told_of_is_noticed(
    api: httpx.AsyncClient, organizer: Organizer, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: the door in memory would let a stolen phone go on."""

    async def tell_nobody(*_: object, **__: object) -> Emitted | None:
        return None

    made = await organizer.add()
    token = await paired(api, made["pairing"]["code"])
    await soon(lambda: status(scan(api, token, demo.badge(0))), 200)
    monkeypatch.setattr(actions, "emit", tell_nobody)
    await organizer.ask("DELETE", f"/devices/{made['device']['id']}")
    with pytest.raises(AssertionError, match="still 200"):
        await turned_away(token, demo, api)


async def test_a_device_moves_to_another_phone(settings: Settings, organizer: Organizer, demo: Demo) -> None:
    """The old one works until the new one has its token, and not a second longer; the new one is not shut out with it."""
    api = organizer.api
    async with running_gateway(settings) as feed, connect(feed, proxy=None) as old, connect(feed, proxy=None) as new:
        made = await organizer.add()
        device_id = made["device"]["id"]
        first = await paired(api, made["pairing"]["code"])
        await listen(old, api, first)
        old_ticket = (await api.post("/live/ticket", headers=bearer(first))).json()["ticket"]

        offered = await organizer.ask("POST", f"/devices/{device_id}/pairing")
        assert offered.status_code == 201
        assert (await organizer.device(device_id))["state"] == "paired"
        await soon(lambda: status(scan(api, first, demo.badge(0))), 200)

        second = await paired(api, offered.json()["code"])
        await turned_away(first, demo, api)
        async with asyncio.timeout(WITHIN):
            assert await closed(old) == 4501
        await listen(new, api, second)
        await soon(lambda: status(scan(api, second, demo.badge(1))), 200)
        assert (await organizer.device(device_id))["state"] == "paired"

        async with connect(feed, proxy=None) as late:  # with a ticket from before that has not run out
            await late.send(json.dumps({"type": "hello", "version": 1, "ticket": old_ticket, "channels": []}))
            assert await closed(late) == 4501

        await organizer.ask("DELETE", f"/devices/{device_id}")
        async with asyncio.timeout(WITHIN):
            assert await closed(new) == 4501


async def test_what_is_changed_is_told_and_what_is_not_is_not(
    organizer: Organizer, db: Database, event_id: UUID
) -> None:
    async def kinds() -> list[str]:
        async with db.read() as connection:
            rows = await connection.fetch(
                "SELECT kind FROM feed_event WHERE event_id = $1 AND channel = 'checkin' ORDER BY seq", event_id
            )
        return [kind for (kind,) in rows]

    made = await organizer.add()
    path = f"/devices/{made['device']['id']}"
    for change in ({}, {"profile": "scan"}, {"gate": made["device"]["gate_id"]}):
        assert (await organizer.ask("PATCH", path, change)).json()["profile"] == "scan"
    changed = (await organizer.ask("PATCH", path, {"profile": "kiosk", "name": "Autre"})).json()
    assert (changed["profile"], changed["name"]) == ("kiosk", "Autre")
    await paired(organizer.api, made["pairing"]["code"])
    for _ in range(2):
        assert (await organizer.ask("DELETE", path)).status_code == 204
    assert await kinds() == ["device.created", "device.changed", "device.paired", "device.revoked"]


async def test_a_revoked_device_is_revoked_for_ever(organizer: Organizer) -> None:
    made = await organizer.add("Perdu")
    path = f"/devices/{made['device']['id']}"
    await organizer.ask("DELETE", path)
    assert said(await pair(organizer.api, made["pairing"]["code"])) == (404, "device.pairing_unknown")
    assert said(await organizer.ask("POST", f"{path}/pairing")) == (409, "device.revoked")
    assert said(await organizer.ask("PATCH", path, {"profile": "supervisor"})) == (409, "device.revoked")
    successor = await organizer.add("Perdu")
    assert successor["device"]["state"] == "waiting", "its name is free"


async def test_names_are_unique_among_those_in_use(organizer: Organizer) -> None:
    await organizer.add("Un")
    two = await organizer.add("Deux")
    body = {"name": "Un", "gate": "Porte Océan"}
    answers = await asyncio.gather(
        organizer.ask("POST", "/devices", body),
        organizer.ask("PATCH", f"/devices/{two['device']['id']}", {"name": "Un"}),
    )
    assert [said(answer) for answer in answers] == [(409, "device.name_taken")] * 2
    many = await asyncio.gather(*(organizer.ask("POST", "/devices", body | {"name": "Trois"}) for _ in range(8)))
    assert sorted(answer.status_code for answer in many) == [201] + [409] * 7
