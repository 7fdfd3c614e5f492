"""Statements on the feed's logs and states."""

from __future__ import annotations

from uuid import UUID

from server.db import Tx, row, rows
from server.feed.types import ChannelHead, Emitted, FeedEventRow, Position, StateRow

OPEN_CHANNELS = """
    INSERT INTO feed_channel (event_id, channel, epoch)
    SELECT $1, given.channel, $3
    FROM unnest($2::text[]) AS given (channel)
    ON CONFLICT (event_id, channel) DO NOTHING
"""

# The counter's row stays locked until the commit: that is what makes `seq` gap-free in commit order.
APPEND = """
    WITH counted AS (
        INSERT INTO feed_channel (event_id, channel, epoch, seq)
        VALUES ($1, $2, $3, 1)
        ON CONFLICT (event_id, channel) DO UPDATE SET seq = feed_channel.seq + 1
        RETURNING seq
    ), written AS (
        INSERT INTO feed_event (event_id, channel, seq, id, at, kind, data)
        SELECT $1, $2, counted.seq, $4, clock_timestamp(), $5, $6
        FROM counted
        RETURNING seq, at
    ), hinted AS (
        SELECT pg_notify($7, $1::text || ':' || $2 || ':' || written.seq) FROM written WHERE $7::text IS NOT NULL
    )
    SELECT written.seq, written.at
    FROM written
    LEFT JOIN hinted ON true
"""

# What is the same is left out before anything is locked: a value told ten times a second and changed once a minute costs a
# reading. The counter's row comes first, and whoever waits for it meets rows that were not in its snapshot: hence the second
# comparison. It then may have counted for nothing, which readers see as "nothing new up to N".
WRITE_STATES = """
    WITH changed AS (
        SELECT given.key, given.data
        FROM unnest($4::text[], $5::text[]) AS given (key, data)
        LEFT JOIN feed_state AS present
            ON present.event_id = $1 AND present.channel = $2 AND present.key = given.key
        WHERE given.data IS DISTINCT FROM present.data::text
    ), counted AS (
        INSERT INTO feed_channel (event_id, channel, epoch, seq)
        SELECT $1, $2, $3, 1
        WHERE EXISTS (SELECT FROM changed)
        ON CONFLICT (event_id, channel) DO UPDATE SET seq = feed_channel.seq + 1
        RETURNING seq
    ), written AS (
        INSERT INTO feed_state (event_id, channel, key, version, at, data)
        SELECT $1, $2, changed.key, counted.seq, clock_timestamp(), changed.data::json
        FROM counted, changed
        ON CONFLICT (event_id, channel, key) DO UPDATE
        SET version = excluded.version, at = excluded.at, data = excluded.data
        WHERE feed_state.data::text IS DISTINCT FROM excluded.data::text
        RETURNING key
    ), hinted AS (
        SELECT pg_notify($6, $1::text || ':' || $2 || ':' || counted.seq)
        FROM counted
        WHERE $6::text IS NOT NULL AND EXISTS (SELECT FROM written)
    )
    SELECT count(written.key)
    FROM written
    LEFT JOIN hinted ON true
"""

# Channel `me` is locked before any log below it, by everybody: so nobody waits in a circle, and its order is theirs.
APPEND_PERSONAL = """
    WITH everybody AS (
        UPDATE feed_channel
        SET seq = seq + cardinality($2::text[])
        WHERE event_id = $1 AND channel = 'me'
        RETURNING epoch, seq
    ), counted AS (
        INSERT INTO feed_channel (event_id, channel, epoch, seq, personal)
        SELECT $1, given.channel, everybody.epoch, 1, true
        FROM everybody, unnest($2::text[]) AS given (channel)
        ON CONFLICT (event_id, channel) DO UPDATE SET seq = feed_channel.seq + 1
        RETURNING channel, seq
    ), written AS (
        INSERT INTO feed_event (event_id, channel, seq, id, at, kind, data)
        SELECT $1, counted.channel, counted.seq, given.id, clock_timestamp(), $4, $5
        FROM counted
        JOIN unnest($2::text[], $3::uuid[]) AS given (channel, id) USING (channel)
        RETURNING channel, seq, id
    ), noted AS (
        INSERT INTO feed_event (event_id, channel, seq, id, at, kind, data)
        SELECT $1, 'me', everybody.seq + 1 - row_number() OVER (ORDER BY written.id DESC), written.id, clock_timestamp(),
               'me.grown', json_build_object('channel', written.channel, 'seq', written.seq)
        FROM everybody, written
        RETURNING seq
    ), hinted AS (
        SELECT pg_notify($6, $1::text || ':me:' || everybody.seq) FROM everybody WHERE $6::text IS NOT NULL
    )
    SELECT count(*)
    FROM noted
    LEFT JOIN hinted ON true
"""

# Those of single people are not among them: `me` grows with them.
LIST_HEADS = "SELECT event_id, channel, epoch, seq FROM feed_channel WHERE NOT personal"

