"""Channels as rings of their last events, and readers as cursors over them. Pure: no clock, no socket, no database.

The whole correctness of resuming lies here: `place` says whether a position can be gone on from, `Cursor.advance` hands over
the events behind it one after the other, and nothing else moves a cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from server.live.protocol import Reason, Wanted

RING_LENGTH = 1000
"""Events kept in memory per channel: some hours of announcements, a busy hour of programme changes."""


class BrokenLog(Exception):
    """What was read from the log does not follow on what came before."""


class Entry(Struct, frozen=True):
    """One event, framed."""

    seq: int
    frame: bytes


class Sink(Protocol):
    """What a cursor writes to."""

    def takes(self) -> bool:
        """Whether it can take another frame now."""

    def write(self, frame: bytes) -> None:
        """Takes a frame; never waits."""


class Log:
    """One channel of one event: the ring and those who read it."""

    def __init__(self, event_id: UUID, channel: str, *, epoch: str, seq: int, length: int = RING_LENGTH) -> None:
        """`seq` is the channel's end before the first `append`."""
        self.event_id = event_id
        self.channel = channel
        self.epoch = epoch
        self.seq = seq
        self.replaced = False
        """Whether another log has taken its place; nothing is appended any more."""
        self.cursors: dict[Cursor, None] = {}  # a set that keeps its order
        self._length = length
        self._entries: list[Entry] = []

    def replace(self) -> None:
        """Says of itself that there is another one now."""
        self.replaced = True

    def readers(self) -> list[Sink]:
        return [cursor.sink for cursor in self.cursors]

    @property
    def oldest(self) -> int:
        """The oldest position from which everything later is in the ring."""
        return self._entries[0].seq - 1 if self._entries else self.seq

    def append(self, entries: Sequence[Entry]) -> None:
        """Adds what happened next. Raises `BrokenLog`, and adds nothing, unless it continues without a gap."""
        expected = self.seq + 1
        for entry in entries:
            if entry.seq != expected:
                raise BrokenLog(f"channel {self.channel}: event {expected} should come next, not {entry.seq}")
            expected += 1
        self._entries.extend(entries)
        self.seq = expected - 1
        if len(self._entries) > 2 * self._length:  # cut in halves: one move of the list per ring's length of events
            del self._entries[: -self._length]

    def drop_oldest(self) -> None:
        """Forgets the oldest event: who stands before it can no longer go on from there."""
        del self._entries[:1]

    def after(self, position: int) -> Sequence[Entry]:
        """The events behind a position that is not older than `oldest`."""
        if not self._entries:
            return ()
        if position == self.seq - 1:
            return self._entries[-1:]  # nearly everybody, nearly always
        return self._entries[max(0, position + 1 - self._entries[0].seq) :]

    def place(self, wanted: Wanted) -> tuple[int, Reason | None]:
        """From where a reader goes on, and why not from where it wanted to."""
        if wanted.seq is None:
            return self.seq, None
        if wanted.epoch != self.epoch:
            return self.seq, "epoch"
        if wanted.seq > self.seq:
            return self.seq, "ahead"
        if wanted.seq < self.oldest:
            return self.seq, "too_old"
        return wanted.seq, None

    def join(self, sink: Sink, position: int) -> Cursor:
        """A new reader behind `position`; call `advance` to hand it what is there already."""
        cursor = Cursor(self, sink, position)
        self.cursors[cursor] = None
        return cursor


class Cursor:
    """One reader of one channel."""

    __slots__ = ("behind_since", "log", "seq", "sink")

    def __init__(self, log: Log, sink: Sink, seq: int) -> None:
        self.log = log
        self.sink = sink
        self.seq = seq
        """The last event it was handed."""
        self.behind_since: float | None = None
        """When it was first seen unable to take more; the gateway's clock."""

    def advance(self) -> bool:
        """Hands over all that is behind its position, as long as the reader takes it; False: it is still behind.

        A reader whose position has left the ring is never handed anything again: it stays behind until it is closed. Nor is
        one that has left the log, whoever still holds its cursor.
        """
        if self.seq == self.log.seq or self not in self.log.cursors:
            return True
        if self.seq < self.log.oldest:
            return False
        for entry in self.log.after(self.seq):
            if not self.sink.takes():
                return False
            self.seq = entry.seq  # before the writing, which may name the position it leads to
            self.sink.write(entry.frame)
        return True

    def leave(self) -> None:
        self.log.cursors.pop(self, None)
