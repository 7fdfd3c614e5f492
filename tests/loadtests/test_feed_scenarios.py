"""The scenarios of the live feed in short, each with a server as people start it; and their broken variants."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from loadtests import checkins, feed_reconnect, feed_slow, feed_storm
from loadtests.scenario import Aborted, Context, Threshold, judge
from loadtests.server_under_test import Server

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds the server's processes by /proc"),
    pytest.mark.timeout(120),
]

SHORTER_PATIENCE = """
from server.live import gateway, wire

gateway.BEHIND_SECONDS, gateway.SWEEP_SECONDS, wire.CLOSE_SECONDS = 0.5, 0.1, 0.5
"""


async def missed(scenario: ModuleType, context: Context, *, but: tuple[str, ...] = ()) -> list[str]:
    """The thresholds that a run does not keep, without those of time and size, which only a quiet machine can."""
    result = await asyncio.to_thread(scenario.run, context)
    limits: tuple[Threshold, ...] = scenario.BROKEN if context.broken else scenario.THRESHOLDS
    values = {figure.key: (figure.value, figure.note) for figure in result.figures}
    return [
        f"{verdict.figure} {values[verdict.figure]} is not {verdict.limit}"
        for verdict in judge(result.figures, limits)
        if not verdict.kept and verdict.figure not in but
    ]


def context(folder: Path, sockets: int, seconds: float, *, broken: bool = False) -> Context:
    return Context(folder=folder, say=lambda _text: None, sockets=sockets, seconds=seconds, broken=broken)


def set_all(monkeypatch: pytest.MonkeyPatch, scenario: ModuleType, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setattr(scenario, name, value)


async def test_every_log_is_whole_after_a_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        feed_storm,
        EVENTS=2000,
        ANNOUNCED=20,
        CALM=(0.8, 1.2),
        VICTIMS=("gateway", "postgres"),
        STAY_SECONDS=8.0,
        DEAF=feed_storm.DEAF + feed_storm.SHORT_RING,
    )
    assert await missed(feed_storm, context(tmp_path, 60, 5.0), but=("events",)) == []


async def test_phones_notice_a_sequence_and_a_gateway_that_trusts_them(tmp_path: Path) -> None:
    assert await missed(feed_storm, context(tmp_path, 60, 3.0, broken=True)) == []


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "broken"])
async def test_slow_phones_are_closed_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, broken: bool
) -> None:
    # So much at once that a second fills every buffer.
    short = {"ROUNDS": 1, "WARM_UP_SECONDS": 0.5, "LOOK_SECONDS": 0.2}
    set_all(monkeypatch, feed_slow, TIMES=100, PATIENCE=SHORTER_PATIENCE, **short)
    timed = ("ratio", "closed_in", "told", "memory")
    assert await missed(feed_slow, context(tmp_path, 40, 4.0, broken=broken), but=timed) == []


async def test_a_hall_comes_back_while_people_check_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, feed_reconnect, RATE=200.0, WARM_UP_SECONDS=0.5)
    timed = ("resumed_in", "calm_p99", "return_p99")
    assert await missed(feed_reconnect, context(tmp_path, 40, 4.0), but=timed) == []


def test_a_crowd_that_does_not_come_back_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the check-ins go on meanwhile, and end with it."""

    def give_up(*_: object) -> None:
        raise Aborted("only 3 of 40 clients reached the feed")

    waits = iter([0.0, 60.0])  # the second, the measured one, is cancelled

    async def check_in(*_: object) -> None:
        await asyncio.sleep(next(waits))

    server = SimpleNamespace(live_url="", check_alive=lambda: None, last_words=lambda: "nothing")
    server.failed_under_load = partial(Server.failed_under_load, server)
    crowd = SimpleNamespace(connect=lambda: None)
    monkeypatch.setattr(feed_reconnect, "Server", lambda *_, **__: nullcontext(server))
    monkeypatch.setattr(feed_reconnect, "Crowd", lambda *_: nullcontext(crowd))
    monkeypatch.setattr(checkins, "requests_for", lambda *_: [])
    set_all(monkeypatch, feed_reconnect, WARM_UP_SECONDS=0.0, _check_in=check_in, _lead=give_up)
    with pytest.raises(Aborted, match="only 3 of 40"):
        feed_reconnect.run(context(tmp_path, 40, 1.0))
