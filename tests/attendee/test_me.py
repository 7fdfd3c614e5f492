"""What `GET …/me` said, with what channel `me` says after it, is what it says now: no phone has to ask again."""

from __future__ import annotations

import itertools
import random
from typing import Any
from uuid import UUID

import httpx
import pytest

from server.access.actions import revoke
from server.attendee.actions import change_attendee
from server.attendee.types import ChangeAttendee
from server.badge.actions import replace_badge
from server.db import Database
from server.event.queries import get_event_by_slug
from tests.conftest import Demo, bearer
from tests.phones import said

CHANGES = 25


async def read_me(api: httpx.AsyncClient, token: str) -> dict[str, Any]:
    answer = await api.get("/me", headers=bearer(token))
    assert answer.status_code == 200, said(answer)
    me: dict[str, Any] = answer.json()
    return me


async def told_since(api: httpx.AsyncClient, token: str, position: dict[str, Any]) -> list[dict[str, Any]]:
    page = await api.get(
        "/feed/me", params={"epoch": position["epoch"], "after": position["seq"], "limit": 500}, headers=bearer(token)
    )
    assert page.status_code == 200
    events: list[dict[str, Any]] = page.json()["events"]
    return events


def applied(me: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """As an app would: what an event names, it sets."""
    now = {**me, "feed": dict(me["feed"])}
    for event in events:
        if event["kind"] in ("registration.changed", "badge.changed"):
            now |= event["data"]
        now["feed"]["seq"] = event["seq"]
    return now


async def live_a_little(api: httpx.AsyncClient, db: Database, demo: Demo, seed: int) -> None:
    """Somebody is cancelled, reinstated, made a speaker, loses badges and gets others. Fails where a phone would be wrong."""
    source, person = random.Random(seed), demo.attendees[0]
    attendee_id, token = UUID(person["id"]), person["token"]
    speakers = [UUID(one["id"]) for one in (await api.get("/speakers")).json()["speakers"]][:3]
    async with db.read() as connection:
        event = await get_event_by_slug(connection, "digital-now")
    assert event is not None
    snapshots = [await read_me(api, token)]
    for _ in range(CHANGES):
        what = source.choice(("cancelled", "speaker", "replace", "revoke"))
        shown = snapshots[-1]["badge_code"]
        if what == "cancelled":
            change = ChangeAttendee(cancelled=source.random() < 0.5)
            await change_attendee(db, event.event_id, attendee_id, change)
        elif what == "speaker":
            change = ChangeAttendee(speaker_id=source.choice([*speakers, None]))
            await change_attendee(db, event.event_id, attendee_id, change)
        elif what == "replace":
            await replace_badge(db, event.event_id, attendee_id)
        elif shown is not None:
            await revoke(db, event.event_id, shown)
        snapshots.append(await read_me(api, token))
    events = await told_since(api, token, snapshots[0]["feed"])
    for earlier, later in itertools.combinations(snapshots, 2):
        between = [one for one in events if earlier["feed"]["seq"] < one["seq"] <= later["feed"]["seq"]]
        assert applied(earlier, between) == later, "a phone is wrong"


@pytest.mark.parametrize("seed", range(3))
async def test_a_snapshot_and_what_follows_are_a_fresh_snapshot(
    api: httpx.AsyncClient, db: Database, demo: Demo, seed: int
) -> None:
    await live_a_little(api, db, demo, seed)


@pytest.mark.parametrize("silent", ["server.access.actions", "server.badge.actions", "server.attendee.actions"])
async def test_an_action_that_does_not_tell_is_noticed(
    api: httpx.AsyncClient, db: Database, demo: Demo, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    async def tell_nobody(*_arguments: object, **_more: object) -> None:
        """Changes, and keeps it to itself."""

    monkeypatch.setattr(f"{silent}.emit_to_each", tell_nobody)
    with pytest.raises(AssertionError, match="a phone is wrong"):
        await live_a_little(api, db, demo, 0)


async def test_nothing_has_been_told_to_somebody_new(api: httpx.AsyncClient, demo: Demo) -> None:
    me = await read_me(api, demo.attendees[1]["token"])
    assert (me["feed"]["channel"], me["feed"]["seq"]) == ("me", 0)
    assert (me["cancelled_at"], me["speaker_id"]) == (None, None)
