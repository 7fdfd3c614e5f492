"""The gateway's one statement of its own: the ring of a channel nobody has asked for yet."""

from __future__ import annotations

from uuid import UUID

from server.db import Tx, rows
from server.feed.types import FeedEventRow

LIST_TAIL = """
    SELECT channel, seq, id, at, kind, data
    FROM feed_event
    WHERE event_id = $1 AND channel = $2 AND seq > $3::bigint - $4::integer AND seq <= $3::bigint
    ORDER BY seq
"""


async def list_tail(tx: Tx, event_id: UUID, *, channel: str, end: int, length: int) -> list[FeedEventRow]:
    return await rows(tx, FeedEventRow, LIST_TAIL, event_id, channel, end, length)
