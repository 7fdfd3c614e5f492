"""Events on their way from the ring to everybody, while more arrive and readers come and go."""

from __future__ import annotations

import asyncio

import pytest

from server.config import Settings
from server.db import Database
from server.event.directory import Events
from server.ids import new_id
from server.live import gateway as gateway_module
from server.live.board import Board, Posted
from server.live.gateway import Gateway
from server.live.hub import Entry, Log
from tests.waiting import until


class Taker:
    """A reader that takes everything."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def takes(self) -> bool:
        return True

    def write(self, frame: bytes) -> None:
        self.received.append(int(frame))


@pytest.fixture
def gateway(settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """Writes to one reader at a time, so that everything can happen in between."""
    monkeypatch.setattr(gateway_module, "CHUNK", 1)
    return Gateway(settings, Events(db), b"", most=10)


@pytest.fixture
def log() -> Log:
    return Log(new_id(), "announcements", epoch="e1", seq=0)


def happen(gateway: Gateway, log: Log) -> None:
    """The next event arrives."""
    log.append([Entry(log.seq + 1, b"%d" % (log.seq + 1))])
    gateway.on_append(log, [])


async def test_what_arrives_in_the_middle_of_a_round_reaches_those_already_passed(gateway: Gateway, log: Log) -> None:
    takers = [Taker() for _ in range(3)]
    for taker in takers:
        log.join(taker, 0)
    happen(gateway, log)
    await until(lambda: takers[0].received, pause=0)
    happen(gateway, log)
    await until(lambda: not gateway._pumps)
    assert [taker.received for taker in takers] == [[1, 2]] * 3


async def test_what_arrives_as_a_round_ends_starts_another(gateway: Gateway, log: Log) -> None:
    """The pump's task has finished, but its callbacks have not run."""
    taker = Taker()
    log.join(taker, 0)
    for seq in range(1, 6):
        happen(gateway, log)
        pump = gateway._pumps[log]
        await until(pump.done, pause=0)
        assert taker.received[-1] == seq


async def test_who_leaves_in_the_middle_of_a_round_gets_nothing_more(gateway: Gateway, log: Log) -> None:
    """Not even if it has come back by then, with another cursor."""
    first, second = Taker(), Taker()
    log.join(first, 0)
    old = log.join(second, 0)
    happen(gateway, log)
    await until(lambda: first.received, pause=0)
    old.leave()
    log.join(second, 1)
    happen(gateway, log)
    await until(lambda: not gateway._pumps)
    assert (first.received, second.received) == ([1, 2], [2])


class Boards:
    """A relay that has this one board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def boards(self) -> list[Board]:
        return [self._board]


async def show_to_three(gateway: Gateway, log: Log, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An event happens while a board is shown to three viewers whose turn it is; how many had seen the board before its
    reader had the event?"""
    monkeypatch.setattr(gateway_module, "TICK_SECONDS", 0)
    board = Board(new_id(), "occupancy", epoch="e1", turn=1)
    monkeypatch.setattr(gateway, "relay", Boards(board), raising=False)
    reader, viewers = Taker(), [Taker() for _ in range(3)]
    log.join(reader, 0)
    for viewer in viewers:
        board.join(viewer)
    board.put([Posted("a", 1, b"1", gone=False)], seq=1)
    shown: list[int] = []
    monkeypatch.setattr(reader, "write", lambda _frame: shown.append(sum(map(len, (one.received for one in viewers)))))
    showing = asyncio.create_task(gateway.show_boards())
    await until(lambda: viewers[0].received, pause=0)
    happen(gateway, log)
    await until(lambda: all(viewer.received for viewer in viewers) and shown, pause=0)
    showing.cancel()
    return shown


async def test_an_event_does_not_wait_until_a_board_was_shown_to_all(
    gateway: Gateway, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await show_to_three(gateway, log, monkeypatch))[0] < 3


async def test_a_board_shown_to_all_in_one_piece_is_caught(
    gateway: Gateway, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "CHUNK", 500)
    assert (await show_to_three(gateway, log, monkeypatch))[0] == 3
