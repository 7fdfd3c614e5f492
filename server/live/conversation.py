"""What is said over a websocket: the hello, and the client's frames after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from server.live.protocol import (
    HELLO_SECONDS,
    VERSION,
    Ack,
    ClientFrame,
    Close,
    Hello,
    Subscribe,
    Unsubscribe,
    client_frames,
)
from server.live.session import Closing, FindChannel, Session
from server.live.ticket import Pass, TicketExpired, TicketInvalid
from server.live.wire import Socket

VerifyTicket = Callable[[str], Pass]


async def greet(session: Session, socket: Socket, verify: VerifyTicket) -> Hello:
    """Waits for the client's hello and settles who it is. Raises `Closing`."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            frame = _decode(await socket.recv())
    except TimeoutError:
        raise Closing(Close.BAD_PROTOCOL) from None
    if not isinstance(frame, Hello):
        raise Closing(Close.BAD_PROTOCOL)
    if frame.version != VERSION:
        raise Closing(Close.VERSION)
    if frame.ticket is not None:
        session.ticket = admit(session, frame.ticket, verify)
    return frame


def admit(session: Session, ticket: str, verify: VerifyTicket) -> Pass:
    """Whose ticket it is. Raises `Closing`."""
    try:
        found = verify(ticket)
    except TicketExpired:
        raise Closing(Close.TICKET_EXPIRED) from None
    except TicketInvalid:
        raise Closing(Close.FORBIDDEN) from None
    if found.principal.event_id != session.place.event_id:
        raise Closing(Close.FORBIDDEN)
    return found


async def converse(session: Session, socket: Socket, find: FindChannel) -> None:
    """Answers the client's frames until the connection ends. Raises `Closing`."""
    async for message in socket:
        match _decode(message):
            case Subscribe(channels):
                await session.enter(channels, find)
            case Unsubscribe(channels):
                for one in channels:
                    session.leave(one.name)
            case Ack():
                session.ack()
            case Hello():
                raise Closing(Close.BAD_PROTOCOL)


def _decode(message: str | bytes) -> ClientFrame:
    if isinstance(message, bytes):
        raise Closing(Close.BAD_PROTOCOL)
    try:
        frame: ClientFrame = client_frames.decode(message)
    except (msgspec.DecodeError, RecursionError):  # 4 KiB are room for thousands of brackets
        raise Closing(Close.BAD_PROTOCOL) from None
    return frame
