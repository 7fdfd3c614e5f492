"""Lists as an organizer makes, changes and removes them: what is stored, and each way of getting it wrong."""

from __future__ import annotations

import asyncio
from typing import Any

from server.db import Database
from tests.phones import Organizer, Phone, said, scan

INVALID = "request.invalid"
NAME = {"en": "Workshop"}
NO_ROOM = "00000000-0000-7000-8000-000000000000"


async def a_room(organizer: Organizer) -> str:
    room: str = (await organizer.api.get("/schedule")).json()["rooms"][0]["id"]
    return room


async def test_a_list_is_what_was_asked_for(organizer: Organizer) -> None:
    made = await organizer.add_list(
        "workshop",
        name={"fr": "Atelier", "ar": "ورشة"},
        kind="meal",
        tickets=["vip", "press", "vip"],
        opens_at="2026-12-18T09:00:00+01:00",
        closes_at="2026-12-18T12:00:00Z",
        capacity=3,
        reentry="never",
        early_minutes=0,
    )
    assert {name: made[name] for name in made if name != "id"} == {
        "key": "workshop",
        "name": {"fr": "Atelier", "ar": "ورشة"},
        "kind": "meal",
        "room_id": None,
        "tickets": ["press", "vip"],
        "opens_at": "2026-12-18T08:00:00Z",
        "closes_at": "2026-12-18T12:00:00Z",
        "capacity": 3,
        "places": 3,
        "reentry": "never",
        "early_minutes": 0,
    }
    shown = (await organizer.lists())["workshop"]
    assert shown == {**made, "name": "Atelier"}, "a reader gets one language"
    assert list(await organizer.lists())[-1] == "workshop", "behind those that were there"


async def test_what_is_left_out_is_open_to_everybody(organizer: Organizer) -> None:
    made = await organizer.add_list("workshop")
    assert made["tickets"] == (await organizer.lists())["main"]["tickets"]
    assert (made["opens_at"], made["closes_at"], made["capacity"]) == (None, None, None)
    assert (made["kind"], made["reentry"], made["early_minutes"]) == ("door", "after_exit", 15)
    assert (await organizer.add_list("nobody", tickets=[]))["tickets"] == []


async def test_a_room_has_a_list(organizer: Organizer) -> None:
    room_id = await a_room(organizer)
    assert (await organizer.add_list("hall", kind="room", room_id=room_id))["room_id"] == room_id
    assert (await organizer.change_list("hall", room_id=room_id))["room_id"] == room_id


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no key": ({"name": NAME}, ""),
    "no name": ({"key": "x"}, ""),
    "an empty key": ({"key": "", "name": NAME}, "key"),
    "a key with capitals": ({"key": "Main", "name": NAME}, "key"),
    "a key with a line end": ({"key": "x\n", "name": NAME}, "key"),
    "a key too long": ({"key": "x" * 65, "name": NAME}, "key"),
    "a key that is a path": ({"key": "../x", "name": NAME}, "key"),
    "no language": ({"key": "x", "name": {}}, "name"),
    "a name of spaces": ({"key": "x", "name": {"en": "  "}}, "name[...]"),
    "NUL in the name": ({"key": "x", "name": {"en": "a\x00"}}, "name[...]"),
    "no such language tag": ({"key": "x", "name": {"English": "x"}}, "name"),
    "a name that is a text": ({"key": "x", "name": "x"}, "name"),
    "an unknown kind": ({"key": "x", "name": NAME, "kind": "disco"}, "kind"),
    "an unknown rule": ({"key": "x", "name": NAME, "reentry": "sometimes"}, "reentry"),
    "no capacity": ({"key": "x", "name": NAME, "capacity": 0}, "capacity"),
    "a negative capacity": ({"key": "x", "name": NAME, "capacity": -1}, "capacity"),
    "a capacity beyond all halls": ({"key": "x", "name": NAME, "capacity": 2**31}, "capacity"),
    "half a seat": ({"key": "x", "name": NAME, "capacity": 1.5}, "capacity"),
    "a capacity in words": ({"key": "x", "name": NAME, "capacity": "100"}, "capacity"),
    "early by days": ({"key": "x", "name": NAME, "early_minutes": 1441}, "early_minutes"),
    "an unknown ticket": ({"key": "x", "name": NAME, "tickets": ["visitor", "gold"]}, "tickets"),
    "NUL in a ticket": ({"key": "x", "name": NAME, "tickets": ["\x00"]}, "tickets[0]"),
    "too many tickets": ({"key": "x", "name": NAME, "tickets": ["visitor"] * 101}, "tickets"),
    "an unknown room": ({"key": "x", "name": NAME, "kind": "room", "room_id": NO_ROOM}, "room_id"),
    "a room that is no id": ({"key": "x", "name": NAME, "kind": "room", "room_id": "hall"}, "room_id"),
    "a room's list without one": ({"key": "x", "name": NAME, "kind": "room"}, "room_id"),
    "a room for a door": ({"key": "x", "name": NAME, "room_id": NO_ROOM}, "room_id"),
    "closing before opening": (
        {"key": "x", "name": NAME, "opens_at": "2026-12-18T09:00:00Z", "closes_at": "2026-12-18T08:59:59Z"},
        "closes_at",
    ),
    "closing when opening": (
        {"key": "x", "name": NAME, "opens_at": "2026-12-18T09:00:00Z", "closes_at": "2026-12-18T10:00:00+01:00"},
        "closes_at",
    ),
    "a time without a zone": ({"key": "x", "name": NAME, "opens_at": "2026-12-18T09:00:00"}, "opens_at"),
    "the year one": ({"key": "x", "name": NAME, "opens_at": "0001-01-01T00:00:00+14:00"}, "opens_at"),
    "the last year": ({"key": "x", "name": NAME, "closes_at": "9999-12-31T23:59:59-14:00"}, "closes_at"),
    "an unknown field": ({"key": "x", "name": NAME, "colour": "red"}, ""),
}


