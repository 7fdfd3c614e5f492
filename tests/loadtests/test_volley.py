"""Many requests at once, each with its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtests import volley
from loadtests.volley import Heard, Volley, unhelpful
from tests.loadtests.addresses import Address


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers `N` with N, `busy` with 503, `end` by ending the connection, `never` with nothing."""
    try:
        while asked := (await reader.readline()).decode().strip():
            if asked == "end":
                break
            if asked == "busy":
                writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            elif asked != "never":
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(asked)}\r\n\r\n{asked}".encode())
    finally:
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Address]:
    listening = await asyncio.start_server(_serve, "127.0.0.1", 0)
    yield Address(*listening.sockets[0].getsockname()[:2])
    listening.close()


async def fire(server: Address, asked: list[str], connections: int) -> list[Heard]:
    volleys = Volley(server)
    await volleys.open(connections)
    heard = await volleys.fire([f"{word}\n".encode() for word in asked])
    volleys.close()
    return sorted(heard, key=lambda one: one.place)


async def test_each_request_has_its_own_answer(server: Address) -> None:
    asked = [str(number) for number in range(200)]
    for connections in (200, 7):
        heard = await fire(server, asked, connections)
        assert [one.body.decode() for one in heard] == asked
        assert unhelpful(heard) == []


async def test_a_503_that_says_when_to_come_back_is_an_answer(server: Address) -> None:
    heard = await fire(server, ["busy", "1"], 2)
    assert [(one.status, one.retry_after) for one in heard] == [(503, True), (200, False)]
    assert unhelpful(heard) == []


async def test_no_answer_is_told_as_none(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volley, "PATIENCE_SECONDS", 0.3)
    heard = await fire(server, ["never", "1", "end"], 3)
    assert [one.status for one in heard] == [0, 200, 0]
    assert len(unhelpful(heard)) == 2
