"""The events by name: remembered, and no more of them than there is room for."""

from __future__ import annotations

from itertools import combinations, islice
from uuid import UUID

import pytest

from server.config import Settings
from server.db import Database
from server.event import directory
from server.event.directory import Events
from server.event.types import EventRow


class Hoard(dict[str, tuple[float, EventRow]]):
    """Gives nothing away."""

    def clear(self) -> None:
        pass


async def ask_by_many_names(events: Events, event_id: UUID) -> None:
    """One event by ever other ways to write its id; fails where all of them are kept."""
    bare = event_id.hex
    for places in islice(combinations(range(1, 32), 4), 3 * directory.MAX_KNOWN):
        ends = zip((0, *places), (*places, 32), strict=True)
        name = "-".join(bare[start:end] for start, end in ends)
        assert (await events.get(name)).event_id == event_id
        assert events.known(name) is not None
    assert len(events._known) <= directory.MAX_KNOWN


@pytest.fixture
def events(db: Database, monkeypatch: pytest.MonkeyPatch) -> Events:
    monkeypatch.setattr(directory, "MAX_KNOWN", 20)
    return Events(db)


async def test_names_are_not_kept_without_end(events: Events, event_id: UUID) -> None:
    await ask_by_many_names(events, event_id)


async def test_a_memory_without_an_end_is_caught(events: Events, event_id: UUID) -> None:
    events._known = Hoard()
    with pytest.raises(AssertionError):
        await ask_by_many_names(events, event_id)


@pytest.mark.parametrize(
    ("public_url", "address"),
    [("", "http://127.0.0.1:8000"), ("https://api.example.org/", "https://api.example.org")],
)
def test_an_address_that_is_written_down_ends_before_the_slash(public_url: str, address: str) -> None:
    assert Settings(public_url=public_url).address == address
