"""How a scanner reaches the server, and the ways in which it does not."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

import msgspec
from msgspec import Struct

from loadtests.line import Line, Place, request_for


class NoAnswer(Exception):
    """Nothing was heard in time: whether the server has heard the question is unknown."""


class Reply(Struct, frozen=True):
    status: int
    body: bytes


class Network(Protocol):
    """What carries a question."""

    async def send(self, method: str, path: str, token: str, body: bytes = b"") -> Reply:
        """Raises `NoAnswer`. An empty token sends none."""


class Wifi:
    """HTTP over connections that are kept; a question that finds none free opens another one."""

    def __init__(self, server: Place) -> None:
        self._server = server
        self._free: list[Line] = []

    async def send(self, method: str, path: str, token: str, body: bytes = b"") -> Reply:
        line = self._free.pop() if self._free else Line(self._server)
        try:
            status, answer = await line.exchange(request_for(method, path, token, body))
        except BaseException as error:
            line.close()
            if isinstance(error, OSError | EOFError):
                raise NoAnswer(str(error)) from error
            raise
        self._free.append(line)
        return Reply(int(status), answer)

    def close(self) -> None:
        for line in self._free:
            line.close()
        self._free.clear()


class Weather:
    """A network that can be bad: every way of it may be changed at any time."""

    def __init__(self, network: Network, seed: int = 1) -> None:
        self.offline = False
        self.delay = 0.0
        """Seconds before each question goes out."""
        self.loses_questions = 0.0
        self.loses_answers = 0.0
        """Probabilities. A lost answer's question was heard."""
        self.busy = False
        """Somebody between answers 503 to everything."""
        self.sent = 0
        """Questions that reached the server."""
        self._network = network
        self._random = random.Random(seed)

    async def send(self, method: str, path: str, token: str, body: bytes = b"") -> Reply:
        await asyncio.sleep(self.delay)
        if self.offline or self._random.random() < self.loses_questions:
            raise NoAnswer("there is no network")
        if self.busy:
            return Reply(503, b"")
        self.sent += 1
        reply = await self._network.send(method, path, token, body)
        if self._random.random() < self.loses_answers:
            raise NoAnswer("the answer was lost")
        return reply


def encode(body: object) -> bytes:
    """A body as JSON."""
    return msgspec.json.encode(body)
