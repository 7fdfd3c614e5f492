"""The light phones: frames however they are cut, gaps noticed, everybody counted."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given, strategies as st
from websockets.asyncio.server import ServerConnection, broadcast, serve

from loadtests import frames
from loadtests.announcements import event_text
from loadtests.feed_clients import Clients
from loadtests.feed_crowd import Collect
from server.live.wire import text_frame

PHONES = 12
LAST = 5


@asynccontextmanager
async def feed() -> AsyncIterator[tuple[str, set[ServerConnection]]]:
    """A server that greets as the gateway does. Yields its URL and its connections."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        hello = msgspec.json.decode(await connection.recv())
        channel = hello["channels"][0]
        resumed = channel.get("seq") is not None
        place = {
            "name": "announcements",
            "epoch": "e",
            "seq": LAST,
            "resumed": resumed,
            "reason": None,
            "catch_up": None,
        }
        ready = {"type": "ready", "heartbeat_seconds": 25, "channels": [place]}
        await connection.send(msgspec.json.encode(ready).decode())
        for seq in range((channel.get("seq") or LAST) + 1, LAST + 1):
            await connection.send(event(seq))
        connections.add(connection)
        await connection.wait_closed()
        connections.discard(connection)

    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/", connections


def event(seq: int) -> str:
    return event_text({"seq": seq, "id": "i", "published_at": "2026-12-18T08:00:00Z", "title": {"fr": 'un "seq":9,'}})


def wanted(seq: int) -> Collect:
    return Collect(seq, time.monotonic(), 10)


@given(st.lists(st.binary(max_size=400), max_size=6), st.data())
def test_frames_are_found_however_they_are_cut(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(text_frame(payload) for payload in payloads)
    cut = data.draw(st.integers(0, len(stream)))
    early, rest = frames.split(stream[:cut])
    late, left = frames.split(rest + stream[cut:])
    assert early + late == [(frames.TEXT, payload) for payload in payloads]
    assert left == b""


@pytest.mark.parametrize("size", [126, 65_535, 65_536, 70_000])
def test_long_frames_are_read(size: int) -> None:
    assert frames.split(text_frame(b"x" * size)) == ([(frames.TEXT, b"x" * size)], b"")


@pytest.mark.parametrize("broken", [b"\x01\x03abc", frames.masked(frames.TEXT, b"abc")])
def test_fragments_and_masked_frames_are_refused(broken: bytes) -> None:
    with pytest.raises(frames.ProtocolBroken):
        frames.split(broken)


def test_the_number_is_the_envelopes() -> None:
    assert frames.sequence_of(event(417).encode()) == 417
    assert frames.sequence_of(b'{"type":"heartbeat","at":"now","seq":{"announcements":3}}') is None


async def test_everybody_gets_an_event_and_is_counted_once() -> None:
    async with feed() as (url, connections):
        clients = Clients(url, PHONES, bare=False)
        arrived = await clients.connect()
        while len(connections) < PHONES:
            await next(iter(connections)).ping()
        broadcast(connections, event(LAST + 1))
        delivered = await clients.collect(wanted(LAST + 1))
        standing = clients.look()
        clients.drop()

    assert (arrived.ready, arrived.resumed, arrived.retries) == (PHONES, 0, 0)
    assert delivered.clients == PHONES
    assert delivered.first <= delivered.middle <= delivered.p99 <= delivered.last
    assert (standing.connected, standing.position, standing.events) == (PHONES, LAST + 1, PHONES)
    assert (standing.gaps, standing.lost) == (0, 0)


@pytest.mark.parametrize(("wrong", "gaps"), [(LAST + 2, PHONES), (LAST, PHONES), (LAST + 1, 0)])
async def test_a_missing_or_repeated_event_is_noticed(wrong: int, gaps: int) -> None:
    async with feed() as (url, connections):
        clients = Clients(url, PHONES, bare=False)
        await clients.connect()
        while len(connections) < PHONES:
            await next(iter(connections)).ping()
        broadcast(connections, event(wrong))
        await clients.collect(wanted(wrong))
        assert clients.look().gaps == gaps
        clients.drop()


async def test_whoever_comes_back_goes_on_from_its_position() -> None:
    async with feed() as (url, _connections):
        clients = Clients(url, PHONES, bare=False)
        await clients.connect()
        clients.drop()
        for client in clients._clients:
            client.seq = LAST - 2
        arrived = await clients.connect()
        delivered = await clients.collect(wanted(LAST))
        assert (arrived.resumed, delivered.clients, clients.look().gaps) == (PHONES, PHONES, 0)
        clients.drop()
