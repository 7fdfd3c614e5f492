"""Statements of whoever counts the log and tells the feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.db import Tx, rows
from server.desk.types import (
    ArrivalRow,
    ConflictRow,
    Counted,
    FoundRow,
    MomentRow,
    NewsRow,
    NewsScanRow,
    ReasonCountRow,
    RefusalRow,
    StandingConflictRow,
    TicketCountRow,
    WordCountRow,
)
from server.folding import end_of

MOST_TRIED = 2000
"""Hits of the rarest word whose other words are looked up: about 10 ms."""

OPEN_DESK = """
    INSERT INTO checkin_desk (event_id)
    SELECT $1
    WHERE NOT EXISTS (SELECT FROM checkin_desk WHERE event_id = $1)
    ON CONFLICT DO NOTHING
"""

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
    RETURNING at, device_ids, scan_ids, list_ids, gate_ids, attendee_ids, reasons, ats
"""

LIST_NEWS_SCANS = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.area_id, scan.gate_id, scan.attendee_id, scan.at, scan.outcome,
           scan.reason, scan.conflict, scan.turn
    FROM unnest($2::uuid[], $3::text[]) AS asked (device_id, scan_id)
    JOIN scan ON scan.event_id = $1 AND scan.device_id = asked.device_id AND scan.scan_id = asked.scan_id
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


LIST_ARRIVALS = """
    SELECT bucket, gate_id, COALESCE(sum(scans) FILTER (WHERE outcome = 'admitted'), 0)::bigint AS admitted,
           COALESCE(sum(scans) FILTER (WHERE outcome = 'exited'), 0)::bigint AS exited
    FROM checkin_tally
    WHERE event_id = $1 AND list_id = $2 AND bucket >= $3 AND bucket < $4 AND outcome IN ('admitted', 'exited')
    GROUP BY bucket, gate_id
    HAVING bool_or(scans <> 0)
    ORDER BY bucket, gate_id
"""

LIST_TICKET_COUNTS = """
    SELECT ticket, sum(scans)::bigint AS admitted
    FROM checkin_tally
    WHERE event_id = $1 AND list_id = $2 AND bucket >= $3 AND bucket < $4 AND outcome = 'admitted'
    GROUP BY ticket
    HAVING sum(scans) <> 0
    ORDER BY ticket
"""

LIST_REASON_COUNTS = """
    SELECT reason, sum(scans)::bigint AS scans
    FROM checkin_tally
    WHERE event_id = $1 AND list_id = $2 AND bucket >= $3 AND bucket < $4 AND outcome = 'refused'
    GROUP BY reason
    HAVING sum(scans) <> 0
    ORDER BY reason
"""

COUNT_CONFLICTS = """
    SELECT count(*)
    FROM checkin_conflict
    WHERE event_id = $1 AND list_id = $2 AND resolved_at IS NULL
"""

LIST_CONFLICTS = """
    SELECT checkin_conflict.conflict_id, checkin_conflict.kind, checkin_conflict.list_id, checkin_conflict.attendee_id,
           attendee.name, checkin_conflict.detected_at, checkin_conflict.resolved_at, later.at, later.device_id,
           later.gate_id, later.scan_id, first.at AS first_at, first.device_id AS first_device_id,
           first.gate_id AS first_gate_id, first.scan_id AS first_scan_id
    FROM checkin_conflict
    JOIN scan AS later ON later.event_id = checkin_conflict.event_id AND later.device_id = checkin_conflict.device_id
                      AND later.scan_id = checkin_conflict.scan_id
    LEFT JOIN scan AS first ON first.event_id = checkin_conflict.event_id
                           AND first.device_id = checkin_conflict.first_device_id
                           AND first.scan_id = checkin_conflict.first_scan_id
    LEFT JOIN attendee ON attendee.event_id = checkin_conflict.event_id
                      AND attendee.attendee_id = checkin_conflict.attendee_id
    WHERE checkin_conflict.event_id = $1 AND checkin_conflict.conflict_id < $2
      AND (checkin_conflict.resolved_at IS NULL OR $3)
    ORDER BY checkin_conflict.conflict_id DESC
    LIMIT $4
"""

LIST_REFUSALS = """
    SELECT scan.device_id, scan.scan_id, scan.list_id, scan.gate_id, scan.attendee_id, attendee.name, scan.code,
           scan.direction, scan.at, scan.received_at, scan.reason, scan.decided
    FROM scan
    LEFT JOIN attendee ON attendee.event_id = scan.event_id AND attendee.attendee_id = scan.attendee_id
    WHERE scan.event_id = $1 AND scan.outcome = 'refused'
      AND (scan.received_at < $2 OR scan.received_at = $2 AND (scan.device_id, scan.scan_id) > ($3, $4))
      AND scan.received_at <= $2
    ORDER BY scan.received_at DESC, scan.device_id, scan.scan_id
    LIMIT $5
"""

LIST_HOLDER = """
    SELECT attendee_id, name, name_ar, company, ticket, language
    FROM attendee
    WHERE event_id = $1 AND attendee_id = $2
"""

# How many words begin so, counted up to a limit.
COUNT_WORDS = """
    SELECT (
        SELECT count(*)
        FROM (
            SELECT
            FROM attendee_word
            WHERE event_id = $1 AND word >= asked.low COLLATE "C" AND word < asked.high COLLATE "C"
            LIMIT $4
        ) AS hits
    ) AS found
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS asked (low, high, place)
    ORDER BY asked.place
"""

