"""From the tables to the rings, boards and mailrooms: the only file of the gateway that reads PostgreSQL.

A channel's ring or board is filled when somebody first asks for it and follows from then on. Reading always continues from its
own end, so it does not matter which hints arrive, in which order, or whether any does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

import msgspec

from server.db import LOST_CONNECTION, Database, Tx
from server.feed import STATE_CHANNELS, Watch, queries as feed_queries
from server.feed.types import ME, ChannelHead, FeedEventRow, LetterRow, Position, StateRow, name_of
from server.live import queries
from server.live.board import TURN, Board, Posted
from server.live.hub import RING_LENGTH, BrokenLog, Entry, Log
from server.live.mailroom import MAIL_KEPT, Letter, Mailroom
from server.live.protocol import Wanted
from server.live.wire import text_frame

logger = logging.getLogger(__name__)

PAGE = 500
RETRY_SECONDS = 0.2
BOARD_SECONDS = 0.1
"""Between two readings of a state channel, however often it changes: what is overwritten meanwhile nobody needs."""

Key = tuple[UUID, str]
OnAppend = Callable[[Log, list[FeedEventRow]], None]
Followed = Log | Board | Mailroom
OnReplaced = Callable[[Followed], None]


class Relay:
    """What one gateway follows: rings, boards, everybody's own logs."""

    def __init__(self, db: Database, watch: Watch, *, on_append: OnAppend, on_replaced: OnReplaced) -> None:
        """`on_append` hears of new events and of those a ring begins with (of personal ones only that there are some),
        `on_replaced` of a channel no longer followed."""
        self._db = db
        self._watch = watch
        self._on_append = on_append
        self._on_replaced = on_replaced
        self._followed: dict[Key, Followed] = {}
        self._loading: dict[Key, asyncio.Lock] = {}
        self._following: dict[Key, asyncio.Task[None]] = {}
        self.queries = 0
        """Times the database was asked for events or states."""
        self.events = 0
        """Events that were followed; those a ring begins with are not counted."""
        watch.add_listener(self._on_growth)

    def is_ready(self) -> bool:
        """Whether the channels' positions are known and followed."""
        return self._watch.ready.is_set()

    def boards(self) -> list[Board]:
        """All boards in memory."""
        return [followed for followed in self._followed.values() if isinstance(followed, Board)]

    async def find(self, event_id: UUID, channel: str, wanted: Wanted | None = None) -> Log | Board | None:
        """The channel's ring or board, filled at the first question (those of single people all together); None where the event
        has no such channel.

        A ring that ends before the position wanted is first brought to the table's end: whoever comes from a fresh snapshot or
        from another gateway may have heard of an event before this process has.
        """
        followed = await self._filled((event_id, ME if name_of(channel) == ME else channel))
        if followed is None or isinstance(followed, Board):
            return followed
        log = followed.log(channel) if isinstance(followed, Mailroom) else followed
        reaching = wanted.seq or 0 if wanted is not None and wanted.epoch == log.epoch else 0
        if reaching > log.seq:
            await self._look_again(followed, lambda: log.seq >= reaching)
        return log

    async def _filled(self, key: Key) -> Followed | None:
        if key not in self._followed:
            async with self._loading.setdefault(key, asyncio.Lock()):
                if key not in self._followed:
                    await self._fill(*key)
            self._on_growth(*key)  # what happened while it was being filled
        return self._followed.get(key)

    async def _fill(self, event_id: UUID, channel: str) -> None:
        self.queries += 1
        async with self._db.snapshot() as tx:
            position = await feed_queries.get_position(tx, event_id, channel=channel)
            if position is None:
                return
            if channel in STATE_CHANNELS:
                self._followed[event_id, channel] = await _read_board(tx, event_id, position)
            elif channel == ME:
                self._followed[event_id, channel] = await _read_mailroom(tx, event_id, position)
            else:
                log, tail = await _read_log(tx, event_id, position)
                self._followed[event_id, channel] = log
                self._on_append(log, tail)

    async def _look_again(self, followed: Log | Mailroom, has_come: Callable[[], bool]) -> None:
        key = (followed.event_id, followed.channel)
        async with self._loading.setdefault(key, asyncio.Lock()):  # one look for all who wait for the same event
            if has_come():
                return
            self.queries += 1
            async with self._db.read() as connection:
                position = await feed_queries.get_position(connection, followed.event_id, channel=followed.channel)
            if position is not None:
                self._watch.hear(ChannelHead(followed.event_id, followed.channel, position.epoch, position.seq))
            if key in self._following:
                await asyncio.wait([self._following[key]])

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        key = (event_id, channel)
        if key in self._followed and key not in self._following:
            self._following[key] = asyncio.create_task(self._follow(key), name=f"relay {channel}")

    async def _follow(self, key: Key) -> None:
        try:
            await self._read_to_end(key)
        finally:
            # At once, not in a callback of the finished task: growth heard in between would start nothing, and nobody would
            # read it before the next event.
            del self._following[key]

    async def _read_to_end(self, key: Key) -> None:
        """Reads until the ring or board has reached what the watch has heard of."""
        followed = self._followed.get(key)
        while followed is not None and (heard := self._watch.position(*key)):
            if heard.epoch != followed.epoch:
                self._replace(key, followed)
                return
            if heard.seq <= followed.seq:
                return
            try:
                if isinstance(followed, Board):
                    await self._update(followed, heard.seq)
                elif isinstance(followed, Mailroom):
                    await self._deliver(followed)
                else:
                    await self._read_on(followed)
            except BrokenLog:
                # The table never shows N+1 before N; seeing it means that history was cut away. Everybody starts over.
                logger.exception("channel %s of %s is broken", followed.channel, followed.event_id)
                self._replace(key, followed)
                return
            except Exception as error:  # a reading that ended here would be missed by nobody until the next event
                if not isinstance(error, LOST_CONNECTION):
                    logger.exception("reading channel %s failed in a way nobody foresaw", followed.channel)
                logger.warning("cannot read channel %s (%s); trying again", followed.channel, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_on(self, log: Log) -> None:
        self.queries += 1
        async with self._db.read() as connection:
            rows = await feed_queries.list_events_after(
                connection, log.event_id, channel=log.channel, after=log.seq, limit=PAGE
            )
        if not rows:
            raise BrokenLog(f"channel {log.channel}: there should be something after event {log.seq}")
        self.events += len(rows)
        log.append([_entry(row) for row in rows])
        self._on_append(log, rows)

    async def _deliver(self, mailroom: Mailroom) -> None:
        self.queries += 1
        async with self._db.read() as connection:
            rows = await queries.list_letters(connection, mailroom.event_id, after=mailroom.seq, limit=PAGE)
        if not rows:
            raise BrokenLog(f"channel {ME}: there should be something after event {mailroom.seq}")
        self.events += len(rows)
        for log in mailroom.append([_letter(row) for row in rows]):
            if log.cursors:
                self._on_append(log, [])

    async def _update(self, board: Board, heard: int) -> None:
        """`heard` was committed before this reading began: it is covered even where the reading brings nothing."""
        self.queries += 1
        async with self._db.read() as connection:
            rows = await feed_queries.list_states_after(
                connection, board.event_id, channel=board.channel, after=board.seq
            )
        board.put(map(_posted, rows), seq=heard)
        await asyncio.sleep(BOARD_SECONDS)

    def _replace(self, key: Key, followed: Followed) -> None:
        self._followed.pop(key, None)
        followed.replace()
        self._on_replaced(followed)


async def _read_log(tx: Tx, event_id: UUID, position: Position) -> tuple[Log, list[FeedEventRow]]:
    """A ring and what it begins with."""
    tail = await queries.list_tail(tx, event_id, channel=position.channel, end=position.seq, length=RING_LENGTH)
    log = Log(event_id, position.channel, epoch=position.epoch, seq=position.seq - len(tail))
    log.append([_entry(row) for row in tail])
    return log, tail


async def _read_board(tx: Tx, event_id: UUID, position: Position) -> Board:
    rows = await feed_queries.list_states_after(tx, event_id, channel=position.channel, after=0)
    board = Board(event_id, position.channel, epoch=position.epoch, turn=TURN)
    board.put(map(_posted, rows), seq=position.seq)
    return board


async def _read_mailroom(tx: Tx, event_id: UUID, position: Position) -> Mailroom:
    after = max(0, position.seq - MAIL_KEPT)
    ends = {end.channel: end.seq for end in await queries.list_personal_ends(tx, event_id)}
    tail = await queries.list_letters(tx, event_id, after=after, limit=MAIL_KEPT)
    for row in reversed(tail):
        ends[row.channel] = row.seq - 1  # before the oldest that is put in again below
    mailroom = Mailroom(event_id, position.channel, epoch=position.epoch, seq=after, ends=ends)
    mailroom.append([_letter(row) for row in tail])
    return mailroom


def _letter(row: LetterRow) -> Letter:
    return Letter(row.note, row.channel, _entry(row))


def _entry(row: FeedEventRow) -> Entry:
    return Entry(row.seq, text_frame(msgspec.json.encode(row.to_event())))


def _posted(row: StateRow) -> Posted:
    return Posted(row.key, row.version, text_frame(msgspec.json.encode(row.to_state())), row.data is None)
