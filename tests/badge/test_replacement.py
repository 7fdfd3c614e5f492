"""A lost badge: another one is issued, and the old one opens no door."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx

from server.attendee.codes import read_short_code
from server.badge.actions import replace_badge
from server.db import Database
from tests.conftest import Demo, bearer


async def outcome(api: httpx.AsyncClient, demo: Demo, code: str) -> tuple[str, str | None]:
    body = {"scan_id": str(uuid.uuid4()), "list": "main", "code": code}
    answer = (await api.post("/checkins", json=body, headers=bearer(demo.device()))).json()
    return answer["outcome"], answer["reason"]


async def test_a_replacement_is_valid_and_the_lost_badge_is_not(api: httpx.AsyncClient, demo: Demo) -> None:
    line = demo.attendees[3]
    await outcome(api, demo, demo.badge(0))  # the door is open
    answer = await api.post(f"/attendees/{line['id']}/badge", headers=bearer(demo.file.organizer_token))
    assert answer.status_code == 201
    issued = answer.json()
    assert issued["attendee_id"] == line["id"]
    assert issued["number"] == len(demo.attendees) + 1
    assert read_short_code(issued["short_code"])
    assert issued["revoked"] == [line["badge_code"]]
    me = (await api.get("/me", headers=bearer(line["token"]))).json()
    assert (me["badge_code"], me["short_code"]) == (issued["code"], issued["short_code"])

    first = await outcome(api, demo, issued["code"])
    while first == ("refused", "unknown_code"):  # until this process has heard of it
        first = await outcome(api, demo, issued["code"])
    assert first == ("admitted", None)
    assert (await outcome(api, demo, issued["short_code"]))[0] == "already_admitted"
    for code in (line["badge_code"], line["short_code"]):
        assert await outcome(api, demo, code) == ("refused", "revoked")


async def test_the_door_hears_of_both(api: httpx.AsyncClient, demo: Demo) -> None:
    line, organizer = demo.attendees[3], bearer(demo.file.organizer_token)
    await api.post(f"/attendees/{line['id']}/badge", headers=organizer)
    events = (await api.get("/feed/checkin", headers=organizer)).json()["events"]
    assert [(event["kind"], event["data"]) for event in events] == [
        ("badge.revoked", {"code": line["badge_code"], "number": 4}),
        ("attendees.changed", {"attendee_ids": [line["id"]]}),
    ]


async def test_nobody_gets_a_badge_without_being_an_attendee(api: httpx.AsyncClient, demo: Demo) -> None:
    answer = await api.post(f"/attendees/{uuid.uuid4()}/badge", headers=bearer(demo.file.organizer_token))
    assert (answer.status_code, answer.json()["code"]) == (404, "attendee.unknown")
    for token in (demo.device(), demo.attendees[3]["token"]):
        answer = await api.post(f"/attendees/{demo.attendees[3]['id']}/badge", headers=bearer(token))
        assert answer.status_code == 403


async def test_many_at_once_get_numbers_of_their_own(db: Database, demo: Demo, event_id: Any) -> None:
    people = [uuid.UUID(line["id"]) for line in demo.attendees[:10]] * 2
    issued = await asyncio.gather(*(replace_badge(db, event_id, person) for person in people))
    assert len({badge.number for badge in issued}) == len({badge.code for badge in issued}) == 20
    replaced = [code for badge in issued for code in badge.revoked]
    assert len(replaced) == len(set(replaced)) == 20, "each badge is replaced once"


async def test_an_event_without_keys_gets_one_with_its_first_badge(
    api: httpx.AsyncClient, db: Database, demo: Demo, event_id: Any
) -> None:
    async with db.tx() as tx:
        await tx.execute("DELETE FROM badge_key WHERE event_id = $1", event_id)
    assert (await api.get("")).json()["badge_keys"] == []
    await replace_badge(db, event_id, uuid.UUID(demo.attendees[0]["id"]))
    assert [key["id"] for key in (await api.get("")).json()["badge_keys"]] == [0]
