"""Answering a scan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from server.attendee.types import BadgeRow
from server.checkin.door import Door
from server.checkin.errors import UnknownList
from server.checkin.policy import DOUBLE_TRIGGER, code_for_log, refusal
from server.checkin.types import Admission, Answer, CheckIn, LoggedScan, Person, Scan
from server.checkin.writers import Writers
from server.device.types import DeviceRow
from server.instants import check_instant


async def check_in(door: Door, writers: Writers, device: DeviceRow, command: CheckIn) -> Answer:
    """Logs a scan and returns the log's answer.

    Raises `UnknownList`, `ScanIdReused`, `InvalidRequest` (nothing was logged), `Overloaded` (it may have been logged: the
    same scan id gets the answer later).
    """
    logged, finish = check_in_soon(door, writers, device, command)
    return finish(await logged)


def check_in_soon(
    door: Door, writers: Writers, device: DeviceRow, command: CheckIn
) -> tuple[asyncio.Future[LoggedScan], Callable[[LoggedScan], Answer]]:
    """As `check_in`, for a caller that has no task to wait in: the log's row to come, and what makes the answer of it.

    Raises what `check_in` raises without waiting; the future ends with the rest.
    """
    scan, badge = _propose(door, device, command)
    return writers.submit(scan), lambda logged: _answer(door, logged, badge)


def _propose(door: Door, device: DeviceRow, command: CheckIn) -> tuple[Scan, BadgeRow | None]:
    checkin_list = door.lists.get(command.list)
    if checkin_list is None:
        raise UnknownList(f"There is no check-in list `{command.list}` in this event.")
    check_instant(command.scanned_at, "scanned_at")
    badge = door.badge_of(command.code)
    entry = command.direction == "entry"
    reason = refusal(badge, checkin_list) if entry else (None if badge else "unknown_code")
    scan = Scan(
        door.event_id,
        device.device_id,
        command.scan_id,
        checkin_list.list_id,
        device.gate_id,
        badge.attendee_id if badge else None,
        code_for_log(command.code),
        command.direction,
        command.scanned_at,
        "refused" if reason else "admitted" if entry else "exited",
        reason,
        1 if entry and not reason else None,  # the writer finds the stay of everybody who was here before
    )
    return scan, badge


def _answer(door: Door, logged: LoggedScan, badge: BadgeRow | None) -> Answer:
    admission = None
    if logged.outcome == "admitted":
        admission = _admission(door, logged, logged.received_at, logged.gate_id, logged.device_id)
    elif logged.blocked_at and logged.blocking_gate_id and logged.blocking_device_id:
        admission = _admission(door, logged, logged.blocked_at, logged.blocking_gate_id, logged.blocking_device_id)
    person = None
    if badge is not None and badge.attendee_id == logged.attendee_id:
        person = Person(badge.attendee_id, badge.name, badge.company, badge.ticket, badge.language)
    return Answer(logged.scan_id, logged.outcome, logged.reason, person, admission)


def _admission(door: Door, logged: LoggedScan, at: datetime, gate_id: UUID, device_id: UUID) -> Admission:
    device = door.devices.get(device_id)
    recently = (
        logged.outcome == "already_admitted"
        and device_id == logged.device_id
        and logged.received_at - at < DOUBLE_TRIGGER
    )
    return Admission(at, door.gates.get(gate_id, ""), device.name if device else "", recently)
