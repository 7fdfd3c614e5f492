"""The gateway: accepts the websockets, keeps everybody at the end of their channels, says good-bye in time."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from server.config import Settings
from server.db import LOST_CONNECTION
from server.errors import UnknownEvent
from server.event.directory import Events
from server.feed import CHECKIN
from server.feed.types import FeedEventRow
from server.live import ticket as tickets
from server.live.board import TICK_SECONDS
from server.live.conversation import converse, greet
from server.live.figures import Figures
from server.live.heartbeat import Heart
from server.live.holders import Holders
from server.live.hub import Log
from server.live.protocol import Close
from server.live.relay import Followed, Relay
from server.live.session import Closing, Place, Session, now
from server.live.stream import OURS, Asked, Refusal, Stream
from server.live.streaming import FOREIGN_ORIGIN, allowing, channels_of, preflight, refusal_for, ticket_of
from server.live.ticket import Pass
from server.live.wire import Socket, end_when_dead

logger = logging.getLogger(__name__)

CHUNK = 500
"""Connections written to before others get their turn: about 4 ms."""
SWEEP_SECONDS = 1.0
"""Between two looks at those who are behind: they are caught up with as they read, this is for those who do not."""
BEHIND_SECONDS = 15.0
PATH_PARTS = ("v1", "events", "live")


class Gateway:
    """All connections of one gateway process."""

    def __init__(self, settings: Settings, events: Events, ticket_key: bytes, *, most: int) -> None:
        """`most`: connections it takes at a time, fewer than the files its process may open."""
        self._settings = settings
        self._most = most
        self._events = events
        self._ticket_key = ticket_key
        self.relay: Relay
        self.heart = Heart()
        self.sessions: dict[Session, None] = {}
        self.holders = Holders()
        self.figures = Figures(self)
        self._pumps: dict[Log, asyncio.Task[None]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self.draining = False

    # Before the handshake.

    async def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Lets a request through to the websocket, or answers it as plain HTTP."""
        assert isinstance(connection, Socket), "the process makes no others"  # noqa: S101 - for the type checker
        parts = urlsplit(request.path).path.strip("/").split("/")
        if parts == ["health", "live"]:
            return connection.respond(HTTPStatus.OK, "alive\n")
        if parts == ["health", "ready"]:
            ready = not self.draining and self.relay.is_ready()
            return connection.respond(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, f"{ready}\n")
        if parts == ["metrics"]:
            return connection.respond(HTTPStatus.OK, self.figures.text().decode())
        if len(parts) != 4 or (parts[0], parts[1], parts[3]) != PATH_PARTS:
            return connection.respond(HTTPStatus.NOT_FOUND, "The live feed is at /v1/events/{event}/live.\n")
        if not self._origin_allowed(request.headers):
            return connection.respond(HTTPStatus.FORBIDDEN, f"{FOREIGN_ORIGIN}\n")
        try:
            connection.place = await self._place_of(parts[2])
        except Refusal as refusal:
            return connection.respond(refusal.status, f"{refusal}\n")
        return None

    async def _place_of(self, event: str) -> Place:
        """Where a client wants to go. Raises `Refusal`."""
        if self.draining:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "This server is about to stop.", Retry_After="2")
        if len(self.sessions) >= self._most:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "This server holds as many clients as it can.", Retry_After="30"
            )
        try:
            found = await self._events.get(event)
        except UnknownEvent:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no such event.") from None
        except LOST_CONNECTION:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away.", Retry_After="2") from None
        return Place(found.event_id, found.slug)

    def _origin_allowed(self, headers: Mapping[str, str]) -> bool:
        """Browsers always say where a page comes from; native apps say nothing. CORS does not protect websockets."""
        origin = headers.get("origin")
        if origin is None or "*" in self._settings.allowed_origins or origin in self._settings.allowed_origins:
            return True
        try:
            own = urlsplit("//" + headers.get("host", "")).hostname
            return own is not None and urlsplit(origin).hostname == own
        except ValueError:  # no URL at all
            return False

    # A connection's life.

    async def handle(self, socket: ServerConnection) -> None:
        """A websocket from the accepted handshake to its end."""
        assert isinstance(socket, Socket), "the process makes no others"  # noqa: S101 - for the type checker
        session = self._take_in(Session(socket, socket.place))
        socket.on_frame = partial(self._count_frame, session, socket)
        try:
            hello = await greet(session, socket, self._verify)
            await self._register(session)
            await session.enter(hello.channels, self.relay.find)
            self.heart.add(session)  # not before: `ready` comes first
            await converse(session, socket, self.relay.find)
        except ConnectionClosed:
            pass  # the client has gone; what it missed it asks for when it comes back
        except (Closing, *LOST_CONNECTION) as error:
            await self._end_for(session, error)
        except Exception:
            logger.exception("a connection failed in a way nobody foresaw")
            raise  # the library closes it with 1011
        finally:
            self._forget(session)

    def take_over(self, transport: asyncio.Transport, first: bytes) -> bool:
        """Takes a connection whose first bytes ask for a stream; everything else is for the websockets' library."""
        if not OURS.match(first):
            return False
        stream = Stream(transport, self.handle_stream)
        transport.set_protocol(stream)
        stream.data_received(first)
        return True

    async def handle_stream(self, stream: Stream, asked: Asked) -> None:
        """A stream from its request to its end. Raises `Refusal`."""
        if asked.method == "OPTIONS":
            raise preflight(asked, self._origin_allowed(asked.headers))
        place = await self._place_of(asked.event)
        if asked.method != "GET":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Ask for the stream with GET.", Allow="GET")
        if not self._origin_allowed(asked.headers):
            raise Refusal(HTTPStatus.FORBIDDEN, FOREIGN_ORIGIN)
        wanted = channels_of(asked)
        session = Session(stream, place)
        try:
            session.ticket = ticket_of(session, asked, self._verify)
            await self._register(session)
        except (Closing, *LOST_CONNECTION) as error:
            raise refusal_for(error) from error
        self._take_in(session)
        try:
            stream.position = session.position
            stream.open(**allowing(asked))
            await session.enter(wanted, self.relay.find)
            self.heart.add(session)
            await stream.gone.wait()
        except (Closing, *LOST_CONNECTION) as error:
            await self._end_for(session, error)
        finally:
            self._forget(session)

    def _take_in(self, session: Session) -> Session:
        self.sessions[session] = None
        end_when_dead(session.line.transport)
        return session

    async def _end_for(self, session: Session, error: BaseException) -> None:
        if not isinstance(error, Closing):
            logger.warning("cannot serve a channel (%s)", error)
        await self._end(session, error.code if isinstance(error, Closing) else Close.DRAINING)

    def _count_frame(self, session: Session, socket: Socket) -> None:
        if not session.may_send():
            socket.on_frame = None
            self._end_soon(session, Close.RATE_LIMITED)

    def _verify(self, ticket: str) -> Pass:
        return tickets.verify(self._ticket_key, ticket)

    async def _register(self, session: Session) -> None:
        if self.draining:  # its handshake was under way when the others were told
            raise Closing(Close.DRAINING)
        if session.ticket is None:
            return
        await self.relay.find(session.place.event_id, CHECKIN)  # from now on revocations are heard
        for older in self.holders.admit(session):
            self._end_soon(older, Close.REPLACED)

    def _forget(self, session: Session) -> None:
        session.leave_all()
        self.sessions.pop(session, None)
        self.heart.remove(session)
        self.holders.forget(session)

    def _end_soon(self, session: Session, code: int) -> None:
        task = asyncio.create_task(self._end(session, code))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _end(self, session: Session, code: int) -> None:
        self.figures.endings[code] += 1
        await session.end(code)

    # Events on their way out.

    def on_append(self, log: Log, rows: list[FeedEventRow]) -> None:
        """The relay has new events."""
        if log.channel == CHECKIN:
            for session, code in self.holders.hear(log.event_id, rows):
                self._end_soon(session, code)
        if log not in self._pumps:
            self._pumps[log] = asyncio.create_task(self._pump(log), name=f"pump {log.channel}")

    def on_replaced(self, channel: Followed) -> None:
        """The channel has become another one: its readers come back and are told so."""
        readers: list[object] = [*channel.readers()]
        if channel.channel == CHECKIN:  # whoever came with a ticket must not go on unheard of should it be revoked
            readers = [one for one in self.sessions if one.principal and one.place.event_id == channel.event_id]
        self._end_all(readers, Close.DRAINING)

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
                        cursor.behind_since = now()
                await asyncio.sleep(0)

    async def sweep(self) -> None:
        """For ever: lets slow clients catch up, and closes those that do not."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            moment = now()
            for session in list(self.sessions):
                session.catch_up()
                if any(
                    cursor.behind_since is not None
                    and (moment - cursor.behind_since > BEHIND_SECONDS or cursor.seq < cursor.log.oldest)
                    for cursor in session.cursors.values()
                ):
                    self._end_soon(session, Close.SLOW)

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
            self.holders.tidy(time.time())

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
