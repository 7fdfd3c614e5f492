"""Statements of the door's writer and memory. Those on scans work on whole batches: their number does not depend on how many
scans there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from server.checkin.types import (
    CheckinListRow,
    CountChange,
    CountRow,
    Fact,
    LoggedPassing,
    LoggedScan,
    PersonKey,
    Scan,
    SessionRow,
    TicketRow,
)
from server.db import Tx, rows

# A room's list without a capacity of its own has the room's.
LIST_CHECKIN_LISTS = """
    SELECT checkin_list.list_id, checkin_list.key, checkin_list.kind, checkin_list.room_id, checkin_list.opens_at,
           checkin_list.closes_at, COALESCE(checkin_list.capacity, room.capacity) AS capacity, checkin_list.reentry,
           checkin_list.early_minutes,
           ARRAY(
               SELECT ticket
               FROM checkin_list_ticket
               WHERE checkin_list_ticket.event_id = checkin_list.event_id
                 AND checkin_list_ticket.list_id = checkin_list.list_id
               ORDER BY ticket
           ) AS tickets
    FROM checkin_list
    LEFT JOIN room ON room.event_id = checkin_list.event_id AND room.room_id = checkin_list.room_id
    WHERE checkin_list.event_id = $1
    ORDER BY checkin_list.position, checkin_list.key
"""

LIST_TICKETS = "SELECT ticket, position FROM ticket_type WHERE event_id = $1 AND position >= 0 ORDER BY position"

LIST_ROOM_SESSIONS = """
    SELECT session_id, room_id, starts_at, ends_at
    FROM session
    WHERE event_id = $1 AND room_id IS NOT NULL AND status <> 'cancelled'
"""

# People who come for the first time, and refusals that need no look at the log: all of them or none. An INSERT that may fail is a
# quarter cheaper than one that looks for conflicts first. The order in which rows are inserted is the order in which two batches
# wait for each other; the same everywhere, so that they never wait in a circle.
LOG_FIRST_SCANS = """
    WITH told AS (
        INSERT INTO scan_news (event_id, device_ids, list_ids, gate_ids, attendee_ids, reasons)
        VALUES ($1, $2, $4, $5, $6, $10)
    ), logged AS (
        INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, code, direction, scanned_at,
                          number, outcome, reason, turn)
        SELECT $1, device_id, scan_id, list_id, list_id, gate_id, attendee_id, code, 'entry', scanned_at,
               number, CASE WHEN reason IS NULL THEN 'admitted' ELSE 'refused' END, reason,
               CASE WHEN reason IS NULL THEN 1 END
        FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[],
                    $9::integer[], $10::text[])
             AS proposed (device_id, scan_id, list_id, gate_id, attendee_id, code, scanned_at, number, reason)
        ORDER BY list_id, attendee_id, device_id, scan_id
    )
    SELECT now() AS received_at
"""

# The same of what scanners did while they were offline.
LOG_FIRST_UPLOADS = """
    WITH told AS (
        INSERT INTO scan_news (event_id, device_ids, list_ids, gate_ids, attendee_ids, reasons, ats)
        VALUES ($1, $2, $4, $5, $6, $12, $9)
    ), logged AS (
        INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, code, direction, scanned_at,
                          at, decided, number, outcome, reason, conflict, turn)
        SELECT $1, device_id, scan_id, list_id, list_id, gate_id, attendee_id, code, 'entry', scanned_at,
               LEAST(at, now()), decided, number, CASE WHEN reason IS NULL THEN 'admitted' ELSE 'refused' END, reason,
               false, CASE WHEN reason IS NULL THEN 1 END
        FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[],
                    $9::timestamptz[], $10::text[], $11::integer[], $12::text[])
             AS proposed (device_id, scan_id, list_id, gate_id, attendee_id, code, scanned_at, at, decided, number, reason)
        ORDER BY list_id, attendee_id, device_id, scan_id
    )
    SELECT now() AS received_at
"""

# A scan that was asked online happened when this statement began; nothing can have happened later.
LOG_SCANS = """
    WITH logged AS (
        INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
                          scanned_at, at, decided, number, outcome, reason, conflict, turn, against, undoes, undone_by)
        SELECT event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
               scanned_at, LEAST(at, now()), decided, number, outcome, reason, conflict, turn, against, undoes, undone_by
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[],
                    $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::integer[], $15::text[], $16::text[],
                    $17::boolean[], $18::integer[], $19::integer[], $20::text[], $21::uuid[])
             AS proposed (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
                          scanned_at, at, decided, number, outcome, reason, conflict, turn, against, undoes, undone_by)
        ORDER BY event_id, area_id, attendee_id, turn, device_id, scan_id
        ON CONFLICT DO NOTHING
        RETURNING event_id, device_id, scan_id, received_at, at
    ), told AS (
        INSERT INTO scan_news (event_id, device_ids, scan_ids)
        SELECT event_id, array_agg(device_id), array_agg(scan_id)
        FROM logged
        GROUP BY event_id
    )
    SELECT device_id, scan_id, received_at, at FROM logged
