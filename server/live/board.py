"""State channels as boards of their latest values, and viewers who are shown in turn what has changed. Pure: no clock, no
socket, no database.

Time is counted in ticks. The viewers of a board stand on a wheel of `turn` places, and a tick deals with one of them: everybody
is shown the board once a turn, and gets each key's latest value then, once. What was overwritten meanwhile is never sent; what
a slow viewer could not take is not kept for it, it gets the value of a later turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

from msgspec import Struct

from server.live.hub import Sink

TURN = 22
"""Places of the wheel."""
TICK_SECONDS = 0.05
"""How long one place lasts: more than a second for 21 of them, though a timer may go off a millisecond early."""
_NOTHING_YET = -1


class Posted(Struct, frozen=True):
    """A key's latest value, framed."""

    key: str
    version: int
    frame: bytes
    gone: bool
    """The key was taken away: told to those who may have seen it."""


class Board:
    """One state channel of one event: the latest value of each key and those who look at them."""

    def __init__(self, event_id: UUID, channel: str, *, epoch: str, turn: int = TURN) -> None:
        self.event_id = event_id
        self.channel = channel
        self.epoch = epoch
        self.seq = 0
        """How many changes of the channel are on the board: all up to this one, none after it."""
        self.replaced = False
        """Whether another channel has taken its place; nothing is put up any more."""
        self._posted: dict[str, Posted] = {}  # in the order of their versions
        self._wheel: list[dict[Viewer, None]] = [{} for _ in range(turn)]
        self._now = 0
        self._news: dict[int, bytes] = {}

    def put(self, changes: Iterable[Posted], *, seq: int) -> None:
        """Takes what has changed after `self.seq`, in the order of the versions; `seq` is how far that reading reached."""
        for posted in changes:
            self._posted.pop(posted.key, None)  # to stand at the end
            self._posted[posted.key] = posted
            seq = max(seq, posted.version)
        self.seq = seq
        self._news.clear()

    def news(self, position: int) -> bytes:
        """The frames of what has changed since a position; the same bytes for all who stand there."""
        found = self._news.get(position)
        if found is None:
            found = self._news[position] = b"".join(posted.frame for posted in self._changed_since(position))
        return found

    def _changed_since(self, position: int) -> list[Posted]:
        if position == _NOTHING_YET:
            return [posted for posted in self._posted.values() if not posted.gone]
        changed = []
        for posted in reversed(self._posted.values()):
            if posted.version <= position:
                break
            changed.append(posted)
        return changed[::-1]

    def join(self, sink: Sink) -> Viewer:
        """A new viewer; call its `look` to show it what there is now. Its turn comes when the wheel has gone round."""
        viewer = Viewer(self, sink, (self._now - 1) % len(self._wheel))
        self._wheel[viewer.place][viewer] = None
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._wheel[viewer.place].pop(viewer, None)

    def holds(self, viewer: Viewer) -> bool:
        return viewer in self._wheel[viewer.place]

    def replace(self) -> None:
        """Says of itself that there is another one now."""
        self.replaced = True

    def readers(self) -> list[Sink]:
        return [viewer.sink for viewer in chain.from_iterable(self._wheel)]

    def tick(self) -> Sequence[Viewer]:
        """Moves the wheel on by one place; returns those whose turn it is and who have something to see."""
        place = self._wheel[self._now]
        self._now = (self._now + 1) % len(self._wheel)
        return [viewer for viewer in place if viewer.seq != self.seq]


class Viewer:
    """One connection that looks at one board."""

    __slots__ = ("board", "place", "seq", "sink")

    def __init__(self, board: Board, sink: Sink, place: int) -> None:
        self.board = board
        self.sink = sink
        self.place = place
        self.seq = _NOTHING_YET
        """How much of the board it has been shown."""

    def look(self) -> None:
        """Hands over the latest values of what has changed, unless it has left or cannot take them now."""
        if self.seq == self.board.seq or not self.board.holds(self) or not self.sink.takes():
            return
        news = self.board.news(self.seq)
        if news:
            self.sink.write(news)
        self.seq = self.board.seq

    def leave(self) -> None:
        self.board.leave(self)
