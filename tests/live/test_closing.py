"""How connections end: each with its own code, and only the one that deserves it."""

from __future__ import annotations

import json
import socket
from contextlib import AsyncExitStack
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from server.access.actions import revoke
from server.auth import Principal
from server.config import Settings
from server.db import Database
from server.ids import new_id
from server.live import conversation, gateway as gateway_module, hub, relay, ticket as tickets, wire
from server.live.gateway import Gateway
from tests.conftest import Demo, Publish, running_gateway
from tests.live.conftest import TicketFor
from tests.live.slow import BIG, ENOUGH, stuck_phone
from tests.sockets import Frame, at, phone
from tests.waiting import PATIENCE, until

DEEP = '{"type":"ack","x":' + "[" * 4000
HELLO = {"type": "hello", "version": 1, "channels": []}

BAD_FRAMES: dict[str, Frame | str | bytes] = {
    "no JSON": "hello",
    "empty": "",
    "no object": "[]",
    "no type": "{}",
    "unknown type": {"type": "shout"},
    "binary": json.dumps(HELLO).encode(),
    "no version": {"type": "hello"},
    "a version that is no number": {"type": "hello", "version": "1"},
    "channels that are no list": {**HELLO, "channels": "announcements"},
    "a channel without a name": {**HELLO, "channels": [{"seq": 1}]},
    "an empty name": {**HELLO, "channels": [{"name": ""}]},
    "a name that is too long": {**HELLO, "channels": [{"name": "x" * 81}]},
    "a negative position": {**HELLO, "channels": [{"name": "schedule", "seq": -1}]},
    "a position beyond 64 bits": {**HELLO, "channels": [{"name": "schedule", "seq": 2**63}]},
    "a position that is no whole number": {**HELLO, "channels": [{"name": "schedule", "seq": 1.5}]},
    "a ticket that is no text": {**HELLO, "ticket": 1},
    "brackets without end": DEEP,
    "a subscription": {"type": "subscribe", "channels": []},
    "an ack": {"type": "ack"},
}
FITTING_LATER = {"a subscription", "an ack"}


async def test_whoever_does_not_begin_with_a_hello_is_refused(feed: str) -> None:
    for name, frame in BAD_FRAMES.items():
        async with phone(feed) as client:
            await client.say(frame)
            assert await client.ending() == (4502, []), name


async def test_whoever_breaks_the_protocol_later_is_refused(feed: str) -> None:
    later = {name: frame for name, frame in BAD_FRAMES.items() if name not in FITTING_LATER} | {"a second hello": HELLO}
    for name, frame in later.items():
        async with phone(feed) as client:
            await client.hello("announcements")
            await client.say(frame)
            assert await client.ending() == (4502, []), name


async def test_whoever_says_nothing_is_not_waited_for(feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "HELLO_SECONDS", 0.02)
    async with phone(feed) as client:
        assert await client.ending() == (4502, [])


async def test_another_version_is_told_so(feed: str) -> None:
    for version in (0, 2, -1, 10**6):
        async with phone(feed) as client:
            await client.say({**HELLO, "version": version})
            assert await client.ending() == (4503, [])


async def test_a_frame_over_4_kib_is_not_read(feed: str) -> None:
    async with phone(feed) as client:
        ready = await client.hello("announcements")
        assert ready["channels"][0]["reason"] is None
        await client.say(json.dumps({"type": "ack", "filling": "x" * 4096}))
        assert await client.ending() == (1009, [])
    async with phone(feed) as client:
        await client.say((json.dumps(HELLO)[:-1] + " " * 4096)[:4095] + "}")
        await client.frame("ready")


async def test_a_ticket_must_be_this_event_s_and_in_time(
    feed: str, event_id: UUID, key: bytes, demo: Demo, ticket_for: TicketFor
) -> None:
    ticket = await ticket_for("device", demo.device())
    elsewhere = tickets.issue(key, Principal("organizer", new_id(), new_id(), ""))
    expired = tickets.issue(key, Principal("attendee", event_id, new_id(), ""), now=1_000_000_000)
    forged = tickets.issue(bytes(32), Principal("organizer", event_id, new_id(), ""))
    for wrong, code in (
        (elsewhere, 4504),
        (forged, 4504),
        (ticket[:-1], 4504),
        ("", 4504),
        ("x" * 3000, 4504),
        ("é.é", 4504),
        (expired, 4101),
    ):
        async with phone(feed) as client:
            await client.say({**HELLO, "ticket": wrong, "channels": [{"name": "announcements"}]})
            assert await client.ending() == (code, []), wrong[:20]