"""

# The same for lists that are counted: all or nothing. The counts' rows are locked first and in one order; a turn that is taken,
# or a seat too many, fails the whole statement. The ceiling is lower by those who were merged before: what this batch merges
# was planned for, but what others have merged since the look takes seats too.
LOG_COUNTED_SCANS = """
    WITH counted AS (
        INSERT INTO checkin_count (event_id, list_id, session_id, granted, merged, ceiling)
        SELECT event_id, list_id, session_id, granted, merged, ceiling
        FROM unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::integer[], $26::integer[], $27::integer[])
             AS change (event_id, list_id, session_id, granted, merged, ceiling)
        ORDER BY event_id, list_id, session_id
        ON CONFLICT (event_id, list_id, session_id) DO UPDATE
            SET granted = checkin_count.granted + EXCLUDED.granted,
                merged = checkin_count.merged + EXCLUDED.merged,
                ceiling = CASE WHEN EXCLUDED.ceiling IS NOT NULL
                               THEN GREATEST(EXCLUDED.ceiling - checkin_count.merged, checkin_count.granted) END
        RETURNING list_id
    ), logged AS (
        INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
                          scanned_at, at, decided, number, outcome, reason, conflict, turn, against, undoes, undone_by)
        SELECT event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
               scanned_at, LEAST(at, now()), decided, number, outcome, reason, conflict, turn, against, undoes, undone_by
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[],
                    $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::integer[], $15::text[], $16::text[],
                    $17::boolean[], $18::integer[], $19::integer[], $20::text[], $21::uuid[])
             AS proposed (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, session_id, code, direction,
                          scanned_at, at, decided, number, outcome, reason, conflict, turn, against, undoes, undone_by)
        WHERE (SELECT count(*) FROM counted) >= 0
        ORDER BY event_id, area_id, attendee_id, turn, device_id, scan_id
        RETURNING event_id, device_id, scan_id, received_at, at
    ), told AS (
        INSERT INTO scan_news (event_id, device_ids, scan_ids)
        SELECT event_id, array_agg(device_id), array_agg(scan_id)
        FROM logged
        GROUP BY event_id
    )
    SELECT device_id, scan_id, received_at, at FROM logged
"""

LIST_FACTS = """
    SELECT scan.event_id, scan.area_id, scan.attendee_id, scan.turn, scan.device_id, scan.scan_id, scan.list_id,
           scan.session_id, scan.gate_id, scan.direction, scan.at, scan.decided IS NOT NULL AS offline, scan.undoes
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS asked (event_id, area_id, attendee_id)
    JOIN scan ON scan.event_id = asked.event_id AND scan.area_id = asked.area_id
             AND scan.attendee_id = asked.attendee_id AND scan.turn IS NOT NULL
"""

# Everybody's facts, for a door that opens: read once a process and event.
LIST_ALL_FACTS = """
    SELECT event_id, area_id, attendee_id, turn, device_id, scan_id, list_id, session_id, gate_id, direction, at,
           decided IS NOT NULL AS offline, undoes
    FROM scan
    WHERE event_id = $1 AND turn IS NOT NULL
    ORDER BY area_id, attendee_id
"""

# Everybody's facts in one area, for a count that begins.
LIST_AREA_FACTS = """
    SELECT event_id, area_id, attendee_id, turn, device_id, scan_id, list_id, session_id, gate_id, direction, at,
           decided IS NOT NULL AS offline, undoes
    FROM scan
    WHERE event_id = $1 AND area_id = $2 AND turn IS NOT NULL
    ORDER BY attendee_id
"""

# Made where it is missing, so that there is a row to lock.
LOCK_COUNT = """
    INSERT INTO checkin_count (event_id, list_id, session_id, granted, merged)
    VALUES ($1, $2, '00000000-0000-0000-0000-000000000000', 0, 0)
    ON CONFLICT (event_id, list_id, session_id) DO UPDATE SET granted = checkin_count.granted
"""

SET_COUNT = """
    UPDATE checkin_count
    SET granted = $3, merged = $4, ceiling = GREATEST($5::integer - $4::integer, $3::integer)
    WHERE event_id = $1 AND list_id = $2 AND session_id = '00000000-0000-0000-0000-000000000000'
