"""schedule.xml and schedule.json as apps need them: one test or more for each thing that a real app trips over.

The public schemas are other people's and lie with the real schedules, see `test_real_schedules`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from msgspec import structs

from server.interchange import frab_export, frab_layout, frab_v1_out, frab_v2_out, frab_xml_out
from server.interchange.detect import read_schedule
from server.interchange.frab_columns import column_guid
from server.interchange.programme import Link, Programme, Room, Speaker, Track
from tests.interchange.frab_programmes import (
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

ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
HOUR = timedelta(hours=1)


def xml_of(publication: Publication, language: str = "fr") -> ET.Element:
    return ET.fromstring(frab_xml_out.write(publication, language=language))  # noqa: S314 -- our own


def v1_of(publication: Publication, language: str = "fr") -> Any:
    return json.loads(frab_v1_out.write(publication, language=language))["schedule"]


def v2_of(publication: Publication) -> Any:
    return json.loads(frab_v2_out.write(publication))["schedule"]


def events_of(schedule: Any) -> list[Any]:
    days = schedule["conference"]["days"]
    return [event for day in days for events in day["rooms"].values() for event in events]


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
            str(fault.reason) for fault in xsd.iter_errors(frab_xml_out.write(publication, language=language).decode())
        )
        for schema, data in (
            (v1, frab_v1_out.write(publication, language=language)),
            (v2, frab_v2_out.write(publication)),
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


@pytest.mark.parametrize("slug", ["ab", "a-b", "9", "forum-2027-december", "a" * 63])
def test_short_name_of_any_shape_makes_a_valid_acronym(faults: Callable[..., Iterator[str]], slug: str) -> None:
    assert list(faults(published(programme(session("a")), slug=slug), "fr")) == []


def test_programme_without_a_shown_session_is_valid(faults: Callable[..., Iterator[str]]) -> None:
    assert list(faults(published(programme(session("a", status="cancelled"))), "fr")) == []
    assert list(faults(published(programme()), "fr")) == []


def test_fault_that_the_schemas_find_is_found(
    faults: Callable[..., Iterator[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frab_xml_out, "hours_and_minutes", str)
    monkeypatch.setattr(frab_v1_out, "hours_and_minutes", str)
    assert list(faults(published(RICH), "fr"))


# 2: recognised


def test_schedule_and_conference_are_within_the_first_1024_bytes() -> None:
    version, url = "1." * 400, f"https://app.example/{'x' * 500}"
    head = frab_xml_out.write(published(structs.replace(RICH, version=version), url=url), language="ar")[:1024]
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
    late = session("c", datetime(2027, 12, 20, 2, tzinfo=UTC))
    publication = published(programme(session("a"), late, day_begins="04:00"))
    days = [
        (day.get("index"), day.get("date"), day.get("start"), day.get("end")) for day in xml_of(publication).iter("day")
    ]
    assert days == [
        ("1", "2027-12-18", "2027-12-18T04:00:00+01:00", "2027-12-19T04:00:00+01:00"),
        ("2", "2027-12-19", "2027-12-19T04:00:00+01:00", "2027-12-20T04:00:00+01:00"),
    ]
    twin = [
        tuple(day[name] for name in ("index", "date", "day_start", "day_end"))
        for day in v1_of(publication)["conference"]["days"]
    ]
    assert [(str(index), *rest) for index, *rest in twin] == days


def test_doors_are_the_bounds_of_a_day_that_has_them() -> None:
    day = xml_of(published(RICH)).find("day")
    assert day is not None
    assert (day.get("start"), day.get("end")) == ("2027-12-18T09:00:00+01:00", "2027-12-18T20:00:00+01:00")


# 6: offsets


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (datetime(2027, 2, 1, 9, tzinfo=UTC), "2027-02-01T10:00:00+01:00"),
        (datetime(2027, 2, 20, 9, tzinfo=UTC), "2027-02-20T09:00:00+00:00"),
        (datetime(2027, 12, 18, 9, tzinfo=UTC), "2027-12-18T10:00:00+01:00"),
    ],
)
def test_dates_have_moroccos_offset_of_that_day(start: datetime, written: str) -> None:
    """In Ramadan of 2027 the clocks of Morocco are those of UTC."""
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


# 8: columns


def columns(publication: Publication) -> dict[str | None, list[str | None]]:
    found: dict[str | None, list[str | None]] = {}
    for room in xml_of(publication).iter("room"):
        if room.get("guid"):
            found.setdefault(room.get("name"), []).extend(title.text for title in room.iter("title"))
    return found


def test_sessions_at_the_same_time_stand_in_columns_of_their_own() -> None:
    overlapping = programme(
        session("a", minutes=90),
        session("b", MORNING + HOUR / 2),
        session("c", MORNING + 2 * HOUR),
        session("d", MORNING + HOUR),
    )
    publication = published(overlapping)
    assert columns(publication) == {
        "Atlas": ["Titre a", "Titre c"],
        "Atlas (2)": ["Titre b"],
        "Atlas (3)": ["Titre d"],
    }
    rooms = v1_of(publication)["conference"]["rooms"]
    atlas = our_id("room", "atlas")
    assert [(room["name"], room["guid"]) for room in rooms] == [
        ("Atlas", atlas),
        ("Atlas (2)", column_guid(atlas, 2)),
        ("Atlas (3)", column_guid(atlas, 3)),
    ]
    assert [room.key for room in read_schedule(frab_xml_out.write(publication, language="fr")).rooms] == [atlas]


def test_session_over_night_does_not_overlap_the_next_days() -> None:
    exhibition = session("x", minutes=60 * 30)
    publication = published(programme(exhibition, session("b", MORNING + 26 * HOUR)))
    assert [event["room"] for event in events_of(v1_of(publication))] == ["Atlas", "Atlas (2)"]


def test_rooms_of_one_name_are_told_apart() -> None:
    rooms = (Room(key="atlas", name={"fr": "Atlas"}), Room(key="other", name={"fr": "ATLAS"}))
    publication = published(programme(session("a"), session("b"), session("c", room="other"), rooms=rooms))
    assert columns(publication) == {"Atlas": ["Titre a"], "ATLAS (2)": ["Titre c"], "Atlas (3)": ["Titre b"]}
    read = read_schedule(frab_v1_out.write(publication, language="fr"))
    assert [room.name for room in read.rooms] == [{"fr": "Atlas"}, {"fr": "ATLAS"}]


def test_session_without_a_room_stands_in_a_column_without_a_name() -> None:
    publication = published(programme(session("a", room=None), session("b", room=None)))
    assert columns(publication) == {"Atlas": [], "–": ["Titre a"], "– (2)": ["Titre b"]}


@given(programmes())
@ANY
def test_no_column_has_two_sessions_at_a_time(programme: Programme) -> None:
    assert overlaps(published(programme)) == []


def test_column_with_an_overlap_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = published(programme(session("a"), session("b")))
    monkeypatch.setattr(frab_layout, "_lanes", lambda sessions, cut: [tuple(sessions)])
    assert overlaps(publication) != []


def overlaps(publication: Publication) -> list[str]:
    """Columns of the XML with two sessions at a time, by what the file says, over all days."""
    spans: dict[str | None, list[tuple[datetime, datetime]]] = {}
    for room in xml_of(publication, "ar").iter("room"):
        for event in room.iter("event"):
            start = datetime.fromisoformat(event.findtext("date") or "")
            hours, minutes = (event.findtext("duration") or "").split(":")
            spans.setdefault(room.get("name"), []).append(
                (start, start + timedelta(hours=int(hours), minutes=int(minutes)))
            )
    return [
        str(name)
        for name, listed in spans.items()
        for (_, end), (start, _) in zip(sorted(listed), sorted(listed)[1:], strict=False)
        if start < end
    ]


# 11: versions


def test_version_is_the_released_one_else_grows_with_the_changes() -> None:
    publication = published(RICH)
    assert (
        xml_of(publication).findtext("version") == v1_of(publication)["version"] == v2_of(publication)["version"] == "4"
    )
    nameless = [
        published(structs.replace(RICH, version=""), updated_at=datetime(2027, 12, day, tzinfo=UTC))
        for day in (1, 2, 11)
    ]
    versions = [xml_of(each).findtext("version") or "" for each in nameless]
    assert versions == sorted(set(versions))


# 12: cancelled


def test_cancelled_session_is_left_out_and_has_its_state_in_version_2() -> None:
    publication = published(RICH)
    gone = our_id("session", "f")
    assert gone not in frab_xml_out.write(publication, language="fr").decode()
    assert gone not in frab_v1_out.write(publication, language="fr").decode()
    states = {event["guid"]: event.get("state") for event in v2_of(publication)["events"]}
    assert states[gone] == "CANCELED"
    assert states[our_id("session", "e")] == "DELAYED"
    assert states[our_id("session", "d")] == "CONFIRMED"


# Texts and the rest


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_in_the_language_of_the_file_else_of_the_event(language: str) -> None:
    events = {event.get("id"): event for event in xml_of(published(RICH), language).iter("event")}
    titles = {"fr": "Payer <vite> & bien", "ar": "الدفع \u200f(2027)\u200e", "en": "Paying"}
    assert events["7"].findtext("title") == titles[language]
    assert events["7"].findtext("subtitle") == {"ar": "عنوان"}.get(language, "Sous-titre")
    assert events["7"].findtext("language") == "fr, ar"
    assert xml_of(published(RICH), language).findtext("url", "").endswith(f"schedule.xml?lang={language}")


def test_best_text_knows_regions() -> None:
    assert frab_export.best({"ar-MA": "m", "fr": "f"}, "ar") == "m"
    assert frab_export.best({"ar": "a", "ar-MA": "m"}, "ar-MA", "fr") == "m"
    assert frab_export.best({"ar": "a", "en": "e"}, "ar-MA") == "a"
    assert frab_export.best({"de": "d", "und": "u"}, "fr", "ar") == "u"
    assert frab_export.best({"de": "d"}, "fr") == "d"


def test_what_xml_cannot_hold_is_replaced() -> None:
    odd = programme(
        session("a", title={"fr": " nul\0 bell\x07 half\ud800 "}, license="\x0b"),
        rooms=(Room(key="atlas", name={"fr": 'A "b" <c>\n\td'}),),
    )
    (event,) = xml_of(published(odd)).iter("event")
    assert event.findtext("title") == "nul\ufffd bell\ufffd half\ufffd"
    assert event.findtext("room") == 'A "b" <c>\n\td'
    assert next(xml_of(published(odd)).iter("room")).get("name") == 'A "b" <c>\n\td'
    assert events_of(v1_of(published(odd)))[0]["title"] == "nul\ufffd bell\ufffd half\ufffd"


def test_slugs_of_one_letter_and_of_any_script_are_made_valid_and_stay_apart() -> None:
    tracks = tuple(Track(key=key, name={"fr": key}) for key in ("x", "Paiement en ligne", "دفع", "no-track", "web"))
    publication = published(programme(*(session(each.key, track=each.key) for each in tracks), tracks=tracks))
    slugs = [track.get("slug", "") for track in xml_of(publication).iter("track") if track.get("slug")]
    assert len(set(slugs)) == 5
    assert all(re.fullmatch("[a-z][a-z0-9-]+", slug) for slug in slugs)
    assert slugs[4] == "web"


def test_link_says_what_it_is_and_never_nothing() -> None:
    event = next(event for event in xml_of(published(RICH)).iter("event") if event.get("id") == "7")
    assert [(link.text, link.get("href"), link.get("type")) for link in event.iter("link")] == [
        ("Article", "https://a.example/?a=1&b=2", None),
        ("https://live.example", "https://live.example", "stream"),
    ]
    assert event.findtext("feedback_url") == "https://f.example"
    assert event.findtext("video_download_url") == "https://v.example"
    assert event.findtext("attachments/attachment") == "Diapos"
    assert (event.findtext("recording/license"), event.findtext("recording/optout")) == ("CC BY 4.0", "true")


def test_speaker_of_two_sessions_is_one_person() -> None:
    persons = [person.get("guid") for person in xml_of(published(RICH)).iter("person")]
    assert persons.count(our_id("speaker", "ana")) == 2


def test_break_is_a_meta_event_unless_there_is_more_to_say() -> None:
    talkative = session("b", MORNING + HOUR, service=True, description={"fr": "Buffet"})
    quiet = session("a", service=True, kind=None)
    events = v2_of(published(programme(quiet, talkative, session("c", service=True, status="cancelled"))))["events"]
    assert [event["type"] for event in events] == ["BREAK", "OTHER", "OTHER"]
    assert [event.get("state") for event in events] == [None, "CONFIRMED", "CANCELED"]


def test_the_same_publication_makes_the_same_bytes() -> None:
    first, second = published(RICH), published(structs.replace(RICH))
    assert frab_xml_out.write(first, language="ar") == frab_xml_out.write(second, language="ar")
    assert frab_v1_out.write(first, language="ar") == frab_v1_out.write(second, language="ar")
    assert frab_v2_out.write(first) == frab_v2_out.write(second)


def test_large_programme_is_written_with_all_its_sessions() -> None:
    many = tuple(session(f"s{n}", MORNING + timedelta(minutes=n), speakers=("ana",)) for n in range(1500))
    people = (Speaker(key="ana", name={"fr": "Ana"}, links=(Link(url="https://a.example"),)),)
    publication = published(programme(*many, speakers=people))
    assert len(events_of(v1_of(publication))) == len(list(xml_of(publication).iter("event"))) == 1500
    assert {date.fromisoformat(day.get("date", "")) for day in xml_of(publication).iter("day")} == {
        date(2027, 12, 18),
        date(2027, 12, 19),
    }
