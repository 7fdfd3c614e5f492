"""The doors this process has been asked about, kept true."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from msgspec import Struct

from server.attendee import queries as attendee_queries
from server.checkin import queries
from server.checkin.door import Door, Presence
from server.checkin.events import (
    ATTENDEES_CHANGED,
    LISTS_CHANGED,
    PASSED,
    AttendeesChanged,
    BadgeRevoked,
    Passed,
)
from server.checkin.history import stand
from server.db import LOST_CONNECTION, Database, Tx
from server.device import queries as device_queries
from server.feed import CHECKIN, Watch, queries as feed_queries
from server.feed.types import SCHEDULE, AttendeeCancelled, FeedEventRow

logger = logging.getLogger(__name__)

LOAD_CHUNK = 2000
"""Badges read at a time: about 10 ms, so that loading 150,000 does not hold up the scans of other events."""
FOLLOW_PAGE = 500
FEW = 500
"""People whose badges are read by themselves; beyond it the door is loaded anew."""
RETRY_SECONDS = 0.2


async def load_door(db: Database, event_id: UUID) -> Door:
    """The event's door as of now."""
    door = Door(event_id)
    async with db.snapshot() as tx:
        position = await feed_queries.get_position(tx, event_id, channel=CHECKIN)
        if position is not None:
            door.epoch, door.seq = position.epoch, position.seq
        door.set_lists(await queries.list_checkin_lists(tx, event_id))
        door.set_tickets(await queries.list_tickets(tx, event_id))
        await _read_devices(tx, door)
        await _read_sessions(tx, door)
        async for badges in attendee_queries.iterate_badges(tx, event_id, chunk=LOAD_CHUNK):
            door.add_badges(badges)
            await asyncio.sleep(0)  # others' scans go first
        await _read_facts(tx, door)
    return door


async def _read_devices(tx: Tx, door: Door) -> None:
    devices = await device_queries.list_devices(tx, door.event_id)
    door.set_gates(await device_queries.list_gates(tx, door.event_id))
    door.set_devices(devices)  # after their gates: a device that is known may scan, and its answer names its gate


async def _read_sessions(tx: Tx, door: Door) -> None:
    position = await feed_queries.get_position(tx, door.event_id, channel=SCHEDULE)
    door.set_sessions(await queries.list_room_sessions(tx, door.event_id))
    door.schedule_seq = position.seq if position else 0


async def _read_facts(tx: Tx, door: Door) -> None:
    """Who is inside, from the log."""
    reentry = door.reentry()
    async for facts in queries.iterate_people(tx, door.event_id, chunk=LOAD_CHUNK):
        door.place(facts[0].attendee_id, {fact.list_id for fact in facts}, stand(facts, reentry))


async def catch_up(connection: Tx, door: Door) -> bool:
    """Applies what channel `checkin` has said since; False where the door has to be loaded anew."""
    async with door.changing:
        while True:
            events = await feed_queries.list_events_after(
                connection, door.event_id, channel=CHECKIN, after=door.seq, limit=FOLLOW_PAGE
            )
            if any(event.kind == ATTENDEES_CHANGED and not _names_few(event) for event in events):
                return False
            await _apply(connection, door, events)
            if events:
                door.seq = events[-1].seq
            if len(events) < FOLLOW_PAGE:
                return True


def _names_few(event: FeedEventRow) -> bool:
    """Whether the event says whose badges have changed, and it is quicker to read theirs than all."""
    return 0 < len(msgspec.json.decode(event.data, type=AttendeesChanged).attendee_ids) <= FEW


async def _apply(connection: Tx, door: Door, events: list[FeedEventRow]) -> None:
    kinds = {event.kind for event in events}
    if any(kind.startswith(("device.", "gate.")) for kind in kinds):
        await _read_devices(connection, door)
    if LISTS_CHANGED in kinds:
        door.set_lists(await queries.list_checkin_lists(connection, door.event_id))
    for event in events:
        if event.kind == "badge.revoked":
            door.revoke_badge(msgspec.json.decode(event.data, type=BadgeRevoked).code, event.at)
        elif event.kind == ATTENDEES_CHANGED:
            people = msgspec.json.decode(event.data, type=AttendeesChanged).attendee_ids
            door.add_badges(await attendee_queries.list_badges_of(connection, door.event_id, attendees=people))
        elif event.kind == "attendee.cancelled":
            heard = msgspec.json.decode(event.data, type=AttendeeCancelled)
            door.cancel_attendee(heard.attendee_id, event.at if heard.cancelled else None)
        elif event.kind == PASSED:
            apply_passed(door, msgspec.json.decode(event.data, type=Passed))


