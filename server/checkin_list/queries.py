"""Statements on check-in lists."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from server.checkin_list.types import CheckinListDetails, CreateList, RoomRow
from server.db import Tx, rows

LIST_DETAILS = """
    SELECT checkin_list.list_id, checkin_list.key, checkin_list.name, checkin_list.kind, checkin_list.room_id,
           checkin_list.opens_at, checkin_list.closes_at, checkin_list.capacity, checkin_list.reentry,
           checkin_list.early_minutes,
           ARRAY(
               SELECT ticket
               FROM checkin_list_ticket
               WHERE checkin_list_ticket.event_id = checkin_list.event_id
                 AND checkin_list_ticket.list_id = checkin_list.list_id
               ORDER BY ticket
           ) AS tickets,
           COALESCE(checkin_list.capacity, room.capacity) AS places
    FROM checkin_list
    LEFT JOIN room ON room.event_id = checkin_list.event_id AND room.room_id = checkin_list.room_id
    WHERE checkin_list.event_id = $1 AND ($2::text IS NULL OR checkin_list.key = $2)
    ORDER BY checkin_list.position, checkin_list.key
"""

LIST_ROOMS = "SELECT room_id, name FROM room WHERE event_id = $1 ORDER BY position, key"

LOCK_LIST = "SELECT list_id FROM checkin_list WHERE event_id = $1 AND key = $2 FOR UPDATE"

INSERT_LIST = """
    INSERT INTO checkin_list (event_id, list_id, key, name, kind, room_id, opens_at, closes_at, capacity, reentry,
                              early_minutes, position)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, COALESCE(max(position) + 1, 0)
    FROM checkin_list
    WHERE event_id = $1
"""

UPDATE_LIST = """
    UPDATE checkin_list
    SET name = $3, room_id = $4, opens_at = $5, closes_at = $6, capacity = $7, reentry = $8, early_minutes = $9
    WHERE event_id = $1 AND list_id = $2
"""

DELETE_LIST = "DELETE FROM checkin_list WHERE event_id = $1 AND list_id = $2"

# Scans that are counted, and those that wait for it: such news says all itself, or names scans of the log.
HAS_SCANS = """
    SELECT EXISTS (SELECT FROM checkin_tally WHERE event_id = $1 AND list_id = $2)
        OR EXISTS (SELECT FROM scan_news WHERE event_id = $1 AND $2 = ANY(list_ids))
        OR EXISTS (
            SELECT
            FROM scan_news
            CROSS JOIN unnest(scan_news.device_ids, scan_news.scan_ids) AS told (device_id, scan_id)
            JOIN scan ON scan.event_id = $1 AND scan.device_id = told.device_id AND scan.scan_id = told.scan_id
            WHERE scan_news.event_id = $1 AND scan_news.scan_ids IS NOT NULL AND scan.list_id = $2
        )
"""

DELETE_TICKETS = "DELETE FROM checkin_list_ticket WHERE event_id = $1 AND list_id = $2"

INSERT_TICKETS = """
    INSERT INTO checkin_list_ticket (event_id, list_id, ticket)
    SELECT $1, $2, ticket
    FROM unnest($3::text[]) AS given (ticket)
    ORDER BY ticket
    ON CONFLICT DO NOTHING
"""

INSERT_ALL_TICKETS = """
    INSERT INTO checkin_list_ticket (event_id, list_id, ticket)
    SELECT event_id, $2, ticket
    FROM ticket_type
    WHERE event_id = $1
"""


async def list_rooms(tx: Tx, event_id: UUID) -> list[RoomRow]:
    """The event's rooms in the order in which they are shown."""
    return await rows(tx, RoomRow, LIST_ROOMS, event_id)


async def list_details(tx: Tx, event_id: UUID, *, key: str | None = None) -> list[CheckinListDetails]:
    """The event's lists, or the one of this key."""
    return await rows(tx, CheckinListDetails, LIST_DETAILS, event_id, key)


async def lock_list(tx: Tx, event_id: UUID, *, key: str) -> UUID | None:
    """The list's id; nobody else changes it until the transaction ends. None where there is no such list."""
    found: UUID | None = await tx.fetchval(LOCK_LIST, event_id, key)
    return found


async def insert_list(tx: Tx, event_id: UUID, list_id: UUID, *, new: CreateList) -> None:
    """Without its tickets, behind the lists that are there."""
    await tx.execute(
        INSERT_LIST,
        event_id,
        list_id,
        new.key,
        new.name,
        new.kind,
        new.room_id,
        new.opens_at,
        new.closes_at,
        new.capacity,
        new.reentry,
        new.early_minutes,
    )


async def update_list(tx: Tx, event_id: UUID, *, details: CheckinListDetails) -> None:
    """All but its tickets."""
    await tx.execute(
        UPDATE_LIST,
        event_id,
        details.list_id,
        details.name,
        details.room_id,
        details.opens_at,
        details.closes_at,
        details.capacity,
        details.reentry,
        details.early_minutes,
    )


async def delete_list(tx: Tx, event_id: UUID, list_id: UUID) -> None:
    await tx.execute(DELETE_LIST, event_id, list_id)


async def has_scans(tx: Tx, event_id: UUID, list_id: UUID) -> bool:
    """Whether anybody was scanned there, counted already or not."""
    return bool(await tx.fetchval(HAS_SCANS, event_id, list_id))


async def replace_tickets(tx: Tx, event_id: UUID, list_id: UUID, *, tickets: Sequence[str] | None) -> None:
    """None: every ticket type of the event."""
    await tx.execute(DELETE_TICKETS, event_id, list_id)
    if tickets is None:
        await tx.execute(INSERT_ALL_TICKETS, event_id, list_id)
    else:
        await tx.execute(INSERT_TICKETS, event_id, list_id, list(tickets))