async def test_a_list_that_cannot_be_is_refused_by_its_field(organizer: Organizer) -> None:
    found = {what: said(await organizer.ask("POST", "/checkins/lists", body)) for what, (body, _) in WRONG.items()}
    assert found == {what: (422, INVALID, field) for what, (_, field) in WRONG.items()}
    assert "x" not in await organizer.lists()


UNCHANGEABLE: dict[str, tuple[dict[str, Any], str]] = {
    "its key": ({"key": "other"}, ""),
    "its kind": ({"kind": "meal"}, ""),
    "no name": ({"name": None}, "name"),
    "a room": ({"room_id": NO_ROOM}, "room_id"),
    "no room": ({"room_id": None}, "room_id"),
    "an unknown ticket": ({"tickets": ["gold"]}, "tickets"),
    "no capacity": ({"capacity": 0}, "capacity"),
    "closing before it opens": ({"closes_at": "2026-12-18T08:00:00Z"}, "closes_at"),
    "opening after it closes": ({"opens_at": "2026-12-18T12:00:00Z"}, "closes_at"),
    "the year one": ({"opens_at": "0001-01-01T00:00:00+14:00"}, "opens_at"),
}


async def test_a_change_that_cannot_be_changes_nothing(organizer: Organizer) -> None:
    await organizer.add_list("x", opens_at="2026-12-18T09:00:00Z", closes_at="2026-12-18T12:00:00Z", tickets=["vip"])
    before = await organizer.lists()
    found = {
        what: said(await organizer.ask("PATCH", "/checkins/lists/x", changes))
        for what, (changes, _) in UNCHANGEABLE.items()
    }
    assert found == {what: (422, INVALID, field) for what, (_, field) in UNCHANGEABLE.items()}
    assert await organizer.lists() == before


async def test_each_thing_is_changed_by_itself(organizer: Organizer) -> None:
    made = await organizer.add_list("x", capacity=5, opens_at="2026-12-18T09:00:00Z")
    expected = made
    for changes in (
        {"capacity": None},
        {"opens_at": None},
        {"closes_at": "2026-12-18T12:00:00Z"},
        {"tickets": ["vip"]},
        {"tickets": []},
        {"name": {"ar": "ورشة"}},
        {"reentry": "always", "early_minutes": 1440},
        {},
    ):
        expected = {**expected, **changes}
        expected["places"] = expected["capacity"]
        assert await organizer.change_list("x", **changes) == expected


async def test_a_key_is_taken_once(organizer: Organizer) -> None:
    await organizer.add_list("x")
    body = {"key": "x", "name": NAME}
    assert said(await organizer.ask("POST", "/checkins/lists", body)) == (409, "checkin.list_taken", "")
    both = await asyncio.gather(*(organizer.ask("POST", "/checkins/lists", {**body, "key": "y"}) for _ in range(8)))
    assert sorted(response.status_code for response in both) == [201] + [409] * 7


async def test_there_is_no_such_list(organizer: Organizer) -> None:
    for key in ("nowhere", "x%0A", "%00", "é", "Main", "main%20", "x" * 5000):
        for method, body in (("PATCH", {"capacity": 1}), ("DELETE", None)):
            response = await organizer.ask(method, f"/checkins/lists/{key}", body)
            assert said(response) == (404, "checkin.unknown_list", ""), (key, response.text)


async def test_a_list_goes_while_nobody_was_scanned_there(organizer: Organizer, phone: Phone) -> None:
    await organizer.add_list("x")
    assert (await organizer.ask("DELETE", "/checkins/lists/x")).status_code == 204
    assert "x" not in await organizer.lists()
    assert said(await organizer.ask("DELETE", "/checkins/lists/x"))[:2] == (404, "checkin.unknown_list")
    while (response := await phone.ask("POST", "/checkins", scan("X", list="x"))).status_code == 200:
        pass  # within a second
    assert said(response)[:2] == (404, "checkin.unknown_list")


async def test_a_list_in_use_stays_from_the_first_scan_on(organizer: Organizer, phone: Phone) -> None:
    """Even before the desk has counted it, and when the scan was a refusal: it is evidence that names the list."""
    await organizer.add_list("x")
    while (await phone.ask("POST", "/checkins", scan("NOBODY", list="x"))).status_code != 200:
        pass
    for _ in range(20):
        assert said(await organizer.ask("DELETE", "/checkins/lists/x"))[:2] == (409, "checkin.list_in_use")


async def test_scans_elsewhere_keep_no_list(organizer: Organizer, phone: Phone, db: Database) -> None:
    """A main door that is busy all day must not make every other list undeletable."""
    await organizer.add_list("x")
    await phone.scan("NOBODY")
    async with db.tx() as tx:  # news of another list that nobody counts in the meantime
        await tx.execute("LOCK TABLE checkin_desk IN EXCLUSIVE MODE")
        await phone.scan("NOBODY", direction="exit")
        await phone.scan("NOBODY")
        assert (await organizer.ask("DELETE", "/checkins/lists/x")).status_code == 204
        assert said(await organizer.ask("DELETE", "/checkins/lists/main"))[:2] == (409, "checkin.list_in_use")
