"""`me` over real sockets: one's own events, no matter how many others are told, and after every kind of absence."""

from __future__ import annotations

from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from server.config import Settings
from server.db import Database
from server.feed import emit_to_each
from server.live.gateway import Gateway
from tests.conftest import Demo, running_gateway
from tests.live.conftest import TicketFor
from tests.sockets import Phone, at, phone

PEOPLE = 8


@pytest.fixture
def ids(demo: Demo) -> list[UUID]:
    return [UUID(one["id"]) for one in demo.attendees[:PEOPLE]]


async def tell(db: Database, event_id: UUID, people: list[UUID], what: object = "hello") -> None:
    async with db.tx() as tx:
        await emit_to_each(tx, event_id, people, kind="test.told", data=what)


async def enter(stack: AsyncExitStack, url: str, ticket: str, wanted: object = "me") -> tuple[Phone, dict[str, object]]:
    client = await stack.enter_async_context(phone(url))
    (channel,) = (await client.hello(wanted, ticket=ticket))["channels"]  # type: ignore[arg-type]
    return client, channel


async def test_each_hears_what_is_theirs(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, demo: Demo, ids: list[UUID], ticket_for: TicketFor
) -> None:
    async with AsyncExitStack() as stack:
        tickets = [await ticket_for("attendee", one["token"]) for one in demo.attendees[:PEOPLE]]
        phones = [await enter(stack, feed, ticket) for ticket in tickets]
        assert {(channel["seq"], channel["reason"]) for _, channel in phones} == {(0, None)}
        for number, one in enumerate(ids):
            await tell(db, event_id, [one], number)
        await tell(db, event_id, ids, "all")
        for number, (client, _) in enumerate(phones):
            events = await client.events(2)
            assert [(one["channel"], one["seq"], one["data"]) for one in events] == [
                ("me", 1, number),
                ("me", 2, "all"),
            ]
        asked = gateways[0].relay.queries
        assert asked <= 2 + PEOPLE + 1, (
            "filling the door's ring and the mailroom, and a look for each telling at the most"
        )


async def test_whoever_was_away_gets_what_they_missed(
    feed: str, settings: Settings, db: Database, event_id: UUID, demo: Demo, ids: list[UUID], ticket_for: TicketFor
) -> None:
    """From the gateway they knew, and from a fresh one that has it all from the table."""
    token = demo.attendees[0]["token"]
    await tell(db, event_id, ids, "before")
    async with AsyncExitStack() as stack:
        _, channel = await enter(stack, feed, await ticket_for("attendee", token))
        for number in range(3):
            await tell(db, event_id, ids[number % 2 :], number)
        fresh = await stack.enter_async_context(running_gateway(settings))
        for url in (feed, fresh):
            wanted = at("me", str(channel["epoch"]), 1)
            client, again = await enter(stack, url, await ticket_for("attendee", token), wanted)
            assert again["resumed"]
            assert [(one["seq"], one["data"]) for one in await client.events(2)] == [(2, 0), (3, 2)]


async def test_a_storm_of_readers_asks_the_database_twice(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, demo: Demo, ids: list[UUID], ticket_for: TicketFor
) -> None:
    await tell(db, event_id, ids)
    async with AsyncExitStack() as stack:
        first, channel = await enter(stack, feed, await ticket_for("attendee", demo.attendees[0]["token"]))
        assert channel["seq"] == 1
        before = gateways[0].relay.queries
        for one in demo.attendees[1:PEOPLE]:
            wanted = at("me", str(channel["epoch"]), 0)
            client, again = await enter(stack, feed, await ticket_for("attendee", one["token"]), wanted)
            assert again["resumed"]
            assert (await client.frame("event"))["seq"] == 1
        assert gateways[0].relay.queries == before
        await tell(db, event_id, ids[:1])
        assert (await first.frame("event"))["seq"] == 2


@pytest.mark.usefixtures("looks_often")
async def test_a_lost_hint_costs_no_letter(
    feed: str,
    db: Database,
    event_id: UUID,
    demo: Demo,
    ids: list[UUID],
    ticket_for: TicketFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.feed.actions.HINT_CHANNEL", "somebody_else_s")
    async with AsyncExitStack() as stack:
        client, _ = await enter(stack, feed, await ticket_for("attendee", demo.attendees[0]["token"]))
        await tell(db, event_id, ids)
        assert (await client.frame("event"))["seq"] == 1


@pytest.mark.usefixtures("looks_often")
async def test_another_epoch_sends_everybody_to_fetch(
    feed: str, db: Database, event_id: UUID, demo: Demo, ids: list[UUID], ticket_for: TicketFor
) -> None:
    await tell(db, event_id, ids)
    token = demo.attendees[0]["token"]
    async with AsyncExitStack() as stack:
        client, channel = await enter(stack, feed, await ticket_for("attendee", token))
        async with db.tx() as tx:
            await tx.execute("UPDATE feed_channel SET epoch = 'restored' WHERE event_id = $1", event_id)
        assert (await client.ending())[0] == 4003
        wanted = at("me", str(channel["epoch"]), 1)
        _, again = await enter(stack, feed, await ticket_for("attendee", token), wanted)
        assert (again["resumed"], again["reason"], again["epoch"]) == (False, "epoch", "restored")
        assert again["catch_up"] == "/v1/events/digital-now/feed/me?epoch=restored&after=0"


async def test_audiences_hear_what_is_for_them(
    feed: str, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    ticket = demo.attendees[0]["ticket"]
    names = [
        "announcements:attendees",
        f"announcements:ticket:{ticket}",
        "announcements:staff",
        "announcements:speakers",
        "me",
    ]
    async with phone(feed) as client, phone(feed) as anybody:
        ready = await client.hello(*names, ticket=await ticket_for("attendee", demo.attendees[0]["token"]))
        assert {one["name"]: one["reason"] for one in ready["channels"]} == {
            **dict.fromkeys(names),
            "announcements:staff": "forbidden",
            "announcements:speakers": "forbidden",
        }
        refused = await anybody.hello(*names)
        assert {one["reason"] for one in refused["channels"]} == {"forbidden"}


async def test_a_speaker_hears_speakers(
    feed: str, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    async with db.tx() as tx:
        await tx.execute(
            "UPDATE attendee SET speaker_id = (SELECT speaker_id FROM speaker WHERE event_id = $1 LIMIT 1)"
            " WHERE event_id = $1 AND attendee_id = $2",
            event_id,
            UUID(demo.attendees[0]["id"]),
        )
    async with phone(feed) as client:
        ready = await client.hello(
            "announcements:speakers", ticket=await ticket_for("attendee", demo.attendees[0]["token"])
        )
        assert ready["channels"][0]["reason"] is None
