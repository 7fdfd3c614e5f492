"""An event's door in memory: who may scan, what is scanned, which lists there are.

Looking a badge up in SQL would halve the rate at which scans are written, so each process keeps the event's badges and
devices and follows channel `checkin`, on which every change to them is announced. The database stays the judge of what only
one may win: nothing here decides who was first.
"""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

import msgspec

from server.attendee import queries as attendee_queries
from server.attendee.types import BadgeRow
from server.checkin import queries
from server.checkin.policy import clean_code
from server.checkin.types import CheckinListRow
from server.db import LOST_CONNECTION, Database, Tx
from server.device import queries as device_queries
from server.device.types import DeviceRow, Gate
from server.feed import CHECKIN, Watch, queries as feed_queries
from server.feed.types import FeedEventRow

logger = logging.getLogger(__name__)

LOAD_CHUNK = 2000
"""Badges read at a time: about 10 ms, so that loading 150,000 does not hold up the scans of other events."""
FOLLOW_PAGE = 500
RETRY_SECONDS = 0.2


class BadgeRevoked(msgspec.Struct, frozen=True):
    """The data of a `badge.revoked` event on channel `checkin`."""

    code: str


class Door:
    """What one event's scans are checked against."""

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        self.seq = 0
        """Up to where channel `checkin` is reflected here."""
        self.lists: dict[str, CheckinListRow] = {}
        self.devices: dict[UUID, DeviceRow] = {}
        self.gates: dict[UUID, str] = {}
        """Names of the event's gates, and of those deleted since the door was loaded."""
        self._by_token: dict[bytes, DeviceRow] = {}
        self._badges: dict[str, BadgeRow] = {}

    def device_of(self, token_hash: bytes) -> DeviceRow | None:
        """The device that holds this token and has not been revoked."""
        return self._by_token.get(token_hash)

    def badge_of(self, code: str) -> BadgeRow | None:
        """The badge with this code or short code, as scanned or typed."""
        return self._badges.get(code) or self._badges.get(clean_code(code))

    def revoke_badge(self, code: str) -> None:
        badge = self._badges.get(code)
        if badge is not None:
            self._badges[badge.code] = self._badges[badge.short_code] = msgspec.structs.replace(badge, revoked=True)

    def set_devices(self, devices: list[DeviceRow]) -> None:
        self.devices = {device.device_id: device for device in devices}
        self._by_token = {device.token_hash: device for device in devices if device.token_hash is not None}

    def set_gates(self, gates: list[Gate]) -> None:
        self.gates |= {gate.id: gate.name for gate in gates}

    def set_lists(self, lists: list[CheckinListRow]) -> None:
        self.lists = {checkin_list.key: checkin_list for checkin_list in lists}

    def add_badges(self, badges: list[BadgeRow]) -> None:
        for badge in badges:
            self._badges[badge.code] = self._badges[badge.short_code] = badge


async def load_door(db: Database, event_id: UUID) -> Door:
    """The event's door as of now."""
    door = Door(event_id)
    async with db.snapshot() as tx:
        position = await feed_queries.get_position(tx, event_id, channel=CHECKIN)
        door.seq = position.seq if position else 0
        door.set_lists(await queries.list_checkin_lists(tx, event_id))
        door.set_devices(await device_queries.list_devices(tx, event_id))
        door.set_gates(await device_queries.list_gates(tx, event_id))
        async for badges in attendee_queries.iterate_badges(tx, event_id, chunk=LOAD_CHUNK):
            door.add_badges(badges)
            await asyncio.sleep(0)  # others' scans go first
    return door


class Doors:
    """The doors this process has been asked about, kept true."""

    def __init__(self, db: Database, watch: Watch) -> None:
        self._db = db
        self._watch = watch
        self._open: dict[UUID, Door] = {}
        self._loading: dict[UUID, asyncio.Lock] = {}
        self._following: dict[UUID, asyncio.Task[None]] = {}
        watch.add_listener(self._on_growth)

    def known(self, event_id: UUID) -> Door | None:
        """The door if it is loaded."""
        return self._open.get(event_id)

    async def get(self, event_id: UUID) -> Door:
        """The event's door, loaded at the first question."""
        door = self._open.get(event_id)
        if door is None:
            async with self._loading.setdefault(event_id, asyncio.Lock()):
                door = self._open.get(event_id)
                if door is None:
                    door = self._open[event_id] = await load_door(self._db, event_id)
            self._on_growth(event_id, CHECKIN)  # what was announced while it was being loaded
        return door

    def _on_growth(self, event_id: UUID, channel: str) -> None:
        if channel == CHECKIN and event_id in self._open and event_id not in self._following:
            self._following[event_id] = asyncio.create_task(self._follow(event_id), name="door follows its channel")

    async def _follow(self, event_id: UUID) -> None:
        try:
            while (heard := self._watch.position(event_id, CHECKIN)) and heard.seq > self._open[event_id].seq:
                await self._try_to_catch_up(event_id)
        finally:
            # At once, not in a callback of the finished task: a revocation heard in between would start nothing.
            del self._following[event_id]

    async def _try_to_catch_up(self, event_id: UUID) -> None:
        try:
            await self._catch_up(self._open[event_id])
        except Exception as error:  # a door that stops following admits revoked badges: say so, and try again
            if not isinstance(error, LOST_CONNECTION):
                logger.exception("following the door of %s failed in a way nobody foresaw", event_id)
            logger.warning("cannot read what changed at the door of %s (%s); trying again", event_id, error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self, door: Door) -> None:
        async with self._db.read() as connection:
            events = await feed_queries.list_events_after(
                connection, door.event_id, channel=CHECKIN, after=door.seq, limit=FOLLOW_PAGE
            )
            if any(event.kind == "attendees.changed" for event in events):
                self._open[door.event_id] = await load_door(self._db, door.event_id)
                return
            await self._apply(connection, door, events)
        if events:
            door.seq = events[-1].seq

    async def _apply(self, connection: Tx, door: Door, events: list[FeedEventRow]) -> None:
        for event in events:
            if event.kind == "badge.revoked":
                door.revoke_badge(msgspec.json.decode(event.data, type=BadgeRevoked).code)
        if any(event.kind.startswith(("device.", "gate.")) for event in events):
            door.set_devices(await device_queries.list_devices(connection, door.event_id))
            door.set_gates(await device_queries.list_gates(connection, door.event_id))