async def test_a_device_s_newer_connection_takes_the_place_of_its_older_one(
    feed: str, gateways: list[Gateway], demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    async with phone(feed) as older, phone(feed) as other, phone(feed) as newer, phone(feed) as newest:
        await older.hello("checkin", ticket=await ticket_for("device", demo.device(0)))
        await other.hello("checkin", ticket=await ticket_for("device", demo.device(1)))
        await newer.hello("checkin", ticket=await ticket_for("device", demo.device(0)))
        assert await older.ending() == (4102, [])
        await until(lambda: len(gateways[0].sessions) == 3)  # the older one's end must not forget the newer one
        await newest.hello("checkin", ticket=await ticket_for("device", demo.device(0)))
        assert await newer.ending() == (4102, [])
        await publish("checkin")
        assert [(await one.frame("event"))["kind"] for one in (other, newest)] == ["test.happened"] * 2


async def test_an_attendee_may_use_two_phones(feed: str, demo: Demo, ticket_for: TicketFor, publish: Publish) -> None:
    async with phone(feed) as one, phone(feed) as other:
        for client in (one, other):
            await client.hello("announcements", ticket=await ticket_for("attendee", demo.attendees[0]["token"]))
        await publish()
        assert [(await client.frame("event"))["seq"] for client in (one, other)] == [1, 1]


async def test_too_many_frames_end_with_a_pause(feed: str) -> None:
    async with phone(feed) as client:
        await client.hello("announcements")
        for _ in range(20):
            await client.say({"type": "ack"})
        await client.say({"type": "subscribe", "channels": []})
        await client.frame("ready")  # as many as that are welcome
        for _ in range(11):
            await client.say({"type": "ack"})
        bye = {"type": "bye", "code": 4103, "retry_after_ms": [30_000, 60_000]}
        assert await client.ending() == (4103, [bye])


async def test_a_revoked_token_s_connections_are_cut_off(
    feed: str, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    """Whatever channels they have entered; whoever is not meant goes on."""
    staff = demo.file.exhibitors[0].token
    async with AsyncExitStack() as stack:
        device, other, booth, booth_too, anyone = [await stack.enter_async_context(phone(feed)) for _ in range(5)]
        await device.hello("announcements", ticket=await ticket_for("device", demo.device(0)))
        await other.hello("announcements", ticket=await ticket_for("device", demo.device(1)))
        for client in (booth, booth_too):
            await client.hello(ticket=await ticket_for("exhibitor", staff))
        await anyone.hello("announcements")
        await revoke(db, event_id, demo.device(0))
        assert await device.ending() == (4501, [])
        await revoke(db, event_id, staff)
        assert [await client.ending() for client in (booth, booth_too)] == [(4501, [])] * 2
        await publish()
        assert [(await client.frame("event"))["seq"] for client in (other, anyone)] == [1, 1]


async def test_a_ticket_from_before_the_revocation_opens_nothing_after_it(
    feed: str, settings: Settings, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    """Neither where the revocation was heard of nor where it lies before the gateway's beginning."""
    ticket = await ticket_for("device", demo.device(0))
    async with phone(feed) as bystander, running_gateway(settings) as fresh:
        await bystander.hello("checkin", ticket=await ticket_for("device", demo.device(1)))
        await revoke(db, event_id, demo.device(0))
        assert (await bystander.frame("event"))["kind"] == "device.revoked"
        for url in (feed, fresh):
            async with phone(url) as client:
                await client.say({**HELLO, "ticket": ticket, "channels": [{"name": "checkin"}]})
                code, frames = await client.ending()
                assert code == 4501, url
                assert not [frame for frame in frames if frame["type"] == "event"], "nothing was shown to it"


@pytest.mark.usefixtures("looks_often")
async def test_revocations_are_heard_of_after_the_door_s_log_was_replaced(
    feed: str, db: Database, demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    async with phone(feed) as known, phone(feed) as anyone:
        await known.hello("announcements", ticket=await ticket_for("device", demo.device()))
        await anyone.hello("announcements")
        async with db.tx() as tx:
            await tx.execute("UPDATE feed_channel SET epoch = 'e2' WHERE channel = 'checkin'")
        code, _ = await known.ending()
        assert code == 4003, "it comes back, and then its revocation is heard of again"
        await publish()
        assert (await anyone.frame("event"))["seq"] == 1


async def test_a_stopping_gateway_says_good_bye_to_everybody(settings: Settings, gateways: list[Gateway]) -> None:
    bye = {"type": "bye", "code": 4003, "retry_after_ms": [0, 8000]}
    async with AsyncExitStack() as stack:
        async with running_gateway(settings) as feed:
            phones = [await stack.enter_async_context(phone(feed)) for _ in range(12)]
            for client in phones[:10]:
                await client.hello("announcements")
            await until(lambda: len(gateways[0].sessions) == 12)  # two have not said hello yet
        assert [await client.ending() for client in phones] == [(4003, [bye])] * 12
    assert not gateways[0].sessions


async def test_a_hello_that_comes_too_late_is_sent_on(settings: Settings, gateways: list[Gateway]) -> None:
    async with running_gateway(settings) as feed, phone(feed) as client:
        gateways[0].draining = True
        await client.say(HELLO)
        code, frames = await client.ending()
        assert (code, [frame["type"] for frame in frames]) == (4003, ["bye"])


async def test_a_client_that_does_not_read_is_closed_and_nobody_waits_for_it(
    feed: str, gateways: list[Gateway], publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CLOSE_SECONDS", PATIENCE)
    async with AsyncExitStack() as stack:
        slow = await stuck_phone(stack, feed)
        quick = await stack.enter_async_context(phone(feed))
        await quick.hello("announcements")
        await publish(count=ENOUGH, data=BIG)
        assert [event["seq"] for event in await quick.events(ENOUGH)] == list(range(1, ENOUGH + 1))
        monkeypatch.setattr(gateway_module, "BEHIND_SECONDS", 0.0)  # now that nobody else is behind
        await until(lambda: sum(bool(one.cursors) for one in gateways[0].sessions) == 1)
        slow.socket.transport.resume_reading()
        code, frames = await slow.ending()
        assert code == 4001
        read = [frame["seq"] for frame in frames if frame["type"] == "event"]
        assert read == list(range(1, len(read) + 1)), "what it was sent is contiguous"
        assert len(read) < ENOUGH
        await publish()
        assert (await quick.frame("event"))["seq"] == ENOUGH + 1


async def test_a_client_whose_place_has_left_the_ring_is_closed(
    settings: Settings, gateways: list[Gateway], publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before its 15 seconds are over."""
    ring = hub.Log
    monkeypatch.setattr(relay, "Log", lambda *where, **more: ring(*where, **more, length=5))
    monkeypatch.setattr(wire, "CLOSE_SECONDS", PATIENCE)
    async with AsyncExitStack() as stack:
        slow = await stuck_phone(stack, await stack.enter_async_context(running_gateway(settings)))
        await publish(count=ENOUGH, data=BIG)
        await until(lambda: not any(one.cursors for one in gateways[0].sessions))
        slow.socket.transport.resume_reading()
        code, frames = await slow.ending()
        assert code == 4001
        read = [frame["seq"] for frame in frames if frame["type"] == "event"]
        assert read == list(range(1, len(read) + 1))


async def test_a_slow_client_that_reads_again_misses_nothing(
    feed: str, gateways: list[Gateway], publish: Publish
) -> None:
    async with AsyncExitStack() as stack:
        slow = await stuck_phone(stack, feed)
        await publish(count=ENOUGH, data=BIG)
        (held,) = gateways[0].sessions
        await until(lambda: held.cursors["announcements"].behind_since is not None)
        slow.socket.transport.resume_reading()
        assert [event["seq"] for event in await slow.events(ENOUGH)] == list(range(1, ENOUGH + 1))
        await until(lambda: held.cursors["announcements"].behind_since is None)


async def test_a_slow_resume_misses_nothing(
    feed: str, gateways: list[Gateway], event_id: UUID, publish: Publish
) -> None:
    """It is more than the buffers hold, and nothing happens afterwards that would remind the gateway of it."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(phone(feed))
        (channel,) = (await first.hello("announcements"))["channels"]
        await publish(count=ENOUGH, data=BIG)
        await first.events(ENOUGH)
        slow = await stuck_phone(stack, feed, at("announcements", channel["epoch"], 0))
        held = list(gateways[0].sessions)[-1]
        assert held.cursors["announcements"].behind_since is not None
        slow.socket.transport.resume_reading()
        assert [event["seq"] for event in await slow.events(ENOUGH)] == list(range(1, ENOUGH + 1))


async def test_a_client_that_does_not_read_cannot_hold_up_the_end(
    settings: Settings, gateways: list[Gateway], publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CLOSE_SECONDS", 0.05)
    async with AsyncExitStack() as stack:
        async with running_gateway(settings) as feed:
            await stuck_phone(stack, feed)
            await publish(count=ENOUGH, data=BIG)
            (held,) = gateways[0].sessions
            await until(lambda: held.cursors["announcements"].behind_since is not None)
        assert not gateways[0].sessions


async def test_bad_clients_disturb_nobody(feed: str, gateways: list[Gateway], publish: Publish) -> None:
    """Junk, cuts in the middle of everything, half a handshake: who behaves gets every event."""
    async with phone(feed) as good, AsyncExitStack() as stack:
        await good.hello("announcements")
        frames = [frame for name, frame in BAD_FRAMES.items() if name not in FITTING_LATER]
        for round_, frame in enumerate(frames):
            bad = await stack.enter_async_context(phone(feed))
            if round_ % 2:
                await bad.hello("announcements")
            await bad.say(frame)
            await publish()
            if round_ % 3 == 0:
                bad.socket.transport.abort()
            stack.enter_context(half_a_handshake(feed))
        count = len(frames)
        assert [event["seq"] for event in await good.events(count)] == list(range(1, count + 1))
        await until(lambda: len(gateways[0].sessions) == 1)
        await publish()
        assert (await good.frame("event"))["seq"] == count + 1


def half_a_handshake(feed: str) -> socket.socket:
    """A connection that asks for the feed and does not finish asking; closed at the end of the block."""
    address = urlsplit(feed)
    assert address.hostname is not None
    raw = socket.create_connection((address.hostname, address.port or 80), timeout=5)
    raw.sendall(b"GET /v1/events/digital-now/live HTTP/1.1\r\nHost: x\r\nUpgrade: webs")
    return raw
