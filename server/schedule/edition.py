"""A programme at one version, in memory: its rows, and what its files are written from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

from server.db import Database
from server.event.types import EventRow
from server.feed import Position, queries as feed_queries
from server.feed.types import SCHEDULE
from server.interchange.programme import Publication
from server.schedule import history_queries, queries
from server.schedule.publishing import publication_of, without_extra
from server.schedule.rows import StampRow, State, VersionRow

NEVER = VersionRow(0, datetime.fromtimestamp(0, UTC))
"""The version of an event that has no programme yet."""


class Edition:
    """Read once and never changed: whoever has it may use it from any thread."""

    def __init__(
        self,
        event: EventRow,
        position: Position,
        version: VersionRow,
        state: State,
        stamps: list[StampRow],
        *,
        base_url: str,
        with_extra: bool = False,
    ) -> None:
        """`position` is where channel `schedule` stood, `base_url` the event's public address. `with_extra`: its files say what
        the imported ones said beyond the programme, which may be meant for organizers alone."""
        self.mark = object()
        """Tells this edition from every other, and holds none of it."""
        self.event = event
        self.position = position
        self.version = version
        self.state = state
        self._stamps = stamps
        self._base_url = base_url
        self._with_extra = with_extra

    @cached_property
    def publication(self) -> Publication:
        """Made when the first file is written."""
        state = self.state if self._with_extra else without_extra(self.state)
        return publication_of(self.event, self.version, state, self._stamps, base_url=self._base_url)

    def is_outdated(self, heard: Position | None) -> bool:
        """Whether channel `schedule` has come further, or is another since the database was restored."""
        return heard is not None and (heard.epoch != self.position.epoch or heard.seq > self.position.seq)


async def read_edition(db: Database, event: EventRow, *, base_url: str, with_extra: bool = False) -> Edition:
    """The programme as it is now, all of one moment."""
    async with db.snapshot() as tx:
        position = await feed_queries.get_position(tx, event.event_id, channel=SCHEDULE)
        version = await queries.get_version(tx, event.event_id)
        state = await queries.read_state(tx, event.event_id)
        stamps = await history_queries.list_stamps(tx, event.event_id)
    return Edition(
        event,
        position or Position(SCHEDULE, "", 0),
        version or NEVER,
        state,
        stamps,
        base_url=base_url,
        with_extra=with_extra,
    )