def apply_passed(door: Door, passed: Passed) -> None:
    """What the projector told of one list."""
    checkin_list = door.lists.get(passed.list)
    if checkin_list is None:
        return
    for entered in passed.entered:
        presence = Presence(entered.session_id, entered.at, entered.gate, entered.device)
        for number in entered.badges:
            badge = door.badges.get(number)
            if badge is not None:
                door.enter(checkin_list.list_id, badge.attendee_id, presence)
    for numbers, been in ((passed.left, True), (passed.undone, False)):
        for number in numbers:
            badge = door.badges.get(number)
            if badge is not None:
                door.leave(checkin_list.list_id, badge.attendee_id, been=been)


class _Channel(Struct, frozen=True):
    """How a door follows one channel."""

    seq_of: Callable[[Door], int]
    catch_up: Callable[[Doors, Door], Awaitable[None]]


class Doors:
    """Each event's door, loaded when it is first asked for."""

    def __init__(self, db: Database, watch: Watch) -> None:
        self._db = db
        self._watch = watch
        self._open: dict[UUID, Door] = {}
        self._loading: dict[UUID, asyncio.Lock] = {}
        self._following: dict[tuple[UUID, str], asyncio.Task[None]] = {}
        watch.add_listener(self._on_growth)

    def known(self, event_id: UUID) -> Door | None:
        """The door if it is loaded."""
        return self._open.get(event_id)

    @property
    def open(self) -> list[Door]:
        """All that are loaded."""
        return list(self._open.values())

    async def get(self, event_id: UUID) -> Door:
        """The event's door, loaded at the first question."""
        door = self._open.get(event_id)
        if door is None:
            async with self._loading.setdefault(event_id, asyncio.Lock()):
                door = self._open.get(event_id)
                if door is None:
                    door = self._open[event_id] = await load_door(self._db, event_id)
            for channel in _CHANNELS:
                self._on_growth(event_id, channel)  # what was announced while it was being loaded
        return door

    async def reload(self, event_id: UUID) -> Door:
        """Loads the door anew."""
        door = self._open[event_id] = await load_door(self._db, event_id)
        return door

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        key = (event_id, channel)
        if channel in _CHANNELS and event_id in self._open and key not in self._following:
            self._following[key] = asyncio.create_task(self._follow(*key), name=f"door follows {channel}")

    async def _follow(self, event_id: UUID, channel: str) -> None:
        how = _CHANNELS[channel]
        try:
            while self._is_behind(event_id, channel):
                await self._try(how, event_id)
        finally:
            # At once, not in a callback of the finished task: a revocation heard in between would start nothing.
            del self._following[(event_id, channel)]

    def _is_behind(self, event_id: UUID, channel: str) -> bool:
        heard = self._watch.position(event_id, channel)
        door = self._open[event_id]
        if heard is None:
            return False
        another_log = channel == CHECKIN and door.epoch not in ("", heard.epoch)
        return another_log or heard.seq > _CHANNELS[channel].seq_of(door)

    async def _try(self, how: _Channel, event_id: UUID) -> None:
        try:
            await how.catch_up(self, self._open[event_id])
        except Exception as error:  # a door that stops following admits revoked badges: say so, and try again
            if not isinstance(error, LOST_CONNECTION):
                logger.exception("following the door of %s failed in a way nobody foresaw", event_id)
            logger.warning("cannot read what changed at the door of %s (%s); trying again", event_id, error)
            await asyncio.sleep(RETRY_SECONDS)

    async def follow_checkin(self, door: Door) -> None:
        heard = self._watch.position(door.event_id, CHECKIN)
        if heard is None or heard.epoch == door.epoch or not door.epoch:
            async with self._db.read() as connection:
                if await catch_up(connection, door):
                    return
        await self.reload(door.event_id)

    async def follow_schedule(self, door: Door) -> None:
        async with self._db.snapshot() as tx:
            await _read_sessions(tx, door)


_CHANNELS = {
    CHECKIN: _Channel(lambda door: door.seq, Doors.follow_checkin),
    SCHEDULE: _Channel(lambda door: door.schedule_seq, Doors.follow_schedule),
}
