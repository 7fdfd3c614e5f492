"""Reading the programme under load, in short: what is counted is what was asked."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from loadtests import agenda_read
from loadtests.generator import parse_answer
from loadtests.scenario import Context

ROOM_SLOTS = agenda_read.ROOMS * agenda_read.A_DAY


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="a server as people start it")
async def test_every_answer_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SIZES": {"usual": 30, "many": 60}, "ROUNDS": 1, "CONNECTIONS": 4}.items():
        monkeypatch.setattr(agenda_read, name, value)
    context = Context(folder=tmp_path, say=lambda _text: None, attendees=20, seconds=0.2)
    result = await asyncio.to_thread(agenda_read.run, context)
    figures = {figure.key: figure for figure in result.figures}
    assert figures["wrong_answers"].value == 0, figures["wrong_answers"].note
    assert {threshold.figure for threshold in agenda_read.THRESHOLDS} <= set(figures)
    for key in ("smallest_usual", "rate_unchanged_many", "rate_unchanged_file_many", "whole_many"):
        assert figures[key].value, key


async def test_a_document_that_is_sent_again_counts_as_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gives every answer another ETag."""
    first = agenda_read._first

    def other(*arguments: object) -> agenda_read.Held:
        held = first(*arguments)  # type: ignore[arg-type]
        return agenda_read.Held('"another"', held.size, held.seconds)

    monkeypatch.setattr(agenda_read, "_first", other)
    with pytest.raises(AssertionError):
        await test_every_answer_is_right(tmp_path, monkeypatch)


def test_a_made_up_programme_has_room_for_all_its_sessions() -> None:
    programme = agenda_read.made_up(2 * ROOM_SLOTS + 1)
    places = {(session.room, session.starts_at) for session in programme.sessions}
    assert len(places) == len(programme.sessions) == 2 * ROOM_SLOTS + 1
    assert len({session.starts_at.date() for session in programme.sessions}) == 3


def test_a_304_has_no_length() -> None:
    answer = b'HTTP/1.1 304 Not Modified\r\netag: "x"\r\n\r\n'
    assert parse_answer(answer) == (b"304", b"")
    assert parse_answer(answer[:-1]) is None
