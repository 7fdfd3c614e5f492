"""Any history of appends, joins, stalls and leaves: what a reader gets is contiguous from its position, and whole.

The same history is played on rings that have been broken on purpose, one way each, and the same checks must notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from server.ids import new_id
from server.live.hub import BrokenLog, Cursor, Entry, Log, Sink
from server.live.protocol import Reason, Wanted

EPOCH = "e1"
LENGTH = 4


class Reader:
    """A sink that takes as much as it has room for, and knows what it should have got."""

    def __init__(self, position: int, room: int) -> None:
        self.position = position
        self.room = room
        self.received: list[int] = []
        self.expected_after_leaving: int | None = None

    def takes(self) -> bool:
        return self.room > 0

    def write(self, frame: bytes) -> None:
        assert self.room > 0, "a full reader was written to"
        self.room -= 1
        self.received.append(int(frame))

    def check(self) -> None:
        first = self.position + 1
        assert self.received == list(range(first, first + len(self.received))), "not contiguous from its position"
        if self.expected_after_leaving is not None:
            assert len(self.received) == self.expected_after_leaving, "written to after it had left"


class History(RuleBasedStateMachine):
    """One channel and its readers; the log's true content is all numbers from 1 to `end`."""

    log_type: ClassVar[type[Log]] = Log

    def __init__(self) -> None:
        super().__init__()
        self.log = self.log_type(new_id(), "announcements", epoch=EPOCH, seq=0, length=LENGTH)
        self.end = 0
        self.readers: list[tuple[Reader, Cursor]] = []

    @rule(count=st.integers(1, 3 * LENGTH))
    def append(self, count: int) -> None:
        self.log.append([Entry(seq, b"%d" % seq) for seq in range(self.end + 1, self.end + count + 1)])
        self.end += count

    @rule(skipped=st.integers(1, 3))
    def append_with_a_gap(self, skipped: int) -> None:
        seq = self.end + 1 + skipped
        try:
            self.log.append([Entry(seq, b"%d" % seq)])
        except BrokenLog:
            return
        self.end = seq

    @rule(back=st.integers(-2, 4 * LENGTH), room=st.sampled_from([0, 1, 2, 1000]), epoch=st.sampled_from([EPOCH, "e0"]))
    def resume(self, back: int, room: int, epoch: str) -> None:
        wanted = Wanted("announcements", epoch, max(0, self.end - back))
        position, reason = self.log.place(wanted)
        assert position == (self.end if reason else wanted.seq)
        assert reason or (epoch == EPOCH and position <= self.end), "went on from a position that cannot be"
        self._join(position, room)

    @rule(room=st.sampled_from([0, 1, 1000]))
    def join_at_the_end(self, room: int) -> None:
        assert self.log.place(Wanted("announcements")) == (self.end, None)
        self._join(self.end, room)

    def _join(self, position: int, room: int) -> None:
        reader = Reader(position, 1_000_000)
        cursor = self.log.join(reader, position)
        self.readers.append((reader, cursor))
        if room == 1000:
            assert cursor.advance(), "an accepted position was not gone on from"
            assert position + len(reader.received) == self.end, "an accepted resume was not whole"
        reader.room = room

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), room=st.integers(0, 20))
    def take_more(self, data: st.DataObject, room: int) -> None:
        reader, cursor = data.draw(st.sampled_from(self.readers))
        reader.room = room
        cursor.advance()

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        reader, cursor = data.draw(st.sampled_from(self.readers))
        cursor.leave()
        reader.expected_after_leaving = len(reader.received)

    @rule()
    def advance_all(self) -> None:
        """Also those that left meanwhile: whoever walks over a copy of the readers meets them."""
        for reader, cursor in self.readers:
            before = len(reader.received)
            reached = cursor.advance()
            if reached and reader.expected_after_leaving is None:
                assert reader.position + len(reader.received) == self.end, "said to be at the end, and is not"
            assert len(reader.received) >= before

    @invariant()
    def every_reader_is_contiguous(self) -> None:
        for reader, _ in self.readers:
            reader.check()


class PlacesAnywhere(Log):
    """Resumes without asking whether the ring still holds what was missed."""

    def place(self, wanted: Wanted) -> tuple[int, Reason | None]:
        if wanted.seq is None or wanted.epoch != self.epoch or wanted.seq > self.seq:
            return super().place(wanted)
        return wanted.seq, None


class IgnoresEpochs(Log):
    """Resumes in a log that is another one."""

    def place(self, wanted: Wanted) -> tuple[int, Reason | None]:
        return super().place(Wanted(wanted.name, self.epoch, wanted.seq))


class TakesGaps(Log):
    """Appends whatever comes."""

    def append(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)
        self.seq = entries[-1].seq
        del self._entries[: -2 * self._length]


class _SkippingCursor(Cursor):
    def advance(self) -> bool:
        for entry in self.log.after(self.seq):
            if not self.sink.takes():
                return False
            self.sink.write(entry.frame)
            self.seq = entry.seq
        return True


class SkipsWhatLeftTheRing(Log):
    """Hands a reader that fell too far behind what there still is."""

    def join(self, sink: Sink, position: int) -> Cursor:
        cursor = _SkippingCursor(self, sink, position)
        self.cursors[cursor] = None
        return cursor


class _StickyCursor(Cursor):
    def leave(self) -> None:
        return None


class KeepsWhoLeft(Log):
    """Goes on writing to a reader that has left."""

    def join(self, sink: Sink, position: int) -> Cursor:
        cursor = _StickyCursor(self, sink, position)
        self.cursors[cursor] = None
        return cursor


def play(log_type: type[Log], examples: int) -> None:
    machine = type(f"HistoryOf{log_type.__name__}", (History,), {"log_type": log_type})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            derandomize=log_type is not Log,
            phases=[Phase.generate],
            database=None,
            report_multiple_bugs=False,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_every_history_reads_contiguous_and_whole() -> None:
    play(Log, 120)


@pytest.mark.parametrize("broken", [PlacesAnywhere, IgnoresEpochs, TakesGaps, SkipsWhatLeftTheRing, KeepsWhoLeft])
def test_a_broken_ring_is_caught(broken: type[Log]) -> None:
    with pytest.raises(AssertionError):
        play(broken, 500)
