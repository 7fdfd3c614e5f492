"""Phones that remember what they have read, and the table that they are held against."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, strategies as st

from loadtests.feed_ledger import Counts, Entry, Ledger, Standing, standings
from server.feed.types import FeedEventRow

CHANNEL = "announcements"
rows = st.lists(
    st.tuples(st.uuids(), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)), max_size=12
)


def row(seq: int, event: UUID | None = None, data: object = "said") -> Entry:
    return Entry(CHANNEL, seq, str(event or UUID(int=seq)), "kind.of", json.dumps(data))


def sent(entry: Entry) -> bytes:
    """As the gateway and a page have it."""
    found = FeedEventRow(entry.channel, entry.seq, UUID(entry.id), datetime.now(UTC), entry.kind, entry.data)
    return msgspec.json.encode(found.to_event())


def standing(*entries: Entry) -> Standing:
    return standings(entries, {CHANNEL: "e"})[0][CHANNEL]


class Phone:
    """Its ledger, and what it went through."""

    def __init__(self) -> None:
        self.ledger, self.counts = Ledger(), Counts()
        self.ledger.begin("e")
        self.ledger.resume()

    def hear(self, *entries: Entry) -> None:
        for entry in entries:
            self.ledger.hear(entry.seq, sent(entry), self.counts)

    def read(self, *entries: Entry) -> None:
        for entry in entries:
            self.ledger.read(entry.seq, sent(entry), self.counts)

    @property
    def standing(self) -> Standing:
        return Standing(self.ledger.epoch or "", self.ledger.seq, self.ledger.digest)


@given(rows, st.data())
def test_whoever_hears_and_reads_everything_stands_where_the_table_does(
    found: list[tuple[UUID, dict[str, str]]], data: st.DataObject
) -> None:
    entries = [row(seq, event, said) for seq, (event, said) in enumerate(found, start=1)]
    phone, cut = Phone(), data.draw(st.integers(0, len(entries)))
    phone.hear(*entries[:cut])
    phone.ledger.start_catching_up(data.draw(st.integers(cut, len(entries))))
    until = phone.ledger.heard
    early = data.draw(st.integers(until, len(entries)))
    ahead = data.draw(st.integers(until, len(entries)))
    phone.hear(*entries[until:early])
    phone.read(*entries[cut:ahead])
    phone.ledger.caught_up(phone.counts)
    phone.hear(*entries[early:])
    assert phone.standing == standing(*entries)
    assert (phone.counts.gaps, phone.counts.reorders, phone.counts.deliveries) == (0, 0, len(entries))


@pytest.mark.parametrize(
    ("heard", "gaps", "reorders"),
    [((1, 3), 2, 0), ((1, 2, 2), 0, 1), ((1, 2, 1), 0, 1), ((2,), 2, 0), ((1, 2, 3), 0, 0)],
)
def test_what_is_left_out_or_comes_again_is_noticed(heard: tuple[int, ...], gaps: int, reorders: int) -> None:
    phone = Phone()
    phone.hear(*map(row, heard))
    assert (phone.counts.gaps, phone.counts.reorders) == (gaps, reorders)


def test_a_page_that_begins_too_late_is_noticed() -> None:
    phone = Phone()
    phone.ledger.start_catching_up(3)
    phone.read(row(2), row(3))
    assert phone.counts.gaps == 1


@pytest.mark.parametrize(
    "other",
    [
        [row(1), row(2, UUID(int=9))],
        [row(1), row(2, data="otherwise")],
        [row(1, UUID(int=2)), row(2, UUID(int=1))],
        [row(1), Entry(CHANNEL, 2, str(UUID(int=2)), "kind.other", json.dumps("said"))],
    ],
    ids=["id", "data", "order", "kind"],
)
def test_whatever_differs_makes_another_digest(other: list[Entry]) -> None:
    assert standing(*other) != standing(row(1), row(2))


def test_numbers_missing_in_the_table_are_counted() -> None:
    assert standings([row(1), row(4), row(5)], {CHANNEL: "e"})[1] == 2
