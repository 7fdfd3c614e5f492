"""Server-Sent Events: the same log, in the same order, for whoever cannot open a websocket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from server.access.actions import revoke
from server.auth import Principal
from server.config import Settings
from server.db import Database
from server.feed import emit_to_each, set_states
from server.ids import new_id
from server.live import gateway as gateway_module, stream as stream_module, ticket as tickets
from server.live.gateway import Gateway
from tests.conftest import Demo, Publish, running_gateway
from tests.live.conftest import TicketFor
from tests.live.slow import BIG, ENOUGH, stuck_stream
from tests.live.streams import ask, listening
from tests.sockets import phone
from tests.waiting import PATIENCE, until


async def test_it_is_the_socket_s_log(feed: str, publish: Publish) -> None:
    """To the letter."""
    async with phone(feed) as client, listening(feed) as listener:
        await client.hello("announcements", "schedule")
        ready = await listener.message()
        assert [one["name"] for one in ready.data["channels"]] == ["announcements", "schedule"]
        assert listener.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert listener.response.headers["cache-control"] == "no-store"
        assert 1000 <= listener.retry <= 5000
        for data in ("hello", "مرحبا\n\r\u2028", {"x": "y" * 70_000}):
            await publish(data=data)
            (message,) = await listener.events(1)
            assert message.data == await client.frame("event")


async def test_it_resumes_from_its_last_id(feed: str, settings: Settings, publish: Publish) -> None:
    """At this gateway and at any other, in all its channels."""
    async with listening(feed, params={"channels": "schedule,announcements"}) as listener:
        await listener.message()
        await publish(count=3)
        await publish("schedule", count=2)
        last = (await listener.events(5))[-1].id
        assert last is not None
    await publish(count=2)
    await publish("schedule")
    async with running_gateway(settings) as fresh:
        for url, request in (
            (feed, {"headers": {"Last-Event-ID": last}}),
            (fresh, {"headers": {"Last-Event-ID": last}}),
            (feed, {"params": {"last_event_id": last}}),
        ):
            async with listening(url, **request) as again:
                ready = await again.message()
                assert all(one["resumed"] for one in ready.data["channels"])
                found = {(one.data["channel"], one.data["seq"]) for one in await again.events(3)}
                assert found == {("announcements", 4), ("announcements", 5), ("schedule", 3)}


async def test_every_id_leads_on_from_its_event(feed: str, publish: Publish) -> None:
    async with listening(feed, params={"channels": "announcements"}) as listener:
        ids = [(await listener.message()).id]
        await publish(count=4)
        ids += [one.id for one in await listener.events(4)]
    for read, last in enumerate(ids):
        async with listening(feed, params={"channels": "announcements"}, headers={"Last-Event-ID": str(last)}) as again:
            await again.message()
            assert [one.data["seq"] for one in await again.events(4 - read)] == list(range(read + 1, 5))


async def test_an_id_named_before_its_event_was_counted_would_be_noticed(
    feed: str, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant sends the position from before the event: it would come twice."""
    write = stream_module.Stream.write

    def late(stream: stream_module.Stream, frame: bytes) -> None:
        position = stream.position
        name, _, seq = position().rpartition(":")
        stream.position = lambda: f"{name}:{max(0, int(seq) - 1)}"
        write(stream, frame)
        stream.position = position

    monkeypatch.setattr(stream_module.Stream, "write", late)
    with pytest.raises(AssertionError):
        await test_every_id_leads_on_from_its_event(feed, publish)


@pytest.mark.parametrize(
    ("last", "reason"), [("announcements=other:0", "epoch"), ("announcements={epoch}:9", "ahead"), ("", None)]
)
async def test_what_cannot_be_resumed_is_said(feed: str, publish: Publish, last: str, reason: str | None) -> None:
    await publish(count=2)
    async with listening(feed) as first:
        epoch = (await first.message()).data["channels"][0]["epoch"]
    async with listening(feed, headers={"Last-Event-ID": last.format(epoch=epoch)}) as listener:
        channel = (await listener.message()).data["channels"][0]
        assert (channel["reason"], channel["resumed"], channel["seq"]) == (reason, False, 2)
        assert (channel["catch_up"] is None) == (reason is None)


