"""schedule.json, version 1 and version 2: what a good file says, and each mend of a bad one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule

if TYPE_CHECKING:
    from server.interchange.programme import Programme

EVENT: dict[str, Any] = {
    "id": 7,
    "guid": "AA-7",
    "date": "2021-12-18T10:00:00+01:00",
    "start": "10:00",
    "duration": "00:45",
    "room": "Atlas",
    "title": "Payer sans contact",
    "subtitle": None,
    "language": "fr",
    "track": "Paiement",
    "type": "Talk",
    "abstract": "",
    "url": "https://forum.example/7",
    "persons": [],
    "links": [],
}
CONFERENCE: dict[str, Any] = {"title": "Forum", "time_zone_name": "Africa/Casablanca"}
FLAT: dict[str, Any] = {
    "guid": "BB-1",
    "start": "2021-12-18T10:00:00+01:00",
    "end": "2021-12-18T11:00:00+01:00",
    "title": {"fr": "Ouverture", "ar": "الافتتاح", "en": "Opening"},
    "type": "TALK",
    "language": "fr",
}


def v1(*events: object, **conference: object) -> bytes:
    day = {"index": 1, "date": "2021-12-18", "rooms": {"Atlas": events}}
    return json.dumps(
        {"schedule": {"version": "1.0", "conference": {**CONFERENCE, "days": [day], **conference}}}
    ).encode()


def v2(*events: object, persons: object = (), **conference: object) -> bytes:
    schedule = {"version": "1.0", "conference": {**CONFERENCE, **conference}, "events": events, "persons": persons}
    return json.dumps({"schedule": schedule}).encode()


def mends(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 12, 18, hour, minute, tzinfo=UTC)


def test_good_file_of_version_1_is_read_without_a_repair() -> None:
    persons = [
        {"id": 3, "public_name": "Salma Idrissi", "biography": "Ingénieure", "organization": "Banque"},
        {"guid": "P-4", "name": "Omar Tazi"},
    ]
    data = v1(
        {**EVENT, "persons": persons},
        tracks=[{"name": "Paiement", "slug": "pay", "color": "#0af"}],
        daysCount=1,
    )
    programme = read_schedule(data)
    session = programme.sessions[0]
    assert programme.repairs == ()
    assert (session.key, session.starts_at, session.ends_at) == ("aa-7", at(9), at(9, 45))
    assert (session.room, session.track, session.speakers) == ("name:atlas", "pay", ("id:3", "p-4"))
    assert (session.title, session.url) == ({"fr": "Payer sans contact"}, "https://forum.example/7")
    assert programme.tracks[0].color == "#00aaff"
    assert programme.speakers[0].bio == {"und": "Ingénieure"}
    assert programme.speakers[0].organisation == {"und": "Banque"}


def test_rooms_listed_come_first_and_keep_their_capacity() -> None:
    rooms = [{"name": "Rif", "guid": "R-1", "capacity": 120}, {"name": "Atlas", "capacity": "many", "type": "stage"}]
    programme = read_schedule(v1(EVENT, rooms=rooms))
    assert [(room.key, room.capacity) for room in programme.rooms] == [("r-1", 120), ("name:atlas", None)]
    assert "`capacity` of a room is no number of seats" in mends(programme)
    assert programme.rooms[1].extra == {"type": "stage"}


def test_two_rooms_with_one_guid_are_kept_apart_by_name() -> None:
    programme = read_schedule(v1(EVENT, rooms=[{"name": "Rif", "guid": "R-1"}, {"name": "Atlas", "guid": "R-1"}]))
    assert [room.key for room in programme.rooms] == ["r-1", "name:atlas"]
    assert programme.sessions[0].room == "name:atlas"
    assert "list of rooms: room `Atlas` has the guid of another room" in mends(programme)


def test_two_rooms_of_one_name_with_different_guids_are_both_kept() -> None:
    programme = read_schedule(v1(EVENT, rooms=[{"name": "Atlas", "guid": "R-1"}, {"name": "Atlas", "guid": "R-2"}]))
    assert [room.key for room in programme.rooms] == ["r-1", "r-2"]
    assert "another room is called `Atlas` too" in mends(programme)


def test_room_named_twice_in_a_day_loses_no_session() -> None:
    """A JSON object may not have a key twice; most decoders drop the first in silence."""
    other = json.dumps({**EVENT, "guid": "AA-8", "id": 8})
    data = v1(EVENT).replace(b'"Atlas": [', b'"Atlas": [' + other.encode() + b'], "Atlas": [', 1)
    programme = read_schedule(data)
    assert {session.key for session in programme.sessions} == {"aa-7", "aa-8"}
    assert "file: `Atlas` comes twice in one object; both lists were joined" in mends(programme)


def test_key_given_a_hundred_thousand_times_is_merged_in_time() -> None:
    listed = ",".join(['"Atlas": [""]'] * 100_000)
    data = v1(EVENT).replace(b'"Atlas": [', listed.encode() + b', "Atlas": [', 1)
    assert [session.key for session in read_schedule(data).sessions] == ["aa-7"]


@pytest.mark.parametrize(
    ("field", "value", "note"),
    [
        ("title", None, "event id=7: no title"),
        ("type", None, "`type` is null; taken as absent"),
        ("room", None, "`room` is null"),
        ("url", None, "`url` is null"),
        ("persons", None, "`persons` is null"),
        ("duration", None, "its duration is missing; 30 minutes"),
        ("duration", [1], "its duration is missing; 30 minutes"),
        ("duration", True, "its duration is missing; 30 minutes"),
        ("title", ["x"], "`title` is neither a text nor a map of languages"),
        ("persons", "Ana", "`persons` is no list"),
        ("persons", [5], "an entry of `persons` is no object"),
        ("language", 5, "language `5` is no language tag"),
        ("date", "2021-13-40T10:00:00+01:00", "no date with a time"),
        ("end", "2021-12-18T09:00:00+01:00", "its end is not after its start"),
        ("end", "later", "its end is no date with a time"),
        ("end", "2021-12-18T12:00:00+01:00", "its duration is not the time from start to end"),
        ("id", "HQCCYH", "event id=HQCCYH: its id is no whole number"),
        ("answers", json.loads("[" * 20 + "1" + "]" * 20), "field `answers, nested more than 12 deep,` in 1 event"),
        ("logo", "javascript:alert(1)", "`logo` is no address of the web"),
        ("links", [{"url": "data:text/html,x"}], "an entry of `links` is no address of the web"),
    ],
)
def test_field_of_the_wrong_kind_is_mended(field: str, value: object, note: str) -> None:
    programme = read_schedule(v1({**EVENT, field: value}))
    assert note in mends(programme)
    session = programme.sessions[0]
    assert session.starts_at == at(9)
    assert session.ends_at > session.starts_at


@pytest.mark.parametrize("field", ["subtitle", "track", "language", "abstract", "description"])
def test_null_where_the_standard_allows_it_needs_no_repair(field: str) -> None:
    assert read_schedule(v1({**EVENT, field: None})).repairs == ()


@pytest.mark.parametrize(("duration", "minutes"), [(45, 45), (45.0, 45), ("1:05", 65), ("0:45:30", 45.5)])
def test_duration_may_be_a_number_of_minutes(duration: object, minutes: float) -> None:
    session = read_schedule(v1({**EVENT, "duration": duration})).sessions[0]
    assert session.ends_at - session.starts_at == timedelta(minutes=minutes)


def test_number_as_a_title_is_a_text() -> None:
    assert read_schedule(v1({**EVENT, "title": 42})).sessions[0].title == {"fr": "42"}


def test_identifier_of_a_thousand_digits_is_read() -> None:
    data = v1({**EVENT, "guid": ""}).replace(b'"id": 7', b'"id": ' + b"7" * 9000)
    assert read_schedule(data).sessions[0].key == "id:" + "7" * 9000


def test_half_an_emoji_and_nul_are_replaced_and_reported() -> None:
    programme = read_schedule(v1({**EVENT, "title": "Oui \ud83d\x00!"}))
    assert programme.sessions[0].title == {"fr": "Oui \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}!"}
    assert "`title` holds a character that no text may hold" in mends(programme)


def test_date_without_a_time_is_completed_by_the_start() -> None:
    assert read_schedule(v1({**EVENT, "date": "2021-12-18"})).sessions[0].starts_at == at(9)


def test_days_and_rooms_of_the_wrong_kind_are_reported() -> None:
    programme = read_schedule(v1(days=[{"rooms": [EVENT]}, 5, {"rooms": {"Atlas": [EVENT, "x"]}, "mood": "good"}]))
    assert len(programme.sessions) == 1
    notes = mends(programme)
    assert "day 1: `rooms` is no object of rooms" in notes
    assert "an entry of `days` is no object" in notes
    assert "field `mood` in 1 day is not kept" in notes
    assert "event 2" in notes  # the text where an event belongs is an event without a start


def test_days_beside_the_conference_are_found() -> None:
    file = json.loads(v1(EVENT))
    file["schedule"]["days"] = file["schedule"]["conference"].pop("days")
    assert len(read_schedule(json.dumps(file).encode()).sessions) == 1


def test_good_file_of_version_2_keeps_languages_and_is_read_without_a_repair() -> None:
    room = {"guid": "R-1", "name": "Atlas", "slug": "atlas"}
    people = [{"guid": "P-1", "name": "Salma Idrissi", "biography": {"fr": "Ingénieure", "ar": "مهندسة"}}]
    session = {
        **FLAT,
        "room": room,
        "track": {"slug": "pay"},
        "participants": [{"guid": "p-1", "name": "Salma Idrissi", "role": "SPEAKER"}],
    }
    programme = read_schedule(
        v2(
            session,
            persons=people,
            rooms=[{**room, "name": {"fr": "Atlas", "ar": "الأطلس"}, "capacity": 300}],
            tracks=[{"slug": "pay", "name": "Paiement", "colors": {"light": "#00AA11", "dark": "#00AA11"}}],
        )
    )
    read = programme.sessions[0]
    assert programme.repairs == ()
    assert read.title == {"fr": "Ouverture", "ar": "الافتتاح", "en": "Opening"}
    assert (read.starts_at, read.ends_at, read.key) == (at(9), at(10), "bb-1")
    assert (read.room, read.track, read.speakers) == ("r-1", "pay", ("p-1",))
    assert (programme.rooms[0].name["ar"], programme.rooms[0].capacity) == ("الأطلس", 300)
    assert programme.speakers[0].bio == {"fr": "Ingénieure", "ar": "مهندسة"}
    assert programme.tracks[0].color == "#00aa11"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (None, "scheduled"),
        ("CONFIRMED", "scheduled"),
        ("ACCEPTED", "scheduled"),
        ("DELAYED", "delayed"),
        ("CANCELED", "cancelled"),
        ("cancelled", "cancelled"),
    ],
)
def test_public_states_become_a_status(state: str | None, status: str) -> None:
    programme = read_schedule(v2({**FLAT, "state": state}))
    assert programme.sessions[0].status == status
    assert programme.repairs == ()


@pytest.mark.parametrize("state", ["DRAFT", "SUBMITTED", "REJECTED", "WITHDRAWN", "DELETED"])
def test_sessions_that_are_not_public_are_left_out_and_reported(state: str) -> None:
    programme = read_schedule(v2(FLAT, {**FLAT, "guid": "BB-2", "state": state}))
    assert [session.key for session in programme.sessions] == ["bb-1"]
    assert f"event guid=bb-2: its state is {state}; left out" in mends(programme)
    with pytest.raises(UnreadableSchedule, match="event guid=bb-1: no session from here on, 1 in all"):
        read_schedule(v2({**FLAT, "state": state}))


def test_unknown_state_is_taken_as_confirmed_and_reported() -> None:
    programme = read_schedule(v2({**FLAT, "state": "SNOWED_IN"}))
    assert programme.sessions[0].status == "scheduled"
    assert "state `SNOWED_IN` is not known" in mends(programme)


def test_meta_event_is_a_session_without_room_and_speakers() -> None:
    pause = {"type": "BREAK", "title": "Pause", "start": "2021-12-18T11:00:00+01:00", "duration": "PT1H30M"}
    session = read_schedule(v2(FLAT, pause)).sessions[1]
    assert (session.kind, session.room, session.speakers) == (None, None, ())
    assert session.service
    assert session.ends_at - session.starts_at == timedelta(minutes=90)


def test_map_of_languages_that_is_not_quite_one_is_mended() -> None:
    title = {"FR": "Un", "fr": "Deux", "klingonisch": "tlh", "ar": None, "en": {"x": "y"}}
    programme = read_schedule(v2({**FLAT, "title": title}))
    assert programme.sessions[0].title == {"fr": "Un", "und": "tlh"}
    for note in ("two texts in one language", "`klingonisch`, a language of `title`", "a map within a map"):
        assert note in mends(programme)


def test_role_of_a_participant_is_kept_in_small_letters() -> None:
    people = [{"guid": "P", "name": "Ana", "role": "HOST"}, {"guid": "Q", "name": "Omar", "role": "SPEAKER"}]
    programme = read_schedule(v2({**FLAT, "participants": people}))
    assert programme.sessions[0].speakers == ("p", "q")
    assert programme.sessions[0].roles == {"p": "host"}
    assert programme.repairs == ()


def test_everything_that_version_1_carries_is_kept() -> None:
    rich = {
        **EVENT,
        "slug": "forum-7-payer",
        "code": "AB12CD",
        "logo": "/logos/7.png",
        "recording_license": "CC BY 4.0",
        "do_not_record": True,
        "feedback_url": "https://forum.example/7/feedback",
        "video_download_url": "https://video.example/7.mp4",
        "links": [{"url": "https://a.example", "title": "Article", "type": "article"}, "https://b.example"],
        "attachments": [{"url": "/slides 7.pdf", "title": "Diapositives"}],
        "persons": [
            {"name": "Ana", "guid": "P-1", "id": 9, "avatar": "/ana.jpg", "links": [{"url": "/ana"}], "code": "X"}
        ],
        "mood": {"a": [1, None]},
    }
    data = json.loads(
        v1(rich, acronym="forum", rooms=[{"name": "Atlas", "guid": "R", "description": "Vue", "floor": 2}])
    )
    data["schedule"]["base_url"] = "https://forum.example/2021/"
    programme = read_schedule(json.dumps(data).encode())
    session, speaker = programme.sessions[0], programme.speakers[0]
    assert (session.number, session.logo_url) == (7, "https://forum.example/logos/7.png")
    assert (session.license, session.do_not_record) == ("CC BY 4.0", True)
    assert [(link.kind, link.url, *link.title.values()) for link in session.links] == [
        ("feedback", "https://forum.example/7/feedback"),
        ("recording", "https://video.example/7.mp4"),
        ("link", "https://a.example", "Article"),
        ("link", "https://b.example"),
        ("file", "https://forum.example/slides%207.pdf", "Diapositives"),
    ]
    assert session.extra == {
        "slug": "forum-7-payer",
        "code": "AB12CD",
        "mood": {"a": [1, None]},
        "links": [{"url": "https://a.example", "type": "article"}],
    }
    assert (speaker.photo_url, speaker.extra) == ("https://forum.example/ana.jpg", {"id": 9, "code": "X"})
    assert [link.url for link in speaker.links] == ["https://forum.example/ana"]
    assert (programme.rooms[0].description, programme.rooms[0].floor) == ({"und": "Vue"}, "2")
    assert programme.extra == {"acronym": "forum"}
    assert programme.repairs == ()


def test_id_of_two_sessions_is_the_number_of_neither() -> None:
    programme = read_schedule(v1(EVENT, {**EVENT, "guid": "AA-8", "start": "12:00"}, {**EVENT, "guid": "c", "id": 9}))
    assert [session.number for session in programme.sessions] == [None, None, 9]
    assert [session.extra.get("id") for session in programme.sessions] == ["7", "7", None]
    assert "without a number" in mends(programme)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (v1(), "no session at all in the file"),
        (v2(), "no session at all in the file"),
        (b"[]", "line 1: JSON, but no programme that is read here"),
        (b'{"schedule": {"conference": []}}', "line 1: JSON, but without a `schedule` with a `conference`"),
        (b'{"schedule": {"2021-12-18": {}}}', "line 1: JSON, but no programme that is read here"),
        (b'{"schedule":\n {"conference": nul', "line 2, column 17: this is no JSON"),
        (b'{"schedule":\n {"version": "1', "line 2, column 14: the file breaks off here"),
        (v1(EVENT)[:-2], "the file breaks off here"),
        (v1(EVENT) + b"}", "line 1, column .*: this is no JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"[" + b"1," * 1_000_001 + b"1]", "more than 1000000 values"),
    ],
)
def test_file_that_is_no_schedule_is_refused_with_its_place(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableSchedule, match=sentence):
        read_schedule(data)