# A personal log that holds nothing yet is there all the same, in the epoch of them all.
GET_POSITION = """
    SELECT channel, epoch, seq
    FROM feed_channel
    WHERE event_id = $1 AND channel = $2
    UNION ALL
    SELECT $2, epoch, 0
    FROM feed_channel
    WHERE event_id = $1 AND channel = 'me' AND $2 LIKE 'me:%'
    ORDER BY seq DESC
    LIMIT 1
"""

LIST_POSITIONS = """
    SELECT channel, epoch, seq
    FROM feed_channel
    WHERE event_id = $1 AND channel = ANY($2::text[])
    ORDER BY channel
"""

# What a cluster is told apart by: its name, given once and never copied by a dump, and its timeline, which a recovery to an
# earlier moment or a standby's promotion begins anew. Null before: a new installation, which has lost nothing.
RENEW_IF_RESTORED = """
    WITH found AS (
        SELECT system_identifier || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS history
        FROM pg_control_system()
    ), before AS (
        SELECT history FROM digitalnow_installation FOR UPDATE
    ), noted AS (
        UPDATE digitalnow_installation
        SET history = found.history
        FROM found, before
        WHERE before.history IS DISTINCT FROM found.history
    ), renewed AS (
        UPDATE feed_channel
        SET epoch = $1
        FROM found, before
        WHERE before.history <> found.history
        RETURNING channel
    )
    SELECT count(*)
    FROM renewed
"""

RENEW_EPOCHS = """
    WITH renewed AS (
        UPDATE feed_channel SET epoch = $1 RETURNING channel
    )
    SELECT count(*)
    FROM renewed
"""

LIST_EVENTS_AFTER = """
    SELECT channel, seq, id, at, kind, data
    FROM feed_event
    WHERE event_id = $1 AND channel = $2 AND seq > $3
    ORDER BY seq
    LIMIT $4
"""

LIST_STATES_AFTER = """
    SELECT channel, key, version, data
    FROM feed_state
    WHERE event_id = $1 AND channel = $2 AND version > $3
    ORDER BY version, key
"""


async def open_channels(tx: Tx, event_id: UUID, *, channels: list[str], epoch: str) -> None:
    await tx.execute(OPEN_CHANNELS, event_id, channels, epoch)


async def append(
    tx: Tx, event_id: UUID, *, channel: str, new_epoch: str, event: UUID, kind: str, data: str, hint: str | None
) -> Emitted:
    """Counts and writes one event; `new_epoch` is used only where the channel does not exist yet."""
    written = await row(tx, Emitted, APPEND, event_id, channel, new_epoch, event, kind, data, hint)
    assert written is not None, "an INSERT … RETURNING of one row returns it"  # noqa: S101 - for the type checker
    return written


async def append_personal(
    tx: Tx, event_id: UUID, *, channels: list[str], events: list[UUID], kind: str, data: str, hint: str | None
) -> None:
    """Counts and writes the same event in each of these personal logs, none of which may be named twice."""
    told: int = await tx.fetchval(APPEND_PERSONAL, event_id, channels, events, kind, data, hint)
    assert told == len(channels), "channel `me` is opened with its event"  # noqa: S101 - a log without it would never be read


async def write_states(
    tx: Tx, event_id: UUID, *, channel: str, new_epoch: str, keys: list[str], data: list[str | None], hint: str | None
) -> int:
    """Writes the values that differ from the present ones, counts that as one change, and returns how many they were."""
    return int(await tx.fetchval(WRITE_STATES, event_id, channel, new_epoch, keys, data, hint))


async def renew_if_restored(tx: Tx, *, epoch: str) -> int:
    """Notes which cluster and timeline this is; where it was another one, gives every log that epoch. How many it gave it to."""
    return int(await tx.fetchval(RENEW_IF_RESTORED, epoch))


async def renew_epochs(tx: Tx, *, epoch: str) -> int:
    return int(await tx.fetchval(RENEW_EPOCHS, epoch))


async def list_heads(tx: Tx) -> list[ChannelHead]:
    return await rows(tx, ChannelHead, LIST_HEADS)


async def get_position(tx: Tx, event_id: UUID, *, channel: str) -> Position | None:
    return await row(tx, Position, GET_POSITION, event_id, channel)


async def list_positions(tx: Tx, event_id: UUID, *, channels: list[str]) -> list[Position]:
    return await rows(tx, Position, LIST_POSITIONS, event_id, channels)


async def list_events_after(tx: Tx, event_id: UUID, *, channel: str, after: int, limit: int) -> list[FeedEventRow]:
    return await rows(tx, FeedEventRow, LIST_EVENTS_AFTER, event_id, channel, after, limit)


async def list_states_after(tx: Tx, event_id: UUID, *, channel: str, after: int) -> list[StateRow]:
    """What has changed since a version, keys that were taken away included; 0: everything there ever was."""
    return await rows(tx, StateRow, LIST_STATES_AFTER, event_id, channel, after)
