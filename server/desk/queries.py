"""Statements of whoever counts the log and tells the feed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from server.db import Tx, rows
from server.desk.types import ConflictRow, Counted, MomentRow, NewsRow, NewsScanRow

OPEN_DESK = "INSERT INTO checkin_desk (event_id) VALUES ($1) ON CONFLICT DO NOTHING"

# SKIP LOCKED: whoever is not first has nothing to do.
TAKE_DESK = """
    WITH free AS (
        SELECT event_id
        FROM checkin_desk
        WHERE event_id = $1 AND told_at <= clock_timestamp() - make_interval(secs => $2)
        FOR UPDATE SKIP LOCKED
    )
    UPDATE checkin_desk
    SET told_at = clock_timestamp()
    FROM free
    WHERE checkin_desk.event_id = free.event_id
    RETURNING true
"""

HAS_NEWS = "SELECT EXISTS (SELECT FROM scan_news WHERE event_id = $1)"

TAKE_NEWS = """
    DELETE FROM scan_news
    WHERE event_id = $1 AND news_id IN (
        SELECT news_id FROM scan_news WHERE event_id = $1 ORDER BY news_id LIMIT $2
    )
    RETURNING at, device_ids, scan_ids, list_ids, gate_ids, attendee_ids, reasons
"""

LIST_NEWS_SCANS = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.area_id, scan.gate_id, scan.attendee_id, scan.at, scan.outcome,
           scan.reason, scan.conflict, scan.turn, original.at AS undone_at, original.gate_id AS undone_gate_id,
           original.outcome AS undone_outcome, original.reason AS undone_reason
    FROM unnest($2::uuid[], $3::text[]) AS asked (device_id, scan_id)
    JOIN scan ON scan.event_id = $1 AND scan.device_id = asked.device_id AND scan.scan_id = asked.scan_id
    LEFT JOIN scan AS original ON original.event_id = scan.event_id AND original.device_id = scan.device_id
                              AND original.scan_id = scan.undoes
"""

ADD_TO_TALLY = """
    INSERT INTO checkin_tally (event_id, list_id, bucket, gate_id, ticket, outcome, reason, scans)
    SELECT $1, list_id, bucket, gate_id, ticket, outcome, reason, scans
    FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[])
         AS counted (list_id, bucket, gate_id, ticket, outcome, reason, scans)
    ORDER BY list_id, bucket, gate_id, ticket, outcome, reason
    ON CONFLICT (event_id, list_id, bucket, gate_id, ticket, outcome, reason)
        DO UPDATE SET scans = checkin_tally.scans + EXCLUDED.scans
"""

LIST_CONFLICTS_OF = """
    SELECT conflict_id, kind, list_id, attendee_id, device_id, scan_id, first_device_id, first_scan_id
    FROM checkin_conflict
    WHERE event_id = $1 AND attendee_id = ANY($2::uuid[]) AND kind = 'double_admission' AND resolved_at IS NULL
"""

OPEN_CONFLICTS = """
    INSERT INTO checkin_conflict (event_id, conflict_id, kind, list_id, attendee_id, device_id, scan_id,
                                  first_device_id, first_scan_id)
    SELECT $1, conflict_id, kind, list_id, attendee_id, device_id, scan_id, first_device_id, first_scan_id
    FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::text[])
         AS found (conflict_id, kind, list_id, attendee_id, device_id, scan_id, first_device_id, first_scan_id)
    ON CONFLICT ON CONSTRAINT checkin_conflict_scans DO UPDATE SET resolved_at = NULL
    RETURNING conflict_id, kind, list_id, attendee_id, device_id, scan_id, first_device_id, first_scan_id
"""

RESOLVE_CONFLICTS = """
    UPDATE checkin_conflict
    SET resolved_at = now()
    WHERE event_id = $1 AND conflict_id = ANY($2::uuid[])
"""

LIST_MOMENTS = """
    SELECT scan.device_id, scan.scan_id, scan.gate_id, scan.at
    FROM unnest($2::uuid[], $3::text[]) AS asked (device_id, scan_id)
    JOIN scan ON scan.event_id = $1 AND scan.device_id = asked.device_id AND scan.scan_id = asked.scan_id
"""


async def open_desk(tx: Tx, event_id: UUID) -> None:
    await tx.execute(OPEN_DESK, event_id)


async def take_desk(tx: Tx, event_id: UUID, *, pause: float) -> bool:
    """Whether it is this transaction's turn: nobody else is at it, and nobody was for `pause` seconds."""
    return bool(await tx.fetchval(TAKE_DESK, event_id, pause))


async def has_news(tx: Tx, event_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_NEWS, event_id))


async def take_news(tx: Tx, event_id: UUID, *, limit: int) -> list[NewsRow]:
    """The oldest so many, deleted."""
    return await rows(tx, NewsRow, TAKE_NEWS, event_id, limit)


async def list_news_scans(tx: Tx, event_id: UUID, keys: Sequence[tuple[UUID, str]]) -> list[NewsScanRow]:
    return await rows(tx, NewsScanRow, LIST_NEWS_SCANS, event_id, [key[0] for key in keys], [key[1] for key in keys])


async def add_to_tally(tx: Tx, event_id: UUID, counted: dict[Counted, int]) -> None:
    columns = [[key[place] for key in counted] for place in range(6)]
    await tx.execute(ADD_TO_TALLY, event_id, *columns, list(counted.values()))


async def list_conflicts_of(tx: Tx, event_id: UUID, attendees: Sequence[UUID]) -> list[ConflictRow]:
    """Their double admissions that stand."""
    return await rows(tx, ConflictRow, LIST_CONFLICTS_OF, event_id, list(attendees))


async def open_conflicts(tx: Tx, event_id: UUID, found: Sequence[ConflictRow]) -> list[ConflictRow]:
    """Writes them, or opens them again; returns them as they stand."""
    columns = [[getattr(one, name) for one in found] for name in ConflictRow.__struct_fields__]
    return await rows(tx, ConflictRow, OPEN_CONFLICTS, event_id, *columns)


async def resolve_conflicts(tx: Tx, event_id: UUID, conflict_ids: Sequence[UUID]) -> None:
    await tx.execute(RESOLVE_CONFLICTS, event_id, list(conflict_ids))


async def list_moments(tx: Tx, event_id: UUID, keys: Sequence[tuple[UUID, str]]) -> list[MomentRow]:
    return await rows(tx, MomentRow, LIST_MOMENTS, event_id, [key[0] for key in keys], [key[1] for key in keys])
