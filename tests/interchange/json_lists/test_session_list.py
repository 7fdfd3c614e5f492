"""Lists of sessions in JSON, whatever their fields are called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.reading.arabic_letters import plain_letters
from tests.interchange.json_lists import json_samples as samples

if TYPE_CHECKING:
    from server.interchange.programme import Programme, Session

ZONE = "Africa/Casablanca"
START = "2021-12-18T10:00:00+01:00"


def read(file: Any, timezone: str | None = ZONE) -> Programme:
    return read_schedule(json.dumps(file, ensure_ascii=False).encode(), timezone=timezone)


def notes(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def one(**fields: Any) -> Session:
    return read([{"title": "Payer", "start": START, **fields}]).sessions[0]


def test_payload_of_an_app_is_read_whole() -> None:
    programme = read(samples.app_payload())
    talk, pause = programme.sessions
    assert (talk.key, talk.title, talk.speakers) == ("a1", {"und": "Payer au souk"}, ("s1",))
    assert talk.extra == {"tags": ["Débutant"]}
    assert [(link.kind, link.url) for link in talk.links] == [("recording", "https://videos.example.org/a1")]
    assert (talk.service, pause.service) == (False, True)
    assert "session a2: taken as a break after its title" in notes(programme)
    (speaker,), (room,) = programme.speakers, programme.rooms
    assert (speaker.tagline, speaker.bio) == ({"und": "Caissier"}, {"und": "Il paie."})
    assert speaker.photo_url == "https://img.example.org/nabil.jpg"
    assert room.name == {"und": "Salle Atlas"}


def test_agenda_in_two_languages_is_read_whole() -> None:
    programme = read(samples.agency_agenda(), timezone=None)
    registration, anthem, hub = programme.sessions
    assert programme.title == {"en": "Building days", "ar": "أيام البناء"}
    assert programme.extra.keys() == {"event", "glossary"}
    assert registration.service
    assert not anthem.service
    assert anthem.title == {"en": "National anthem", "ar": "النشيد الوطني"}
    assert anthem.description == {"en": "Speakers:\nMr. Omar", "ar": "المتحدثون\nعمر"}
    assert registration.track == anthem.track != hub.track
    assert "2 texts are in Arabic presentation forms" in notes(programme)


def test_zone_that_a_remark_names_is_taken_and_reported_and_one_that_is_given_goes_before_it() -> None:
    programme = read(samples.agency_agenda(), timezone=None)
    assert (programme.timezone, programme.sessions[0].starts_at.hour) == (ZONE, 8)
    assert f"{ZONE} was taken after a remark in it" in notes(programme)
    assert read(samples.agency_agenda(), timezone="Asia/Riyadh").timezone == "Asia/Riyadh"


def test_session_with_a_day_and_no_time_lasts_as_long_as_that_day() -> None:
    programme = read(samples.agency_agenda())
    hub = programme.sessions[2]
    assert (hub.starts_at.isoformat(), hub.ends_at.isoformat()) == (
        "2021-12-18T08:00:00+00:00",
        "2021-12-18T09:15:00+00:00",
    )
    assert "slots 3: a day and no time; taken as lasting" in notes(programme)
    alone = read([{"title": "Salon", "date": "2021-12-18"}]).sessions[0]
    assert (alone.ends_at - alone.starts_at).days == 1


@pytest.mark.parametrize(
    ("presented", "plain"),
    [
        ("اﻟﻨﺸﻴﺪ اﻟﻮﻃﻨﻲ", "النشيد الوطني"),
        ("ﻻ إله", "لا إله"),
        ("ﷲ", "الله"),
        ("½ ﬁn № ™\u202f!", "½ ﬁn № ™\u202f!"),
        ("النشيد", "النشيد"),
    ],
)
def test_presentation_forms_become_letters_and_nothing_else_changes(presented: str, plain: str) -> None:
    assert plain_letters(presented) == plain


def test_vowel_mark_that_stands_alone_does_not_part_a_word() -> None:
    assert plain_letters("ﻋ\ufe76ﻤﺮ") == "ع\N{ARABIC FATHA}مر"


def test_presentation_forms_of_other_formats_are_put_into_letters_too() -> None:
    event = {"id": 7, "date": START, "duration": "00:45", "title": "اﻟﻨﺸﻴﺪ"}
    day = {"date": "2021-12-18", "rooms": {"A": [event]}}
    programme = read(
        {"schedule": {"version": "1", "conference": {"title": "T", "time_zone_name": ZONE, "days": [day]}}}
    )
    assert programme.sessions[0].title == {"und": "النشيد"}
    assert "event id=7: `title` is in Arabic presentation forms" in notes(programme)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Payer", "start": START, "end": "2021-12-18T10:45:00+01:00"},
        {"name": "Payer", "starts_at": START, "duration": 45},
        {"Title": "Payer", "Start Time": START, "durationMinutes": "45"},
        {"headline": "Payer", "begin": "2021-12-18 10:00", "until": "2021-12-18 10:45"},
        {"title": "Payer", "date": "2021-12-18", "start": "10:00", "end": "10:45"},
        {"title": "Payer", "day": "2021-12-18", "time": "10:00 - 10:45"},
        {"title": "Payer", "day": "2021-12-18", "time": "10h00 – 10h45"},
        {"title": "Payer", "date": "2021-12-18", "startTime": "10:00 AM", "endTime": "10:45 a.m."},
        {"title": "Payer", "startDate": "2021-12-18", "startsAt": "10.00", "length": "PT45M"},
        {"title": "Payer", "start": 1639818000, "end": 1639820700},
        {"title": "Payer", "startTimestamp": 1639818000000, "duration": "0:45"},
    ],
    ids=lambda fields: ", ".join(fields),
)
def test_fields_go_by_many_names_and_times_by_many_forms(fields: dict[str, Any]) -> None:
    session = read([fields]).sessions[0]
    assert session.title == {"und": "Payer"}
    assert (session.starts_at.isoformat(), session.ends_at.isoformat()) == (
        "2021-12-18T09:00:00+00:00",
        "2021-12-18T09:45:00+00:00",
    )


@pytest.mark.parametrize(
    "file",
    [
        [{"title": "Payer", "start": START, "room": "Atlas"}],
        {"data": {"sessions": [{"title": "Payer", "start": START, "room": {"name": "Atlas"}}]}},
        {"days": [{"date": "2021-12-18", "sessions": [{"title": "Payer", "start": "10:00", "room": "Atlas"}]}]},
        {
            "days": [
                {
                    "date": "2021-12-18",
                    "name": "Samedi",
                    "talks": [{"title": "Payer", "start": "10:00", "stage": "Atlas"}],
                }
            ]
        },
        {"2021-12-18": [{"title": "Payer", "start": "10:00", "location": ["Atlas"]}]},
        {"schedule": {"2021-12-18": {"rooms": [{"room": "Atlas", "slots": [{"title": "Payer", "start": "10:00"}]}]}}},
        {"rooms": [{"id": 4, "name": "Atlas"}], "sessions": [{"title": "Payer", "start": START, "roomId": 4}]},
        {"sessions": {"p1": {"title": "Payer", "start": START, "venue": "Atlas"}}},
    ],
)
def test_sessions_are_found_wherever_they_lie(file: Any) -> None:
    programme = read(file)
    (session,) = programme.sessions
    assert session.starts_at.isoformat() == "2021-12-18T09:00:00+00:00"
    assert [room.name for room in programme.rooms] == [{"und": "Atlas"}]
    assert session.room == programme.rooms[0].key


def test_languages_in_the_names_of_fields() -> None:
    session = one(title="Payer", title_ar="الدفع", titleEn="Pay", description_fr="Un texte", languages=["fr", "Arabic"])
    assert session.title == {"und": "Payer", "ar": "الدفع", "en": "Pay"}
    assert session.description == {"fr": "Un texte"}
    assert session.languages == ("fr", "ar")


@pytest.mark.parametrize(
    ("speakers", "names"),
    [
        (["Nabil Cherkaoui", "Salma Idrissi"], ["Nabil Cherkaoui", "Salma Idrissi"]),
        ("Nabil Cherkaoui; Salma Idrissi", ["Nabil Cherkaoui", "Salma Idrissi"]),
        ([{"firstName": "Nabil", "lastName": "Cherkaoui"}], ["Nabil Cherkaoui"]),
        ([{"fullName": "Nabil", "id": 1}, {"name": "Nabil", "id": 2}], ["Nabil", "Nabil"]),
        ([{"fr": "Nabil", "ar": "نبيل"}, "nabil"], ["Nabil"]),
        ({"name": "Nabil"}, ["Nabil"]),
        ([None, "", 0, [], True], ["0"]),
    ],
)
def test_speakers_go_by_many_forms(speakers: Any, names: list[str]) -> None:
    programme = read([{"title": "Payer", "start": START, "speakers": speakers}])
    assert [next(iter(speaker.name.values())) for speaker in programme.speakers] == names
    assert len(programme.sessions[0].speakers) == len(names)


def test_roles_of_those_on_stage() -> None:
    session = one(
        speakers=["Nabil Cherkaoui"], moderators=["Salma Idrissi", "Nabil Cherkaoui"], panelists=["Omar Alami"]
    )
    assert len(session.speakers) == 3
    assert session.roles == {
        "name:salma idrissi": "moderator",
        "name:nabil cherkaoui": "moderator",
        "name:omar alami": "panelist",
    }


def test_what_has_no_place_is_kept_by_its_own_name() -> None:
    file = {
        "sponsor": {"name": "A"},
        "sessions": [{"title": "Payer", "start": START, "seatsLeft": 4, "image": "payer.png", "guid": "g", "id": "x"}],
        "speakers": [
            {"id": "s", "name": "Nabil", "twitter": "@nabil", "mastodon": "https://m.example.org/@n", "email": "a@b"}
        ],
    }
    programme = read(file)
    assert programme.extra == {"sponsor": {"name": "A"}}
    assert programme.sessions[0].extra == {"seatsLeft": 4, "image": "payer.png", "guid": "g"}
    assert programme.speakers[0].extra == {"twitter": "@nabil"}
    assert [link.url for link in programme.speakers[0].links] == ["https://m.example.org/@n"]
    assert "field `email or telephone` at 1 mention of a speaker is not kept" in notes(programme)


def test_of_several_rooms_the_first_counts_and_all_are_kept() -> None:
    programme = read(
        [{"title": "Payer", "start": START, "rooms": 3, "room": ["A", "B"], "tracks": ["x"], "isBreak": "no"}]
    )
    (session,) = programme.sessions
    assert [room.name for room in programme.rooms] == [{"und": "A"}]
    assert session.extra == {"rooms": 3, "room": ["A", "B"], "tracks": ["x"], "service": "no"}


@pytest.mark.parametrize(
    ("title", "fields", "told"),
    [
        ("Pause café", {}, "a break"),
        ("استراحة غداء", {}, "a break"),
        ("Networking Coffee Break", {"description": "Hall"}, "a break"),
        ("Registration & Networking", {}, "a break"),
        ("Coffee", {"speakers": ["Nabil Cherkaoui"]}, "a talk"),
        ("How to break a monolith before lunch", {}, "a talk"),
        ("Breaking news", {}, "a talk"),
        ("Payer", {"isBreak": True}, "a break"),
        ("Pause café", {"isServiceSession": False}, "a talk"),
        ("Payer", {"type": "break"}, "a break"),
    ],
)
def test_breaks_are_told_from_talks(title: str, fields: dict[str, Any], told: str) -> None:
    assert one(title=title, **fields).service is (told == "a break")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "CANCELLED"}, "cancelled"),
        ({"isCancelled": True}, "cancelled"),
        ({"state": "postponed"}, "delayed"),
        ({"status": "confirmed"}, "scheduled"),
    ],
)
def test_states(fields: dict[str, Any], status: str) -> None:
    assert one(**fields).status == status


def test_end_before_its_start_is_mended_and_reported() -> None:
    programme = read([{"title": "Payer", "start": START, "end": "2021-12-18T08:00:00+01:00", "id": 1}])
    assert (programme.sessions[0].ends_at - programme.sessions[0].starts_at).seconds == 30 * 60
    assert "session 1: its end is not after its start, or many days later; left out" in notes(programme)


def test_clock_of_the_end_after_midnight_is_the_next_day() -> None:
    session = read([{"title": "Nuit", "date": "2021-12-18", "start": "23:00", "end": "01:00"}]).sessions[0]
    assert (session.ends_at - session.starts_at).seconds == 2 * 3600


def keys(file: list[dict[str, Any]]) -> set[tuple[object, ...]]:
    sessions = read(file).sessions
    return {(session.starts_at, session.room, session.title["und"], session.key) for session in sessions}


def test_session_without_an_id_keeps_its_key_when_it_moves() -> None:
    before = one(title="Payer", room="A").key
    assert one(title="Payer", room="B", start="2021-12-19T15:00:00+01:00").key == before
    assert one(title="Autre").key != before


def test_order_of_the_file_changes_no_key() -> None:
    file = [
        {"title": "Déjeuner", "start": f"2021-12-{day}T12:00:00+01:00", "room": room}
        for day in (18, 19)
        for room in "AB"
    ]
    file += [{"title": "Payer", "start": START}, {"title": "Payer", "start": START, "id": "p"}]
    assert keys(file) == keys(file[::-1])
    assert len({session.key for session in read(file).sessions}) == 6


def test_one_id_twice_is_two_sessions_with_keys_that_last() -> None:
    file = [{"id": 7, "title": title, "start": START} for title in ("Payer", "Vendre")]
    programme = read(file)
    assert {session.title["und"]: session.key for session in programme.sessions} == {
        session.title["und"]: session.key for session in read(file[::-1]).sessions
    }
    assert len({session.key for session in programme.sessions}) == 2
    assert "session 7: the same id as another session; kept under a key of its own" in notes(programme)


def test_list_that_says_no_start_at_all_is_refused() -> None:
    with pytest.raises(UnreadableSchedule, match=r"^no session of 2, from session 1 on, says when it starts"):
        read([{"id": n, "title": "Payer", "start": "bientôt"} for n in (1, 2)])


def test_list_of_speakers_is_no_programme() -> None:
    with pytest.raises(UnreadableSchedule, match=r"^line 1: JSON, but no programme that is read here"):
        read([{"id": "s", "fullName": "Nabil", "sessions": [{"id": 1, "name": "Payer"}]}])
