"""The gateway's own statements: the ring of a channel nobody has asked for yet, and everybody's own logs at once."""

from __future__ import annotations

from uuid import UUID

from server.db import Tx, rows
from server.feed.types import FeedEventRow, LetterRow, LogEnd

LIST_TAIL = """
    SELECT channel, seq, id, at, kind, data
    FROM feed_event
    WHERE event_id = $1 AND channel = $2 AND seq > $3::bigint - $4::integer AND seq <= $3::bigint
    ORDER BY seq
"""

# What `me` noted, and the event each note is of.
LIST_LETTERS = """
    SELECT told.channel, told.seq, told.id, told.at, told.kind, told.data, noted.seq AS note
    FROM feed_event AS noted
    JOIN feed_event AS told
      ON told.event_id = noted.event_id
     AND told.channel = noted.data ->> 'channel' AND told.seq = (noted.data ->> 'seq')::bigint
    WHERE noted.event_id = $1 AND noted.channel = 'me' AND noted.seq > $2
    ORDER BY noted.seq
    LIMIT $3
"""

LIST_PERSONAL_ENDS = "SELECT channel, seq FROM feed_channel WHERE event_id = $1 AND personal"


async def list_tail(tx: Tx, event_id: UUID, *, channel: str, end: int, length: int) -> list[FeedEventRow]:
    return await rows(tx, FeedEventRow, LIST_TAIL, event_id, channel, end, length)


async def list_letters(tx: Tx, event_id: UUID, *, after: int, limit: int) -> list[LetterRow]:
    """What was told to single people after a place in channel `me`, in its order."""
    return await rows(tx, LetterRow, LIST_LETTERS, event_id, after, limit)


async def list_personal_ends(tx: Tx, event_id: UUID) -> list[LogEnd]:
    """How far each personal log has come; those that hold nothing are not among them."""
    return await rows(tx, LogEnd, LIST_PERSONAL_ENDS, event_id)
