"""The HTTP generator: reads answers however they are cut, does not wait for the server in the open model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from loadtests.generator import Tally, parse_answer, rates, saturate, send_at_rate

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"fine":true}'
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}"
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
FINE = b'"fine":true'


@asynccontextmanager
async def serving(answer: Callable[[int], bytes], *, together: int = 1) -> AsyncIterator[int]:
    """A server that holds back its answers until `together` requests wait for one. Yields its port."""
    waiting: list[asyncio.StreamWriter] = []
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                waiting.append(writer)
                if len(waiting) == together:
                    for each in waiting:
                        each.write(answer(count))
                        count += 1
                    waiting.clear()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_incomplete_answer_is_waited_for(cut: int) -> None:
    assert parse_answer(ANSWER[:cut]) is None
    assert parse_answer(ANSWER) == (b"200", b'{"fine":true}')


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        parse_answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


async def test_the_closed_loop_sends_everything_once_and_stops() -> None:
    tally = Tally(FINE)
    async with serving(lambda _number: ANSWER) as port:
        await saturate("127.0.0.1", port, iter([REQUEST] * 100), tally, connections=7, seconds=20)
    assert (tally.right, tally.latencies.count, tally.wrong.total()) == (100, 100, 0)


async def test_other_answers_are_counted_apart() -> None:
    tally = Tally(FINE)
    async with serving(lambda number: REFUSAL if number % 4 == 0 else ANSWER) as port:
        await saturate("127.0.0.1", port, iter([REQUEST] * 100), tally, connections=3, seconds=20)
    assert (tally.right, tally.wrong) == (75, {"503 {}": 25})


async def test_the_open_model_does_not_wait_for_answers() -> None:
    """A server that answers nobody before all have asked would stop a generator that waits for it."""
    tally = Tally(FINE)
    async with serving(lambda _number: ANSWER, together=20) as port:
        model = await send_at_rate("127.0.0.1", port, [REQUEST] * 20, tally, connections=20, rate=500)
    assert (tally.right, model.waited, model.lag.count) == (20, 0, 20)


async def test_requests_that_find_no_connection_wait_and_are_counted() -> None:
    tally = Tally(FINE)
    async with serving(lambda _number: ANSWER, together=5) as port:
        model = await send_at_rate("127.0.0.1", port, [REQUEST] * 20, tally, connections=5, rate=1e6)
    assert (tally.right, model.waited) == (20, 15)


@asynccontextmanager
async def dropping() -> AsyncIterator[int]:
    """A server that closes every connection. Yields its port."""

    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_dropped_connection_ends_the_closed_loop() -> None:
    async with dropping() as port:
        with pytest.raises(ConnectionResetError):
            await saturate("127.0.0.1", port, iter([REQUEST] * 9), Tally(FINE), connections=1, seconds=20)


async def test_a_dropped_connection_ends_the_open_model() -> None:
    async with dropping() as port:
        with pytest.raises(ConnectionResetError):
            await send_at_rate("127.0.0.1", port, [REQUEST] * 9, Tally(FINE), connections=1, rate=100)


def test_rates_leave_the_incomplete_last_step_out() -> None:
    tally = Tally(FINE)
    tally.began, tally.ended = 10.0, 10.35
    for at in (10.05, 10.15, 10.16, 10.31):
        tally.note(b"200", FINE, 0.01, at)
    assert rates(tally) == [(0.0, 10.0), (0.1, 20.0)]
