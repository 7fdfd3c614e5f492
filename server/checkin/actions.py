"""Answering scans: one that somebody waits for, and those that a scanner made while it was offline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from server.attendee.types import BadgeRow
from server.checkin import queries
from server.checkin.batch import BatchAnswer, BatchResult, Item, as_result
from server.checkin.door import Door
from server.checkin.errors import UnknownList
from server.checkin.policy import AFTERWARDS, DOUBLE_TRIGGER, believed, code_for_log, refusal
from server.checkin.types import (
    Admission,
    Answer,
    CheckIn,
    CheckinListRow,
    Clock,
    Decided,
    LoggedScan,
    Person,
    Reason,
    Scan,
    SessionRow,
)
from server.checkin.writer import ANSWER_SECONDS
from server.checkin.writers import Writers
from server.db import LOST_CONNECTION, Database
from server.device.policy import check_right
from server.device.types import DeviceRow
from server.errors import AppError, Overloaded
from server.instants import check_instant

logger = logging.getLogger(__name__)

MARK_SECONDS = 1.0
"""Waited for a mark after `ANSWER_SECONDS` for the scans: nobody waits longer than 10 s in all."""


async def check_in(door: Door, writers: Writers, device: DeviceRow, command: CheckIn) -> Answer:
    """Logs a scan and returns the log's answer.

    Raises `UnknownList`, `ScanIdReused`, `InvalidRequest`, `ProfileForbids` (nothing was logged), `Overloaded` (it may have been
    logged: the same scan id gets the answer later).
    """
    logged, finish = check_in_soon(door, writers, device, command)
    return finish(await logged)


def check_in_soon(
    door: Door, writers: Writers, device: DeviceRow, command: CheckIn
) -> tuple[asyncio.Future[Any], Callable[[Any], Answer]]:
    """As `check_in`, for a caller that has no task to wait in: what is to come, and what makes the answer of it.

    Raises what `check_in` raises without waiting; the future ends with the rest.
    """
    check_right(device.profile, "check_in" if command.direction == "entry" else "check_out")
    if command.decided is not None:
        check_right(device.profile, "check_in_batch")
        return asyncio.ensure_future(upload(door, writers, device, [command])), _only
    scan, badge = _propose(door, device, command)
    return writers.submit(scan), lambda logged: _answer(door, logged, badge)


async def upload(
    door: Door, writers: Writers, device: DeviceRow, commands: Sequence[CheckIn]
) -> list[Answer | AppError]:
    """Logs scans that have happened, in any order, and returns the log's answers in theirs.

    What `check_in` would raise stands in the place of the scan that is the reason. A scan that says nothing of what the scanner
    decided let the person through.
    """
    received_at = datetime.now(UTC)
    results: list[Answer | AppError | None] = [None] * len(commands)
    proposed: list[tuple[int, Scan, BadgeRow | None]] = []
    for place, command in enumerate(commands):
        try:
            proposed.append((place, *_propose_past(door, device, command, received_at)))
        except AppError as error:
            results[place] = error
    proposed.sort(key=lambda one: one[1].at or received_at)  # so that an exit finds the entry that was before it
    logged_scans = await _log(writers, [one[1] for one in proposed])
    for (place, _, badge), logged in zip(proposed, logged_scans, strict=True):
        results[place] = logged if isinstance(logged, AppError) else _answer(door, logged, badge)
    return [result for result in results if result is not None]


async def upload_batch(
    db: Database, door: Door, writers: Writers, device: DeviceRow, items: Sequence[Item]
) -> BatchAnswer:
    """Logs a batch as it was read: `upload`, with the items that could not be read in their places.

    Raises `Overloaded` where not one of them was stored for want of time: the scanner brings them all again.
    """
    readable = [item for item in items if isinstance(item, CheckIn)]
    answers = await upload(door, writers, device, readable)
    late = any(isinstance(answer, Overloaded) for answer in answers)
    stored = sum(isinstance(answer, Answer) for answer in answers)
    if late and not stored:
        raise Overloaded
    numbered = any(item.number is not None for item in readable)
    asked = iter(zip(readable, answers, strict=True))
    return BatchAnswer(
        results=[item if isinstance(item, BatchResult) else as_result(*next(asked)) for item in items],
        stored=stored,
        mark=await _mark_in_time(db, door, device) if numbered and not late else None,
    )


async def _mark_in_time(db: Database, door: Door, device: DeviceRow) -> int | None:
    """The mark, unless it takes long: the scans are stored, and that is what their scanner waits to hear."""
    looking = asyncio.create_task(mark_of(db, door, device), name="mark")
    looking.add_done_callback(_forget)
    # Left to itself where it does not come: to cancel a statement that hangs takes as long as the statement.
    done, _ = await asyncio.wait([looking], timeout=MARK_SECONDS)
    if not done:
        logger.warning("cannot tell a scanner its mark in time")
        return None
    try:
        return looking.result()
    except LOST_CONNECTION as error:
        logger.warning("cannot tell a scanner its mark (%r)", error)
        return None


def _forget(looking: asyncio.Task[int]) -> None:
    """Takes note of an outcome that nobody waits for any more, or Python complains that nobody did."""
    if not looking.cancelled():
        looking.exception()


async def mark_of(db: Database, door: Door, device: DeviceRow) -> int:
    """Up to which of its own numbers all scans of the phone that is this device now are in the log."""
    phone = (device.device_id, device.token_hash)
    async with db.read() as connection:
        found = await queries.get_mark(connection, door.event_id, device.device_id, known=door.marks.get(phone, 0))
    door.marks[phone] = max(found, door.marks.get(phone, 0))
    return found


async def _log(writers: Writers, scans: Sequence[Scan]) -> list[LoggedScan | AppError]:
    deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
    results = [_expected(result) for result in await writers.submit_all(scans, deadline)]
    contradicted = {
        place: _afterwards(scan)
        for place, (scan, logged) in enumerate(zip(scans, results, strict=True))
        if isinstance(logged, LoggedScan) and _contradicts(scan, logged)
    }
    if contradicted:
        again = await writers.submit_all(list(contradicted.values()), deadline)
        for place, logged in zip(contradicted, again, strict=True):
            told = _expected(logged)
            results[place] = (
                told if isinstance(told, AppError) else msgspec.structs.replace(told, scan_id=scans[place].scan_id)
            )
    return results


def _expected(result: LoggedScan | Exception) -> LoggedScan | AppError:
    if isinstance(result, LoggedScan | AppError):
        return result
    raise result


def _contradicts(scan: Scan, logged: LoggedScan) -> bool:
    """The server refused this scan online, the answer was lost, and the scanner let the person in by itself."""
    return scan.decided == "admitted" and logged.decided is None and logged.outcome in ("refused", "already_admitted")


def _afterwards(scan: Scan) -> Scan:
    return msgspec.structs.replace(scan, scan_id=AFTERWARDS + scan.scan_id, number=None)


def _propose(door: Door, device: DeviceRow, command: CheckIn) -> tuple[Scan, BadgeRow | None]:
    """A question that somebody waits for."""
    checkin_list = _list(door, command)
    check_instant(command.scanned_at, "scanned_at")
    badge = door.badge_of(command.code)
    session = None
    reason: Reason | None = "unknown_code" if badge is None else None
    if command.direction == "entry":
        now = None
        if checkin_list.opens_at or checkin_list.closes_at or checkin_list.room_id:
            now = datetime.now(UTC)
            session = door.session_at(checkin_list, now)
        reason = refusal(badge, checkin_list, now, session)
    return _scan(door, device, command, checkin_list, badge, session, reason), badge


def _propose_past(
    door: Door, device: DeviceRow, command: CheckIn, received_at: datetime
) -> tuple[Scan, BadgeRow | None]:
    """Something a scanner did by itself, with the rules as they were at that moment."""
    checkin_list = _list(door, command)
    at = _moment(command, received_at)
    badge = door.badge_of(command.code)
    entry = command.direction == "entry"
    decided: Decided = command.decided or ("admitted" if entry else "exited")
    session = door.session_at(checkin_list, at) if entry else None
    reason: Reason | None = "unknown_code" if badge is None else None
    if entry:
        reason = refusal(badge, checkin_list, at, session, happened_at=at)
    if decided == "refused" and reason is None:
        reason = "turned_away"
    return _scan(door, device, command, checkin_list, badge, session, reason, at, decided), badge


def _scan(
    door: Door,
    device: DeviceRow,
    command: CheckIn,
    checkin_list: CheckinListRow,
    badge: BadgeRow | None,
    session: SessionRow | None,
    reason: Reason | None,
    at: datetime | None = None,
    decided: Decided | None = None,
) -> Scan:
    """With the answer that it gets unless the log knows better. Positional all the way: it is made for every scan."""
    entry = command.direction == "entry"
    first = entry and badge and not reason and not door.has_seen(checkin_list.list_id, badge.attendee_id)
    return Scan(
        door.event_id,
        device.device_id,
        command.scan_id,
        checkin_list.list_id,
        door.area_of(checkin_list.list_id),
        device.gate_id,
        badge.attendee_id if badge else None,
        code_for_log(command.code),
        command.direction,
        command.scanned_at,
        "refused" if reason else "admitted" if entry else "exited",
        reason,
        1 if first else None,
        session.session_id if session else None,
        at,
        decided,
        command.number,
        conflict=reason is not None and decided == "admitted",
        reentry=checkin_list.reentry,
        capacity=checkin_list.capacity,
        counted=checkin_list.is_counted,
    )


def _moment(command: CheckIn, received_at: datetime) -> datetime:
    for name in ("scanned_at", "synced_at"):
        check_instant(getattr(command, name), name)
    at, _ = believed(command.scanned_at, command.synced_at, received_at)
    return at


def _list(door: Door, command: CheckIn) -> CheckinListRow:
    checkin_list = door.lists.get(command.list)
    if checkin_list is None:
        raise UnknownList(f"There is no check-in list `{command.list}` in this event.")
    return checkin_list


def _answer(door: Door, logged: LoggedScan, badge: BadgeRow | None) -> Answer:
    admission = None
    if logged.outcome == "admitted":
        admission = _admission(door, logged, logged.at, logged.gate_id, logged.device_id)
    elif logged.blocked_at and logged.blocking_gate_id and logged.blocking_device_id:
        admission = _admission(door, logged, logged.blocked_at, logged.blocking_gate_id, logged.blocking_device_id)
    person = None
    if badge is not None and badge.attendee_id == logged.attendee_id:
        person = Person(badge.attendee_id, badge.name, badge.company, badge.ticket, badge.language)
    assert logged.outcome != "undone", "an undo's row is nobody's scan"  # noqa: S101 - for the type checker
    return Answer(logged.scan_id, logged.outcome, logged.reason, person, admission, logged.conflict, _clock(logged))


def _admission(door: Door, logged: LoggedScan, at: datetime, gate_id: UUID, device_id: UUID) -> Admission:
    recently = (
        logged.outcome == "already_admitted" and device_id == logged.device_id and logged.at - at < DOUBLE_TRIGGER
    )
    return Admission(at, door.gate_name(gate_id), door.device_name(device_id), recently)


def _clock(logged: LoggedScan) -> Clock | None:
    """How the clock of an offline scanner was not believed."""
    if logged.decided is None or logged.scanned_at is None or logged.scanned_at == logged.at:
        return None
    return "ahead" if logged.scanned_at > logged.at else "behind"


def _only(results: Sequence[Answer | AppError]) -> Answer:
    if isinstance(results[0], AppError):
        raise results[0]
    return results[0]
