"""Phones at the live feed, each on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.waiting import PATIENCE

Frame = dict[str, Any]


class Phone:
    """A client as an app has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, frame: Frame | str | bytes) -> None:
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def hello(self, *channels: str | Frame, ticket: str | None = None) -> Frame:
        """Introduces itself and returns the `ready` frame."""
        wanted = [{"name": one} if isinstance(one, str) else one for one in channels]
        await self.say({"type": "hello", "version": 1, "ticket": ticket, "channels": wanted})
        return await self.frame("ready")

    async def text(self) -> str:
        """The next frame as it came, heartbeats left out: they come between any two others."""
        while True:
            message = await self.raw()
            if not message.startswith('{"type":"heartbeat"'):
                return message

    async def raw(self) -> str:
        async with asyncio.timeout(PATIENCE):
            message = await self.socket.recv()
        assert isinstance(message, str), "the feed sends text frames only"
        return message

    async def frame(self, kind: str) -> Frame:
        """The next frame but heartbeats, which is of this type."""
        frame: Frame = json.loads(await self.text())
        assert frame["type"] == kind, frame
        return frame

    async def events(self, count: int) -> list[Frame]:
        return [await self.frame("event") for _ in range(count)]

    async def ending(self) -> tuple[int, list[Frame]]:
        """The close code, and the frames that came before it, heartbeats left out."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(json.loads(await self.text()))
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else 1006), frames


@asynccontextmanager
async def phone(url: str, **options: Any) -> AsyncIterator[Phone]:
    """A connected phone that has not said hello yet."""
    # Without a bound to its queue, as a phone that has stopped reading could not hear the end of its own good-bye.
    options = {
        "compression": None,
        "ping_interval": None,
        "proxy": None,
        "max_queue": None,
        "max_size": None,
        **options,
    }
    async with connect(url, **options) as socket:
        yield Phone(socket)


def at(channel: str, epoch: str, seq: int) -> Frame:
    """A channel asked for from a position."""
    return {"name": channel, "epoch": epoch, "seq": seq}
