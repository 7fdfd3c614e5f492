"""Hints over NATS, where PostgreSQL's notifications are not wanted: each takes a lock of the whole cluster at its commit.

A message says only that something has grown somewhere; whoever gets one looks at the table, which he would do a second later
anyway. So nothing depends on what a message says, on its arrival, or on who sent it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from server.background import in_background

logger = logging.getLogger(__name__)

SUBJECT = "digitalnow.feed"
CONNECT_SECONDS = 2
RECONNECT_SECONDS = 0.5


class BusUnavailable(Exception):
    """NATS is asked for, and its client is not installed; the message says what to do."""


class Bus:
    """One process's connection to NATS, kept up for as long as it runs."""

    def __init__(self, url: str, *, name: str) -> None:
        self._url = url
        self._name = name
        self._news = asyncio.Event()
        self.listener: Callable[[], None] = lambda: None
        """Called when another process, or this one, has told something; must not block."""
        self.connected = asyncio.Event()
        """Set while it stands."""
        self._away: bool | None = None

    def tell(self) -> None:
        """Says that something has grown. Never waits: several at a time are told as one, and none while NATS is away."""
        self._news.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Bus]:
        """Connects, in the background, for the length of the block. Raises `BusUnavailable`."""
        async with in_background(self._carry(_client()), name="nats"):
            yield self

    async def _carry(self, nats: Any) -> None:
        connection = nats.aio.client.Client()
        try:
            await self._connect(connection)
            while True:
                await self._news.wait()
                self._news.clear()
                try:
                    if connection.is_connected:
                        await connection.publish(SUBJECT, b"")
                except (nats.errors.Error, OSError) as error:
                    logger.warning("a hint was not told over NATS (%s)", error)
        except Exception:
            logger.exception("NATS cannot be used: what happens is heard of a second late")
        finally:
            with suppress(nats.errors.Error, OSError, AssertionError):  # the last where it was never connected
                await connection.close()

    async def _connect(self, connection: Any) -> None:
        """Tries until NATS is there; from then on the client comes back by itself."""

        async def on_error(error: Exception) -> None:
            if self._away is not True:  # once each time, not at every try
                logger.warning(
                    "cannot reach NATS (%s): what happens is heard of within a second until it is there", error
                )
            self._away = True
            self.connected.clear()

        async def on_disconnected() -> None:
            self.connected.clear()

        async def on_reconnected() -> None:
            self._away = False
            self.connected.set()
            self.listener()  # what was told meanwhile
            logger.info("NATS is back")

        async def on_message(_message: Any) -> None:
            self.listener()

        await connection.connect(
            self._url,
            name=f"digitalnow {self._name}",
            connect_timeout=CONNECT_SECONDS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            error_cb=on_error,
            disconnected_cb=on_disconnected,
            reconnected_cb=on_reconnected,
        )
        await connection.subscribe(SUBJECT, cb=on_message)
        self._away = False
        self.connected.set()
        self.listener()


async def open_bus(url: str, stack: AsyncExitStack, *, name: str) -> Bus | None:
    """The bus at this address until `stack` ends; None for no address. Raises `BusUnavailable`."""
    return await stack.enter_async_context(Bus(url, name=name).run()) if url else None


def _client() -> Any:
    try:
        import nats
        import nats.aio.client
        import nats.errors
    except ModuleNotFoundError:
        raise BusUnavailable(
            "DIGITALNOW_NATS_URL is set and the client for NATS is missing: install digitalnow[nats]."
        ) from None
    return nats
