"""Statements on keys and on badges as they are issued and printed."""

from __future__ import annotations

from uuid import UUID

from server.attendee.types import RevokedRow
from server.badge.types import HolderRow, KeyRow, PrintedRow, SigningKey
from server.db import Tx, row, rows

# Keys and badge numbers of an event come one after the other. NO KEY UPDATE leaves others free to refer to the event.
LOCK_EVENT = "SELECT event_id FROM event WHERE event_id = $1 FOR NO KEY UPDATE"

LIST_KEYS = """
    SELECT key_id, public_key, created_at, retired_at
    FROM badge_key
    WHERE event_id = $1
    ORDER BY key_id
"""

LIST_VALID_KEYS = """
    SELECT key_id, public_key, created_at, retired_at
    FROM badge_key
    WHERE event_id = $1 AND retired_at IS NULL
    ORDER BY key_id
"""

GET_SIGNING_KEY = """
    SELECT key_id, private_seed
    FROM badge_key
    WHERE event_id = $1
    ORDER BY key_id DESC
    LIMIT 1
"""

INSERT_KEY = """
    INSERT INTO badge_key (event_id, key_id, public_key, private_seed)
    VALUES ($1, $2, $3, $4)
"""

RETIRE_KEY = """
    UPDATE badge_key
    SET retired_at = now()
    WHERE event_id = $1 AND key_id = $2 AND retired_at IS NULL
    RETURNING key_id
"""

LOCK_HOLDER = """
    SELECT attendee.attendee_id, ticket_type.position AS ticket_position
    FROM attendee
    JOIN ticket_type ON ticket_type.event_id = attendee.event_id AND ticket_type.ticket = attendee.ticket
    WHERE attendee.event_id = $1 AND attendee.attendee_id = $2
    FOR NO KEY UPDATE OF attendee
"""

REVOKE_BADGES_OF = """
    WITH revoked AS (
        UPDATE badge
        SET revoked_at = now()
        WHERE event_id = $1 AND attendee_id = $2 AND revoked_at IS NULL
        RETURNING code, number, attendee_id
    )
    SELECT code, number, attendee_id
    FROM revoked
    ORDER BY number
"""

NEXT_NUMBER = "SELECT COALESCE(max(number), 0) + 1 FROM badge WHERE event_id = $1"

INSERT_BADGE = """
    INSERT INTO badge (event_id, code, short_code, attendee_id, number)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT badge_short_code DO NOTHING
    RETURNING number
"""

# All of an event: the command that prints them chooses and sorts by itself, in the order people look through a pile.
LIST_PRINTED = """
    SELECT badge.code, badge.short_code, attendee.attendee_id, attendee.name, attendee.name_ar, attendee.company,
           attendee.ticket, ticket_type.name AS ticket_name, ticket_type.position AS ticket_position
    FROM badge
    JOIN attendee ON attendee.event_id = badge.event_id AND attendee.attendee_id = badge.attendee_id
    JOIN ticket_type ON ticket_type.event_id = attendee.event_id AND ticket_type.ticket = attendee.ticket
    WHERE badge.event_id = $1 AND badge.revoked_at IS NULL
"""


async def lock_event(tx: Tx, event_id: UUID) -> None:
    """Holds back whoever else makes a key or issues a badge in this event, until the transaction ends."""
    await tx.fetchval(LOCK_EVENT, event_id)


async def list_keys(tx: Tx, event_id: UUID) -> list[KeyRow]:
    """All keys, retired ones too, oldest first."""
    return await rows(tx, KeyRow, LIST_KEYS, event_id)


async def list_valid_keys(tx: Tx, event_id: UUID) -> list[KeyRow]:
    return await rows(tx, KeyRow, LIST_VALID_KEYS, event_id)


async def get_signing_key(tx: Tx, event_id: UUID) -> SigningKey | None:
    """The newest key, with its secret; None for an event that has signed nothing yet."""
    return await row(tx, SigningKey, GET_SIGNING_KEY, event_id)


async def insert_key(tx: Tx, event_id: UUID, *, key_id: int, public_key: bytes, private_seed: bytes) -> None:
    await tx.execute(INSERT_KEY, event_id, key_id, public_key, private_seed)


async def retire_key(tx: Tx, event_id: UUID, *, key_id: int) -> int | None:
    """The key's id, or None where there is no such valid key."""
    found: int | None = await tx.fetchval(RETIRE_KEY, event_id, key_id)
    return found


async def lock_holder(tx: Tx, event_id: UUID, *, attendee_id: UUID) -> HolderRow | None:
    return await row(tx, HolderRow, LOCK_HOLDER, event_id, attendee_id)


async def revoke_badges_of(tx: Tx, event_id: UUID, *, attendee_id: UUID) -> list[RevokedRow]:
    """Those that were valid until now, oldest first."""
    return await rows(tx, RevokedRow, REVOKE_BADGES_OF, event_id, attendee_id)


async def next_number(tx: Tx, event_id: UUID) -> int:
    """The number of the event's next badge; `lock_event` keeps it from being handed out twice."""
    found: int = await tx.fetchval(NEXT_NUMBER, event_id)
    return found


async def insert_badge(
    tx: Tx, event_id: UUID, *, code: str, short_code: str, attendee_id: UUID, number: int
) -> int | None:
    """The badge's number, or None where another badge has this short code."""
    found: int | None = await tx.fetchval(INSERT_BADGE, event_id, code, short_code, attendee_id, number)
    return found


async def list_printed(tx: Tx, event_id: UUID) -> list[PrintedRow]:
    """Every valid badge, in no order."""
    return await rows(tx, PrintedRow, LIST_PRINTED, event_id)
