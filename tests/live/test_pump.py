"""Events on their way from the ring to everybody, while more arrive and readers come and go."""

from __future__ import annotations

import pytest

from server.config import Settings
from server.db import Database
from server.event.directory import Events
from server.ids import new_id
from server.live import gateway as gateway_module
from server.live.gateway import Gateway
from server.live.hub import Entry, Log
from tests.live.waiting import until


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
    return Gateway(settings, Events(db), b"")


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
