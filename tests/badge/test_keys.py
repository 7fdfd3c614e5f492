"""Keys: published without their secrets, rotated and retired, and every process and scanner hears of it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from server.attendee.signed_codes import NotABadgeOfTheEvent, public_key_of, verify
from server.badge import actions, queries
from server.badge.errors import BadgeKeysUsedUp
from server.badge.types import SigningKey
from server.db import Database
from tests.conftest import Demo, bearer


async def published(api: httpx.AsyncClient) -> dict[int, bytes]:
    """The event's keys as a scanner takes them from its public answer."""
    keys = (await api.get("")).json()["badge_keys"]
    assert all(key.keys() == {"id", "algorithm", "public_key"} and key["algorithm"] == "Ed25519" for key in keys)
    return {key["id"]: base64.urlsafe_b64decode(key["public_key"] + "=") for key in keys}


async def heard(api: httpx.AsyncClient, demo: Demo) -> list[dict[str, Any]]:
    events = (await api.get("/feed/checkin", headers=bearer(demo.device()))).json()["events"]
    return [event for event in events if event["kind"] == "badge_keys.changed"]


async def test_every_badge_verifies_with_what_the_event_publishes(
    api: httpx.AsyncClient, demo: Demo, event_id: Any
) -> None:
    keys = await published(api)
    badges = [verify(keys, event_id, line["badge_code"]) for line in demo.attendees]
    assert [badge.number for badge in badges] == list(range(1, len(demo.attendees) + 1))
    tickets = ("visitor", "vip", "press", "speaker", "exhibitor", "staff")
    assert [tickets[badge.ticket_index] for badge in badges] == [line["ticket"] for line in demo.attendees]


async def test_a_rotation_keeps_what_is_printed_valid_until_the_old_key_is_retired(
    api: httpx.AsyncClient, demo: Demo, event_id: Any
) -> None:
    organizer, line = bearer(demo.file.organizer_token), demo.attendees[4]
    made = await api.post("/badge-keys", headers=organizer)
    assert made.status_code == 201
    assert (made.json()["id"], made.json()["signs"]) == (1, True)
    keys = await published(api)
    assert sorted(keys) == [0, 1]
    assert verify(keys, event_id, demo.badge(4)).key_id == 0
    issued = (await api.post(f"/attendees/{line['id']}/badge", headers=organizer)).json()
    assert verify(keys, event_id, issued["code"]).key_id == 1

    assert (await api.delete("/badge-keys/0", headers=organizer)).status_code == 204
    assert sorted(await published(api)) == [1]
    with pytest.raises(NotABadgeOfTheEvent):
        verify(await published(api), event_id, demo.badge(5))
    listed = (await api.get("/badge-keys", headers=organizer)).json()["keys"]
    assert [(key["id"], key["signs"], key["retired_at"] is not None) for key in listed] == [
        (0, False, True),
        (1, True, False),
    ]
    scan = {"scan_id": "still-known", "list": "main", "code": demo.badge(5)}
    answer = (await api.post("/checkins", json=scan, headers=bearer(demo.device()))).json()
    assert answer["outcome"] == "admitted", "the server knows the badge by its code"

    told = [[key["id"] for key in event["data"]["badge_keys"]] for event in await heard(api, demo)]
    assert told == [[0, 1], [1]]
    assert (await api.delete("/badge-keys/0", headers=organizer)).status_code == 204
    assert len(await heard(api, demo)) == 2, "what changes nothing is not told"


async def test_the_newest_key_and_an_unknown_one_are_not_retired(api: httpx.AsyncClient, demo: Demo) -> None:
    organizer = bearer(demo.file.organizer_token)
    for key_id, status, code in ((0, 409, "badge_key.newest"), (9, 404, "badge_key.unknown")):
        answer = await api.delete(f"/badge-keys/{key_id}", headers=organizer)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sorted(await published(api)) == [0]


async def test_an_event_has_sixteen_keys_in_its_life(db: Database, event_id: Any) -> None:
    made = await asyncio.gather(*(actions.rotate_key(db, event_id) for _ in range(15)))
    assert sorted(key.id for key in made) == list(range(1, 16)), "at the same time, one after the other"
    with pytest.raises(BadgeKeysUsedUp):
        await actions.rotate_key(db, event_id)


async def test_no_answer_and_no_event_holds_a_seed(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any
) -> None:
    organizer = bearer(demo.file.organizer_token)
    answers = [
        await api.post("/badge-keys", headers=organizer),
        await api.post(f"/attendees/{demo.attendees[0]['id']}/badge", headers=organizer),
        await api.get("/badge-keys", headers=organizer),
        await api.get(""),
        await api.get("/feed/checkin", headers=organizer),
    ]
    async with db.read() as connection:
        newest = await queries.get_signing_key(connection, event_id)
    assert newest is not None
    assert base64.urlsafe_b64encode(public_key_of(newest.private_seed)).decode().rstrip("=") in answers[0].text
    for spelling in (newest.private_seed.hex(), base64.b64encode(newest.private_seed).decode().rstrip("=")):
        assert not any(spelling in answer.text or spelling[:20] in answer.text for answer in answers)


def test_a_seed_is_not_printed_in_passing() -> None:
    assert repr(SigningKey(1, b"secret" * 5 + b"!!")) == "SigningKey(key_id=1, private_seed=…)"
