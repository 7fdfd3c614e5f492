"""The gateway: accepts the websockets, keeps everybody at the end of their channels, says good-bye in time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from server.auth import Principal
from server.config import Settings
from server.db import LOST_CONNECTION
from server.errors import UnknownEvent
from server.event.directory import Events
from server.feed import CHECKIN
from server.feed.types import FeedEventRow, TokenReplaced, TokenRevoked
from server.live import ticket as tickets, wire
from server.live.board import TICK_SECONDS
from server.live.heartbeat import Heart
from server.live.hub import Log
from server.live.protocol import Close
from server.live.relay import Followed, Relay
from server.live.session import Closing, Place, Session

logger = logging.getLogger(__name__)

CHUNK = 500
"""Connections written to before others get their turn: about 4 ms."""
SWEEP_SECONDS = 0.2
BEHIND_SECONDS = 15.0
PATH_PARTS = ("v1", "events", "live")


class Gateway:
    """All connections of one gateway process."""

    def __init__(self, settings: Settings, events: Events, ticket_key: bytes) -> None:
        self._settings = settings
        self._events = events
        self._ticket_key = ticket_key
        self.relay: Relay
        self.heart = Heart()
        self.sessions: dict[Session, None] = {}
        self._by_device: dict[tuple[object, object], Session] = {}
        self._revoked: set[UUID] = set()
        """Whose tokens were taken out of use: a ticket lives on for up to 60 seconds."""
        self._renewed: dict[UUID, datetime] = {}
        """Who got a new token, and when: tickets of the old one live on as well, and those of the new one are welcome."""
        self._pumps: dict[Log, asyncio.Task[None]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self.draining = False

    # Before the handshake.

    async def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Lets a request through to the websocket, or answers it as plain HTTP."""
        parts = urlsplit(request.path).path.strip("/").split("/")
        if parts == ["health", "live"]:
            return connection.respond(HTTPStatus.OK, "alive\n")
        if parts == ["health", "ready"]:
            ready = not self.draining and self.relay.is_ready()
            return connection.respond(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, f"{ready}\n")
        if len(parts) != 4 or (parts[0], parts[1], parts[3]) != PATH_PARTS:
            return connection.respond(HTTPStatus.NOT_FOUND, "The live feed is at /v1/events/{event}/live.\n")
        if self.draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "This server is about to stop.\n")
        if not self._origin_allowed(request):
            return connection.respond(HTTPStatus.FORBIDDEN, "Web pages of this origin may not open the feed.\n")
        try:
            event = await self._events.get(parts[2])
        except UnknownEvent:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such event.\n")
        except LOST_CONNECTION:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away.\n")
        connection.place = Place(event.event_id, event.slug)  # type: ignore[attr-defined]
        return None

    def _origin_allowed(self, request: Request) -> bool:
        """Browsers always say where a page comes from; native apps say nothing. CORS does not protect websockets."""
        origin = request.headers.get("Origin")
        if origin is None or "*" in self._settings.allowed_origins or origin in self._settings.allowed_origins:
            return True
        try:
            own = urlsplit("//" + request.headers.get("Host", "")).hostname
            return own is not None and urlsplit(origin).hostname == own
        except ValueError:  # no URL at all
            return False

    # A connection's life.

    async def handle(self, connection: ServerConnection) -> None:
        """From the accepted handshake to the end of the connection."""
        session = Session(connection, connection.place)  # type: ignore[attr-defined]
        self.sessions[session] = None
        wire.end_when_dead(connection)
        try:
            hello = await session.greet(self._verify)
            await self._register(session)
            await session.enter(hello.channels, self.relay.find)
            self.heart.add(session)  # not before: `ready` comes first
            await session.converse(self.relay.find)
        except Closing as closing:
            await session.end(closing.code)
        except ConnectionClosed:
            pass  # the client has gone; what it missed it asks for when it comes back
        except LOST_CONNECTION as error:
            logger.warning("cannot serve a channel (%s)", error)
            await session.end(Close.DRAINING)
        except Exception:
            logger.exception("a connection failed in a way nobody foresaw")
            raise  # the library closes it with 1011
        finally:
            self._forget(session)

    def _verify(self, ticket: str) -> Principal:
        return tickets.verify(self._ticket_key, ticket)

    async def _register(self, session: Session) -> None:
        if self.draining:  # its handshake was under way when the others were told
            raise Closing(Close.DRAINING)
        if session.principal is None:
            return
        await self.relay.log(session.place.event_id, CHECKIN)  # from now on revocations are heard
        if self._is_void(session.principal):
            raise Closing(Close.REVOKED)
        if session.principal.kind == "device":
            key = (session.place.event_id, session.principal.subject_id)
            older = self._by_device.get(key)
            self._by_device[key] = session
            if older is not None:
                self._end_soon(older, Close.REPLACED)

    def _forget(self, session: Session) -> None:
        session.leave_all()
        self.sessions.pop(session, None)
        self.heart.remove(session)
        if session.principal is not None:
            key = (session.place.event_id, session.principal.subject_id)
            if self._by_device.get(key) is session:
                del self._by_device[key]

    def _end_soon(self, session: Session, code: int) -> None:
        task = asyncio.create_task(session.end(code))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    # Events on their way out.

    def on_append(self, log: Log, rows: list[FeedEventRow]) -> None:
        """The relay has new events."""
        if log.channel == CHECKIN:
            self._cut_off_revoked(log, rows)
        if log not in self._pumps:
            self._pumps[log] = asyncio.create_task(self._pump(log), name=f"pump {log.channel}")

    def on_replaced(self, channel: Followed) -> None:
        """The channel has become another one: its readers come back and are told so."""
        readers: list[object] = [*channel.readers()]
        if channel.channel == CHECKIN:  # whoever came with a ticket must not go on unheard of should it be revoked
            readers = [one for one in self.sessions if one.principal and one.place.event_id == channel.event_id]
        self._end_all(readers, Close.DRAINING)

    def _cut_off_revoked(self, log: Log, rows: list[FeedEventRow]) -> None:
        concerned = set()
        for row in rows:
            if row.kind in TokenRevoked.KINDS:
                revoked = msgspec.json.decode(row.data, type=TokenRevoked).subject_id
                self._revoked.add(revoked)
                concerned.add(revoked)
            elif row.kind in TokenReplaced.KINDS:
                replaced = msgspec.json.decode(row.data, type=TokenReplaced)
                self._renewed[replaced.subject_id] = replaced.since
                concerned.add(replaced.subject_id)
        self._end_all(
            (
                one
                for one in self.sessions
                if one.principal and one.principal.subject_id in concerned and self._is_void(one.principal)
            ),
            Close.REVOKED,
        )

    def _is_void(self, principal: Principal) -> bool:
        """Whether the token behind a ticket was revoked or replaced. A newer token than those heard of here is good."""
        subject_id, since = principal.subject_id, principal.since
        return subject_id in self._revoked or (since is not None and since < self._renewed.get(subject_id, since))

    def _end_all(self, sessions: Iterable[object], code: int) -> None:
        for session in list(sessions):
            if isinstance(session, Session):
                self._end_soon(session, code)

    async def _pump(self, log: Log) -> None:
        """Hands the channel's readers what is new."""
        try:
            await self._bring_to_end(log)
        finally:
            del self._pumps[log]  # at once: what is appended after the last round must start another pump

    async def _bring_to_end(self, log: Log) -> None:
        """Brings every cursor of a channel to its end; begins anew as long as the end moves."""
        reached = -1
        while reached < log.seq:
            reached = log.seq
            cursors = list(log.cursors)
            for start in range(0, len(cursors), CHUNK):
                for cursor in cursors[start : start + CHUNK]:
                    if not cursor.advance() and cursor.behind_since is None:
                        cursor.behind_since = asyncio.get_running_loop().time()
                await asyncio.sleep(0)

    async def sweep(self) -> None:
        """For ever: lets slow clients catch up, and closes those that do not."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = asyncio.get_running_loop().time()
            for session in list(self.sessions):
                for cursor in session.cursors.values():
                    if cursor.behind_since is None:
                        continue
                    if cursor.advance():
                        cursor.behind_since = None
                    elif now - cursor.behind_since > BEHIND_SECONDS or cursor.seq < cursor.log.oldest:
                        self._end_soon(session, Close.SLOW)
                        break

    async def show_boards(self) -> None:
        """For ever: shows every state channel to its viewers, a twenty-second of them at a time."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for board in self.relay.boards():
                viewers = board.tick()
                for start in range(0, len(viewers), CHUNK):
                    for viewer in viewers[start : start + CHUNK]:
                        viewer.look()
                    await asyncio.sleep(0)

    async def beat(self) -> None:
        """For ever: one heartbeat per client and 25 s, a twenty-fifth of the clients each second."""
        while True:
            await asyncio.sleep(1)
            for session, closing in self.heart.tick():
                self._end_soon(session, closing.code)

    async def drain(self, server: Server) -> None:
        """Takes nobody new, says good-bye to everybody in random order, then stops."""
        self.draining = True
        server.close(close_connections=False)
        leaving = list(self.sessions)
        random.shuffle(leaving)
        per_tick = max(1, len(leaving) // max(1, int(self._settings.drain_seconds * 20)))
        for start in range(0, len(leaving), per_tick):
            for session in leaving[start : start + per_tick]:
                self._end_soon(session, Close.DRAINING)
            await asyncio.sleep(0.05)
        await server.wait_closed()  # not for long: whoever does not answer the good-bye is hung up on
