"""Statements on exhibitors and their staff."""

from __future__ import annotations

from uuid import UUID

from server.auth import Principal
from server.db import Tx, row, rows
from server.exhibitor.types import ExhibitorRow

LIST_EXHIBITORS_AFTER = """
    SELECT exhibitor_id, name, booth, pavilion, sector, city, description, website
    FROM exhibitor
    WHERE event_id = $1 AND booth > $2
    ORDER BY booth
    LIMIT $3
"""

GET_STAFF_BY_HASH = """
    SELECT 'exhibitor' AS kind, event_id, staff_id AS subject_id, name, exhibitor_id AS booth_id
    FROM exhibitor_staff
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
"""

REVOKE_STAFF = """
    UPDATE exhibitor_staff
    SET revoked_at = now()
    WHERE event_id = $1 AND token_hash = $2 AND revoked_at IS NULL
    RETURNING staff_id
"""


async def list_exhibitors_after(tx: Tx, event_id: UUID, *, booth: str, limit: int) -> list[ExhibitorRow]:
    return await rows(tx, ExhibitorRow, LIST_EXHIBITORS_AFTER, event_id, booth, limit)


async def get_staff_by_token(tx: Tx, event_id: UUID, *, token_hash: bytes) -> Principal | None:
    return await row(tx, Principal, GET_STAFF_BY_HASH, event_id, token_hash)


async def revoke_staff(tx: Tx, event_id: UUID, *, token_hash: bytes) -> UUID | None:
    """The staff member's id, or None where there is no such valid token."""
    found: UUID | None = await tx.fetchval(REVOKE_STAFF, event_id, token_hash)
    return found
