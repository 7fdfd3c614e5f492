"""Statements on attendees and badges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from server.attendee.types import AttendeeRow, BadgeRow, Registration, RevokedRow
from server.auth import Principal
from server.db import Tx, row, rows

GET_ATTENDEE_BY_HASH = """
    SELECT 'attendee' AS kind, event_id, attendee_id AS subject_id, name, NULL::uuid AS booth_id, NULL::text AS profile,
           rights_at AS since, ticket, speaker_id, cancelled_at IS NOT NULL AS cancelled
    FROM attendee
    WHERE event_id = $1 AND token_hash = $2
"""

GET_ATTENDEE = """
    SELECT attendee.attendee_id AS id, attendee.name, attendee.name_ar, attendee.email, attendee.company, attendee.language,
           attendee.ticket, attendee.cancelled_at, attendee.speaker_id, badge.code AS badge_code, badge.short_code
    FROM attendee
    LEFT JOIN badge ON badge.event_id = attendee.event_id AND badge.attendee_id = attendee.attendee_id
                   AND badge.revoked_at IS NULL
    WHERE attendee.event_id = $1 AND attendee.attendee_id = $2
    ORDER BY badge.code
    LIMIT 1
"""

# The whole list: it is what the door keeps in memory.
LIST_BADGES = """
    SELECT badge.code, badge.short_code, attendee.attendee_id, attendee.name, attendee.company, attendee.ticket,
           attendee.language, badge.number, badge.revoked_at, attendee.cancelled_at
    FROM badge
    JOIN attendee ON attendee.event_id = badge.event_id AND attendee.attendee_id = badge.attendee_id
    WHERE badge.event_id = $1
"""

REVOKE_BADGE = """
    UPDATE badge
    SET revoked_at = now()
    WHERE event_id = $1 AND (code = $2 OR short_code = $2) AND revoked_at IS NULL
    RETURNING code, number, attendee_id
"""

LOCK_REGISTRATION = """
    SELECT attendee_id AS id, cancelled_at, speaker_id
    FROM attendee
    WHERE event_id = $1 AND attendee_id = $2
    FOR NO KEY UPDATE
"""

SET_REGISTRATION = """
    UPDATE attendee
    SET cancelled_at = CASE WHEN $3 THEN COALESCE(cancelled_at, now()) END,
        rights_at = CASE
                        WHEN speaker_id IS DISTINCT FROM $4 OR (cancelled_at IS NOT NULL) <> $3 THEN clock_timestamp()
                        ELSE rights_at
                    END,
        speaker_id = $4
    WHERE event_id = $1 AND attendee_id = $2
    RETURNING attendee_id AS id, cancelled_at, speaker_id
"""

GET_RIGHTS_AT = "SELECT rights_at FROM attendee WHERE event_id = $1 AND attendee_id = $2"

# Of these people, for a door that has heard that they have other badges.
LIST_BADGES_OF = """
    SELECT badge.code, badge.short_code, attendee.attendee_id, attendee.name, attendee.company, attendee.ticket,
           attendee.language, badge.number, badge.revoked_at, attendee.cancelled_at
    FROM badge
    JOIN attendee ON attendee.event_id = badge.event_id AND attendee.attendee_id = badge.attendee_id
    WHERE badge.event_id = $1 AND badge.attendee_id = ANY($2::uuid[])
    ORDER BY badge.number
"""


async def get_attendee_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> Principal | None:
    return await row(tx, Principal, GET_ATTENDEE_BY_HASH, event_id, token_hash)


async def get_attendee(tx: Tx, event_id: UUID, attendee_id: UUID) -> AttendeeRow | None:
    return await row(tx, AttendeeRow, GET_ATTENDEE, event_id, attendee_id)


async def iterate_badges(tx: Tx, event_id: UUID, *, chunk: int) -> AsyncIterator[list[BadgeRow]]:
    """All badges, so many at a time; needs a transaction."""
    cursor = await tx.cursor(LIST_BADGES, event_id)
    while records := await cursor.fetch(chunk):
        yield [BadgeRow(*record) for record in records]


async def list_badges_of(tx: Tx, event_id: UUID, *, attendees: Sequence[UUID]) -> list[BadgeRow]:
    """These people's badges, oldest first."""
    return await rows(tx, BadgeRow, LIST_BADGES_OF, event_id, list(attendees))


async def revoke_badge(tx: Tx, event_id: UUID, *, code: str) -> RevokedRow | None:
    """The badge, or None where there is no such valid one. Takes the short code too."""
    return await row(tx, RevokedRow, REVOKE_BADGE, event_id, code)


async def lock_registration(tx: Tx, event_id: UUID, attendee_id: UUID) -> Registration | None:
    return await row(tx, Registration, LOCK_REGISTRATION, event_id, attendee_id)


async def set_registration(
    tx: Tx, event_id: UUID, attendee_id: UUID, *, cancelled: bool, speaker_id: UUID | None
) -> Registration | None:
    """The registration as it is then; one that was cancelled already stays so since when it was.

    Violates `attendee_speaker` where there is no such speaker, `attendee_is_one_speaker` where somebody else is that one.
    """
    return await row(tx, Registration, SET_REGISTRATION, event_id, attendee_id, cancelled, speaker_id)


async def get_rights_at(tx: Tx, event_id: UUID, attendee_id: UUID) -> datetime:
    """When the rights of somebody last changed whose rights have."""
    changed: datetime = await tx.fetchval(GET_RIGHTS_AT, event_id, attendee_id)
    return changed
