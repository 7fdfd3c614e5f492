"""The ring: what it takes, what it hands over, and from where somebody may go on."""

from __future__ import annotations

import pytest

from server.ids import new_id
from server.live.hub import BrokenLog, Entry, Log
from server.live.protocol import Reason, Wanted

EPOCH = "e1"
LENGTH = 5


class Taker:
    """A reader that takes `room` frames and then no more."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.received: list[int] = []

    def takes(self) -> bool:
        return self.room > 0

    def write(self, frame: bytes) -> None:
        self.room -= 1
        self.received.append(int(frame))


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(seq, b"%d" % seq) for seq in range(first, last + 1)]


def make_log(seq: int = 0, *, start: int = 0) -> Log:
    log = Log(new_id(), "announcements", epoch=EPOCH, seq=start, length=LENGTH)
    log.append(entries(start + 1, seq))
    return log


def test_an_append_moves_the_end() -> None:
    log = make_log(3)
    assert (log.seq, log.oldest) == (3, 0)
    log.append([])
    assert log.seq == 3


@pytest.mark.parametrize("seqs", [[5], [3], [2], [0], [4, 6], [4, 5, 5], [4, 3], [4, 5, 7, 8]])
def test_what_does_not_continue_the_log_is_refused_whole(seqs: list[int]) -> None:
    log = make_log(3)
    with pytest.raises(BrokenLog, match="should come next"):
        log.append([Entry(seq, b"0") for seq in seqs])
    assert log.seq == 3
    assert [entry.seq for entry in log.after(0)] == [1, 2, 3]


@pytest.mark.parametrize("end", [LENGTH - 1, LENGTH, 2 * LENGTH, 2 * LENGTH + 1, 3 * LENGTH + 2, 100])
def test_the_ring_keeps_the_last_events_and_no_more_than_twice_its_length(end: int) -> None:
    log = make_log()
    for seq in range(1, end + 1):
        log.append(entries(seq, seq))
    kept = [entry.seq for entry in log.after(log.oldest)]
    assert kept == list(range(log.oldest + 1, end + 1))
    assert min(end, LENGTH) <= len(kept) <= 2 * LENGTH


def test_one_append_longer_than_the_ring_leaves_the_end_of_it() -> None:
    log = make_log(50)
    assert (log.seq, log.oldest) == (50, 45)


def test_after_gives_what_lies_behind_a_position() -> None:
    log = make_log(9, start=4)
    assert [entry.seq for entry in log.after(4)] == [5, 6, 7, 8, 9]
    assert [entry.seq for entry in log.after(8)] == [9]
    assert list(log.after(9)) == []
    assert list(make_log().after(0)) == []


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        (Wanted("a"), (20, None)),
        (Wanted("a", EPOCH), (20, None)),
        (Wanted("a", EPOCH, 20), (20, None)),
        (Wanted("a", EPOCH, 17), (17, None)),
        (Wanted("a", EPOCH, 15), (15, None)),
        (Wanted("a", EPOCH, 14), (20, "too_old")),
        (Wanted("a", EPOCH, 0), (20, "too_old")),
        (Wanted("a", EPOCH, 21), (20, "ahead")),
        (Wanted("a", EPOCH, 2**63 - 1), (20, "ahead")),
        (Wanted("a", "e2", 20), (20, "epoch")),
        (Wanted("a", "e2", 0), (20, "epoch")),
        (Wanted("a", None, 20), (20, "epoch")),
    ],
)
def test_a_position_is_gone_on_from_whole_or_refused(wanted: Wanted, placed: tuple[int, Reason | None]) -> None:
    assert make_log(20, start=15).place(wanted) == placed


def test_a_channel_where_nothing_happened_is_resumed_from_its_beginning() -> None:
    assert make_log().place(Wanted("a", EPOCH, 0)) == (0, None)
    assert make_log(start=40).place(Wanted("a", EPOCH, 39)) == (40, "too_old")


def test_a_reader_gets_everything_behind_its_position_once() -> None:
    log, taker = make_log(4), Taker()
    cursor = log.join(taker, 1)
    assert cursor.advance()
    assert cursor.advance()
    log.append(entries(5, 6))
    assert cursor.advance()
    assert taker.received == [2, 3, 4, 5, 6]


def test_a_slow_reader_stays_behind_and_goes_on_where_it_stopped() -> None:
    log, taker = make_log(4), Taker(room=2)
    cursor = log.join(taker, 0)
    assert not cursor.advance()
    assert (cursor.seq, taker.received) == (2, [1, 2])
    taker.room = 10
    assert cursor.advance()
    assert taker.received == [1, 2, 3, 4]


def test_a_reader_whose_position_left_the_ring_is_handed_nothing_more() -> None:
    log, taker = make_log(2), Taker(room=1)
    cursor = log.join(taker, 0)
    assert not cursor.advance()
    log.append(entries(3, 30))
    taker.room = 100
    assert not cursor.advance()
    assert taker.received == [1]


def test_a_reader_that_has_left_is_handed_nothing_more() -> None:
    log, taker = make_log(2), Taker()
    cursor = log.join(taker, 2)
    cursor.leave()
    log.append(entries(3, 4))
    cursor.advance()
    cursor.leave()
    assert taker.received == []
    assert not log.cursors


def test_one_slow_reader_holds_up_nobody() -> None:
    log, slow, quick = make_log(), Taker(room=0), Taker()
    cursors = [log.join(slow, 0), log.join(quick, 0)]
    log.append(entries(1, 3))
    assert [cursor.advance() for cursor in cursors] == [False, True]
    assert (slow.received, quick.received) == ([], [1, 2, 3])