async def test_states_come_too(feed: str, db: Database, event_id: UUID) -> None:
    async with db.tx() as tx:
        await set_states(tx, event_id, "occupancy", {"list:main": {"inside": 1}, "list:hall": {"inside": 2}})
    async with listening(feed, params={"channels": "occupancy"}) as listener:
        assert (await listener.message()).kind == "ready"
        found = [await listener.message() for _ in range(2)]
        assert {(one.kind, one.id, one.data["key"]) for one in found} == {
            ("state", None, "list:main"),
            ("state", None, "list:hall"),
        }


async def test_a_ticket_goes_into_the_head(
    feed: str, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    own = {"params": {"channels": "me,announcements:staff"}}
    async with listening(feed, **own) as anybody:
        assert {one["reason"] for one in (await anybody.message()).data["channels"]} == {"forbidden"}
    ticket = await ticket_for("attendee", demo.attendees[0]["token"])
    async with listening(feed, **own, headers={"Authorization": f"Bearer {ticket}"}) as listener:
        ready = await listener.message()
        assert [one["reason"] for one in ready.data["channels"]] == [None, "forbidden"]
        async with db.tx() as tx:
            await emit_to_each(tx, event_id, [UUID(demo.attendees[0]["id"])], kind="test.told", data=1)
        (event,) = await listener.events(1)
        assert event.data["channel"] == "me"


async def test_a_revoked_token_s_stream_ends(
    feed: str, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    ticket = await ticket_for("device", demo.device())
    async with listening(feed, headers={"Authorization": f"Bearer {ticket}"}) as listener:
        await listener.message()
        await revoke(db, event_id, demo.device())
        bye = await listener.message()
        assert bye.data == {"type": "bye", "code": 4501, "retry_after_ms": None}
        with pytest.raises(EOFError):
            await listener.message()


REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "an id that is none": (400, {"headers": {"Last-Event-ID": "42"}}),
    "an id without an epoch": (400, {"headers": {"Last-Event-ID": "announcements=:1"}}),
    "an id of letters": (400, {"headers": {"Last-Event-ID": "announcements=e:x"}}),
    "an id beyond 64 bits": (400, {"headers": {"Last-Event-ID": "announcements=e:9223372036854775808"}}),
    "no channel": (400, {"params": {"channels": ""}}),
    "a name too long": (400, {"params": {"channels": "x" * 81}}),
    "too many channels": (400, {"params": {"channels": ",".join(f"c{n}" for n in range(51))}}),
    "a token instead of a ticket": (401, {"headers": {"Authorization": "Bearer dn_att_x"}}),
    "another scheme": (401, {"headers": {"Authorization": "Basic eA=="}}),
    "a foreign page": (403, {"headers": {"Origin": "https://evil.example"}}),
    "a head too long": (431, {"headers": {"X-Long": "x" * 9000}}),
    "another method": (405, {"method": "POST"}),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_request_for_a_stream_is_refused(feed: str, gateways: list[Gateway], what: str) -> None:
    status, request = REFUSED[what]
    answer = await ask(feed, **request)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert answer.text.endswith(".\n")
    assert not gateways[0].sessions


async def test_tickets_are_as_good_as_on_the_socket(feed: str, event_id: UUID, key: bytes) -> None:
    somebody = Principal("attendee", event_id, new_id(), "")
    good = tickets.issue(key, somebody)
    for ticket, status in (
        (tickets.issue(key, Principal("organizer", new_id(), new_id(), "")), 401),
        (tickets.issue(bytes(32), somebody), 401),
        (tickets.issue(key, somebody, now=1_000_000_000), 401),
    ):
        assert (await ask(feed, headers={"Authorization": f"Bearer {ticket}"})).status_code == status
    async with listening(feed, headers={"Authorization": f"Bearer {good}"}) as listener:
        await listener.message()
        assert (await ask(feed, headers={"Authorization": f"Bearer {good}"})).status_code == 401, "it was used"


async def test_no_event_no_stream(feed: str) -> None:
    assert (await ask(feed.replace("digital-now", "nowhere"))).status_code == 404


async def test_a_page_of_an_allowed_origin_may_send_its_ticket(settings: Settings, feed: str) -> None:
    own = "http://127.0.0.1:8000"
    asked = await ask(feed, "OPTIONS", headers={"Origin": own, "Access-Control-Request-Method": "GET"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, own)
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    async with listening(feed, headers={"Origin": own}) as listener:
        assert listener.response.headers["access-control-allow-origin"] == own
        assert listener.response.headers["vary"] == "Origin"
    assert (await ask(feed, "OPTIONS", headers={"Origin": "https://evil.example"})).status_code == 403


async def test_a_stopping_gateway_says_good_bye(settings: Settings, gateways: list[Gateway]) -> None:
    async with AsyncExitStack() as stack:
        async with running_gateway(settings) as feed:
            listeners = [await stack.enter_async_context(listening(feed)) for _ in range(5)]
            for listener in listeners:
                await listener.message()
        for listener in listeners:
            assert (await listener.message()).data == {"type": "bye", "code": 4003, "retry_after_ms": [0, 8000]}
            with pytest.raises(EOFError):
                await listener.message()
    assert not gateways[0].sessions


async def test_who_does_not_read_is_closed_and_nobody_waits_for_it(
    feed: str, gateways: list[Gateway], publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.wire.CLOSE_SECONDS", 0.05)
    async with listening(feed) as quick:
        await quick.message()
        slow = stuck_stream(feed)
        try:
            await until(lambda: len(gateways[0].sessions) == 2)
            await publish(count=ENOUGH, data=BIG)
            assert [one.data["seq"] for one in await quick.events(ENOUGH)] == list(range(1, ENOUGH + 1))
            assert len(gateways[0].sessions) == 2
            monkeypatch.setattr(gateway_module, "BEHIND_SECONDS", 0.0)  # now that nobody else is behind
            await until(lambda: len(gateways[0].sessions) == 1)
            await publish()
            assert (await quick.message()).data["seq"] == ENOUGH + 1, "it was the slow one that was closed"
        finally:
            slow.close()


async def test_who_reads_again_misses_nothing(feed: str, gateways: list[Gateway], publish: Publish) -> None:
    slow = stuck_stream(feed)
    try:
        await until(lambda: len(gateways[0].sessions) == 1)
        (held,) = gateways[0].sessions
        await until(lambda: held.cursors)
        await publish(count=ENOUGH, data=BIG)
        await until(lambda: held.cursors["announcements"].behind_since is not None)
        received = await asyncio.to_thread(read_until, slow, f'"seq":{ENOUGH},'.encode())
        seqs = [int(part.partition(b",")[0]) for part in received.split(b'"channel":"announcements","seq":')[1:]]
        assert seqs == list(range(1, ENOUGH + 1))
    finally:
        slow.close()


def read_until(raw: socket.socket, end: bytes) -> bytes:
    raw.settimeout(PATIENCE)
    received = b""
    while end not in received[-100_000:]:
        more = raw.recv(1 << 16)
        assert more, "the stream has ended"
        received += more
    return received


async def byte_by_byte(feed: str, request: bytes, until_heard: Callable[[bytes], bool]) -> bytes:
    address = urlsplit(feed)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for byte in request:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    heard = b""
    async with asyncio.timeout(PATIENCE):
        while not until_heard(heard):
            heard += await reader.read(1000)
    writer.close()
    return heard


async def test_a_request_may_come_in_pieces(feed: str) -> None:
    path = urlsplit(feed).path
    streamed = f"GET {path}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert b"event: ready" in await byte_by_byte(feed, streamed, lambda heard: b"data: " in heard)
    upgrade = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n".encode()
    key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bG9hZHRlc3RzIG9mIGRpZw==\r\n\r\n"
    assert (await byte_by_byte(feed, upgrade + key, lambda heard: b"\r\n\r\n" in heard)).startswith(b"HTTP/1.1 101")


async def test_who_says_nothing_is_not_waited_for(
    feed: str, gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before the first line nor in the middle of the head."""
    monkeypatch.setattr("server.live.wire.HELLO_SECONDS", 0.05)
    monkeypatch.setattr(stream_module, "HELLO_SECONDS", 0.05)
    address = urlsplit(feed)
    for beginning in (b"", b"GET ", f"GET {address.path}/stream HTTP/1.1\r\nHost:".encode()):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(beginning)
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):  # hung up on, which is as good
                assert await reader.read() == b""
        writer.close()
    assert not gateways[0].sessions
