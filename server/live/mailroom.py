"""Everybody's own logs, which are fed together. Pure: no clock, no socket, no database.

Thousands of people have a log each, and nearly always nothing happens in it. One counter, channel `me`, is followed for all of
them; what it brings is put into the log of whom it is for, and the last some thousand of all are kept in memory. So a hall that
comes back from a dead spot finds every one of its logs here, without a question to the database.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from server.live.hub import BrokenLog, Entry, Log, Sink

MAIL_KEPT = 5000
"""Events of all personal logs together that stay in memory: one to everybody, or a day's of those who speak."""


class Letter(Struct, frozen=True):
    """An event of somebody's own log, and its place among everybody's."""

    note: int
    channel: str
    entry: Entry


class Mailroom:
    """The personal logs of one event."""

    def __init__(
        self, event_id: UUID, channel: str, *, epoch: str, seq: int, ends: Mapping[str, int], kept: int = MAIL_KEPT
    ) -> None:
        """`ends`: how far each log has come that holds anything, when `channel` had come to `seq`."""
        self.event_id = event_id
        self.channel = channel
        self.epoch = epoch
        self.seq = seq
        self.replaced = False
        """Whether another one has taken its place; nothing is put in any more."""
        self._ends = dict(ends)
        self._logs: dict[str, Log] = {}
        self._kept: deque[str] = deque()  # whose log holds the oldest, the next oldest …
        self._most = kept

    def readers(self) -> list[Sink]:
        return [sink for log in self._logs.values() for sink in log.readers()]

    def log(self, channel: str) -> Log:
        """Somebody's own log; an empty one where nothing was ever told."""
        log = self._logs.get(channel)
        if log is None:
            log = Log(self.event_id, channel, epoch=self.epoch, seq=self._ends.get(channel, 0))
            self._logs[channel] = log
        return log

    def replace(self) -> None:
        """Says of itself and all its logs that they are others now."""
        self.replaced = True
        for log in self._logs.values():
            log.replaced = True

    def append(self, letters: Sequence[Letter]) -> list[Log]:
        """Puts in what happened next; returns the logs that have grown. Raises `BrokenLog` for a gap, in `me` or below it."""
        grown: dict[Log, None] = {}
        for letter in letters:
            if letter.note != self.seq + 1:
                raise BrokenLog(f"channel {self.channel}: event {self.seq + 1} should come next, not {letter.note}")
            log = self.log(letter.channel)
            log.append([letter.entry])
            self.seq = letter.note
            self._ends[letter.channel] = letter.entry.seq
            self._kept.append(letter.channel)
            grown[log] = None
        while len(self._kept) > self._most:
            self._drop_oldest()
        return list(grown)

    def _drop_oldest(self) -> None:
        channel = self._kept.popleft()
        log = self._logs[channel]
        log.drop_oldest()
        if log.oldest == log.seq and not log.cursors:
            del self._logs[channel]
