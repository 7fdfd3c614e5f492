"""Sessionize's API as files: the views, times without a zone, categories by their titles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from tests.interchange.json_lists import json_samples as samples

if TYPE_CHECKING:
    from server.interchange.programme import Programme

ZONE = "Africa/Casablanca"


def read(file: Any, timezone: str | None = ZONE) -> Programme:
    return read_schedule(json.dumps(file).encode(), timezone=timezone)


def notes(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def changed(**changes: Any) -> dict[str, Any]:
    file = samples.sessionize_all()
    file["sessions"][0] |= changes
    return file


def test_view_of_all_is_read_whole() -> None:
    programme = read(samples.sessionize_all())
    talk, lunch = programme.sessions
    assert (talk.key, talk.number, talk.title) == ("4711", 4711, {"fr": "Payer au souk"})
    assert (talk.starts_at.isoformat(), talk.ends_at.isoformat()) == (
        "2021-12-18T09:00:00+00:00",
        "2021-12-18T09:45:00+00:00",
    )
    assert (talk.room, talk.track, talk.kind, talk.speakers) == ("3", "21", "31", ("9b1c",))
    assert (talk.languages, talk.service, lunch.service, lunch.number) == (("fr",), False, True, None)
    assert [(link.kind, link.url) for link in talk.links] == [
        ("stream", "https://live.example.org/atlas"),
        ("recording", "https://videos.example.org/4711"),
    ]
    assert talk.extra == {
        "isPlenumSession": True,
        "status": "Accepted",
        "isInformed": True,
        "level": "100 - Débutant",
        "categories": {"Which track?": ["Web"], "Tags": ["mobile"]},
        "questionAnswers": {"Matériel": "Un projecteur"},
    }
    (speaker,) = programme.speakers
    assert (speaker.name, speaker.tagline) == ({"und": "Nabil Cherkaoui"}, {"und": "Caissier"})
    assert speaker.photo_url == "https://img.example.org/nabil.jpg"
    assert [(link.url, link.title) for link in speaker.links] == [("https://nabil.example.org/", {"und": "Blog"})]
    assert speaker.extra == {"isTopSpeaker": True, "categories": {"Are you new?": ["Oui"]}}
    assert [track.name for track in programme.tracks] == [{"und": "Paiement"}, {"und": "Web"}]


@pytest.mark.parametrize("view", ["sessionize_groups", "sessionize_grid"])
def test_other_views_say_the_same_of_a_session(view: str) -> None:
    (talk,), whole = read(getattr(samples, view)()).sessions, read(samples.sessionize_all()).sessions[0]
    for field in ("key", "number", "starts_at", "ends_at", "room", "track", "speakers", "service", "links"):
        assert getattr(talk, field) == getattr(whole, field)
    assert talk.extra["questionAnswers"] == {"Matériel": "Un projecteur"}


def test_plenary_that_the_grid_lists_in_every_room_is_one_session() -> None:
    programme = read(samples.sessionize_grid())
    assert len(programme.sessions) == 1
    assert "session 4711: listed more than once; taken once" in notes(programme)


def test_times_without_a_zone_are_refused_with_how_to_give_one() -> None:
    with pytest.raises(
        UnreadableSchedule, match=r"give the event's zone along with the file, for instance Africa/Casabl"
    ):
        read(samples.sessionize_all(), timezone=None)


def test_zone_given_for_the_event_is_used_and_reported() -> None:
    programme = read(samples.sessionize_all(), timezone="Europe/London")
    assert programme.timezone == "Europe/London"
    assert programme.sessions[0].starts_at.isoformat() == "2021-12-18T10:00:00+00:00"
    assert "no time zone is named; Europe/London was taken, as given for the event" in notes(programme)
    assert "its times have no offset; taken as the time in Europe/London" in notes(programme)


def test_clocks_over_a_change_are_those_of_the_zone_that_day() -> None:
    """Morocco's clocks are at +00:00 in Ramadan; in 2021 from 11 April on."""
    before, during = (
        read(changed(startsAt=f"2021-04-{day}T10:00:00", endsAt=f"2021-04-{day}T11:00:00")).sessions[0]
        for day in ("05", "15")
    )
    assert (before.starts_at.hour, during.starts_at.hour) == (9, 10)


