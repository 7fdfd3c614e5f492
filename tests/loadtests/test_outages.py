"""A door whose database is slow, stuck or dead: the scenarios in short, with a server as people start it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from loadtests import overload, postgres_away
from loadtests.scenario import Context, Threshold, judge

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds and stops the server's processes by /proc"),
    pytest.mark.timeout(120),
]


async def missed(scenario: ModuleType, context: Context, *, but: tuple[str, ...] = ()) -> list[str]:
    """The thresholds that a run does not keep, without those that only a run of full length can."""
    result = await asyncio.to_thread(scenario.run, context)
    limits: tuple[Threshold, ...] = scenario.BROKEN if context.broken else scenario.THRESHOLDS
    values = {figure.key: (figure.value, figure.note) for figure in result.figures}
    verdicts = judge(result.figures, limits)
    return [
        f"{verdict.figure} {values[verdict.figure]} is not {verdict.limit}"
        for verdict in verdicts
        if not verdict.kept and verdict.figure not in but
    ]


def context(folder: Path, attendees: int, seconds: float, *, broken: bool) -> Context:
    return Context(folder=folder, say=lambda _text: None, attendees=attendees, seconds=seconds, broken=broken)


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "broken"])
async def test_a_database_that_goes_away_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, broken: bool
) -> None:
    short = {"CALM": 0.5, "AFTERWARDS": 4.0, "LAST": 2.0, "RATE": 60.0, "AGAIN_RATE": 300.0, "CONNECTIONS": 400}
    for name, value in short.items():
        monkeypatch.setattr(postgres_away, name, value)
    stuck = 1.0 if broken else 3.0
    assert await missed(postgres_away, context(tmp_path, 200, stuck, broken=broken)) == []


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="nothing could offer more than the server takes")
@pytest.mark.parametrize("broken", [False, True], ids=["sound", "broken"])
async def test_a_slow_database_is_told_of_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, broken: bool
) -> None:
    short = {"BATCH_SECONDS": 0.4, "SATURATED_SECONDS": 1.5, "AGAIN": 300, "MOST": 1600}
    for name, value in short.items():
        monkeypatch.setattr(overload, name, value)
    seconds = 1.5 if broken else 3.0  # whoever lets everybody wait has to work off four times as much
    assert await missed(overload, context(tmp_path, 1000, seconds, broken=broken)) == []
