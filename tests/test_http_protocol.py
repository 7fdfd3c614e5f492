"""The short way through the HTTP protocol: what goes it, and that nobody can tell from the answer which way it went."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.direct import MAX_KNOWN, MAX_KNOWN_BYTES, Reply, ShortWay
from server.http_protocol import HttpProtocol, OneWriteTransport
from tests.waiting import until

HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\nAuthorization: me\r\n"
PATIENCE = 20.0
NOTHING = b"(nothing)" * 5000
"""More than is joined to its head."""


def post(body: bytes = b"hello", head: bytes = HEAD) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Echo:
    """Says what it hears, or that it hears nothing: an application, and a `Direct` for `/echo` of whoever is let in. Notes who
    answered."""

    def __init__(self) -> None:
        self.answered: list[tuple[str, bytes]] = []
        self.let_in = True
        self.going_on = asyncio.Event()
        self.going_on.set()
        self.held: list[Callable[[], None]] = []

    def recognise(self, target: bytes, headers: Mapping[bytes, bytes]) -> bytes | None:
        return target if target == b"/echo" and b"authorization" in headers else None

    def open(self, asked: bytes) -> bytes | None:
        return asked if self.let_in else None

    def answer(self, opened: bytes, body: bytes, reply: Callable[[Reply], None]) -> None:
        assert opened == b"/echo"
        self.answered.append(("direct", body))
        status, headers = (422, {"X-Refused": "yes"}) if body.startswith(b"no") else (200, {})
        answer = partial(reply, Reply(status, "text/plain", body or NOTHING, headers))
        if self.going_on.is_set():
            answer()
        else:
            self.held.append(answer)

    def go_on(self) -> None:
        self.going_on.set()
        for answer in self.held:
            answer()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.answered.append(("app", body))
        await self.going_on.wait()
        refused = [(b"x-refused", b"yes")] if body.startswith(b"no") else []
        body = body or NOTHING
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), *refused]
        await send({"type": "http.response.start", "status": 422 if refused else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        yield


class Timer:
    """Something that is to happen at a time."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class TurnedByHand:
    """The test's own loop, but its clock stands until it is turned."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = 0.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        self._timers.append(Timer(self._now + delay, callback))
        return self._timers[-1]

    def turn(self, seconds: float) -> None:
        """Lets that much time go by, with whatever is to happen in it, new timers included."""
        end = self._now + seconds
        while due := [timer for timer in self._timers if timer.when <= end and not timer.cancelled]:
            timer = min(due, key=lambda one: one.when)
            self._timers.remove(timer)
            self._now = timer.when
            timer.callback()
        self._now = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


class Running:
    """A server in this loop."""

    def __init__(self, echo: Echo, *, short: bool, keep_alive: int) -> None:
        self.echo = echo
        self.clock = TurnedByHand()
        short_way = ShortWay({b"POST": echo, b"GET": echo, b"HEAD": echo}) if short else None  # type: ignore[dict-item]

        def make_protocol(**options: Any) -> HttpProtocol:
            return HttpProtocol(**{**options, "_loop": self.clock}, short_way=short_way)

        self.listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listening.bind(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.server = _Server(
            uvicorn.Config(
                echo.app,
                http=make_protocol,  # type: ignore[arg-type]
                ws="none",
                loop="none",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                timeout_keep_alive=keep_alive,
                timeout_graceful_shutdown=5,
            )
        )

    @property
    def connections(self) -> list[Any]:
        """Those that stand, each an `HttpProtocol`."""
        return list(self.server.server_state.connections)

    async def talk(self, *parts: bytes, answers: int = 1) -> bytes:
        """Sends the parts one after the other over one connection; what came back until there were so many answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.002)
        try:
            return await read_answers(reader, answers)
        finally:
            writer.close()


async def read_answers(reader: asyncio.StreamReader, count: int) -> bytes:
    """That many whole answers as they came, fewer where the connection ends before."""
    found = bytearray()
    async with asyncio.timeout(PATIENCE):
        for _ in range(count):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError as ended:
                return bytes(found) + ended.partial + b"(end)"
            found += head
            for line in head.lower().split(b"\r\n"):
                name, _, value = line.partition(b": ")
                if name == b"content-length":
                    found += await reader.readexactly(int(value))
    return bytes(found)


