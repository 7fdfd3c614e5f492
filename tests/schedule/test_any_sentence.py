"""Whatever the texts are that are put into it, a sentence stays one: no placeholder, no isolate left open, no control."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st
from msgspec.structs import replace

from server.schedule.policy import Names
from server.schedule.sentences import sentences
from tests.schedule.told import ATLAS, EVENT, FSI, HICHAM, IHSSANE, KARIM, NADIA, PDI, RIF, SALMA, SESSION, tell

anything = st.text(max_size=120)
texts = st.dictionaries(st.sampled_from(["fr", "ar", "en", "de"]), anything, min_size=1, max_size=4)
instants = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds must be naive
people = st.lists(st.sampled_from([SALMA, KARIM, NADIA, HICHAM, IHSSANE]), unique=True, max_size=5)
fields: dict[str, st.SearchStrategy[Any]] = {
    "title": texts,
    "starts_at": instants,
    "ends_at": instants,
    "room_id": st.sampled_from([None, ATLAS, RIF]),
    "speaker_ids": people,
    "status": st.sampled_from(["scheduled", "moved", "delayed", "cancelled"]),
    "abstract": texts,
}
states = st.fixed_dictionaries(fields)
changes = st.fixed_dictionaries({}, optional=fields)
"""Of some fields alone: much is only said where the beginning, or the title, stays."""


def faults(sentence: str, given_texts: str) -> list[str]:
    """What is wrong with a sentence whatever it says."""
    depth, found = 0, []
    for character in sentence:
        depth += (character == FSI) - (character == PDI)
        if not 0 <= depth <= 1:
            found.append("isolates are nested or end before they begin")
    if depth:
        found.append("an isolate stays open")
    if re.search(r"[\u202a-\u202e\u2066\u2067\n\r\x00-\x1f\x85\u2028\u2029]", sentence):
        found.append("controls reach the screen")
    ours = re.sub(f"{FSI}.*?{PDI}", "", sentence)
    if re.search(r"[{}]|None|\bUTC\b", ours):
        found.append("a placeholder remains")
    if not re.search(r"\w.*\.$", ours):
        found.append("it is no sentence")
    if "  " in re.sub(f"{FSI}.*?{PDI}", "x", sentence):
        found.append("there is a hole in it")
    return [f"{fault}: {sentence!r} of {given_texts}" for fault in found]


@settings(max_examples=400, deadline=None)
@given(before=states, after=changes, names=st.lists(texts, min_size=7, max_size=7))
@example(
    before={"title": {"fr": "\u2069{new}\u2066"}},
    after={"title": {"fr": "\u2067\n"}, "room_id": ATLAS},
    names=[{"en": "{room}\u2068"}] * 7,
)
def test_whatever_is_put_in_a_sentence_is_one(
    before: dict[str, Any], after: dict[str, Any], names: list[dict[str, str]]
) -> None:
    rooms = dict(zip((ATLAS, RIF), names[:2], strict=True))
    speakers = dict(zip((SALMA, KARIM, NADIA, HICHAM, IHSSANE), names[2:], strict=True))
    old = replace(SESSION, **before)
    event = replace(EVENT, languages=["fr", "ar", "en", "de"])
    told = sentences(old, replace(old, **after), Names(rooms=rooms, speakers=speakers), event)
    assert list(told) == event.languages
    assert [fault for one in told.values() for fault in faults(one, f"{before} {after} {names}")] == []


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        (f"“{FSI}A” is cancelled.", "an isolate stays open"),
        (f"“{FSI}A{PDI}{PDI}” is cancelled.", "isolates are nested"),
        (f"“{FSI}A{FSI}B{PDI}{PDI}” is cancelled.", "isolates are nested"),
        (f"“{FSI}A\u202e{PDI}” is cancelled.", "controls reach the screen"),
        (f"“{FSI}A{PDI}” moves to {{room}}.", "a placeholder remains"),
        (f"“{FSI}A{PDI}” .", "it is no sentence"),
        (f"“{FSI}A{PDI}”  moves.", "a hole"),
    ],
)
def test_a_broken_sentence_is_noticed(sentence: str, fault: str) -> None:
    assert any(fault in found for found in faults(sentence, ""))


def test_a_title_that_keeps_its_controls_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.schedule.sentences._DIRECTIONS", re.compile("(?!)"))
    told = tell({"title": {"fr": "\u2069A\u202e"}}, {"status": "cancelled"})
    assert [fault for one in told.values() for fault in faults(one, "")]