# Words with one beginning lie side by side. Of several words the first drives, the others are looked up for each of its hits; no
# more than so many of them, for among 100,000 people a beginning of two letters hits 20,000.
SEARCH_ATTENDEES = """
    SELECT attendee.attendee_id, attendee.name, attendee.name_ar, attendee.company, attendee.ticket, attendee.language
    FROM (
        SELECT driving.attendee_id
        FROM (
            SELECT word, attendee_id
            FROM attendee_word
            WHERE event_id = $1 AND word >= $2 AND word < $3
            ORDER BY word, attendee_id
            LIMIT $7
        ) AS driving
        WHERE NOT EXISTS (
            SELECT
            FROM unnest($4::text[], $5::text[]) AS other (low, high)
            WHERE NOT EXISTS (
                SELECT
                FROM attendee_word AS own
                WHERE own.event_id = $1 AND own.attendee_id = driving.attendee_id
                  AND own.word >= other.low COLLATE "C" AND own.word < other.high COLLATE "C"
            )
        )
        ORDER BY driving.word, driving.attendee_id
        LIMIT $6
    ) AS hit
    JOIN attendee ON attendee.event_id = $1 AND attendee.attendee_id = hit.attendee_id
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
    await tx.execute(
        ADD_TO_TALLY,
        event_id,
        [key.list_id for key in counted],
        [key.bucket for key in counted],
        [key.gate_id for key in counted],
        [key.ticket for key in counted],
        [key.outcome for key in counted],
        [key.reason for key in counted],
        list(counted.values()),
    )


async def list_conflicts_of(tx: Tx, event_id: UUID, attendees: Sequence[UUID]) -> list[ConflictRow]:
    """Their double admissions that stand."""
    return await rows(tx, ConflictRow, LIST_CONFLICTS_OF, event_id, list(attendees))


async def open_conflicts(tx: Tx, event_id: UUID, found: Sequence[ConflictRow]) -> list[ConflictRow]:
    """Writes them, or opens them again; returns them as they stand."""
    return await rows(
        tx,
        ConflictRow,
        OPEN_CONFLICTS,
        event_id,
        [one.conflict_id for one in found],
        [one.kind for one in found],
        [one.list_id for one in found],
        [one.attendee_id for one in found],
        [one.device_id for one in found],
        [one.scan_id for one in found],
        [one.first_device_id for one in found],
        [one.first_scan_id for one in found],
    )


async def resolve_conflicts(tx: Tx, event_id: UUID, conflict_ids: Sequence[UUID]) -> None:
    await tx.execute(RESOLVE_CONFLICTS, event_id, list(conflict_ids))


async def list_moments(tx: Tx, event_id: UUID, keys: Sequence[tuple[UUID, str]]) -> list[MomentRow]:
    return await rows(tx, MomentRow, LIST_MOMENTS, event_id, [key[0] for key in keys], [key[1] for key in keys])


async def list_arrivals(tx: Tx, event_id: UUID, list_id: UUID, *, since: datetime, until: datetime) -> list[ArrivalRow]:
    """Admissions and exits by five minutes and gate, oldest first."""
    return await rows(tx, ArrivalRow, LIST_ARRIVALS, event_id, list_id, since, until)


async def list_ticket_counts(
    tx: Tx, event_id: UUID, list_id: UUID, *, since: datetime, until: datetime
) -> list[TicketCountRow]:
    return await rows(tx, TicketCountRow, LIST_TICKET_COUNTS, event_id, list_id, since, until)


async def list_reason_counts(
    tx: Tx, event_id: UUID, list_id: UUID, *, since: datetime, until: datetime
) -> list[ReasonCountRow]:
    return await rows(tx, ReasonCountRow, LIST_REASON_COUNTS, event_id, list_id, since, until)


async def count_conflicts(tx: Tx, event_id: UUID, list_id: UUID) -> int:
    """How many of a list stand."""
    found: int = await tx.fetchval(COUNT_CONFLICTS, event_id, list_id)
    return found


async def list_conflicts(
    tx: Tx, event_id: UUID, *, before: UUID, resolved_too: bool, limit: int
) -> list[StandingConflictRow]:
    """Newest first, from before this one."""
    return await rows(tx, StandingConflictRow, LIST_CONFLICTS, event_id, before, resolved_too, limit)


async def list_refusals(
    tx: Tx, event_id: UUID, *, before: datetime, device_id: UUID, scan_id: str, limit: int
) -> list[RefusalRow]:
    """Newest first, from behind this one."""
    return await rows(tx, RefusalRow, LIST_REFUSALS, event_id, before, device_id, scan_id, limit)


async def list_holder(tx: Tx, event_id: UUID, attendee_id: UUID) -> list[FoundRow]:
    """The attendee, or nobody."""
    return await rows(tx, FoundRow, LIST_HOLDER, event_id, attendee_id)


async def count_words(tx: Tx, event_id: UUID, words: Sequence[str]) -> list[int]:
    """How many words of people begin so, for each, at most `MOST_TRIED`."""
    ends = [end_of(word) for word in words]
    found = await rows(tx, WordCountRow, COUNT_WORDS, event_id, list(words), ends, MOST_TRIED)
    return [row.found for row in found]


async def search_attendees(tx: Tx, event_id: UUID, *, words: Sequence[str], limit: int) -> list[FoundRow]:
    """People with a word that begins so for each of these folded words; the same person may come twice.

    The first should be the rarest: of its hits only `MOST_TRIED` are tried.
    """
    first, *others = words
    return await rows(
        tx,
        FoundRow,
        SEARCH_ATTENDEES,
        event_id,
        first,
        end_of(first),
        others,
        [end_of(other) for other in others],
        limit,
        MOST_TRIED,
    )
