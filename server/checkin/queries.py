"""Statements of the door. All work on whole batches: their number does not depend on how many scans there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.checkin.types import CheckinListRow, LoggedScan, Scan, StayRow
from server.db import Tx, rows

LIST_CHECKIN_LISTS = """
    SELECT checkin_list.list_id, checkin_list.key, checkin_list.name,
           ARRAY(
               SELECT ticket
               FROM checkin_list_ticket
               WHERE checkin_list_ticket.event_id = checkin_list.event_id
                 AND checkin_list_ticket.list_id = checkin_list.list_id
               ORDER BY ticket
           ) AS tickets
    FROM checkin_list
    WHERE checkin_list.event_id = $1
    ORDER BY checkin_list.position, checkin_list.key
"""

# The order in which rows are inserted is the order in which two batches wait for each other; the same everywhere, so that
# they never wait in a circle. DO NOTHING covers both reasons for not being first: this scan is logged already, or somebody
# else began (or ended) that stay.
LOG_SCANS = """
    INSERT INTO scan (event_id, device_id, scan_id, list_id, gate_id, attendee_id, code, direction, scanned_at,
                      outcome, reason, stay)
    SELECT event_id, device_id, scan_id, list_id, gate_id, attendee_id, code, direction, scanned_at,
           outcome, reason, stay
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
                $9::timestamptz[], $10::text[], $11::text[], $12::integer[])
         AS proposed (event_id, device_id, scan_id, list_id, gate_id, attendee_id, code, direction, scanned_at,
                      outcome, reason, stay)
    ORDER BY event_id, list_id, attendee_id, stay, device_id, scan_id
    ON CONFLICT DO NOTHING
    RETURNING device_id, scan_id, received_at
"""

# `exited` sorts behind `admitted`, so the last row of the index tells both the newest stay and whether it has ended.
LIST_STAYS = """
    SELECT asked.place, logged.scan_id IS NOT NULL AS logged, newest.stay, newest.outcome
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[])
         WITH ORDINALITY AS asked (event_id, device_id, scan_id, list_id, attendee_id, place)
    LEFT JOIN scan AS logged ON logged.event_id = asked.event_id AND logged.device_id = asked.device_id
                            AND logged.scan_id = asked.scan_id
    LEFT JOIN LATERAL (
        SELECT stay, outcome
        FROM scan
        WHERE scan.event_id = asked.event_id AND scan.list_id = asked.list_id AND scan.attendee_id = asked.attendee_id
          AND scan.outcome IN ('admitted', 'exited')
        ORDER BY scan.stay DESC, scan.outcome DESC
        LIMIT 1
    ) AS newest ON true
    ORDER BY asked.place
"""

LIST_LOGGED = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.gate_id, scan.code, scan.direction, scan.scanned_at,
           scan.received_at, scan.attendee_id, scan.outcome, scan.reason,
           blocking.received_at AS blocked_at, blocking.gate_id AS blocking_gate_id,
           blocking.device_id AS blocking_device_id
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked (event_id, device_id, scan_id)
    JOIN scan ON scan.event_id = asked.event_id AND scan.device_id = asked.device_id AND scan.scan_id = asked.scan_id
    LEFT JOIN scan AS blocking ON scan.outcome = 'already_admitted' AND blocking.event_id = scan.event_id
                              AND blocking.list_id = scan.list_id AND blocking.attendee_id = scan.attendee_id
                              AND blocking.stay = scan.stay AND blocking.outcome = 'admitted'
"""

Logged = tuple[UUID, str, datetime]
"""Device, scan id, and when the database received it."""


async def list_checkin_lists(tx: Tx, event_id: UUID) -> list[CheckinListRow]:
    return await rows(tx, CheckinListRow, LIST_CHECKIN_LISTS, event_id)


async def log_scans(tx: Tx, scans: Sequence[Scan]) -> list[Logged]:
    """Writes what can be written; what is missing from the result was not."""
    columns = zip(*[_values(scan) for scan in scans], strict=True)
    written: list[Logged] = await tx.fetch(LOG_SCANS, *columns)
    return written


async def list_stays(tx: Tx, scans: Sequence[Scan]) -> list[StayRow]:
    """One row a scan, in the same order."""
    return await rows(
        tx,
        StayRow,
        LIST_STAYS,
        [scan.event_id for scan in scans],
        [scan.device_id for scan in scans],
        [scan.scan_id for scan in scans],
        [scan.list_id for scan in scans],
        [scan.attendee_id for scan in scans],
    )


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


def _values(scan: Scan) -> tuple[object, ...]:
    return (
        scan.event_id,
        scan.device_id,
        scan.scan_id,
        scan.list_id,
        scan.gate_id,
        scan.attendee_id,
        scan.code,
        scan.direction,
        scan.scanned_at,
        scan.outcome,
        scan.reason,
        scan.stay,
    )
