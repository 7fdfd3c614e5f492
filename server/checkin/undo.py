"""Taking a passing back. The scan stays as it is and keeps its answer; the undo is a row of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from server.auth import Principal
from server.checkin import queries
from server.checkin.door import Door
from server.checkin.errors import NothingToUndo, UndoTooLate, UnknownScan
from server.checkin.policy import AFTERWARDS
from server.checkin.types import LoggedPassing, Scan
from server.checkin.writers import Writers
from server.db import Database, Tx
from server.device.policy import check_right, may

UNDO = "~"
"""Begins the id of an undo's row, so that a scan is undone once. No scanner can choose such an id."""
OWN_UNDO = timedelta(seconds=60)


class UndoScan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose scan is meant. A scanner leaves it out for its own."""

    device_id: UUID | None = None


class Undone(Struct, frozen=True):
    scan_id: str
    device_id: UUID
    undone_at: datetime


async def undo(db: Database, door: Door, writers: Writers, who: Principal, scan_id: str, command: UndoScan) -> Undone:
    """Undoes a scan by which somebody passed; doing it again changes nothing.

    Raises `UnknownScan`, `NothingToUndo`, `UndoTooLate`, `NotAllowed` (not one's own scan), `Overloaded`.
    """
    if "\x00" in scan_id:  # no database text holds one
        raise UnknownScan
    device_id = command.device_id or (who.subject_id if who.kind == "device" else None)
    devices = [device_id] if device_id else list(door.devices)
    async with db.read() as connection:
        found = await _find(connection, door, scan_id, devices)
        if len(found) == 1 and not found[0].passed:
            # Refused online, and let in by a scanner that did not hear of it: that row is the passing.
            found = await _find(connection, door, AFTERWARDS + scan_id, [found[0].device_id]) or found
    if len(found) != 1:
        raise UnknownScan
    passing = found[0]
    _check_may(who, passing)
    if not passing.passed:
        raise NothingToUndo
    logged = await writers.submit(_as_scan(door, passing, who))
    return Undone(scan_id, passing.device_id, logged.at)


async def _find(tx: Tx, door: Door, scan_id: str, devices: list[UUID]) -> list[LoggedPassing]:
    return await queries.list_passings(tx, door.event_id, scan_id=scan_id, undo_id=UNDO + scan_id, devices=devices)


def _check_may(who: Principal, passing: LoggedPassing) -> None:
    if who.kind != "device":
        return
    if passing.device_id != who.subject_id:
        check_right(who.profile, "undo_any")
    elif not may(who.profile, "undo_any"):
        check_right(who.profile, "undo_own")
        if not passing.undone and datetime.now(UTC) - passing.received_at > OWN_UNDO:
            raise UndoTooLate


def _as_scan(door: Door, passing: LoggedPassing, who: Principal) -> Scan:
    checkin_list = door.lists_by_id.get(passing.list_id)
    return Scan(
        door.event_id,
        passing.device_id,
        UNDO + passing.scan_id,
        passing.list_id,
        passing.area_id,
        passing.gate_id,
        passing.attendee_id,
        passing.code,
        passing.direction,
        None,
        "undone",
        None,
        1,  # the writer finds the turn
        passing.session_id,
        undoes=passing.scan_id,
        undone_by=None if who.subject_id == passing.device_id else who.subject_id,
        reentry=checkin_list.reentry if checkin_list else "after_exit",
        capacity=checkin_list.capacity if checkin_list else None,
        counted=checkin_list.is_counted if checkin_list else False,
    )
