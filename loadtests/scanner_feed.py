"""A scanner that listens: what others do at the doors reaches it while it has a network, not only with the next snapshot."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct
from websockets.asyncio.client import connect

from loadtests.scanner import Scanner
from server.checkin.events import PASSED, Passed


class Frame(Struct, frozen=True):
    """What is read of the feed's frames."""

    type: str
    kind: str = ""
    data: Raw = Raw(b"null")


_frames = msgspec.json.Decoder(Frame)
_passed = msgspec.json.Decoder(Passed)


async def listen(scanner: Scanner, live_url: str) -> None:
    """Applies what channel `checkin` says, until the connection ends or the task is cancelled.

    First it joins the channel, then it asks for what it has missed: so nothing falls in between. What is neither a passing nor
    this scanner's own business is asked for. Raises `OSError` and `websockets.ConnectionClosed`, after which one listens again,
    and what `Scanner.refresh` raises.
    """
    async with connect(live_url) as socket:
        hello: dict[str, Any] = {"type": "hello", "version": 1, "channels": [{"name": "checkin"}]}
        await socket.send(msgspec.json.encode(hello | {"ticket": await scanner.ticket()}).decode())
        async for message in socket:
            frame = _frames.decode(message)
            if frame.type == "event" and frame.kind == PASSED:
                scanner.hear(_passed.decode(frame.data))
            elif frame.type in ("ready", "event"):
                await scanner.refresh()
