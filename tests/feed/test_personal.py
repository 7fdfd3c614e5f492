"""Everybody's own log: gap-free as any other, counted together, and nobody else's."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import httpx
import msgspec
import pytest

from server.db import Database
from server.feed import emit_to_each, queries
from server.ids import new_id
from tests.conftest import Demo, bearer


async def tell(db: Database, event_id: UUID, people: list[UUID], kind: str = "test.told") -> None:
    async with db.tx() as tx:
        await emit_to_each(tx, event_id, people, kind=kind, data={"n": len(people)})


async def log_of(db: Database, event_id: UUID, channel: str) -> list[tuple[int, str, str]]:
    async with db.read() as connection:
        rows = await queries.list_events_after(connection, event_id, channel=channel, after=0, limit=1000)
    return [(row.seq, row.kind, row.data) for row in rows]


async def test_each_is_told_once_in_a_log_of_their_own(db: Database, event_id: UUID) -> None:
    first, second, third = new_id(), new_id(), new_id()
    await tell(db, event_id, [first, second, first])
    await tell(db, event_id, [second])
    await tell(db, event_id, [])
    assert await log_of(db, event_id, f"me:{first}") == [(1, "test.told", '{"n":3}')]
    assert [seq for seq, _, _ in await log_of(db, event_id, f"me:{second}")] == [1, 2]
    assert await log_of(db, event_id, f"me:{third}") == []


async def test_me_counts_for_all_of_them(db: Database, event_id: UUID) -> None:
    """Writers who tell overlapping crowds at the same time; every growth stands in `me` in the order of its log."""
    source = random.Random(7)
    people = [new_id() for _ in range(12)]
    crowds = [source.sample(people, source.randint(1, 12)) for _ in range(40)]
    await asyncio.gather(*(tell(db, event_id, crowd) for crowd in crowds))
    noted = await log_of(db, event_id, "me")
    assert [seq for seq, _, _ in noted] == list(range(1, sum(map(len, crowds)) + 1))
    grown: dict[str, int] = {}
    for _, _, data in noted:
        note = msgspec.json.decode(data)
        assert note["seq"] == grown.get(note["channel"], 0) + 1
        grown[note["channel"]] = note["seq"]
    assert grown == {f"me:{one}": sum(one in crowd for crowd in crowds) for one in people}
    for channel, seq in grown.items():
        assert [entry[0] for entry in await log_of(db, event_id, channel)] == list(range(1, seq + 1))


async def test_an_event_without_a_channel_for_it_says_so(db: Database, other_event_id: UUID) -> None:
    with pytest.raises(AssertionError, match="opened with its event"):
        await tell(db, other_event_id, [new_id()])


async def test_nobody_looks_at_thousands_of_logs_every_second(db: Database, event_id: UUID) -> None:
    await tell(db, event_id, [new_id() for _ in range(100)])
    async with db.read() as connection:
        heads = {head.channel: head.seq for head in await queries.list_heads(connection)}
    assert heads["me"] == 100
    assert not [channel for channel in heads if channel.startswith("me:")]


async def test_only_its_owner_reads_it(api: httpx.AsyncClient, db: Database, event_id: UUID, demo: Demo) -> None:
    owner, neighbour = demo.attendees[0], demo.attendees[1]
    await tell(db, event_id, [UUID(owner["id"])], "test.private")
    assert (await api.get("/feed/me")).status_code == 401
    own = (await api.get("/feed/me", headers=bearer(owner["token"]))).json()
    assert (own["channel"], own["seq"], own["more"]) == ("me", 1, False)
    assert [(one["channel"], one["kind"]) for one in own["events"]] == [("me", "test.private")]
    for token in (neighbour["token"], demo.device(), demo.file.exhibitors[0].token, demo.file.organizer_token):
        other = (await api.get("/feed/me", headers=bearer(token))).json()
        assert (other["epoch"], other["seq"], other["events"]) == (own["epoch"], 0, [])
