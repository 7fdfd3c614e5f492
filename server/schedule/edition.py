"""A programme at one version, in memory: its rows, and what its files are written from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

from server.event.types import EventRow
from server.feed import Position
from server.interchange.programme import Publication
from server.schedule.publishing import publication_of
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
    ) -> None:
        """`position` is where channel `schedule` stood, `base_url` the event's public address."""
        self.mark = object()
        """Tells this edition from every other, and holds none of it."""
        self.event = event
        self.position = position
        self.version = version
        self.state = state
        self._stamps = stamps
        self._base_url = base_url

    @cached_property
    def publication(self) -> Publication:
        """Made when the first file is written."""
        return publication_of(self.event, self.version, self.state, self._stamps, base_url=self._base_url)

    def is_outdated(self, heard: Position | None) -> bool:
        """Whether channel `schedule` has come further, or is another since the database was restored."""
        return heard is not None and (heard.epoch != self.position.epoch or heard.seq > self.position.seq)