"""

LIST_LOGGED = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.gate_id, scan.code, scan.direction, scan.scanned_at,
           scan.received_at, scan.at, scan.decided, scan.number, scan.attendee_id, scan.outcome, scan.reason, scan.conflict,
           blocking.at AS blocked_at, blocking.gate_id AS blocking_gate_id, blocking.device_id AS blocking_device_id
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked (event_id, device_id, scan_id)
    JOIN scan ON scan.event_id = asked.event_id AND scan.device_id = asked.device_id AND scan.scan_id = asked.scan_id
    LEFT JOIN scan AS blocking ON scan.against IS NOT NULL AND blocking.event_id = scan.event_id
                              AND blocking.area_id = scan.area_id AND blocking.attendee_id = scan.attendee_id
                              AND blocking.turn = scan.against
"""

LIST_COUNTS = """
    SELECT checkin_count.event_id, checkin_count.list_id, checkin_count.session_id,
           checkin_count.granted + checkin_count.merged AS inside
    FROM unnest($1::uuid[], $2::uuid[]) AS asked (event_id, list_id)
    JOIN checkin_count ON checkin_count.event_id = asked.event_id AND checkin_count.list_id = asked.list_id
"""

LIST_PASSINGS = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.area_id, scan.gate_id, scan.attendee_id, scan.session_id,
           scan.code, scan.direction, scan.received_at, scan.turn IS NOT NULL AND scan.undoes IS NULL AS passed,
           EXISTS (
               SELECT
               FROM scan AS undo
               WHERE undo.event_id = scan.event_id AND undo.device_id = scan.device_id
                 AND undo.scan_id = $4
           ) AS undone
    FROM unnest($2::uuid[]) AS asked (device_id)
    JOIN scan ON scan.event_id = $1 AND scan.device_id = asked.device_id AND scan.scan_id = $3
"""

# How far a device's numbers go from 1 on without one missing, beginning the search behind a mark that is known. A phone that
# takes over a device's name begins to count anew: what came before it was paired is not its own.
GET_MARK = """
    SELECT COALESCE(max(number) FILTER (WHERE number = $3::integer + place), $3::integer)
    FROM (
        SELECT number, row_number() OVER (ORDER BY number) AS place
        FROM (
            SELECT DISTINCT number
            FROM scan
            WHERE event_id = $1 AND device_id = $2 AND number > $3::integer
              AND received_at >= (
                  SELECT COALESCE(paired_at, created_at)
                  FROM device
                  WHERE device.event_id = $1 AND device.device_id = $2
              )
        ) AS own
    ) AS numbered
