"""What changed between two versions, read from the history: exact, however far apart they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from server.db import Tx
from server.event.reader import Reader
from server.event.types import EventRow
from server.schedule import history_queries, queries
from server.schedule.errors import UnknownVersion
from server.schedule.policy import Names, difference, is_seen
from server.schedule.rows import TouchedRow, restored
from server.schedule.telling import change_view, in_order
from server.schedule.types import Change, Changes


async def changes_between(tx: Tx, event: EventRow, since: int, until: int | None, reader: Reader) -> Changes:
    """From `since` to `until`, or to the newest version. `tx` is a snapshot. Raises `UnknownVersion`."""
    now = await queries.get_version(tx, event.event_id)
    newest = now.version if now else 0
    until = newest if until is None else until
    if not since <= until <= newest:
        raise UnknownVersion
    touched = await history_queries.list_touched(tx, event.event_id, since=since, until=until)
    if not touched:
        return Changes(since=since, version=until, changes=[])
    names = Names(
        rooms=await history_queries.list_names_then(tx, event.event_id, "room", version=until),
        tracks=await history_queries.list_names_then(tx, event.event_id, "track", version=until),
        speakers=await history_queries.list_names_then(tx, event.event_id, "speaker", version=until),
        kinds=await history_queries.list_names_then(tx, event.event_id, "kind", version=until),
    )
    # In a thread: a whole programme takes longer than a scanner at the door should wait.
    changes = await asyncio.to_thread(_views, touched, names, event, reader)
    return Changes(since=since, version=until, changes=changes)


def _views(touched: Iterable[TouchedRow], names: Names, event: EventRow, reader: Reader) -> list[Change]:
    edits = [
        edit
        for one in touched
        if (
            edit := difference(one.subject, one.id, restored(one.subject, one.before), restored(one.subject, one.after))
        )
    ]
    return [change_view(one, names, event, reader) for one in in_order(edits) if is_seen(one)]
