"""What a change of a list does at the doors: in every process, in no other event, and for nobody without the right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from server.checkin_list import actions as list_actions
from server.config import Settings
from server.db import Database
from server.desk import actions as desk_actions
from tests.conftest import OTHER, Demo, bearer, running_api
from tests.phones import Organizer, Phone, phone_of, said, scan, told


@pytest.fixture
async def elsewhere(settings: Settings, demo: Demo) -> AsyncIterator[Phone]:
    """A phone whose requests another API process answers."""
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        yield phone_of(client, demo, "scan+search", 1)


async def until_told(phone: Phone, body: dict[str, Any], expected: str) -> None:
    """Asks with scans of their own until one is answered so."""
    while True:
        response = await phone.ask("POST", "/checkins", {**body, "scan_id": scan("")["scan_id"]})
        if expected in (response.json().get("code"), response.json().get("reason"), response.json().get("outcome")):
            return


async def test_every_process_decides_by_the_new_rules(
    organizer: Organizer, phone: Phone, elsewhere: Phone, demo: Demo
) -> None:
    visitors = [line["badge_code"] for line in demo.attendees if line["ticket"] == "visitor"]
    doors = list(zip((phone, elsewhere), visitors, strict=False))
    for door, code in doors:
        await door.scan(code)
    await organizer.add_list("x", tickets=["press"])
    for changes, expected in (
        ({}, "wrong_ticket"),
        ({"tickets": ["visitor"], "closes_at": "2020-01-01T00:00:00Z"}, "not_open"),
        ({"closes_at": None, "opens_at": "2199-01-01T00:00:00Z"}, "not_open"),
        ({"opens_at": None, "tickets": []}, "wrong_ticket"),
        ({"tickets": ["visitor"]}, "admitted"),
        ({"reentry": "always"}, "admitted"),
        ({"reentry": "never"}, "already_admitted"),
    ):
        await organizer.change_list("x", **changes)
        for door, code in doors:
            await until_told(door, scan(code, list="x"), expected)


async def test_a_capacity_that_is_set_late_counts_those_who_are_inside(
    organizer: Organizer, phone: Phone, demo: Demo
) -> None:
    """Nobody counted while there was no capacity; from now on the hall is as full as it is."""
    await crowd_before_the_capacity(organizer, phone, demo)
    first, fourth = demo.badge(0), demo.badge(3)
    await until_told(phone, scan(fourth, list="x"), "list_full")
    assert told(await phone.scan(first, list="x", direction="exit")) == "exited"
    assert told(await phone.scan(fourth, list="x")) == "admitted"
    assert told(await phone.scan(first, list="x")) == "list_full"


async def change_capacity(organizer: Organizer, capacity: int | None) -> None:
    """And waits until the process has heard of it."""
    await organizer.change_list("x", capacity=capacity)
    async with asyncio.timeout(15):
        while (await organizer.get("statistics", list="x"))["capacity"] != capacity:
            pass


async def no_recount(*_: Any, **__: Any) -> None:
    return None


async def crowd_before_the_capacity(organizer: Organizer, phone: Phone, demo: Demo) -> None:
    """Three people are inside when the list gets a capacity of three."""
    await organizer.add_list("x")
    await until_told(phone, scan(demo.badge(0), list="x"), "already_admitted")
    for number in (1, 2):
        assert told(await phone.scan(demo.badge(number), list="x")) == "admitted"
    await change_capacity(organizer, 3)


async def test_without_a_recount_the_check_sees_one_too_many(
    organizer: Organizer, phone: Phone, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_actions, "recount", no_recount)
    monkeypatch.setattr(desk_actions, "recount", no_recount)
    await crowd_before_the_capacity(organizer, phone, demo)
    await until_told(phone, scan(demo.badge(3), list="x"), "admitted")


async def test_scans_that_went_by_uncounted_are_counted_at_the_next_look(
    organizer: Organizer, phone: Phone, demo: Demo, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of a process that has not yet heard of the capacity: here the organizer's own count is left out."""
    monkeypatch.setattr(list_actions, "recount", no_recount)
    await crowd_before_the_capacity(organizer, phone, demo)
    async with asyncio.timeout(15), db.read() as connection:
        while await connection.fetchval("SELECT max(granted) FROM checkin_count") != 3:
            pass
    await until_told(phone, scan(demo.badge(3), list="x"), "list_full")


