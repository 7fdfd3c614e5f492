"""schedule.xml: what a good file says, and each mend of a bad one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.programme import Kind

if TYPE_CHECKING:
    from server.interchange.programme import Programme, Session

ZONE = "<time_zone_name>Africa/Casablanca</time_zone_name>"
GUID = "0f6b1a52-9c4e-4c6d-8a51-2f0f6a3c9d17"


def event(inner: str = "", *, attributes: str = f'id="7" guid="{GUID}"', when: str | None = None, **fields: str) -> str:
    given = {"title": "Payer sans contact", "duration": "00:45", "room": "Atlas", "type": "Talk", **fields}
    if when is None:
        when = "<date>2021-12-18T10:00:00+01:00</date><start>10:00</start>"
    children = "".join(f"<{name}>{text}</{name}>" for name, text in given.items() if text != "-")
    return f"<event {attributes}>{when}{children}{inner}</event>"


def schedule(
    *events: str, conference: str = ZONE, day: str = "", version: str = "1.0", room: str = 'name="Atlas"'
) -> bytes:
    return (
        f"<schedule><generator name='x'/><version>{version}</version><conference><title>Forum</title>{conference}"
        f"</conference><day index='1' date='2021-12-18' {day}><room {room}>{''.join(events)}</room></day></schedule>"
    ).encode()


def mends(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def only(data: bytes) -> tuple[Session, str]:
    programme = read_schedule(data)
    assert len(programme.sessions) == 1
    return programme.sessions[0], mends(programme)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_good_file_is_read_without_a_repair() -> None:
    persons = '<persons><person guid="AA-1" id="3">Salma Idrissi</person><person id="4">Omar Tazi</person></persons>'
    track = '<track name="Paiement" slug="pay" color="#0A66FF"/>'
    good = event(persons, track="Paiement", language="fr", subtitle="Ce qui reste", abstract="&lt;p&gt;Oui&lt;/p&gt;")
    programme = read_schedule(schedule(good, conference=ZONE + track, room='name="Atlas" guid="BB-2"'))
    session = programme.sessions[0]
    assert programme.repairs == ()
    assert (programme.title, programme.timezone, programme.version) == ({"und": "Forum"}, "Africa/Casablanca", "1.0")
    assert session.key == GUID
    assert (session.starts_at, session.ends_at) == (at(2021, 12, 18, 9), at(2021, 12, 18, 9, 45))
    assert (session.title, session.abstract) == ({"fr": "Payer sans contact"}, {"fr": "<p>Oui</p>"})
    assert (session.room, session.track, session.speakers) == ("bb-2", "pay", ("aa-1", "id:4"))
    assert (session.kind, session.languages, session.status) == ("talk", ("fr",), "scheduled")
    assert programme.kinds == (Kind(key="talk", name={"und": "Talk"}),)
    assert programme.tracks[0].color == "#0a66ff"
    assert [speaker.name for speaker in programme.speakers] == [{"und": "Salma Idrissi"}, {"und": "Omar Tazi"}]


def test_guid_is_compared_in_small_letters() -> None:
    session, _ = only(schedule(event(attributes=f'id="7" guid="{GUID.upper()}"')))
    assert session.key == GUID


def test_double_guid_keeps_both_sessions_under_keys_that_do_not_depend_on_their_order() -> None:
    one, other = event(attributes=f'id="9" guid="{GUID}"'), event(attributes=f'id="10" guid="{GUID}"', title="Deux")
    first, second = read_schedule(schedule(one, other)), read_schedule(schedule(other, one))
    keys = {session.title["und"]: session.key for session in first.sessions}
    assert keys == {session.title["und"]: session.key for session in second.sessions}
    assert keys["Payer sans contact"] == GUID != keys["Deux"]
    assert "event id=10: the same guid or id as event id=9" in mends(first)


def test_sessions_alike_in_everything_are_all_kept() -> None:
    programme = read_schedule(schedule(*[event()] * 4))
    assert len({session.key for session in programme.sessions}) == 4


def test_double_id_with_different_guids_is_told_apart_by_guid() -> None:
    programme = read_schedule(schedule(event(), event(attributes='id="7" guid="cc-3"')))
    assert [session.key for session in programme.sessions] == [GUID, "cc-3"]
    assert "its id is that of another session too" in mends(programme)


def test_session_without_guid_is_known_by_its_id() -> None:
    session, notes = only(schedule(event(attributes='id="7"')))
    assert session.key == "id:7"
    assert "event id=7: no guid" in notes


def test_session_without_any_identifier_gets_the_same_key_every_time() -> None:
    plain = event(attributes="")
    session, notes = only(schedule(plain))
    again = read_schedule(schedule(event(), plain)).sessions[1]
    assert session.key == again.key
    assert "line 1: neither guid nor id" in notes


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("10:30", at(2021, 12, 18, 9, 30)),
        ("06:00", at(2021, 12, 18, 5)),
        ("05:59", at(2021, 12, 19, 4, 59)),
        ("00:15", at(2021, 12, 18, 23, 15)),
        ("24:30", at(2021, 12, 18, 23, 30)),
    ],
)
def test_start_without_date_counts_the_small_hours_to_the_night_after(start: str, expected: datetime) -> None:
    session, notes = only(schedule(event(when=f"<start>{start}</start>")))
    assert session.starts_at == expected
    assert "no date with a time" in notes
    assert ("small hours" in notes) == (start in {"05:59", "00:15"})


def test_day_bounds_decide_before_the_day_change() -> None:
    bounds = 'start="2021-12-18T04:00:00+01:00" end="2021-12-19T03:59:00+01:00"'
    session, _ = only(schedule(event(when="<start>05:00</start>"), day=bounds))
    assert session.starts_at == at(2021, 12, 18, 4)


def test_day_change_of_the_file_is_followed() -> None:
    session, _ = only(
        schedule(event(when="<start>08:00</start>"), conference=ZONE + "<day_change>09:00:00</day_change>")
    )
    assert session.starts_at == at(2021, 12, 19, 7)


def test_date_in_utc_beside_a_local_start_is_trusted() -> None:
    session, notes = only(schedule(event(when="<date>2021-12-18T09:00:00+00:00</date><start>10:00</start>")))
    assert session.starts_at == at(2021, 12, 18, 9)
    assert "another offset than Africa/Casablanca has then" in notes
    assert "not the time of its date" not in notes


def test_start_that_contradicts_the_date_is_reported_and_the_date_taken() -> None:
    session, notes = only(schedule(event(when="<date>2021-12-18T10:00:00+01:00</date><start>14:00</start>")))
    assert session.starts_at == at(2021, 12, 18, 9)
    assert "event id=7: its start is not the time of its date" in notes


def test_date_without_offset_is_taken_in_the_zone_of_the_file_in_ramadan_too() -> None:
    """Morocco keeps UTC in Ramadan, 24 April to 23 May 2020, and UTC+1 else."""
    session, notes = only(schedule(event(when="<date>2020-05-04T10:00:00</date>")))
    assert session.starts_at == at(2020, 5, 4, 10)
    assert "its date has no offset" in notes


@pytest.mark.parametrize(
    ("conference", "zone", "note"),
    [
        ("", "Etc/GMT-1", "no time zone is named"),
        ("<time_zone_name/>", "Etc/GMT-1", "no time zone is named"),
        ("<time_zone_name>Middle Earth</time_zone_name>", "Etc/GMT-1", "time zone `Middle Earth` is not known"),
        ("<time_zone_name>../../etc/passwd</time_zone_name>", "Etc/GMT-1", "is not known"),
        ("<time_zone_name>Europe</time_zone_name>", "Etc/GMT-1", "is not known"),
        ("<time_zone_name>Casablanca</time_zone_name>", "Africa/Casablanca", "was taken as Africa/Casablanca"),
    ],
)
def test_unusable_zone_name_falls_back_to_the_offsets_of_the_dates(conference: str, zone: str, note: str) -> None:
    programme = read_schedule(schedule(event(), conference=conference))
    assert programme.timezone == zone
    assert programme.sessions[0].starts_at == at(2021, 12, 18, 9)
    assert note in mends(programme)


def test_no_zone_and_no_offset_is_utc() -> None:
    programme = read_schedule(schedule(event(when="<date>2021-12-18T10:00:00</date>"), conference=""))
    assert (programme.timezone, programme.sessions[0].starts_at) == ("UTC", at(2021, 12, 18, 10))


@pytest.mark.parametrize(
    ("duration", "minutes", "mended"),
    [
        ("00:45", 45, False),
        ("1:30", 90, False),
        ("01:30:00", 90, False),
        ("0:90", 90, False),
        ("40", 40, False),
        ("PT1H15M", 75, False),
        ("12:00", 720, False),
        ("00:00", 30, True),
        ("", 30, True),
        ("-", 30, True),
        ("soon", 30, True),
        ("-01:00", 30, True),
        ("9999:00", 30, True),
    ],
)
def test_duration_is_read_or_replaced_by_half_an_hour(duration: str, minutes: int, *, mended: bool) -> None:
    session, notes = only(schedule(event(duration=duration)))
    assert session.ends_at - session.starts_at == timedelta(minutes=minutes)
    assert ("event id=7: its duration" in notes) == mended


def test_duration_over_a_change_of_the_clocks_counts_real_time() -> None:
    night = "<date>2024-10-27T02:30:00+02:00</date>"
    berlin = "<time_zone_name>Europe/Berlin</time_zone_name>"
    session, _ = only(schedule(event(when=night, duration="01:00"), conference=berlin))
    assert session.ends_at == at(2024, 10, 27, 1, 30)


def test_empty_version_is_reported() -> None:
    programme = read_schedule(schedule(event(), version=""))
    assert programme.version == ""
    assert "no version is given" in mends(programme)


@pytest.mark.parametrize(
    ("written", "spoken", "tag", "note"),
    [
        ("fr", ("fr",), "fr", ""),
        ("FR", ("fr",), "fr", ""),
        ("pt_br", ("pt-BR",), "pt", ""),
        ("zh-hant-tw", ("zh-Hant-TW",), "zh", ""),
        ("fr, ar", ("fr", "ar"), "und", ""),
        ("fr/ar", ("fr", "ar"), "und", ""),
        ("français", (), "und", "`français` is no language tag"),
        ("", (), "und", ""),
    ],
)
def test_texts_are_under_the_language_when_it_is_exactly_one(
    written: str, spoken: tuple[str, ...], tag: str, note: str
) -> None:
    session, notes = only(schedule(event(language=written)))
    assert (session.languages, list(session.title)) == (spoken, [tag])
    assert note in notes
    assert bool(note) == bool(notes)


def test_markup_within_a_text_is_kept_as_written() -> None:
    session, notes = only(schedule(event(description='<p class="a">x &amp; y<br/></p> z')))
    assert session.description == {"und": '<p class="a">x &amp; y<br/></p> z'}
    assert notes == ""


def test_title_within_an_attachment_is_not_the_title() -> None:
    inner = '<attachments><attachment href="https://example.org/a"><title>Slides</title></attachment></attachments>'
    session, notes = only(schedule(event(inner + "<title>Vrai</title>", title="-")))
    assert session.title == {"und": "Vrai"}
    assert [(link.kind, link.title) for link in session.links] == [("file", {"und": "Slides"})]
    assert notes == ""


def test_second_element_of_the_same_name_is_reported() -> None:
    session, notes = only(schedule(event("<title>Autre</title>")))
    assert session.title == {"und": "Payer sans contact"}
    assert "a second `title` in the same event" in notes


def test_session_without_title_is_named_by_its_place() -> None:
    session, notes = only(schedule(event(title="")))
    assert session.title == {"und": "event id=7"}
    assert "event id=7: no title" in notes


def test_session_without_room_is_kept() -> None:
    programme = read_schedule(schedule(event(room="-"), room=""))
    assert programme.sessions[0].room is None
    assert programme.rooms == ()


def test_event_beside_the_rooms_is_in_its_own_room() -> None:
    data = schedule().replace(b"</room></day>", b"</room>" + event(room="Rif").encode() + b"</day>")
    programme = read_schedule(data)
    assert [room.name for room in programme.rooms] == [{"und": "Atlas"}, {"und": "Rif"}]
    assert programme.sessions[0].room == "name:rif"


def test_room_element_decides_over_the_room_of_the_event() -> None:
    programme = read_schedule(schedule(event(room="Rif")))
    assert [room.name for room in programme.rooms] == [{"und": "Atlas"}]
    assert "event id=7: its `room` is not the room it is listed under" in mends(programme)


def test_rooms_are_in_the_order_of_the_file_and_once_over_all_days() -> None:
    day = "<day index='{0}' date='2021-12-1{0}'><room name='Rif' guid='R'>{1}</room><room name='Atlas'>{2}</room></day>"
    days = [
        day.format(n, event(room="-", attributes=f'id="{n}0"'), event(room="-", attributes=f'id="{n}1"'))
        for n in (8, 9)
    ]
    programme = read_schedule(f"<schedule><conference/>{''.join(days)}</schedule>".encode())
    assert [(room.key, room.name["und"]) for room in programme.rooms] == [("r", "Rif"), ("name:atlas", "Atlas")]


def test_room_with_a_guid_on_one_day_only_is_one_room() -> None:
    data = schedule(event(attributes='id="1"')).replace(
        b"</schedule>",
        b"<day><room name='Atlas' guid='A'>" + event(attributes='id="2"').encode() + b"</room></day></schedule>",
    )
    programme = read_schedule(data)
    assert [room.key for room in programme.rooms] == ["name:atlas"]
    assert {session.room for session in programme.sessions} == {"name:atlas"}


def test_track_not_in_the_list_is_added_and_reported() -> None:
    listed = '<track name="Paiement" slug="pay" color="blue"/>'
    programme = read_schedule(schedule(event(track="Santé"), conference=ZONE + listed))
    assert [(track.key, track.color) for track in programme.tracks] == [("pay", None), ("Santé", None)]
    assert "track `Santé` is not in the list of tracks" in mends(programme)
    assert "colour of a track is not written" in mends(programme)


def test_tracks_of_a_file_without_a_list_need_no_repair() -> None:
    programme = read_schedule(schedule(event(track="Santé"), event(attributes='id="8" guid="d"', track="santé")))
    assert [track.key for track in programme.tracks] == ["Santé"]
    assert programme.repairs == ()


def people(*persons: str) -> Programme:
    events = (
        event(f"<persons>{person}</persons>", attributes=f'id="{n}" guid="g{n}"') for n, person in enumerate(persons, 1)
    )
    return read_schedule(schedule(*events))


@pytest.mark.parametrize(
    ("persons", "keys"),
    [
        (('<person guid="A" id="1">Ana</person>', '<person guid="a" id="2">Ana</person>'), ["a"]),
        (('<person id="1">Ana Bel</person>', '<person id="1">Ana B.</person>'), ["id:1"]),
        (("<person>Ana</person>", "<person> ana</person>"), ["name:ana"]),
        (
            ('<person id="1">Ana</person>', '<person guid="A" id="1">Ana</person>', '<person guid="A">Ana</person>'),
            ["id:1"],
        ),
        (('<person guid="A" id="1">Ana</person>', '<person id="1">Ana</person>'), ["a"]),
        (('<person id="0">Ana</person>', '<person id="0">Bo</person>'), ["name:ana", "name:bo"]),
        (('<person id="1">Ana</person>', '<person id="1">Bo Li</person>'), ["id:1", "id:1:bo li"]),
        (('<person id="1">★</person>', '<person id="1">★</person>'), ["id:1"]),
        (('<person guid="A">Ana</person>', '<person guid="B">Ana</person>'), ["a", "b"]),
    ],
)
def test_speakers_are_the_same_by_guid_then_id_then_name(persons: tuple[str, ...], keys: list[str]) -> None:
    programme = people(*persons)
    assert [speaker.key for speaker in programme.speakers] == keys
    assert {key for session in programme.sessions for key in session.speakers} == set(keys)


def test_person_without_name_is_left_out_and_reported() -> None:
    programme = people('<person id="1"/>')
    assert programme.speakers == ()
    assert "event id=1: a person without a name" in mends(programme)


def test_address_is_kept_when_it_is_one_of_the_web() -> None:
    base = ZONE + "<base_url>https://forum.example/2021/</base_url>"
    assert only(schedule(event(url="https://forum.example/7")))[0].url == "https://forum.example/7"
    assert only(schedule(event(url="talk/7"), conference=base))[0].url == "https://forum.example/2021/talk/7"
    for written in ("javascript:alert(1)", "talk/7", "http://[", "https:///x"):
        session, notes = only(schedule(event(url=written)))
        assert session.url is None
        assert "`url` is no address of the web" in notes


def test_fields_without_a_place_are_kept_by_name() -> None:
    answers = "<answers><answer>x</answer><answer id='2'>y</answer></answers><logo/><mood/>"
    data = schedule(
        event(answers, attributes=f'id="7" guid="{GUID}" code="AB1234"'),
        conference=ZONE + "<acronym>forum</acronym><color primary='#112233'/>",
    )
    session, notes = only(data)
    assert session.extra == {"code": "AB1234", "answers": {"answer": ["x", {"id": "2", "text": "y"}]}}
    assert read_schedule(data).extra == {"acronym": "forum", "color": {"primary": "#112233"}}
    assert notes == ""


def test_everything_that_the_xml_carries_is_kept() -> None:
    inner = (
        "<recording><license>CC0</license><optout>true</optout></recording><logo>/l.png</logo><slug>f-7-x</slug>"
        "<links><link href='https://a.example' service='MASTODON'>A</link><link href='ftp://b'/></links>"
        "<attachments><attachment href='/s.pdf' type='slides'>Slides</attachment></attachments>"
        "<feedback_url>https://f.example</feedback_url><video_download_url>https://v.example</video_download_url>"
        "<persons><person id='4' role='Moderator'>Omar</person></persons>"
    )
    base = "<base_url>https://forum.example/</base_url>"
    session, notes = only(schedule(event(inner), conference=ZONE + base))
    assert (session.license, session.do_not_record) == ("CC0", True)
    assert (session.logo_url, session.number) == ("https://forum.example/l.png", 7)
    assert [(link.kind, link.url) for link in session.links] == [
        ("feedback", "https://f.example"),
        ("recording", "https://v.example"),
        ("link", "https://a.example"),
        ("file", "https://forum.example/s.pdf"),
    ]
    assert session.roles == {"id:4": "moderator"}
    assert session.extra == {
        "slug": "f-7-x",
        "links": [{"url": "https://a.example", "service": "MASTODON"}],
        "attachments": [{"url": "https://forum.example/s.pdf", "type": "slides"}],
    }
    assert notes == "event id=7: an entry of `links` is no address of the web; left out"


@pytest.mark.parametrize(
    ("day", "begins", "doors"),
    [
        ("start='2021-12-18T04:00:00+01:00' end='2021-12-19T03:59:00+01:00'", "04:00", False),
        ("start='2021-12-18T03:00:00+00:00' end='2021-12-19T03:00:00+00:00'", "04:00", False),
        ("start='2021-12-18T09:00:00+01:00' end='2021-12-19T02:00:00+01:00'", "02:00", True),
        ("start='2021-12-18T09:00:00+01:00' end='2021-12-18T19:00:00+01:00'", "00:00", True),
        ("start='2021-12-18T09:00:00+01:00' end='2021-12-18T08:00:00+01:00'", "00:00", False),
        ("", "00:00", False),
    ],
)
def test_days_say_when_the_day_begins_and_when_the_doors_are_open(day: str, begins: str, doors: bool) -> None:  # noqa: FBT001
    programme = read_schedule(schedule(event(), day=day))
    assert programme.day_begins == begins
    assert [each.date for each in programme.days] == (["2021-12-18"] if doors else [])


def test_session_after_midnight_stays_on_the_day_it_is_listed_under() -> None:
    night = event(when="<date>2021-12-19T01:15:00+01:00</date>")
    assert read_schedule(schedule(night)).day_begins == "02:00"


def test_the_same_mend_in_many_places_is_one_line() -> None:
    events = [event(attributes=f'id="{n}" guid="g{n}"', duration="?") for n in range(1, 21)]
    programme = read_schedule(schedule(*events))
    assert len(programme.repairs) == 1
    assert programme.repairs[0].where.startswith("20 places: event id=1, event id=2")


def test_report_has_an_end_and_says_what_is_beyond_it() -> None:
    events = [event(attributes=f'id="{n}" guid="g{n}"', language=f"tongue{n}") for n in range(1, 601)]
    programme = read_schedule(schedule(*events))
    assert len(programme.repairs) == 501
    assert programme.repairs[-1].what == "100 more mends are not listed"


def test_session_without_any_time_is_left_out_and_reported() -> None:
    programme = read_schedule(schedule(event(), event(attributes='id="8" guid="h"', when="<start>soon</start>")))
    assert len(programme.sessions) == 1
    assert "event id=8: no usable start; left out" in mends(programme)


def test_file_whose_sessions_have_no_time_is_refused() -> None:
    with pytest.raises(UnreadableSchedule, match="event id=7: no session from here on, 1 in all"):
        read_schedule(schedule(event(when="")))


def test_file_without_title_takes_the_acronym_or_the_file_name() -> None:
    data = schedule(event(), conference=ZONE + "<acronym>forum27</acronym>").replace(b"<title>Forum</title>", b"")
    assert read_schedule(data, filename="a/b.xml.gz").title == {"und": "forum27"}
    assert read_schedule(data.replace(b"forum27", b""), filename="a/b.xml.gz").title == {"und": "b"}


def test_namespace_does_not_hide_the_elements() -> None:
    data = schedule(event()).replace(b"<schedule>", b'<schedule xmlns="urn:x" xmlns:y="urn:y" y:z="1">')
    assert read_schedule(data).sessions[0].key == GUID


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (schedule(), "no session at all in the file"),
        (b"<schedule/>", "no session at all in the file"),
        (b"<rss><channel/></rss>", "line 1: the outermost element is `rss`"),
        (b"<schedule>\n<day>\n</room>", r"line 3, column 3: this is no XML \(mismatched tag\)"),
        (b"<schedule>\n<day>&nbsp;", "line 2, column 6: this is no XML"),
        (schedule(event())[:200], "line 1, column .*: the file breaks off here"),
        (schedule(event()) + b"<x/>", "junk after document element"),
    ],
)
def test_file_that_is_no_schedule_is_refused_with_its_place(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableSchedule, match=sentence):
        read_schedule(data)
