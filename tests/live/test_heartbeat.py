"""The heartbeat: everybody once a turn of the wheel, with the ends of their own channels."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import AsyncExitStack
from datetime import datetime
from uuid import UUID

import pytest

from server.db import Database
from server.feed import emit_to_each
from server.live import session as session_module
from server.live.gateway import Gateway
from server.live.heartbeat import Heart
from server.live.hub import Log
from server.live.protocol import HEARTBEAT_SECONDS
from server.live.session import Session
from tests.conftest import Demo, Publish
from tests.live.conftest import TicketFor
from tests.sockets import Phone, phone
from tests.waiting import until


def turn(gateway: Gateway) -> list[tuple[Session, int]]:
    """A whole turn of the wheel; returns who should be closed, and with which code."""
    return [(session, closing.code) for _ in range(HEARTBEAT_SECONDS) for session, closing in gateway.heart.tick()]


async def heartbeat(client: Phone) -> dict[str, object]:
    while True:
        frame: dict[str, object] = json.loads(await client.raw())
        if frame["type"] == "heartbeat":
            return frame


async def beats_and_end(client: Phone) -> int:
    """How many heartbeats came before an answer to a question asked now."""
    await client.say({"type": "subscribe", "channels": []})
    beats = 0
    while json.loads(await client.raw())["type"] == "heartbeat":
        beats += 1
    return beats


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway's own beat does nothing: the test turns the wheel itself."""

    async def beat(_self: Gateway) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Gateway, "beat", beat)


async def test_a_heartbeat_tells_the_time_and_the_ends_of_one_s_channels(
    feed: str, gateways: list[Gateway], publish: Publish
) -> None:
    async with phone(feed) as both, phone(feed) as one, phone(feed) as none:
        await both.hello("announcements", "schedule")
        await one.hello("schedule", "occupancy")  # a state channel has no end to tell
        await none.hello()
        await publish("schedule", 2)
        await both.events(2)
        await until(lambda: len(gateways[0].heart._places) == 3)
        assert turn(gateways[0]) == []
        beat = await heartbeat(both)
        assert list(beat) == ["type", "at", "seq"]
        assert beat["seq"] == {"announcements": 0, "schedule": 2}
        assert str(beat["at"]).endswith("Z")
        assert datetime.fromisoformat(str(beat["at"])).tzinfo is not None
        assert (await heartbeat(one))["seq"] == {"schedule": 2}
        assert (await heartbeat(none))["seq"] == {}


async def test_everybody_gets_one_a_turn(feed: str, gateways: list[Gateway]) -> None:
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(feed)) for _ in range(HEARTBEAT_SECONDS + 5)]
        channels = ["announcements"] * HEARTBEAT_SECONDS + ["schedule"] * 5
        for client, channel in zip(phones, channels, strict=True):
            await client.hello(channel)
        await until(lambda: len(gateways[0].heart._places) == len(phones))
        turn(gateways[0])
        told = [await heartbeat(client) for client in phones]
        assert [beat["seq"] for beat in told] == [{channel: 0} for channel in channels], (
            "also who shares a place with others"
        )
        assert [await beats_and_end(client) for client in phones] == [0] * len(phones)
        turn(gateways[0])
        turn(gateways[0])
        assert [await beats_and_end(client) for client in phones] == [2] * len(phones)
    await until(lambda: not gateways[0].sessions)
    assert not any(gateways[0].heart._wheel), "who has gone is forgotten"


async def test_beats_are_spread_over_the_turn(feed: str, gateways: list[Gateway]) -> None:
    async with phone(feed) as first, phone(feed) as second:
        await first.hello()
        await second.hello()
        await until(lambda: len(gateways[0].heart._places) == 2)
        places = list(gateways[0].heart._places.values())
    assert places[0] != places[1]


async def test_no_heartbeat_comes_before_ready(feed: str, gateways: list[Gateway], db: Database) -> None:
    """While a channel's ring is being filled the client has got no answer yet."""
    async with phone(feed) as client:
        async with db.tx() as tx:
            await tx.execute("LOCK TABLE feed_channel IN ACCESS EXCLUSIVE MODE")
            await client.say({"type": "hello", "version": 1, "channels": [{"name": "announcements"}]})
            await until(lambda: gateways[0].relay.queries == 1)
            turn(gateways[0])
        assert json.loads(await client.raw())["type"] == "ready"


async def beat_of_two_neighbours(
    feed: str, gateway: Gateway, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    """Two attendees who get their heartbeats in the same second. Fails unless each is told of their own `me`."""
    async with phone(feed) as one, phone(feed) as other:
        for client, number in ((one, 0), (other, 1)):
            await client.hello("me", ticket=await ticket_for("attendee", demo.attendees[number]["token"]))
        async with db.tx() as tx:
            await emit_to_each(tx, event_id, [UUID(demo.attendees[0]["id"])], kind="test.told", data=1)
        await one.frame("event")
        await until(lambda: len(gateway.heart._places) == 2)
        first, second = gateway.sessions
        gateway.heart.remove(second)
        gateway.heart._next_place = itertools.count(gateway.heart._places[first])
        gateway.heart.add(second)
        assert turn(gateway) == []
        assert [(await heartbeat(client))["seq"] for client in (one, other)] == [{"me": 1}, {"me": 0}], "another's"


async def test_neighbours_on_the_wheel_hear_of_their_own_channel(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    await beat_of_two_neighbours(feed, gateways[0], db, event_id, demo, ticket_for)


async def test_a_heartbeat_shared_by_name_would_be_noticed(
    feed: str,
    gateways: list[Gateway],
    db: Database,
    event_id: UUID,
    demo: Demo,
    ticket_for: TicketFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it was: whoever came first on the wheel said for all who call their channels the same how far they have come."""
    monkeypatch.setattr(Log, "__hash__", lambda log: hash(log.channel.partition(":")[0]))
    monkeypatch.setattr(
        Log, "__eq__", lambda log, other: log.channel.partition(":")[0] == other.channel.partition(":")[0]
    )
    with pytest.raises(AssertionError, match="another's"):
        await beat_of_two_neighbours(feed, gateways[0], db, event_id, demo, ticket_for)


async def test_who_used_to_acknowledge_and_stopped_is_closed(
    feed: str, gateways: list[Gateway], event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who never did is left alone: acknowledging is a client's choice."""
    async with phone(feed) as acking, phone(feed) as silent:
        await acking.hello("announcements")
        await silent.hello("announcements")
        await acking.say({"type": "ack", "seq": {"announcements": 0}})
        assert [await beats_and_end(client) for client in (acking, silent)] == [0, 0]
        later = asyncio.get_running_loop().time() + 3 * HEARTBEAT_SECONDS
        monkeypatch.setattr(session_module, "now", lambda: later - 1)
        assert turn(gateways[0]) == []
        monkeypatch.setattr(session_module, "now", lambda: later + 1)
        (session, code), *others = turn(gateways[0])
        assert (code, others) == (4002, [])
        gateways[0]._end_soon(session, code)
        assert (await acking.ending()) == (4002, [{"type": "bye", "code": 4002, "retry_after_ms": [0, 8000]}])
        assert (await heartbeat(silent))["seq"] == {"announcements": 0}


def test_who_was_never_on_the_wheel_can_be_taken_off() -> None:
    heart = Heart()
    heart.remove(Session.__new__(Session))
    assert list(heart.tick()) == []
