"""A schedule file into an event: what it changes becomes one version, told on the feed."""

from __future__ import annotations

from datetime import time

from msgspec import Struct

from server.db import Database
from server.event import queries as event_queries
from server.event.reader import Reader
from server.event.types import EventRow
from server.ids import new_id
from server.interchange.programme import Programme, Repair
from server.schedule import history_queries, queries
from server.schedule.actions import change_programme
from server.schedule.errors import REMOVING
from server.schedule.merging import merge
from server.schedule.policy import is_seen
from server.schedule.telling import Around, change_view, in_order, with_edits
from server.schedule.types import Change


class Imported(Struct, frozen=True, kw_only=True):
    """What an import did, or with `--dry-run` would do."""

    version: int | None
    """The version it made; None where it changed nothing, or only looked."""
    changes: list[Change]
    repairs: list[Repair]
    """What was mended: by the reader of the file, then on its way into the programme."""
    overruled: list[Repair]
    """What an organizer had changed here and the file changes too."""


async def import_programme(
    db: Database, event: EventRow, programme: Programme, *, reader: Reader, dry_run: bool = False, note: str = ""
) -> Imported:
    """Changes what this file says otherwise than the one before it, and nothing else; all of it or nothing.

    `reader` is who reads the changes that are returned. Raises what `change_thing` does.
    """
    async with db.tx(REMOVING) as tx:
        await queries.lock_version(tx, event.event_id)
        state = await queries.read_state(tx, event.event_id)
        sources = await history_queries.list_sources(tx, event.event_id)
        held = await queries.list_held(tx, event.event_id)

        if not dry_run and not state.session and not sources:  # an event's first programme says when its days begin
            await event_queries.set_day_begins(tx, event.event_id, time.fromisoformat(programme.day_begins))
        merged = merge(state, sources, programme, held=held, new_id=new_id, default_language=event.default_language)

        edits, version = merged.edits, None
        if not dry_run:
            await history_queries.write_sources(tx, event.event_id, merged.sources)
            if edits:
                edits = await change_programme(
                    tx, event, edits, around=state, origin="import", name=programme.version, note=note
                )
                now = await queries.get_version(tx, event.event_id)
                version = None if now is None else now.version
    names = Around(state, with_edits(state, edits)).names
    return Imported(
        version=version,
        changes=[change_view(one, names, event, reader) for one in in_order(edits) if is_seen(one)],
        repairs=[*programme.repairs, *merged.repairs],
        overruled=merged.overruled,
    )
