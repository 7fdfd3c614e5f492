"""What changed between two versions, read from the history: exact, however far apart they are."""

from __future__ import annotations

from server.db import Tx
from server.event.reader import Reader
from server.event.types import EventRow
from server.schedule import history_queries, queries
from server.schedule.errors import UnknownVersion
from server.schedule.policy import Names, difference, is_seen
from server.schedule.rows import restored
from server.schedule.telling import change_view, in_order
from server.schedule.types import Changes


async def changes_between(tx: Tx, event: EventRow, since: int, until: int | None, reader: Reader) -> Changes:
    """From `since` to `until`, or to the newest version. `tx` is a snapshot. Raises `UnknownVersion`."""
    now = await queries.get_version(tx, event.event_id)
    newest = now.version if now else 0
    until = newest if until is None else until
    if not since <= until <= newest:
        raise UnknownVersion
    touched = await history_queries.list_touched(tx, event.event_id, since=since, until=until)
    edits = [
        edit
        for one in touched
        if (
            edit := difference(one.subject, one.id, restored(one.subject, one.before), restored(one.subject, one.after))
        )
    ]
    names = Names(
        rooms=await history_queries.list_names_then(tx, event.event_id, "room", version=until),
        tracks=await history_queries.list_names_then(tx, event.event_id, "track", version=until),
        speakers=await history_queries.list_names_then(tx, event.event_id, "speaker", version=until),
        kinds=await history_queries.list_names_then(tx, event.event_id, "kind", version=until),
    )
    changes = [change_view(one, names, event, reader) for one in in_order(edits) if is_seen(one)]
    return Changes(since=since, version=until, changes=changes)
