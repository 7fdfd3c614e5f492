"""Everybody's own logs, fed together: each stays whole, or says that it is not."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, strategies as st

from server.ids import new_id
from server.live.hub import BrokenLog, Entry
from server.live.mailroom import Letter, Mailroom
from server.live.protocol import Wanted


class Reader:
    """Takes everything."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    def takes(self) -> bool:
        return True

    def write(self, frame: bytes) -> None:
        self.read.append(frame)


def letter(note: int, channel: str, seq: int) -> Letter:
    return Letter(note, channel, Entry(seq, f"{channel} {seq}".encode()))


def make(*, seq: int = 0, kept: int = 1000, **ends: int) -> Mailroom:
    return Mailroom(new_id(), "me", epoch="e", seq=seq, ends=ends, kept=kept)


def test_each_letter_goes_to_whom_it_is_for() -> None:
    mailroom, readers = make(), {"a": Reader(), "b": Reader()}
    for channel, reader in readers.items():
        mailroom.log(channel).join(reader, 0)
    grown = mailroom.append([letter(1, "a", 1), letter(2, "b", 1), letter(3, "a", 2), letter(4, "c", 1)])
    assert [log.channel for log in grown] == ["a", "b", "c"]
    for log in grown:
        for cursor in log.cursors:
            assert cursor.advance()
    assert {channel: reader.read for channel, reader in readers.items()} == {"a": [b"a 1", b"a 2"], "b": [b"b 1"]}
    assert set(mailroom.readers()) == set(readers.values())


def test_a_log_goes_on_where_it_was() -> None:
    mailroom = make(seq=9, a=7)
    assert (mailroom.log("a").seq, mailroom.log("b").seq) == (7, 0)
    mailroom.append([letter(10, "a", 8), letter(11, "b", 1)])
    assert mailroom.log("a").place(Wanted("me", "e", 7)) == (7, None)
    assert mailroom.log("a").place(Wanted("me", "e", 6)) == (8, "too_old")


def test_a_log_that_somebody_reads_is_not_forgotten_with_its_letters() -> None:
    mailroom, reader = make(kept=1), Reader()
    mailroom.log("a").join(reader, 0)
    for told in (letter(1, "a", 1), letter(2, "b", 1), letter(3, "a", 2)):
        for log in mailroom.append([told]):
            assert all(cursor.advance() for cursor in log.cursors)
    assert reader.read == [b"a 1", b"a 2"]


@pytest.mark.parametrize("wrong", [letter(3, "a", 1), letter(1, "a", 1), letter(2, "a", 3)])
def test_a_gap_is_no_news(wrong: Letter) -> None:
    mailroom = make(seq=1, a=1)
    with pytest.raises(BrokenLog):
        mailroom.append([wrong])


def test_all_are_others_when_it_is() -> None:
    mailroom = make()
    log = mailroom.log("a")
    mailroom.replace()
    assert mailroom.replaced
    assert log.replaced


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(1, 20), st.data())
def test_whoever_comes_back_gets_the_rest_or_is_told_that_it_is_gone(
    told: list[str], kept: int, data: st.DataObject
) -> None:
    """Whatever is kept and forgotten in between."""
    mailroom, seen = make(kept=kept), defaultdict[str, int](int)
    for note, channel in enumerate(told, start=1):
        seen[channel] += 1
        mailroom.append([letter(note, channel, seen[channel])])
    for channel in "abcd":
        position = data.draw(st.integers(0, seen[channel]))
        log, reader = mailroom.log(channel), Reader()
        start, reason = log.place(Wanted("me", "e", position))
        assert log.join(reader, start).advance()
        missed = [f"{channel} {seq}".encode() for seq in range(position + 1, seen[channel] + 1)]
        assert reader.read == ([] if reason == "too_old" else missed)
        newest = told[-kept:]
        assert (reason is None) == (seen[channel] - position <= newest.count(channel))
