"""Searching under load, in short: what is there is found, what is not is not, and an answer that finds nothing counts."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests import search
from loadtests.scenario import Context

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a server as people start it")


async def figures_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in {"SESSIONS": 60, "SPEAKERS": 30, "EACH": 5, "WARM": 1, "CHANGES": 2, "ATTENDEES": 20}.items():
        monkeypatch.setattr(search, name, value)
    result = await asyncio.to_thread(search.run, Context(folder=tmp_path, say=lambda _text: None))
    return {figure.key: figure.value for figure in result.figures}


@pytest.mark.timeout(120)
async def test_every_question_gets_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = await figures_of(tmp_path, monkeypatch)
    assert (figures["failed"], figures["empty"]) == (0, 0)
    assert {threshold.figure for threshold in search.THRESHOLDS} <= set(figures)
    assert figures["change"]


@pytest.mark.timeout(120)
async def test_what_wrongly_finds_nothing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind of question asks for what is not there."""
    monkeypatch.setitem(search.KINDS, "deep", ("three words of a description", search.nothing))
    figures = await figures_of(tmp_path, monkeypatch)
    assert figures["empty"] == search.EACH