@asynccontextmanager
async def running(*, short: bool = True, keep_alive: int = 30) -> AsyncIterator[Running]:
    found = Running(Echo(), short=short, keep_alive=keep_alive)
    task = asyncio.create_task(found.server.serve(sockets=[found.listening]))
    await until(lambda: found.server.started)
    try:
        yield found
    finally:
        found.server.should_exit = True
        await asyncio.wait_for(task, PATIENCE)


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


GET = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
LARGE = b"x" * (1024 * 1024)
D, A = "direct", "app"

STORIES: dict[str, tuple[list[bytes], list[str]]] = {
    "one": ([post()], [D]),
    "a head seen before": ([post(b"first"), post(b"other"), post(b"third")], [D, D, D]),
    "other lengths": ([post(b"1"), post(b"22"), post(b""), post(b"1")], [D, D, D, D]),
    "refusals": ([post(b"no 1"), post(b"no 2")], [D, D]),
    "byte by byte": (one_by_one(post()), [D]),
    "byte by byte, seen before": ([post(), *one_by_one(post(b"again"))], [D, D]),
    "head, then body": ([post(b"x"), *post(b"y").partition(b"\r\n\r\n")], [D, D]),
    "head with its end, then body": ([post(b"x"), post(b"y")[:-1], b"y"], [D, D]),
    "two at once": ([post(b"1") + post(b"2")], [D, D]),
    "two at once, seen before": ([post(b"0"), post(b"1") + post(b"2"), post(b"3")], [D, D, D, D]),
    "one and a half": ([post(b"1") + post(b"2")[:40], post(b"2")[40:], post(b"3")], [D, D, D]),
    "one and a byte": ([post(b"1"), post(b"2") + b"P", post(b"3")[1:], post(b"4")], [D, D, D, D]),
    "before another path": ([post() + GET, post()], [D, A, D]),
    "behind another path": ([GET + post(), post(b"again"), post()], [A, A, D, D]),
    "empty lines between": ([post(b"1"), b"\r\n\r\n", b"\r\n" + post(b"2"), b"\r\n\r\n", post(b"")], [D, D, D]),
    "empty lines behind an empty body": ([post(b""), b"\r\n\r\n", b"\r\n\r\n", post(b"")], [D, D]),
    "chunked": ([CHUNKED, post()], [A, D]),
    "HTTP/1.0": ([post(head=HEAD.replace(b"1.1", b"1.0"))], [A]),
    "HTTP/1.0, kept alive": ([post(head=HEAD.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n")], [A]),
    "to be closed": ([post(), post(head=HEAD + b"Connection: close\r\n"), post()], [D, A]),
    "to be closed, two at once": ([post(head=HEAD + b"Connection: close\r\n") + post()], [A]),
    "asked to be kept alive": ([post(head=HEAD + b"Connection: keep-alive\r\n")], [D]),
    "asks first": ([HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", b"x"], [A]),
    "no length": ([HEAD + b"\r\n", post()], [A, D]),
    "a query": ([post(head=HEAD.replace(b"/echo", b"/echo?a=b"))], [A]),
    "another method": ([post(head=HEAD.replace(b"POST", b"PUT"))], [A]),
    "a stranger": ([post(head=HEAD.replace(b"Authorization", b"From"))], [A]),
    "two of a header": ([post(head=HEAD + b"Authorization: you\r\n")], [A]),
    "an upgrade nobody knows": ([post(head=HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\n")], [A]),
    "other letters": ([post(head=HEAD.replace(b"Authorization", b"AUTHORIZATION"))], [D]),
    "a long head": ([post(head=HEAD + b"X: " + b"x" * MAX_KNOWN_BYTES + b"\r\n")] * 2, [D, D]),
    "as long as may be": ([post(LARGE[: 64 * 1024])] * 2, [D, D]),
    "a megabyte": ([post(LARGE), post()], [A, D]),
    "no HTTP": ([b"hello\r\n\r\n"], []),
    "no HTTP behind one": ([post(), b"hello\r\n\r\n"], [D]),
    "two lengths": ([post(head=HEAD + b"Content-Length: 4\r\n")], []),
    "length and chunks": ([post(head=HEAD + b"Transfer-Encoding: chunked\r\n")], []),
}


@pytest.mark.parametrize("story", STORIES)
async def test_nobody_can_tell_the_ways_apart(story: str) -> None:
    parts, ways = STORIES[story]
    expected = len(ways) + 1 if "100-continue" in str(parts) else max(len(ways), 1)
    if "no HTTP" in story or "close" in story:
        expected += 1  # what follows is the end
    async with running() as short, running(short=False) as long:
        answers = await short.talk(*parts, answers=expected)
        assert answers == await long.talk(*parts, answers=expected)
        # Behind a megabyte the connection may still be busy with it when the next request comes, which then takes the long way.
        certain = 1 if story == "a megabyte" else len(ways)
        assert [way for way, _ in short.echo.answered][:certain] == ways[:certain]
        assert [body for _, body in short.echo.answered] == [body for _, body in long.echo.answered]
    assert answers


def get(method: bytes = b"GET", more: bytes = b"") -> bytes:
    return HEAD.replace(b"POST", method) + more + b"\r\n"


READINGS: dict[str, tuple[list[bytes], list[str]]] = {
    "one": ([get()], [D]),
    "a head seen before": ([get(), get(), get(b"HEAD"), get(b"HEAD")], [D, D, D, D]),
    "byte by byte": (one_by_one(get() + get(b"HEAD") + get()), [D, D, D]),
    "two at once": ([get(b"HEAD") + get(), get() + get()], [D, D, D, D]),
    "another path": ([GET, get().replace(b"/echo", b"/other"), get(b"HEAD").replace(b"/echo", b"/other")], [A, A, A]),
    "a body": ([get(more=b"Content-Length: 2\r\n") + b"hi", get()], [D, D]),
    "chunked": ([CHUNKED.replace(b"POST", b"GET"), get()], [A, D]),
    "between the others": ([post(), get(), post(), get(b"HEAD"), post(b"no"), get()], [D, D, D, D, D, D]),
    "a head that is another method's": ([post(b""), get(more=b"Content-Length: 0\r\n")], [D, D]),
    "a stranger": ([get().replace(b"Authorization", b"From"), get()], [A, D]),
}
"""All end with a request that closes the connection."""


@pytest.mark.parametrize("story", READINGS)
async def test_readers_cannot_tell_the_ways_apart(story: str) -> None:
    parts, ways = READINGS[story]

    async def talk(server: Running) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(PATIENCE):
            for part in [*parts, get(b"HEAD", b"Connection: close\r\n")]:
                writer.write(part)
                await asyncio.sleep(0.002)
            answers = await reader.read()
        writer.close()
        return answers

    async with running() as short, running(short=False) as long:
        answers = await talk(short)
        assert answers == await talk(long)
        # Behind a long answer the connection may still be busy with it, and the next request then takes the long way.
        assert [way for way, _ in short.echo.answered][:1] == ways[:1]
        assert len(short.echo.answered) == len(ways) + 1
    assert answers.count(b"HTTP/1.1 ") == len(ways) + 1


async def test_a_head_is_answered_before_the_connection_ends() -> None:
    """Its answer has no body that could take the head along."""
    for short in (False, True):
        async with running(short=short) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            with closing(writer):
                for _ in range(3):
                    writer.write(get(b"HEAD"))
                    async with asyncio.timeout(PATIENCE):
                        assert b"content-length: %d" % len(NOTHING) in await reader.readuntil(b"\r\n\r\n")


async def test_a_head_that_waits_for_a_body_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OneWriteTransport, "flush", lambda _self: None)
    monkeypatch.setattr(f"{__name__}.PATIENCE", 0.5)
    with pytest.raises(TimeoutError):
        await test_a_head_is_answered_before_the_connection_ends()


async def test_readers_push_no_scanner_out_of_memory() -> None:
    echo = Echo()
    short_way = ShortWay({b"POST": echo, b"GET": echo})  # type: ignore[dict-item]
    short_way.remember(b"POST", post(b"x"), 1, "scan")
    for number in range(MAX_KNOWN + 1):
        short_way.remember(b"GET", get(more=b"X: %d\r\n" % number), 0, "read")
    assert short_way.recall(post(b"x")) == (b"POST", "scan", b"x")
    assert sum(len(heads) for heads in short_way._known.values()) == 2


async def test_a_known_head_opens_no_door_that_has_been_closed() -> None:
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for let_in in (True, True, False, True):
            server.echo.let_in = let_in
            writer.write(post())
            assert b"hello" in await read_answers(reader, 1)
        writer.close()
        assert [way for way, _ in server.echo.answered] == [D, D, A, D]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_answers_come_in_the_order_of_their_requests(*, known: bool, together: bool) -> None:
    """Those behind the first wait in the server, or, from the second on, before it: it has stopped reading."""
    behind = [post(b"2") + post(b"3") + post(b"4")] if together else [post(b"2"), post(b"3") + post(b"4")]
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        if known:
            writer.write(post(b"0"))
            await read_answers(reader, 1)
        server.echo.going_on.clear()
        writer.write(post(b"1"))
        await until(lambda: server.echo.held)
        (connection,) = server.connections
        for part in behind:
            writer.write(part)
            await until(lambda: len(connection.pipeline) == (3 if together else 1))
        assert len(server.echo.held) == 1
        server.echo.go_on()
        answers = await read_answers(reader, 4)
        writer.close()
    assert [part[:1] for part in answers.split(b"\r\n\r\n")[1:]] == [b"1", b"2", b"3", b"4"]


async def test_who_hangs_up_disturbs_nobody() -> None:
    async with running() as server:
        server.echo.going_on.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(post(b"gone"))
        await until(lambda: server.echo.held)
        writer.transport.abort()
        await until(lambda: not server.connections)
        _, halfway = await asyncio.open_connection("127.0.0.1", server.port)
        halfway.write(post()[:-2])
        await until(lambda: [one for one in server.connections if one.cycle is not None and one.cycle.body])
        halfway.transport.abort()
        await until(lambda: not server.connections)
        staying = asyncio.create_task(server.talk(post(b"here")))
        await until(lambda: len(server.echo.held) == 2)
        server.echo.go_on()
        assert b"here" in await staying
        assert server.echo.answered == [(D, b"gone"), (D, b"here")]
        await until(lambda: not server.connections)


async def test_what_is_under_way_at_the_end_is_still_answered() -> None:
    async with running() as server:
        server.echo.going_on.clear()
        waiting = asyncio.create_task(server.talk(post(b"late"), answers=2))
        idle = asyncio.create_task(server.talk(answers=1))
        await until(lambda: server.echo.held and len(server.connections) == 2)
        server.server.should_exit = True
        assert await idle == b"(end)"
        await until(lambda: len(server.connections) == 1)
        assert not server.connections[0].cycle.keep_alive, "it has heard of the end"
        assert not waiting.done()
        server.echo.go_on()
        answer = await waiting
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"late(end)")


async def stay_connected(server: Running) -> None:
    """Fails unless the connection ends when nothing has come over it for ten seconds, and not before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with closing(writer):
        for _ in range(5):  # one timer serves them all, and none of them is cut off by it
            writer.write(post())
            assert b"hello" in await read_answers(reader, 1)
            (connection,) = server.connections
            server.clock.turn(9)
            assert not connection.transport.is_closing(), "cut off before its time"
        server.echo.going_on.clear()
        writer.write(post())
        await until(lambda: server.echo.held)
        server.clock.turn(100)
        server.echo.go_on()
        assert b"hello" in await read_answers(reader, 1), "an answer that took long is given all the same"
        server.clock.turn(9)
        assert not connection.transport.is_closing(), "cut off before its time"
        server.clock.turn(1)
        assert connection.transport.is_closing(), "not closed after its time"
        assert await read_answers(reader, 1) == b"(end)"


async def test_a_connection_without_requests_is_closed_after_its_time() -> None:
    async with running(keep_alive=10) as server:
        await stay_connected(server)


async def test_a_timer_that_asks_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "timeout_keep_alive_handler", HttpToolsProtocol.timeout_keep_alive_handler)
    async with running(keep_alive=10) as server:
        with pytest.raises(AssertionError, match="before its time"):
            await stay_connected(server)


async def test_a_client_that_does_not_read_is_waited_for() -> None:
    count, body = 300, LARGE[: 60 * 1024]
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**16)
        writer.write(post(body) * count)
        await until(lambda: [one for one in server.connections if one.flow.write_paused and one.flow.read_paused])
        assert len(server.echo.answered) < count
        answers = await read_answers(reader, count)
        writer.close()
    assert answers.count(body) == count
