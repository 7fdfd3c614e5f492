"""Counting what was logged and telling it, in one transaction: each scan is counted and told once, whoever does it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from server.checkin import queries as checkin_queries
from server.checkin.door import Door
from server.checkin.doors import Doors, catch_up
from server.checkin.events import CONFLICTS_CHANGED, PASSED, Conflict, ConflictsChanged
from server.checkin.recount import recount
from server.checkin.types import Fact, PersonKey
from server.db import Database, Tx
from server.desk import queries
from server.desk.projection import Projection, not_entitled, occupancy_of
from server.desk.types import ConflictRow, NewsRow, NewsScanRow, Occupancy, Told
from server.feed import CHECKIN, OCCUPANCY, emit, queries as feed_queries, set_states

AT_A_TIME = 10
"""Batches looked at before others get their turn: about a millisecond."""


async def tell_news(db: Database, doors: Doors, event_id: UUID, *, pause: float, limit: int) -> Told:
    """Takes up to `limit` batches that were logged and tells them, unless somebody is at it or was within `pause` seconds."""
    door = await doors.get(event_id)
    async with db.tx() as tx:
        if not await queries.has_news(tx, event_id):
            return Told(occupancy=None, more=False)
        await queries.open_desk(tx, event_id)
        if not await queries.take_desk(tx, event_id, pause=pause):
            return Told(occupancy=None, more=True)
        # First what others have told: the counts told below are of everybody.
        if not await catch_up(tx, door):
            door = await doors.reload(event_id)
        news = await queries.take_news(tx, event_id, limit=limit)
        told = await _tell(tx, door, news)
        occupancy = occupancy_of(door, datetime.now(UTC))
        await set_states(tx, event_id, OCCUPANCY, occupancy)
    if told and told[0] == door.seq + 1:
        door.seq = told[-1]  # it knows already what it has told itself
    return Told(occupancy=occupancy, more=len(news) == limit)


async def tell_occupancy(db: Database, door: Door, told: Mapping[str, Occupancy] | None) -> dict[str, Occupancy] | None:
    """Tells what differs from what was told without a scan: another session has begun, a capacity was set, a list removed.

    Returns what is told now; None where nothing differs or somebody else is at it.
    """
    if told == occupancy_of(door, datetime.now(UTC)):
        return None
    async with db.tx() as tx:
        await queries.open_desk(tx, door.event_id)
        if not await queries.take_desk(tx, door.event_id, pause=0) or not await catch_up(tx, door):
            return None  # at the next look
        occupancy = occupancy_of(door, datetime.now(UTC))
        known = await feed_queries.list_states_after(tx, door.event_id, channel=OCCUPANCY, after=0)
        gone: dict[str, object] = {row.key: None for row in known if row.key not in occupancy}
        await set_states(tx, door.event_id, OCCUPANCY, gone | occupancy)
    return occupancy


async def count_new_capacities(db: Database, door: Door, counted: frozenset[UUID]) -> frozenset[UUID]:
    """Counts anew who is inside the lists that have got a capacity since `counted` was returned.

    Whoever set it has counted too; but until this process had heard of it, its scans went by uncounted.
    """
    limited = {
        row.list_id: row.capacity for row in door.lists.values() if row.capacity is not None and row.room_id is None
    }
    for list_id in sorted(limited.keys() - counted):
        async with db.tx() as tx:
            await recount(tx, door.event_id, list_id, capacity=limited[list_id])
    return frozenset(limited)


async def _tell(tx: Tx, door: Door, news: Sequence[NewsRow]) -> list[int]:
    """Counts and tells the news; returns the numbers of what was told on the channel, which follow on each other."""
    projection = Projection(door)
    keys = []
    for number, row in enumerate(news):
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)  # who stands at a door goes first
        if row.scan_ids is None:
            projection.add_first_comers(row)
        else:
            keys += list(zip(row.device_ids, row.scan_ids, strict=True))
    scans = await queries.list_news_scans(tx, door.event_id, keys) if keys else []
    for scan in scans:
        projection.add_scan(scan)
    await _look_at_histories(tx, door, projection, scans)
    counted = {key: scans for key, scans in projection.counted.items() if scans}
    if counted:
        await queries.add_to_tally(tx, door.event_id, counted)
    told = [
        (await emit(tx, door.event_id, channel=CHECKIN, kind=PASSED, data=passed)).seq
        for passed in projection.passed(datetime.now(UTC))
    ]
    return told + await _settle_conflicts(tx, door, projection, scans)


async def _look_at_histories(tx: Tx, door: Door, projection: Projection, scans: Sequence[NewsScanRow]) -> None:
    """Whoever passed otherwise than for the first time is looked at whole."""
    people: set[PersonKey] = {
        (door.event_id, scan.area_id, scan.attendee_id)
        for scan in scans
        if scan.turn is not None and scan.attendee_id is not None
    }
    if not people:
        return
    news = {(scan.device_id, scan.scan_id) for scan in scans}
    histories: defaultdict[PersonKey, list[Fact]] = defaultdict(list)
    for fact in await checkin_queries.list_facts(tx, people):
        histories[fact.person].append(fact)
    for own in histories.values():
        projection.add_history(own, news)


async def _settle_conflicts(tx: Tx, door: Door, projection: Projection, scans: Sequence[NewsScanRow]) -> list[int]:
    found = projection.double_admissions() + not_entitled(scans)
    people = sorted({attendee_id for _, _, attendee_id in projection.standings if attendee_id is not None})
    known = await queries.list_conflicts_of(tx, door.event_id, people) if people else []
    known = [
        one for one in known if (door.event_id, door.area_of(one.list_id), one.attendee_id) in projection.standings
    ]
    standing = {one.scans for one in found}
    resolved = [one for one in known if one.scans not in standing]
    unknown = {one.scans: one for one in found if one.scans not in {each.scans for each in known}}
    opened = await queries.open_conflicts(tx, door.event_id, list(unknown.values())) if unknown else []
    if resolved:
        await queries.resolve_conflicts(tx, door.event_id, [one.conflict_id for one in resolved])
    told = []
    for list_id in sorted({one.list_id for one in (*opened, *resolved)}):
        checkin_list = door.lists_by_id.get(list_id)
        if checkin_list is not None:
            changed = ConflictsChanged(
                list=checkin_list.key,
                detected=await describe(tx, door, [one for one in opened if one.list_id == list_id]),
                resolved=[one.conflict_id for one in resolved if one.list_id == list_id],
            )
            told.append((await emit(tx, door.event_id, channel=CHECKIN, kind=CONFLICTS_CHANGED, data=changed)).seq)
    return told


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
                device=door.device_name(later.device_id),
                gate=door.gate_name(later.gate_id),
                first_at=first.at if first else None,
                first_device=door.device_name(first.device_id) if first else None,
                first_gate=door.gate_name(first.gate_id) if first else None,
            )
        )
    return described