def test_times_in_utc_need_no_zone() -> None:
    file = samples.sessionize_all()
    for session in file["sessions"]:
        session |= {"startsAt": session["startsAt"] + "Z", "endsAt": session["endsAt"] + "Z"}
    programme = read(file, timezone=None)
    assert (programme.timezone, programme.sessions[0].starts_at.hour) == ("UTC", 10)
    assert read(file).timezone == ZONE


@pytest.mark.parametrize("status", ["Declined", "Waitlisted", "Nominated", "Accept_Queue"])
def test_sessions_that_are_not_accepted_are_left_out(status: str) -> None:
    programme = read(changed(status=status))
    assert [session.service for session in programme.sessions] == [True]
    assert f"session 4711: its status is `{status}`; left out" in notes(programme)


def test_cancelled_session_stays_and_says_so() -> None:
    assert read(changed(status="Cancelled")).sessions[0].status == "cancelled"


def test_session_without_a_time_is_left_out_and_named() -> None:
    programme = read(changed(startsAt=None, endsAt=None))
    assert len(programme.sessions) == 1
    assert "session 4711: it has no place in the schedule; left out" in notes(programme)


@pytest.mark.parametrize(
    ("title", "name", "where"),
    [
        ("Thème", "Paiement", "track"),
        ("المسار", "الدفع", "track"),
        ("Select a stream please", "Pay", "track"),
        ("Format de session", "Atelier", "kind"),
        ("Type", "Workshop", "kind"),
        ("Langue", "Français / Arabe", "languages"),
        ("Niveau", "Débutant", "level"),
        ("What level is your session aimed at?", "300", "level"),
        ("Dietary wishes", "None", "categories"),
        ("Language", "Klingon", "categories"),
    ],
)
def test_categories_are_told_by_their_titles(title: str, name: str, where: str) -> None:
    file = changed(categoryItems=[99])
    file["categories"] = [{"id": 9, "title": title, "items": [{"id": 99, "name": name}]}]
    talk = read(file).sessions[0]
    assert (talk.track == "99") == (where == "track")
    assert (talk.kind == "99") == (where == "kind")
    assert talk.languages == (("fr", "ar") if where == "languages" else ())
    assert talk.extra.get("level") == (name if where == "level" else None)
    assert talk.extra.get("categories") == ({title: [name]} if where == "categories" else None)


def test_category_item_that_nobody_explains_is_kept_as_its_number() -> None:
    assert read(changed(categoryItems=[1234])).sessions[0].extra["categories"] == {"": ["1234"]}


def test_room_and_speaker_that_no_list_has_are_added_and_reported() -> None:
    programme = read(changed(roomId=8, room="Salle Rif", speakers=["zz", "9b1c", "zz"]))
    talk = programme.sessions[0]
    assert {room.key: room.name for room in programme.rooms}[talk.room or ""] == {"und": "Salle Rif"}
    assert talk.speakers == ("zz", "9b1c")
    assert "its speaker `zz` is described nowhere; the id stands for its name" in notes(programme)


def test_links_that_are_no_addresses_are_left_out_and_reported() -> None:
    file = changed(liveUrl="javascript:alert(1)", recordingUrl="www.example.org/v")
    file["speakers"][0]["profilePicture"] = "/nabil.jpg"
    programme = read(file)
    assert programme.sessions[0].links == ()
    assert programme.speakers[0].photo_url is None
    assert "`link` `javascript:alert(1)` is no whole address of the web; left out" in notes(programme)
    assert "`photo` `/nabil.jpg` is no whole address of the web; left out" in notes(programme)


def test_order_of_the_file_changes_no_key() -> None:
    file = samples.sessionize_all()
    keys = {session.key for session in read(file).sessions}
    for part in file.values():
        part.reverse()
    assert {session.key for session in read(file).sessions} == keys
