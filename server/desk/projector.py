"""Takes what was logged, counts it and tells it, in one transaction; every process tries, one at a time does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

from server.checkin import queries as checkin_queries
from server.checkin.door import Door
from server.checkin.doors import Doors, catch_up
from server.checkin.events import CONFLICTS_CHANGED, PASSED, Conflict, ConflictsChanged
from server.checkin.types import Fact
from server.db import LOST_CONNECTION, Database, Tx
from server.desk import queries
from server.desk.projection import Projection, not_entitled
from server.desk.types import ConflictRow, NewsRow, NewsScanRow, Occupancy
from server.feed import CHECKIN, OCCUPANCY, emit, queries as feed_queries, set_states

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Between two messages of one list."""
LOOK_SECONDS = 1.0
"""How often an event is looked at of which this process has logged nothing: another one may have died with news untold."""
MAX_NEWS = 400
"""Batches told at a time: some thousands of scans at the worst."""


class Projector:
    """The background task of one process."""

    def __init__(self, db: Database, doors: Doors) -> None:
        self._db = db
        self._doors = doors
        self._due: set[UUID] = set()
        self._told: dict[UUID, dict[str, Occupancy]] = {}
        """Occupancies by event, as this process has told them or found them told."""
        self._woken = asyncio.Event()
        self.rounds = 0
        """Times something was told."""

    def note(self, events: Iterable[UUID]) -> None:
        """Something was logged of these events."""
        self._due.update(events)
        self._woken.set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Projector]:
        """Projects in the background for the length of the block, and once more at its end."""
        task = asyncio.create_task(self._keep_projecting(), name="door projector")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._round(self._due)

    async def _keep_projecting(self) -> None:
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass  # the look below
            self._woken.clear()
            began = loop.time()
            events, self._due = self._due, set()
            if began - looked_at >= LOOK_SECONDS:
                looked_at = began
                events |= {door.event_id for door in self._doors.open}
                await self._look()
            await self._round(events)
            await asyncio.sleep(max(0.0, PAUSE_SECONDS - (loop.time() - began)))

    async def _look(self) -> None:
        for door in self._doors.open:
            try:
                await self.look_at_occupancy(door)
            except LOST_CONNECTION as error:
                logger.warning("cannot tell how full the lists of %s are (%s)", door.event_id, error)
            except Exception:
                logger.exception("telling how full the lists of %s are failed in a way nobody foresaw", door.event_id)

    async def _round(self, events: Iterable[UUID]) -> None:
        for event_id in list(events):
            try:
                if await self.project(event_id):
                    self.note([event_id])  # there is more
            except Exception as error:
                if not isinstance(error, LOST_CONNECTION):
                    logger.exception("counting the door of %s failed in a way nobody foresaw", event_id)
                logger.warning("cannot count the door of %s (%s); trying again", event_id, error)
                self._due.add(event_id)  # with the next look

    async def project(self, event_id: UUID) -> bool:
        """One round for one event; True where there may be more to tell."""
        door = await self._doors.get(event_id)
        async with self._db.tx() as tx:
            if not await queries.has_news(tx, event_id):
                return False
            await queries.open_desk(tx, event_id)
            if not await queries.take_desk(tx, event_id, pause=PAUSE_SECONDS * 0.9):
                return True
            # First what others have told: the counts told below are of everybody.
            if not await catch_up(tx, door):
                door = await self._doors.reload(event_id)
            news = await queries.take_news(tx, event_id, limit=MAX_NEWS)
            if news:
                self.rounds += 1
                await _tell(tx, door, news)
                values = occupancy_of(door)
                await set_states(tx, event_id, OCCUPANCY, values)
        if news:
            self._told[event_id] = values
        return len(news) == MAX_NEWS

    async def look_at_occupancy(self, door: Door) -> None:
        """Tells what has changed without a scan: another session has begun, a capacity was set, a list made or removed."""
        if self._told.get(door.event_id) == occupancy_of(door):
            return
        async with self._db.tx() as tx:
            await queries.open_desk(tx, door.event_id)
            if not await queries.take_desk(tx, door.event_id, pause=0) or not await catch_up(tx, door):
                return  # somebody else is at it, or the door is about to be loaded anew: at the next look
            values = occupancy_of(door)
            known = await feed_queries.list_states_after(tx, door.event_id, channel=OCCUPANCY, after=0)
            gone: dict[str, object] = {row.key: None for row in known if row.key not in values}
            await set_states(tx, door.event_id, OCCUPANCY, gone | values)
        self._told[door.event_id] = values