async def test_a_capacity_that_was_away_for_a_while(organizer: Organizer, phone: Phone, demo: Demo) -> None:
    await organizer.add_list("x", capacity=1)
    first, second, third = (demo.badge(number) for number in range(3))
    await until_told(phone, scan(first, list="x"), "already_admitted")
    assert told(await phone.scan(second, list="x")) == "list_full"
    await change_capacity(organizer, None)
    await until_told(phone, scan(second, list="x"), "already_admitted")
    assert told(await phone.scan(first, list="x", direction="exit")) == "exited"
    assert told(await phone.scan(second, list="x", direction="exit")) == "exited"
    await change_capacity(organizer, 1)
    assert told(await phone.scan(third, list="x")) == "admitted"
    await until_told(phone, scan(second, list="x"), "list_full")


async def test_a_capacity_beneath_those_inside_sends_nobody_out(organizer: Organizer, phone: Phone, demo: Demo) -> None:
    await organizer.add_list("x", capacity=3)
    codes = [demo.badge(number) for number in range(4)]
    await until_told(phone, scan(codes[0], list="x"), "already_admitted")
    for code in codes[1:3]:
        assert told(await phone.scan(code, list="x")) == "admitted"
    await change_capacity(organizer, 1)
    await until_told(phone, scan(codes[3], list="x"), "list_full")
    for code in codes[:2]:
        assert told(await phone.scan(code, list="x", direction="exit")) == "exited"
        assert told(await phone.scan(codes[3], list="x")) == "list_full"
    assert told(await phone.scan(codes[2], list="x", direction="exit")) == "exited"
    assert told(await phone.scan(codes[3], list="x")) == "admitted"


async def test_only_an_organizer_of_the_event_changes_lists(organizer: Organizer, demo: Demo) -> None:
    others = {
        "device": demo.device(1),
        "supervisor": demo.device(),
        "booth": demo.file.exhibitors[0].token,
        "attendee": demo.attendees[0]["token"],
    }
    before = await organizer.lists()
    for method, path, body in (
        ("POST", "/checkins/lists", {"key": "x", "name": {"en": "x"}}),
        ("PATCH", "/checkins/lists/main", {"capacity": 1}),
        ("DELETE", "/checkins/lists/lounge", None),
    ):
        for who, token in others.items():
            response = await organizer.api.request(method, path, json=body, headers=bearer(token))
            assert said(response)[:2] == (403, "auth.forbidden"), (who, method)
        response = await organizer.api.request(method, path, json=body)
        assert said(response)[:2] == (401, "auth.required"), method
    assert await organizer.lists() == before


async def test_an_event_sees_only_its_own_lists(organizer: Organizer, stranger: Demo, db: Database) -> None:
    """Not even the room of another event can be named, and the same key is another list there."""
    other = Organizer(organizer.api, stranger.file.organizer_token)
    assert said(await other.ask("PATCH", "/checkins/lists/main", {"capacity": 1}))[:2] == (401, "auth.required")
    base = str(organizer.api.base_url).replace("digital-now", OTHER)
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        other = Organizer(client, stranger.file.organizer_token)
        foreign = (await organizer.api.get("/schedule")).json()["rooms"][0]["id"]
        body = {"key": "x", "name": {"en": "x"}, "kind": "room", "room_id": foreign}
        assert said(await other.ask("POST", "/checkins/lists", body)) == (422, "request.invalid", "room_id")
        await other.change_list("main", capacity=7)
        await other.add_list("only-here")
        assert said(await organizer.ask("DELETE", "/checkins/lists/only-here"))[:2] == (404, "checkin.unknown_list")
        assert (await organizer.lists())["main"]["capacity"] is None
        assert (await other.lists())["main"]["capacity"] == 7
