"""The feed's HTTP side: tickets, pages of a log, present values."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import msgspec
from msgspec import Struct

from loadtests.feed_client_state import Page, Place, StatePage
from loadtests.scanner_network import Network, NoAnswer

PAGE = 500
PATIENCE = 10.0
"""Seconds for an answer."""


class NotForUs(Exception):
    """The server has heard the question, and will not answer it to this token, whoever asks how often."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Ticket(Struct, frozen=True):
    ticket: str


class FeedHttp:
    """What a client of the feed asks for by HTTP. Everything raises `NoAnswer`, and `NotForUs` for 401, 403 and 404."""

    def __init__(self, network: Network, event: str, token: str = "") -> None:
        """`event` is the event's path, `/v1/events/…`; without a token only public channels can be read."""
        self._network = network
        self._event = event
        self._token = token

    async def ticket(self) -> str | None:
        """A fresh pass for one connection; None without a token."""
        if not self._token:
            return None
        return msgspec.json.decode(await self._ask("POST", "/live/ticket"), type=Ticket).ticket

    async def page(self, channel: str, place: Place) -> Page | None:
        """What comes after a place; None where the log is another one."""
        query = f"epoch={quote(place.epoch)}&after={place.seq}&limit={PAGE}"
        body = await self._ask("GET", f"/feed/{quote(channel)}?{query}", gone=410)
        return msgspec.json.decode(body, type=Page) if body else None

    async def end(self, channel: str) -> Place:
        """Where a log ends."""
        page = msgspec.json.decode(await self._ask("GET", f"/feed/{quote(channel)}?limit=1"), type=Page)
        return Place(page.epoch, page.seq)

    async def states(self, channel: str) -> StatePage:
        """All that a state channel has."""
        return msgspec.json.decode(await self._ask("GET", f"/states/{quote(channel)}"), type=StatePage)

    async def _ask(self, method: str, path: str, gone: int = 0) -> bytes:
        """The body; empty for the status `gone`."""
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._network.send(method, self._event + path, self._token)
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        if reply.status == gone:
            return b""
        if reply.status in (401, 403, 404):
            raise NotForUs(reply.status)
        if reply.status != 200:
            raise NoAnswer(f"HTTP {reply.status}")
        return reply.body
