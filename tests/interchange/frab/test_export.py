"""schedule.xml and schedule.json as apps need them: one test or more for each thing that a real app trips over.

The public schemas are other people's and lie with the real schedules, see `test_real_schedules`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from msgspec import structs

from server.interchange.detect import read_schedule
from server.interchange.frab import (
    export as frab_export,
    json_v1_writer,
    json_v2_writer,
    layout as frab_layout,
    xml_writer,
)
from server.interchange.programme import Programme
from tests.interchange.frab.frab_files import events_of, v1_of, v2_of, xml_of
from tests.interchange.frab.frab_programmes import (
    LANGUAGES,
    MORNING,
    RICH,
    our_id,
    programme,
    programmes,
    published,
    session,
)
from tests.interchange.test_real_schedules import FOLDER, SCHEDULES, content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.interchange.programme import Publication

ANY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
HOUR = timedelta(hours=1)


def validator(name: str) -> Any:
    path = FOLDER / "validators" / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; DIGITALNOW_REAL_SCHEDULES names the folder of real schedules")
    return (
        xmlschema.XMLSchema(path) if name.endswith(".xsd") else jsonschema.Draft6Validator(json.loads(path.read_text()))
    )


@pytest.fixture(scope="module")
def faults() -> Callable[[Publication, str], Iterator[str]]:
    """What the three public schemas have against a publication."""
    xsd, v1, v2 = (validator(f"schedule.{name}") for name in ("xml.xsd", "v1.schema.json", "v2.schema.json"))

    def found(publication: Publication, language: str) -> Iterator[str]:
        yield from (
            str(fault.reason) for fault in xsd.iter_errors(xml_writer.write(publication, language=language).decode())
        )
        for schema, data in (
            (v1, json_v1_writer.write(publication, language=language)),
            (v2, json_v2_writer.write(publication)),
        ):
            yield from (f"{fault.json_path}: {fault.message}" for fault in schema.iter_errors(json.loads(data)))

    return found


# 1: valid


@pytest.mark.parametrize("language", LANGUAGES)
def test_rich_programme_is_valid(faults: Callable[..., Iterator[str]], language: str) -> None:
    assert list(faults(published(RICH), language)) == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_what_was_read_of_a_real_file_is_written_validly(faults: Callable[..., Iterator[str]], name: str) -> None:
    assert list(faults(published(read_schedule(content(name)), default_language="en"), "en")) == []


@given(programmes())
@ANY
def test_any_programme_is_valid(faults: Callable[..., Iterator[str]], programme: Programme) -> None:
    assert list(faults(published(programme), "ar")) == []


@pytest.mark.parametrize("slug", ["ab", "a-b", "9", "forum-2021-december", "a" * 63])
def test_short_name_of_any_shape_makes_a_valid_acronym(faults: Callable[..., Iterator[str]], slug: str) -> None:
    assert list(faults(published(programme(session("a")), slug=slug), "fr")) == []


def test_programme_without_a_shown_session_is_valid(faults: Callable[..., Iterator[str]]) -> None:
    assert list(faults(published(programme(session("a", status="cancelled"))), "fr")) == []
    assert list(faults(published(programme()), "fr")) == []


def test_fault_that_the_schemas_find_is_found(
    faults: Callable[..., Iterator[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_writer, "hours_and_minutes", str)
    monkeypatch.setattr(json_v1_writer, "hours_and_minutes", str)
    assert list(faults(published(RICH), "fr"))


# 2: recognised


def test_schedule_and_conference_are_within_the_first_1024_bytes() -> None:
    version, url = "&" * 400, f"https://app.example/{'x' * 500}"
    head = xml_writer.write(published(structs.replace(RICH, version=version), url=url), language="ar")[:1024]
    assert b"<schedule" in head
    assert b"<conference" in head
    assert b"DOCTYPE" not in head


# 3: identifiers


def test_number_is_the_sources_own_else_made_of_the_guid() -> None:
    both = programme(session("a", number=7), session("b"))
    first = {event["guid"]: event["id"] for event in events_of(v1_of(published(both)))}
    renamed = programme(
        session("c", number=9), session("b", MORNING + HOUR, title={"fr": "Autre"}), session("a", number=7)
    )
    then = {event["guid"]: event["id"] for event in events_of(v1_of(published(renamed)))}
    assert first[our_id("session", "a")] == 7
    assert first.items() <= then.items()
    assert len(set(then.values())) == 3
    assert all(0 < number < 2**31 for number in then.values())


def test_numbers_are_the_same_in_xml_and_json_and_stay_when_another_session_is_cancelled() -> None:
    both = programme(session("a"), session("b", MORNING + HOUR))
    fewer = programme(session("a"), session("b", MORNING + HOUR, status="cancelled"))
    numbers = {event.get("guid"): int(event.get("id", "")) for event in xml_of(published(both)).iter("event")}
    assert numbers == {event["guid"]: event["id"] for event in events_of(v1_of(published(both)))}
    (left,) = xml_of(published(fewer)).iter("event")
    assert int(left.get("id", "")) == numbers[our_id("session", "a")]


def test_two_guids_with_one_number_get_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frab_export, "_derived", lambda _: iter(range(2**30, 2**30 + 10)))
    numbers = [
        event["id"] for event in events_of(v1_of(published(programme(session("a"), session("b"), session("c")))))
    ]
    assert sorted(numbers) == [2**30, 2**30 + 1, 2**30 + 2]


def test_guid_is_the_sources_own_where_it_is_one() -> None:
    own = our_id("x", "y")
    (event,) = events_of(v1_of(published(programme(session(own.upper())))))
    assert event["guid"] == own


# 4: durations


@pytest.mark.parametrize(
    ("minutes", "written"),
    [(45, "00:45"), (90, "01:30"), (0.5, "00:01"), (44.2, "00:45"), (1439, "23:59"), (1440, "23:59"), (4000, "23:59")],
)
def test_duration_is_hours_and_minutes_under_a_day(minutes: float, written: str) -> None:
    publication = published(programme(session("a", minutes=minutes)))
    (event,) = xml_of(publication).iter("event")
    assert event.findtext("duration") == written
    (twin,) = events_of(v1_of(publication))
    assert twin["duration"] == written
    assert datetime.fromisoformat(twin["end"]) == MORNING + timedelta(minutes=minutes)


# 5: days


def test_every_day_has_its_bounds_and_a_number_from_one() -> None:
    late = session("c", datetime(2021, 12, 20, 2, tzinfo=UTC))
    publication = published(programme(session("a"), late, day_begins="04:00"))
    days = [
        (day.get("index"), day.get("date"), day.get("start"), day.get("end")) for day in xml_of(publication).iter("day")
    ]
    assert days == [
        ("1", "2021-12-18", "2021-12-18T04:00:00+01:00", "2021-12-19T04:00:00+01:00"),
        ("2", "2021-12-19", "2021-12-19T04:00:00+01:00", "2021-12-20T04:00:00+01:00"),
    ]
    twin = [
        tuple(day[name] for name in ("index", "date", "day_start", "day_end"))
        for day in v1_of(publication)["conference"]["days"]
    ]
    assert [(str(index), *rest) for index, *rest in twin] == days


def test_doors_are_the_bounds_of_a_day_that_has_them() -> None:
    day = xml_of(published(RICH)).find("day")
    assert day is not None
    assert (day.get("start"), day.get("end")) == ("2021-12-18T09:00:00+01:00", "2021-12-18T20:00:00+01:00")


# 6: offsets


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (datetime(2021, 2, 1, 9, tzinfo=UTC), "2021-02-01T10:00:00+01:00"),
        (datetime(2021, 4, 20, 9, tzinfo=UTC), "2021-04-20T09:00:00+00:00"),
        (datetime(2021, 12, 18, 9, tzinfo=UTC), "2021-12-18T10:00:00+01:00"),
    ],
)
def test_dates_have_moroccos_offset_of_that_day(start: datetime, written: str) -> None:
    """In Ramadan of 2021 the clocks of Morocco are those of UTC."""
    publication = published(programme(session("a", start)))
    (event,) = xml_of(publication).iter("event")
    assert (event.findtext("date"), event.findtext("start")) == (written, written[11:16])
    assert events_of(v1_of(publication))[0]["date"] == written
    assert v2_of(publication)["events"][0]["start"] == written


def test_offset_with_seconds_is_written_in_minutes() -> None:
    moment = datetime(1971, 6, 1, 12, tzinfo=UTC)
    written = frab_layout.on_clocks(moment, ZoneInfo("Africa/Monrovia"))
    assert written == moment
    assert re.fullmatch(r"1971-06-01T11:\d\d:00-00:45", written.isoformat())


# 7: nothing nested


def test_links_attachments_and_persons_hold_text_alone() -> None:
    root = xml_of(published(RICH))
    found = [node for name in ("link", "attachment", "person") for node in root.iter(name)]
    assert len(found) > 4
    assert all(len(node) == 0 for node in found)
    for name in ("title", "type", "url", "date"):
        assert all(len(list(event.iter(name))) <= 1 for event in root.iter("event"))


# 11: versions


def test_version_is_the_released_one_else_grows_with_the_changes() -> None:
    publication = published(RICH)
    assert (
        xml_of(publication).findtext("version") == v1_of(publication)["version"] == v2_of(publication)["version"] == "4"
    )
    nameless = [
        published(structs.replace(RICH, version=""), updated_at=datetime(2021, 12, day, tzinfo=UTC))
        for day in (1, 2, 11)
    ]
    versions = [xml_of(each).findtext("version") or "" for each in nameless]
    assert versions == sorted(set(versions))


# 12: cancelled


def test_cancelled_session_is_left_out_and_has_its_state_in_version_2() -> None:
    publication = published(RICH)
    gone = our_id("session", "f")
    assert gone not in xml_writer.write(publication, language="fr").decode()
    assert gone not in json_v1_writer.write(publication, language="fr").decode()
    states = {event["guid"]: event.get("state") for event in v2_of(publication)["events"]}
    assert states[gone] == "CANCELED"
    assert states[our_id("session", "e")] == "DELAYED"
    assert states[our_id("session", "d")] == "CONFIRMED"
