"""Any history of changes, ticks, arrivals, stalls and leaves: nobody gets a key twice in a turn, versions only grow, and
whoever stays and reads ends up with exactly what is on the board.

The same history is played on boards that have been broken on purpose, one way each, and the same checks must notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from server.ids import new_id
from server.live.board import Board, Posted, Viewer
from server.live.hub import Sink

PLACES = 3
KEYS = ["a", "b", "c"]


class Screen:
    """A connection that remembers what it was shown, and when by the count of ticks."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.room = True
        self.has_left = False
        self.held: dict[str, int] = {}
        """Key → version, without those it was told are gone."""
        self.newest: dict[str, tuple[int, int]] = {}
        """Key → version and tick of its last frame."""

    def takes(self) -> bool:
        return self.room

    def write(self, frame: bytes) -> None:
        assert self.room, "a full connection was written to"
        assert not self.has_left, "written to after it had left"
        for text in frame.decode().split():
            key, version, gone = text.split(":")
            self._take(key, int(version), gone=gone == "gone")

    def _take(self, key: str, version: int, *, gone: bool) -> None:
        if key in self.newest:
            before, tick = self.newest[key]
            assert version > before, "a version did not grow"
            assert self.history.ticks - tick >= PLACES, "a key came twice in a turn"
        self.newest[key] = (version, self.history.ticks)
        if gone:
            self.held.pop(key, None)
        else:
            self.held[key] = version


class History(RuleBasedStateMachine):
    """One board and its viewers; `truth` is what a table would say."""

    board_type: ClassVar[type[Board]] = Board

    def __init__(self) -> None:
        super().__init__()
        self.board = self.board_type(new_id(), "occupancy", epoch="e1", turn=PLACES)
        self.truth: dict[str, int] = {}
        self.pending: dict[str, Posted] = {}
        self.end = 0
        self.ticks = 0
        self.screens: list[tuple[Screen, Viewer]] = []

    @rule(keys=st.sets(st.sampled_from(KEYS), min_size=1), gone=st.booleans())
    def change(self, keys: set[str], gone: bool) -> None:  # noqa: FBT001 - drawn by name
        self.end += 1
        for key in sorted(keys):
            if gone and key not in self.truth:
                continue
            self.pending.pop(key, None)
            word = "gone" if gone else "there"
            self.pending[key] = Posted(key, self.end, f"{key}:{self.end}:{word} ".encode(), gone)
            if gone:
                del self.truth[key]
            else:
                self.truth[key] = self.end

    @rule()
    def read_the_table(self) -> None:
        """Several changes come as one; what was overwritten in between does not come at all."""
        self.board.put(self.pending.values(), seq=self.end)
        self.pending = {}

    @rule(room=st.booleans())
    def enter(self, room: bool) -> None:  # noqa: FBT001 - drawn by name
        screen = Screen(self)
        screen.room = room
        viewer = self.board.join(screen)
        viewer.look()
        self.screens.append((screen, viewer))

    @precondition(lambda self: self.screens)
    @rule(data=st.data(), room=st.booleans())
    def stall_or_read(self, data: st.DataObject, room: bool) -> None:  # noqa: FBT001 - drawn by name
        data.draw(st.sampled_from(self.screens))[0].room = room

    @precondition(lambda self: self.screens)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        screen, viewer = data.draw(st.sampled_from(self.screens))
        viewer.leave()
        screen.has_left = True

    @rule(count=st.integers(1, PLACES))
    def tick(self, count: int) -> None:
        for _ in range(count):
            self.ticks += 1
            for viewer in self.board.tick():
                viewer.look()

    @rule()
    def settle(self) -> None:
        """Everybody reads, and nothing happens for a turn."""
        self.read_the_table()
        for screen, _ in self.screens:
            screen.room = True
        self.tick(PLACES)
        for screen, _ in self.screens:
            assert screen.has_left or screen.held == self.truth, "what it holds is not what there is"


class HasItsTurnAtOnce(Board):
    """Puts a newcomer where the wheel comes by next."""

    def join(self, sink: Sink) -> Viewer:
        viewer = Viewer(self, sink, self._now)
        self._wheel[viewer.place][viewer] = None
        return viewer


class ShowsEverybodyInEveryTick(Board):
    """Knows no turns."""

    def tick(self) -> Sequence[Viewer]:
        return [viewer for place in self._wheel for viewer in place]


class KeepsOldNews(Board):
    """Goes on handing out what it has put together before."""

    def put(self, changes: Iterable[Posted], *, seq: int) -> None:
        known = dict(self._news)
        super().put(changes, seq=seq)
        self._news.update(known)


class OverwritesInPlace(Board):
    """Lets a key stand where it stood, so that the newest are not at the end."""

    def put(self, changes: Iterable[Posted], *, seq: int) -> None:
        self._posted |= {posted.key: posted for posted in changes}
        self.seq = seq
        self._news.clear()


class TellsNobodyOfAnEnd(Board):
    """Leaves out what is gone for those too who have seen it."""

    def _changed_since(self, position: int) -> list[Posted]:
        return [posted for posted in super()._changed_since(position) if not posted.gone]


class _Forgetful(Viewer):
    def look(self) -> None:
        if self.sink.takes():
            super().look()
        self.seq = self.board.seq


class ForgetsWhatCouldNotBeTaken(Board):
    """Takes a viewer that could not take it for one that has seen it."""

    def join(self, sink: Sink) -> Viewer:
        viewer = _Forgetful(self, sink, (self._now - 1) % len(self._wheel))
        self._wheel[viewer.place][viewer] = None
        return viewer


class _Pushy(Viewer):
    def look(self) -> None:
        self.sink.write(self.board.news(self.seq))
        self.seq = self.board.seq


class WritesToTheFull(Board):
    """Does not ask whether a connection can take it."""

    def join(self, sink: Sink) -> Viewer:
        viewer = _Pushy(self, sink, (self._now - 1) % len(self._wheel))
        self._wheel[viewer.place][viewer] = None
        return viewer


class KeepsWhoLeft(Board):
    """Goes on showing itself to those who have left."""

    def leave(self, viewer: Viewer) -> None:
        return None


def play(board_type: type[Board], examples: int) -> None:
    machine = type(f"HistoryOf{board_type.__name__}", (History,), {"board_type": board_type})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            derandomize=board_type is not Board,
            phases=[Phase.generate],
            database=None,
            report_multiple_bugs=False,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_every_history_ends_with_what_there_is() -> None:
    play(Board, 120)


@pytest.mark.parametrize(
    "broken",
    [
        HasItsTurnAtOnce,
        ShowsEverybodyInEveryTick,
        KeepsOldNews,
        OverwritesInPlace,
        TellsNobodyOfAnEnd,
        ForgetsWhatCouldNotBeTaken,
        WritesToTheFull,
        KeepsWhoLeft,
    ],
)
def test_a_broken_board_is_caught(broken: type[Board]) -> None:
    with pytest.raises(AssertionError):
        play(broken, 500)