def occupancy_of(door: Door) -> dict[str, Occupancy]:
    """How full each list is, by the state's key."""
    now = datetime.now(UTC)
    values = {}
    for checkin_list in door.lists.values():
        session = door.session_at(checkin_list, now)
        session_id = session.session_id if session else None
        inside = door.occupancy(checkin_list, session_id)
        free = None if checkin_list.capacity is None else max(0, checkin_list.capacity - inside)
        values[f"list:{checkin_list.key}"] = Occupancy(inside, checkin_list.capacity, free, session_id)
    return values


async def _tell(tx: Tx, door: Door, news: Sequence[NewsRow]) -> None:
    projection = Projection(door)
    keys = []
    for row in news:
        if row.scan_ids is None:
            projection.add_first_comers(row)
        else:
            keys += list(zip(row.device_ids, row.scan_ids, strict=True))
    scans = await queries.list_news_scans(tx, door.event_id, keys) if keys else []
    for scan in scans:
        projection.add_scan(scan)
    await _look_at_histories(tx, door, projection, scans)
    if projection.counted:
        await queries.add_to_tally(tx, door.event_id, projection.counted)
    for passed in projection.passed(datetime.now(UTC)):
        await emit(tx, door.event_id, channel=CHECKIN, kind=PASSED, data=passed)
    await _settle_conflicts(tx, door, projection, scans)


async def _look_at_histories(tx: Tx, door: Door, projection: Projection, scans: Sequence[NewsScanRow]) -> None:
    """Whoever passed otherwise than for the first time is looked at whole."""
    people = {
        (door.event_id, scan.area_id, scan.attendee_id)
        for scan in scans
        if scan.turn is not None and scan.attendee_id is not None
    }
    if not people:
        return

    def person(fact: Fact) -> tuple[UUID, UUID]:
        return (fact.area_id, fact.attendee_id)

    facts = sorted(await checkin_queries.list_facts(tx, people), key=person)
    for _, own in groupby(facts, key=person):
        projection.add_history(list(own))


async def _settle_conflicts(tx: Tx, door: Door, projection: Projection, scans: Sequence[NewsScanRow]) -> None:
    found = projection.double_admissions() + not_entitled(scans)
    people = sorted({attendee_id for _, attendee_id in projection.standings})
    known = await queries.list_conflicts_of(tx, door.event_id, people) if people else []
    known = [one for one in known if (_area(door, one.list_id), one.attendee_id) in projection.standings]
    standing = {one.scans for one in found}
    resolved = [one for one in known if one.scans not in standing]
    unknown = {one.scans: one for one in found if one.scans not in {each.scans for each in known}}
    opened = await queries.open_conflicts(tx, door.event_id, list(unknown.values())) if unknown else []
    if resolved:
        await queries.resolve_conflicts(tx, door.event_id, [one.conflict_id for one in resolved])
    for list_id in sorted({one.list_id for one in (*opened, *resolved)}):
        checkin_list = door.lists_by_id.get(list_id)
        if checkin_list is not None:
            changed = ConflictsChanged(
                list=checkin_list.key,
                detected=await describe(tx, door, [one for one in opened if one.list_id == list_id]),
                resolved=[one.conflict_id for one in resolved if one.list_id == list_id],
            )
            await emit(tx, door.event_id, channel=CHECKIN, kind=CONFLICTS_CHANGED, data=changed)


def _area(door: Door, list_id: UUID) -> UUID:
    checkin_list = door.lists_by_id.get(list_id)
    return door.event_id if checkin_list is not None and checkin_list.room_id is not None else list_id


async def describe(tx: Tx, door: Door, conflicts: Sequence[ConflictRow]) -> list[Conflict]:
    """Conflicts as people read them."""
    keys = [(one.device_id, one.scan_id) for one in conflicts]
    keys += [
        (one.first_device_id, one.first_scan_id)
        for one in conflicts
        if one.first_device_id is not None and one.first_scan_id is not None
    ]
    rows = await queries.list_moments(tx, door.event_id, keys) if keys else []
    moments = {(row.device_id, row.scan_id): row for row in rows}
    described = []
    for one in conflicts:
        later = moments[(one.device_id, one.scan_id)]
        first = (
            moments.get((one.first_device_id, one.first_scan_id))
            if one.first_device_id is not None and one.first_scan_id is not None
            else None
        )
        described.append(
            Conflict(
                id=one.conflict_id,
                kind=one.kind,
                badges=list(door.numbers_of(one.attendee_id)) if one.attendee_id else [],
                at=later.at,
                device=_device(door, later.device_id),
                gate=door.gates.get(later.gate_id, ""),
                first_at=first.at if first else None,
                first_device=_device(door, first.device_id) if first else None,
                first_gate=door.gates.get(first.gate_id, "") if first else None,
            )
        )
    return described


def _device(door: Door, device_id: UUID) -> str:
    device = door.devices.get(device_id)
    return device.name if device else ""
