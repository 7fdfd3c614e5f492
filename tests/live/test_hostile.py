"""Everything at once that a bad client may do: each is closed with its code, and who behaves notices nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from server.auth import Principal
from server.ids import new_id
from server.live import conversation, gateway as gateway_module, ticket as tickets, wire
from server.live.gateway import Gateway
from tests.conftest import Publish
from tests.live.slow import BIG, ENOUGH, stuck_phone
from tests.live.streams import ask
from tests.sockets import Phone, phone
from tests.waiting import PATIENCE, until

HELLO = {"type": "hello", "version": 1, "channels": [{"name": "announcements"}]}
Act = Callable[[Phone], Awaitable[None]]


async def flood(client: Phone, frame: bytes, count: int = 5000) -> None:
    """As quickly as it goes, past the library, which is too polite."""
    for _ in range(count // 50):
        if client.socket.state is not State.OPEN:
            return
        client.socket.transport.write(frame * 50)
        await asyncio.sleep(0)


def masked(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


async def shout(client: Phone) -> None:
    await client.hello("announcements")
    await flood(client, masked(Opcode.TEXT, b'{"type":"ack"}'))


async def ping(client: Phone) -> None:
    await client.hello("announcements")
    await flood(client, masked(Opcode.PING, b"x"))


async def piece_by_piece(client: Phone) -> None:
    """A message that never ends, in pieces that hold nothing: it never gets too long."""
    await client.hello("announcements")
    client.socket.transport.write(masked(Opcode.TEXT, fin=False))
    await flood(client, masked(Opcode.CONT, fin=False))


async def five_megabytes(client: Phone) -> None:
    await client.say("x" * 5_000_000)


async def ten_thousand_channels(client: Phone) -> None:
    await client.say({**HELLO, "channels": [{"name": f"c{number}"} for number in range(10_000)]})


async def ten_thousand_channels_in_turn(client: Phone) -> None:
    await client.hello("announcements")
    for first in range(0, 10_000, 50):
        await client.say({"type": "subscribe", "channels": [{"name": f"c{first + n}"} for n in range(50)]})


async def junk(client: Phone) -> None:
    await client.say("\x00{")


async def no_hello(_client: Phone) -> None:
    """Just stands there."""


def with_ticket(ticket: str) -> Act:
    async def act(client: Phone) -> None:
        await client.say({**HELLO, "ticket": ticket})

    return act


async def misbehave(feed: str, act: Act) -> int:
    """The code it is closed with. It is the server that closes: the client does not even say good-bye."""
    client = Phone(await connect(feed, compression=None, ping_interval=None, proxy=None, max_queue=None, max_size=None))
    with suppress(ConnectionClosed):
        await act(client)
    code, _ = await client.ending()
    return code


async def test_each_gets_its_code_and_nobody_else_notices(
    feed: str,
    gateways: list[Gateway],
    event_id: UUID,
    key: bytes,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "CLOSE_SECONDS", 0.2)
    somebody = Principal("attendee", event_id, new_id(), "", ticket="visitor")
    used = tickets.issue(key, somebody)
    wanted: dict[str, tuple[Act, set[int]]] = {
        "junk": (junk, {4502}),
        "5 MB": (five_megabytes, {1009}),
        "10,000 channels": (ten_thousand_channels, {1009}),
        "10,000 channels in turn": (ten_thousand_channels_in_turn, {4502}),
        "frames": (shout, {4103}),
        "pings": (ping, {4103}),
        "pieces": (piece_by_piece, {1009, 4103}),  # the library has a limit of its own
        "another event's ticket": (
            with_ticket(tickets.issue(key, Principal("organizer", new_id(), new_id(), ""))),
            {4504},
        ),
        "an expired ticket": (with_ticket(tickets.issue(key, somebody, now=1_000_000_000)), {4101}),
        "a used ticket": (with_ticket(used), {4101}),
        "a forged ticket": (with_ticket(tickets.issue(bytes(32), somebody)), {4504}),
    }
    async with AsyncExitStack() as stack:
        good = [await stack.enter_async_context(phone(feed)) for _ in range(5)]
        for client in good:
            await client.hello("announcements")
        await stack.enter_async_context(phone(feed))  # says nothing
        await (first := await stack.enter_async_context(phone(feed))).hello(ticket=used)
        others = set(gateways[0].sessions)
        await stuck_phone(stack, feed)
        (slow,) = set(gateways[0].sessions) - others
        for _ in range(20):
            stack.enter_context(half_a_request(feed))
        acts = [asyncio.create_task(misbehave(feed, act)) for act, _ in wanted.values() for _ in range(3)]
        acts.append(asyncio.create_task(long_heads(feed)))
        await publish(count=ENOUGH, data=BIG)
        for client in good:
            assert [one["seq"] for one in await client.events(ENOUGH)] == list(range(1, ENOUGH + 1))
        codes = [await act for act in acts]
        found = {what: set(codes[3 * place : 3 * place + 3]) for place, what in enumerate(wanted)}
        assert {what: codes for what, codes in found.items() if not codes <= wanted[what][1]} == {}
        assert codes[-1] == 431
        monkeypatch.setattr(conversation, "HELLO_SECONDS", 0.05)  # for those alone that come from now on
        assert await misbehave(feed, no_hello) == 4502
        monkeypatch.setattr(gateway_module, "BEHIND_SECONDS", 0.0)  # now that no good one is behind
        await until(lambda: slow not in gateways[0].sessions)
        # Besides the good ones the silent one is left, and the one whose ticket was stolen from it.
        await until(lambda: len(gateways[0].sessions) <= len(good) + 2)
        await publish()
        for client in good:
            assert (await client.frame("event"))["seq"] == ENOUGH + 1
        await first.say({"type": "subscribe", "channels": []})
        await first.frame("ready")


async def long_heads(feed: str) -> int:
    (status,) = {(await ask(feed, headers={"X": "x" * 9000})).status_code for _ in range(5)}
    return status


def half_a_request(feed: str) -> socket.socket:
    address = urlsplit(feed)
    assert address.hostname is not None
    raw = socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE)
    raw.sendall(f"GET {address.path}/stream HTTP/1.1\r\nX: ".encode())
    return raw


async def test_pings_that_nobody_counts_would_be_noticed(feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant counts what is read, and a ping is not."""
    process_event = wire.Socket.process_event

    def count_texts(line: wire.Socket, event: object) -> None:
        counted = line.on_frame
        if isinstance(event, Frame) and event.opcode is not Opcode.TEXT:
            line.on_frame = None
        process_event(line, event)  # type: ignore[arg-type]
        line.on_frame = counted

    monkeypatch.setattr(wire.Socket, "process_event", count_texts)
    async with phone(feed) as client:
        await ping(client)
        await client.say({"type": "subscribe", "channels": []})
        assert (await client.frame("ready"))["channels"] == [], "it was never closed"
