"""Whatever JSON says where a programme is expected: a sound programme or a sentence, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from server.interchange import json_formats
from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.json_lists.parts import web_address
from server.interchange.reading import json_values
from tests.interchange.json_lists.json_samples import SAMPLES
from tests.interchange.test_detect import VALUES, assert_texts, read_or_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Programme

hostile = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = sorted(SAMPLES)
ZONE = "Africa/Casablanca"


def read(data: bytes) -> Programme:
    """With what `assert_sound` does not look at: these readers fill more of a programme than the frab ones."""
    programme = read_schedule(data, timezone=ZONE)
    numbers = [session.number for session in programme.sessions if session.number is not None]
    assert len(set(numbers)) == len(numbers)
    kinds = [kind.key for kind in programme.kinds]
    assert len(set(kinds)) == len(kinds)
    for session in programme.sessions:
        assert session.kind is None or session.kind in kinds
        assert set(session.roles) <= set(session.speakers)
        assert all(web_address(link.url) for link in session.links)
        assert session.number is None or 0 < session.number < 2**31
    for speaker in programme.speakers:
        assert speaker.photo_url is None or web_address(speaker.photo_url)
        for texts in (speaker.tagline, speaker.bio, speaker.organisation):
            assert_texts(texts)
    for thing in (programme, *programme.sessions, *programme.rooms, *programme.speakers, *programme.tracks):
        written = msgspec.json.encode(thing.extra).decode()  # refuses half emojis and numbers that are none
        assert "\\u0000" not in written
    return programme


def refused(data: bytes) -> str | None:
    return read_or_refused(data, read)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a file."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield from places(inner, (*path, name))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = changed(value[path[0]], path[1:], new)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_read(name: str) -> None:
    assert refused(json.dumps(SAMPLES[name]()).encode()) is None


@pytest.mark.parametrize("name", NAMES)
def test_file_cut_short_anywhere_is_refused(name: str) -> None:
    """Half a programme would look like cancellations."""
    data = json.dumps(SAMPLES[name](), ensure_ascii=False).encode()
    assert all(refused(data[:end]) for end in range(0, len(data), 7))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "new", [None, "", 0, -1, 10**40, True, 1.5, "x", [], {}, [None], [[]], [{}], {"x": None}, {"fr": 1}, "\ud800", "\0"]
)
def test_any_one_value_of_a_wrong_type_is_mended_or_refused(name: str, new: Any) -> None:
    sample = SAMPLES[name]()
    for path in places(sample):
        refused(json.dumps(changed(sample, path, new)).encode())


@hostile
@given(st.sampled_from(NAMES), st.lists(st.tuples(st.floats(0, 0.999), VALUES), min_size=1, max_size=12))
def test_many_values_of_wrong_types_are_mended_or_refused(name: str, edits: list[tuple[float, Any]]) -> None:
    sample = SAMPLES[name]()
    for where, new in edits:
        paths = list(places(sample))
        sample = changed(sample, paths[int(where * len(paths))], new)
    refused(json.dumps(sample).encode())


@hostile
@given(VALUES, st.sampled_from(["sessions", "talks", "results", "slots", "schedule", "submissions", "events", "days"]))
def test_any_json_at_all_is_mended_or_refused(value: Any, name: str) -> None:
    for file in (value, {name: value}, [{name: value}], {name: [{"code": "A", "title": "B", "slots": value}]}):
        refused(json.dumps(file).encode())


@pytest.mark.parametrize("name", NAMES)
def test_nulls_everywhere_are_refused_with_a_sentence(name: str) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {field: without(entry) for field, entry in value.items()}
        return [without(entry) for entry in value] if isinstance(value, list) else None

    assert refused(json.dumps(without(SAMPLES[name]())).encode()) is not None


@pytest.mark.parametrize("depth", [60, 63, 64, 65, 500, 5_000])
def test_deep_nesting_is_kept_or_refused(depth: int) -> None:
    sample = SAMPLES["app"]()
    data = json.dumps(sample).replace('["D\\u00e9butant"]', "[" * depth + "1" + "]" * depth).encode()
    sentence = refused(data)
    assert (sentence is None) == (
        depth <= json_values.MAX_DEPTH - 3
    )  # the file, its list and the session are around it
    assert sentence is None or "nested too deep" in sentence


@pytest.mark.parametrize("around", ["{}", '{"sessions": {}}', "[{}]", '{"schedule": {"2021-12-18": {}}}'])
def test_unknown_shapes_are_refused_with_the_formats_that_are_read(around: str) -> None:
    sentence = refused(around.encode())
    assert sentence is not None
    assert sentence.startswith("line 1: JSON, but no programme that is read here; give JSON: schedule.json, pretalx's")
    assert "Sessionize's" in sentence


def test_thousands_of_sessions_of_one_id_or_none_are_read_in_time() -> None:
    """Every look-up is by key: anything quadratic here would run into the timeout of the tests."""
    talk = {"title": "Payer", "start": "2021-12-18T10:00:00+01:00", "room": "A", "speakers": ["Nabil C"]}
    several = [{**talk, "id": "1", "room": f"r{n}", "speakers": [f"N {n}"]} for n in range(10_000)]
    unnamed = [{**talk, "start": None, "date": "2021-12-18"} for _ in range(10_000)]
    programme = read(json.dumps([*several, *unnamed]).encode())
    assert len(programme.sessions) == 20_000
    assert len({session.key for session in programme.sessions}) == 20_000


def test_thousands_of_slots_of_one_submission_are_read_in_time() -> None:
    talk = SAMPLES["pretalx, a page"]()["results"][0]
    slots = [{"id": n, "start": "2021-12-18T10:00:00+01:00", "room": n} for n in range(5_000)]
    files = ([{**talk, "slots": slots}], [{**talk, "slots": [slot]} for slot in slots])
    assert [len(read(json.dumps(file).encode()).sessions) for file in files] == [5_000, 5_000]


@pytest.mark.parametrize("levels", [1, 4, 30])
def test_lists_within_lists_are_walked_once(levels: int) -> None:
    """Whatever lies beside the next level must not be looked through again at each level above it."""
    file: Any = [{"title": "Payer", "start": "2021-12-18T10:00:00+01:00"}]
    for _ in range(levels):
        file = [{"title": "Jour", "date": "2021-12-18", "beside": [1] * 10_000, "inner": file}]
    assert refused(json.dumps(file).encode()) is None


def test_a_reader_that_trusts_its_file_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against uncleaned values: a half emoji in a tag would go on into the database."""
    data = json.dumps(SAMPLES["app"]()).replace("D\\u00e9butant", "\\ud800").encode()
    assert refused(data) is None
    monkeypatch.setattr(json_formats, "cleaned", lambda value, log: value)
    with pytest.raises(Exception, match="surrogate"):
        refused(data)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../../etc/passwd", "Africa/" * 40])
def test_unknown_zone_of_the_event_is_refused(timezone: str) -> None:
    with pytest.raises(UnreadableSchedule, match=r"^line 1: time zone .* is not known; give one such as UTC"):
        read_schedule(json.dumps(SAMPLES["app"]()).encode(), timezone=timezone)