"""

LoggedAt = tuple[UUID, str, datetime, datetime]
"""Device, scan id, when the database received it, and when it counts as having happened."""


async def list_checkin_lists(tx: Tx, event_id: UUID) -> list[CheckinListRow]:
    return await rows(tx, CheckinListRow, LIST_CHECKIN_LISTS, event_id)


async def list_tickets(tx: Tx, event_id: UUID) -> list[TicketRow]:
    return await rows(tx, TicketRow, LIST_TICKETS, event_id)


async def list_room_sessions(tx: Tx, event_id: UUID) -> list[SessionRow]:
    return await rows(tx, SessionRow, LIST_ROOM_SESSIONS, event_id)


async def log_first_scans(tx: Tx, event_id: UUID, scans: Sequence[Scan]) -> datetime:
    """Writes an event's online entries of people who seem to come for the first time; returns when they were received.

    Raises `asyncpg.UniqueViolationError`, and writes nothing, where one of them is logged already or its person has been here.
    """
    received_at: datetime = await tx.fetchval(
        LOG_FIRST_SCANS,
        event_id,
        [scan.device_id for scan in scans],
        [scan.scan_id for scan in scans],
        [scan.list_id for scan in scans],
        [scan.gate_id for scan in scans],
        [scan.attendee_id for scan in scans],
        [scan.code for scan in scans],
        [scan.scanned_at for scan in scans],
        [scan.number for scan in scans],
        [scan.reason for scan in scans],
    )
    return received_at


async def log_first_uploads(tx: Tx, event_id: UUID, scans: Sequence[Scan]) -> datetime:
    """As `log_first_scans`, of what scanners did while they were offline."""
    received_at: datetime = await tx.fetchval(
        LOG_FIRST_UPLOADS,
        event_id,
        [scan.device_id for scan in scans],
        [scan.scan_id for scan in scans],
        [scan.list_id for scan in scans],
        [scan.gate_id for scan in scans],
        [scan.attendee_id for scan in scans],
        [scan.code for scan in scans],
        [scan.scanned_at for scan in scans],
        [scan.at for scan in scans],
        [scan.decided for scan in scans],
        [scan.number for scan in scans],
        [scan.reason for scan in scans],
    )
    return received_at


async def log_scans(tx: Tx, scans: Sequence[Scan]) -> list[LoggedAt]:
    """Writes what can be written; what is missing from the result was not."""
    written: list[LoggedAt] = await tx.fetch(LOG_SCANS, *_columns(scans))
    return written


async def log_counted_scans(tx: Tx, scans: Sequence[Scan], changes: Sequence[CountChange]) -> list[LoggedAt]:
    """Writes all of them and changes the counts, or raises `asyncpg.IntegrityConstraintViolationError` and does nothing."""
    written: list[LoggedAt] = await tx.fetch(
        LOG_COUNTED_SCANS,
        *_columns(scans),
        [change.event_id for change in changes],
        [change.list_id for change in changes],
        [change.session_id for change in changes],
        [change.granted for change in changes],
        [change.merged for change in changes],
        [change.capacity for change in changes],
    )
    return written


def _columns(scans: Sequence[Scan]) -> tuple[list[object], ...]:
    """Parameters 1 to 21 of the two statements above, in their order."""
    return (
        [scan.event_id for scan in scans],
        [scan.device_id for scan in scans],
        [scan.scan_id for scan in scans],
        [scan.list_id for scan in scans],
        [scan.area_id for scan in scans],
        [scan.gate_id for scan in scans],
        [scan.attendee_id for scan in scans],
        [scan.session_id for scan in scans],
        [scan.code for scan in scans],
        [scan.direction for scan in scans],
        [scan.scanned_at for scan in scans],
        [scan.at for scan in scans],
        [scan.decided for scan in scans],
        [scan.number for scan in scans],
        [scan.outcome for scan in scans],
        [scan.reason for scan in scans],
        [scan.conflict for scan in scans],
        [scan.turn for scan in scans],
        [scan.against for scan in scans],
        [scan.undoes for scan in scans],
        [scan.undone_by for scan in scans],
    )


async def list_facts(tx: Tx, people: Iterable[PersonKey]) -> list[Fact]:
    """The facts of these people, in no order."""
    people = list(people)
    return await rows(
        tx,
        Fact,
        LIST_FACTS,
        [event_id for event_id, _, _ in people],
        [area_id for _, area_id, _ in people],
        [attendee_id for _, _, attendee_id in people],
    )


async def iterate_people(
    tx: Tx, event_id: UUID, *, area_id: UUID | None = None, chunk: int
) -> AsyncIterator[list[Fact]]:
    """All facts of one person in one area, then of the next; `area_id`: of that area alone. Needs a transaction.

    `chunk` facts are read at a time, and others' scans go in between.
    """
    if area_id is None:
        cursor = await tx.cursor(LIST_ALL_FACTS, event_id)
    else:
        cursor = await tx.cursor(LIST_AREA_FACTS, event_id, area_id)
    person: list[Fact] = []
    while records := await cursor.fetch(chunk):
        for record in records:
            fact = Fact(*record)
            if person and fact.person != person[0].person:
                yield person
                person = []
            person.append(fact)
    if person:
        yield person


async def lock_count(tx: Tx, event_id: UUID, list_id: UUID) -> None:
    """Lets nobody change how many are inside a list that is no room's until the transaction ends."""
    await tx.execute(LOCK_COUNT, event_id, list_id)


async def set_count(tx: Tx, event_id: UUID, list_id: UUID, *, granted: int, merged: int, capacity: int) -> None:
    await tx.execute(SET_COUNT, event_id, list_id, granted, merged, capacity)


async def list_logged(tx: Tx, scans: Sequence[Scan]) -> list[LoggedScan]:
    """The scans of these that the log has."""
    return await rows(
        tx,
        LoggedScan,
        LIST_LOGGED,
        [scan.event_id for scan in scans],
        [scan.device_id for scan in scans],
        [scan.scan_id for scan in scans],
    )


async def list_passings(
    tx: Tx, event_id: UUID, *, scan_id: str, undo_id: str, devices: Sequence[UUID]
) -> list[LoggedPassing]:
    """The scans of this id that these devices made; `undo_id` is the id of the row that would undo one."""
    return await rows(tx, LoggedPassing, LIST_PASSINGS, event_id, devices, scan_id, undo_id)


async def get_mark(tx: Tx, event_id: UUID, device_id: UUID, *, known: int) -> int:
    """Up to which number all of the device's scans are stored; `known` is a mark that was reached before."""
    found: int = await tx.fetchval(GET_MARK, event_id, device_id, known)
    return found


async def list_counts(tx: Tx, lists: Iterable[tuple[UUID, UUID]]) -> list[CountRow]:
    """How many are inside these lists (event and list), session by session."""
    lists = list(lists)
    return await rows(tx, CountRow, LIST_COUNTS, [one[0] for one in lists], [one[1] for one in lists])
