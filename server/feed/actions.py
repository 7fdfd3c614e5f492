"""Writing to the feed's log. Everybody's actions call these inside their own transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from uuid import UUID

from server.db import Tx, encode_json
from server.feed import queries
from server.feed.types import HINT_CHANNEL, Emitted
from server.ids import new_id


def new_epoch() -> str:
    """A name for a new life of a log: 48 random bits, so that no two lives are ever taken for one."""
    return secrets.token_hex(6)


async def open_channels(tx: Tx, event_id: UUID, channels: Iterable[str]) -> None:
    """Makes these channels exist, empty, so that their position can be told before anything happens."""
    for channel in channels:
        await queries.open_channel(tx, event_id, channel=channel, epoch=new_epoch())


async def emit(tx: Tx, event_id: UUID, *, channel: str, kind: str, data: object) -> Emitted:
    """Appends an event to a channel's log. Others see it, whole, when `tx` commits; until then they wait to append theirs."""
    return await queries.append(
        tx,
        event_id,
        channel=channel,
        new_epoch=new_epoch(),
        event=new_id(),
        kind=kind,
        data=encode_json(data),
        hint=HINT_CHANNEL,
    )
