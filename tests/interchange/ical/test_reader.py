"""iCalendar files in: what calendars write, what real ones get wrong, and that hostile ones end in a sentence."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings, strategies as st
from icalendar import Calendar

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule
from server.interchange.ical import lines as ical_lines, reader as ical_reader, repeats as ical_repeats
from server.interchange.ical.reader import read
from tests.interchange.test_real_schedules import content

if TYPE_CHECKING:
    from server.interchange.programme import Programme, Session

ZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+1030
TZOFFSETTO:+0930
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0930
TZOFFSETTO:+1030
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10
END:DAYLIGHT
END:VTIMEZONE"""
AT = "DTSTART:20210118T090000Z"


def calendar(*events: str, head: str = "") -> str:
    body = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}\n{body}\nEND:VCALENDAR\n"


def one(event: str, head: str = "") -> Session:
    (session,) = read(calendar(event, head=head)).sessions
    return session


def said(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def test_an_event_is_a_session() -> None:
    programme = read(
        calendar(
            "UID:7@x\nDTSTART;TZID=Africa/Casablanca:20201218T100000\nDTEND;TZID=Africa/Casablanca:20201218T104500\n"
            "SUMMARY;LANGUAGE=fr:Payer\\, vite\nSUMMARY;LANGUAGE=ar:الدفع\nDESCRIPTION:Un\\nDeux\\;\nLOCATION:Atlas\n"
            "CATEGORIES:Paiement,Débutants\nCATEGORIES:Fintech\nURL:https://x.org/7\nATTACH;FILENAME=Notes:https://x.org/n.pdf\n"
            "IMAGE;VALUE=URI:https://x.org/l.png\nCONFERENCE;VALUE=URI;LABEL=Direct:https://x.org/live\n"
            'CONTACT:Salma Idrissi\nATTENDEE;CN="Alami, Omar";ROLE=CHAIR:mailto:o@x.org\nX-ROOM-SIZE:40\n'
            "DTSTAMP:20200101T000000Z",
            head="X-WR-CALNAME:DevFest\nX-WR-TIMEZONE:Africa/Casablanca\nX-WR-CALDESC:Agadir",
        )
    )
    (session,) = programme.sessions
    assert programme.title == {"und": "DevFest"}
    assert programme.timezone == "Africa/Casablanca"
    assert programme.extra == {"X-WR-CALDESC": "Agadir"}
    assert session.key == "7@x"
    assert session.title == {"fr": "Payer, vite", "ar": "الدفع"}
    assert session.description == {"und": "Un\nDeux;"}
    assert session.starts_at == datetime(2020, 12, 18, 10, tzinfo=ZoneInfo("Africa/Casablanca"))
    assert session.ends_at - session.starts_at == timedelta(minutes=45)
    assert [room.name for room in programme.rooms] == [{"und": "Atlas"}]
    assert session.track == programme.tracks[0].key
    assert programme.tracks[0].name == {"und": "Paiement"}
    assert session.extra == {"CATEGORIES": ["Débutants", "Fintech"], "X-ROOM-SIZE": "40"}
    assert (session.url, session.logo_url) == ("https://x.org/7", "https://x.org/l.png")
    assert [(link.kind, link.url, link.title) for link in session.links] == [
        ("file", "https://x.org/n.pdf", {"und": "Notes"}),
        ("stream", "https://x.org/live", {"und": "Direct"}),
    ]
    assert [speaker.name["und"] for speaker in programme.speakers] == ["Salma Idrissi", "Alami, Omar"]
    assert session.roles == {programme.speakers[1].key: "chair"}
    assert programme.repairs == ()


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r", "\r\r\n", "\n\n"])
def test_every_kind_of_line_end_is_one(ends: str) -> None:
    text = calendar(f"UID:1\n{AT}\nSUMMARY;CHARSET=UTF-8:Pay\n er\n\tici").replace("\n", ends)
    assert read(text).sessions[0].title == {"und": "Payerici"}


def test_a_fold_within_a_character_is_undone() -> None:
    data = calendar(f"UID:1\n{AT}\nSUMMARY:été سلام 🎉").replace("\n", "\r\n").encode()
    for at in range(data.index(b"SUMMARY") + 1, data.index(b"END:VEVENT") - 2):
        folded = data[:at] + b"\r\n " + data[at:]
        assert read_schedule(folded).sessions[0].title == {"und": "été سلام 🎉"}


def test_text_with_its_own_line_breaks_goes_on() -> None:
    programme = read(calendar(f"UID:1\n{AT}\nDESCRIPTION:One\nTwo, three\n\nFour\nSUMMARY:S"))
    assert programme.sessions[0].description == {"und": "One\nTwo, three\nFour"}
    assert "line 8: a line that is no property; taken as going on" in said(programme)


def test_a_stray_line_spoils_no_date() -> None:
    programme = read(calendar(f"UID:1\n{AT}\nstray\nSUMMARY:S"))
    assert programme.sessions[0].starts_at.hour == 9
    assert "line 7: a line that is no property; left out" in said(programme)


@pytest.mark.parametrize(
    ("line", "start", "minutes"),
    [
        ("DTSTART:20210118T090000Z\nDTEND:20210118T100000Z", "2021-01-18T09:00+00:00", 60),
        ("DTSTART:20210118T090000Z\nDURATION:PT1H30M", "2021-01-18T09:00+00:00", 90),
        ("DTSTART:20210118T090000Z\nDURATION:-PT1H", "2021-01-18T09:00+00:00", 30),
        ("DTSTART:20210118T090000Z\nDTEND:20210118T080000Z", "2021-01-18T09:00+00:00", 30),
        ("DTSTART:20210118T090000Z\nDTEND:tomorrow", "2021-01-18T09:00+00:00", 30),
        ("DTSTART:2021-01-18T09:00:00Z", "2021-01-18T09:00+00:00", 30),
        ("DTSTART:20210118T090000", "2021-01-18T09:00+01:00", 30),
        ("DTSTART;VALUE=DATE:20210118", "2021-01-18T00:00+01:00", 1440),
        ("DTSTART;VALUE=DATE:20210118\nDTEND;VALUE=DATE:20210120", "2021-01-18T00:00+01:00", 2880),
        ("DTSTART;TZID=Romance Standard Time:20210718T090000", "2021-07-18T09:00+02:00", 30),
        ('DTSTART;TZID="Australia/Sydney":20210118T090000', "2021-01-18T09:00+11:00", 30),
        ("DTSTART;TZID=/mozilla.org/20050126_1/Europe/Paris:20210118T090000", "2021-01-18T09:00+01:00", 30),
        ("DTSTART;TZID=GMT+0100:20210118T090000", "2021-01-18T09:00+01:00", 30),
        ("DTSTART;TZID=Nowhere:20210118T090000", "2021-01-18T09:00+01:00", 30),
        ("DTSTART;TZID=Own:20210118T090000", "2021-01-18T09:00+10:30", 30),
        ("DTSTART;TZID=Own:20210718T090000", "2021-07-18T09:00+09:30", 30),
        ("DTSTART;TZID=Own:20210404T020000", "2021-04-04T02:00+10:30", 30),
        ("DTSTART;TZID=Own:20210404T030000", "2021-04-04T03:00+09:30", 30),
    ],
)
def test_times(line: str, start: str, minutes: int) -> None:
    head = f"X-WR-TIMEZONE:Europe/Paris\n{ZONE.format(name='Own')}"
    session = one(f"UID:1\n{line}\nSUMMARY:S", head=head)
    assert session.starts_at == datetime.fromisoformat(start)
    assert session.ends_at - session.starts_at == timedelta(minutes=minutes)


@pytest.mark.parametrize("half", ["0118", "0718"])
def test_a_zone_of_the_files_own_is_read_as_an_independent_parser_reads_it(half: str) -> None:
    text = calendar(
        f"UID:1\nDTSTART;TZID=Mine {half}:2021{half}T090000\nSUMMARY:S", head=ZONE.format(name=f"Mine {half}")
    )
    assert read(text).sessions[0].starts_at == Calendar.from_ical(text).walk("VEVENT")[0].start


def test_one_files_zone_is_not_the_next_ones() -> None:
    starts = [
        one("UID:1\nDTSTART;TZID=Own:20210118T090000\nSUMMARY:S", head=ZONE.format(name="Own").replace("+1030", offset))
        for offset in ("+1030", "+0500")
    ]
    assert [session.starts_at.hour for session in starts] == [22, 4]


def test_the_events_own_zone_stands_for_one_that_is_not_named() -> None:
    text = calendar("UID:1\nDTSTART:20210118T090000\nSUMMARY:S")
    programme = read(text, timezone="Asia/Tokyo")
    assert programme.timezone == "Asia/Tokyo"
    assert programme.sessions[0].starts_at == datetime(2021, 1, 18, 0, tzinfo=UTC)
    assert "no time zone is named; Asia/Tokyo, the event’s own, was taken" in said(programme)
    assert "event uid=1: its time has no zone; taken as the time in Asia/Tokyo" in said(programme)
    assert read_schedule(text.encode(), timezone="Asia/Tokyo") == programme
    assert read(text).timezone == "UTC"
    named = read(text.replace("VERSION", "X-WR-TIMEZONE:Europe/Paris\nVERSION"), timezone="Asia/Tokyo")
    assert named.timezone == "Europe/Paris"


def test_a_day_without_times_is_reported() -> None:
    programme = read(calendar("UID:1\nDTSTART;VALUE=DATE:20210118\nSUMMARY:Hackathon"))
    assert programme.sessions[0].service
    assert "taken as the whole day" in said(programme)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("RRULE:FREQ=DAILY;COUNT=3", [18, 19, 20]),
        ("RRULE:FREQ=DAILY;UNTIL=20210120", [18, 19, 20]),
        ("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20210122T080000Z", [18, 20, 22]),
        ("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20210122T075959Z", [18, 20]),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", [18, 20, 25, 27]),
        ("RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Paris:20210119T090000", [18, 20]),
        ("RRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20210118", [19, 20]),
        ("RDATE;TZID=Europe/Paris:20210121T090000,20210123T090000", [18, 21, 23]),
    ],
)
def test_a_short_rule_is_every_time_of_it(rule: str, days: list[int]) -> None:
    text = calendar(f"UID:r\nDTSTART;TZID=Europe/Paris:20210118T090000\nDURATION:PT1H\nSUMMARY:S\n{rule}")
    programme = read(text)
    assert [session.starts_at.day for session in programme.sessions] == days
    assert {session.starts_at.hour for session in programme.sessions} == {8}
    keys = [session.key for session in programme.sessions]
    assert keys == [("r" if day == 18 else f"r/202101{day}T080000Z") for day in days]


def test_a_changed_time_replaces_the_rules_own_and_keeps_its_key() -> None:
    master = "UID:r\nDTSTART:20210118T090000Z\nSUMMARY:S\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:r\nRECURRENCE-ID:20210119T090000Z\nDTSTART:20210119T140000Z\nSUMMARY:Moved\nSTATUS:CANCELLED"
    before, after = read(calendar(master)), read(calendar(moved, master))
    assert {session.key for session in before.sessions} == {session.key for session in after.sessions}
    changed = next(session for session in after.sessions if session.title == {"und": "Moved"})
    assert (changed.key, changed.starts_at.hour, changed.status) == ("r/20210119T090000Z", 14, "cancelled")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=SECONDLY;COUNT=99",
        "FREQ=MONTHLY;COUNT=3",
        "FREQ=YEARLY",
        "nonsense",
        "FREQ=DAILY;BYHOUR=1,2;COUNT=9",
    ],
)
def test_a_rule_without_an_end_or_of_another_kind_is_reported(rule: str) -> None:
    programme = read(calendar(f"UID:r\n{AT}\nSUMMARY:S\nRRULE:{rule}"))
    assert len(programme.sessions) == 1
    assert "it repeats by a rule without an end" in said(programme)


def test_a_long_rule_is_cut_and_reported() -> None:
    programme = read(calendar(f"UID:r\n{AT}\nSUMMARY:S\nRRULE:FREQ=DAILY;COUNT=999"))
    assert len(programme.sessions) == ical_repeats.MOST
    assert f"it repeats more than {ical_repeats.MOST} times" in said(programme)


def test_the_highest_sequence_of_a_uid_counts() -> None:
    versions = [f"UID:1\n{AT}\nSUMMARY:V{number}\nSEQUENCE:{number}" for number in (2, 10, 9)]
    programme = read(calendar(*versions))
    assert [session.title["und"] for session in programme.sessions] == ["V10"]
    assert "its UID is there with a higher SEQUENCE too" in said(programme)


def test_two_sessions_with_one_uid_stay_two_and_keep_their_keys_in_any_order() -> None:
    events = [f"UID:1\nDTSTART:20210118T{hour}0000Z\nSUMMARY:S{hour}" for hour in ("09", "10", "11")]
    forward, backward = read(calendar(*events)), read(calendar(*reversed(events)))
    assert {(s.key, s.title["und"]) for s in forward.sessions} == {(s.key, s.title["und"]) for s in backward.sessions}
    assert len({session.key for session in forward.sessions}) == 3
    assert len(read(calendar(events[0], events[0])).sessions) == 1


def test_a_session_without_a_uid_has_the_same_key_wherever_it_stands() -> None:
    event = f"{AT}\nSUMMARY:S\nLOCATION:Atlas"
    others = [f"UID:{number}\n{AT}\nSUMMARY:O" for number in range(3)]
    keys = [read(calendar(*before, event)).sessions[-1].key for before in ([], others)]
    assert keys[0] == keys[1]


def test_what_is_private_or_has_no_start_is_left_out_and_reported() -> None:
    programme = read(calendar(f"UID:1\n{AT}\nSUMMARY:S", f"UID:2\n{AT}\nCLASS:PRIVATE\nSUMMARY:P", "UID:3\nSUMMARY:N"))
    assert [session.key for session in programme.sessions] == ["1"]
    assert "event uid=2: its class is PRIVATE; left out" in said(programme)
    assert "event uid=3: no usable start; left out" in said(programme)


def test_addresses_of_people_and_scripts_are_not_kept() -> None:
    event = (
        f"UID:1\n{AT}\nSUMMARY:S\nORGANIZER:mailto:a@x.org\nATTENDEE;CN=b@x.org:mailto:b@x.org\nURL:javascript:alert(1)"
    )
    programme = read(calendar(event))
    assert programme.speakers == ()
    assert programme.sessions[0].url is None
    assert "@x.org" not in repr(programme)
    assert "`URL` is no address of the web" in said(programme)


def test_whoever_keeps_the_calendar_is_no_speaker() -> None:
    events = [f"UID:{number}\n{AT}\nSUMMARY:S\nORGANIZER;CN=Office:mailto:o@x.org" for number in range(4)]
    programme = read(calendar(*events))
    assert programme.speakers == ()
    assert "every event has the same ORGANIZER" in said(programme)


def test_nothing_is_dropped_in_silence() -> None:
    alarm = "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT15M\nEND:VALARM"
    event = f"UID:1\n{AT}\nSUMMARY;X-FONT=big:S\nGEO:30.4;-9.6\nCOMMENT:a\nCOMMENT:b\nSTATUS:TENTATIVE\n{alarm}"
    programme = read(calendar(event, head="BEGIN:VTODO\nSUMMARY:Chairs\nEND:VTODO"))
    assert programme.sessions[0].extra == {"GEO": "30.4;-9.6", "COMMENT": ["a", "b"]}
    for line in ("`VTODO` of the file", "`VALARM` in 1 event", "`SUMMARY;X-FONT` in 1 event", "status is `TENTATIVE`"):
        assert line in said(programme)


def test_ends_that_are_missing_are_mended() -> None:
    text = calendar(f"UID:1\n{AT}\nSUMMARY:A", f"UID:2\n{AT}\nSUMMARY:B").replace("END:VEVENT\n", "", 1)
    programme = read(text)
    assert [session.key for session in programme.sessions] == ["1", "2"]
    assert "an event begins before the one above it has ended" in said(programme)


def test_several_calendars_in_one_file_are_one_programme() -> None:
    text = calendar(f"UID:1\n{AT}\nSUMMARY:A") + calendar(f"UID:2\n{AT}\nSUMMARY:B", head="METHOD:CANCEL")
    assert [session.status for session in read(text).sessions] == ["scheduled", "cancelled"]


WHOLE = calendar(f"UID:1\n{AT}\nSUMMARY:Été\nDESCRIPTION:Long\n et plié")
MANY = "X-A:b\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (WHOLE[: WHOLE.index("END:VCALENDAR")], r"line 10: the file breaks off here, VCALENDAR of line 1 has no end"),
        (WHOLE[: WHOLE.index("DESCR")], r"line 7: the file breaks off here, VEVENT of line 4 has no end"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "no session at all in the file: it has no VEVENT"),
        (calendar("UID:1\nSUMMARY:S"), "line 4: no event from here on, 1 in all, has a usable start"),
        ("BEGIN:VEVENT\nEND:VEVENT", "line 1: `VEVENT` outside of a calendar"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 100_000, "line 9: components are nested too deep"),
        (calendar(MANY * 1_000_000), "line 400000: the file goes on beyond"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableSchedule, match=sentence):
        read(text)


def test_a_nul_is_refused_with_its_line_and_one_hundred_megabytes_at_once() -> None:
    with pytest.raises(UnreadableSchedule, match="line 7: a NUL character"):
        read_schedule(WHOLE.replace("Été", "\0").encode())
    with pytest.raises(UnreadableSchedule, match="goes on beyond 32 MiB"):
        read_schedule(b"BEGIN:VCALENDAR\r\n" + b"X" * 100_000_000)


def _days(count: int) -> str:
    return "\n".join(f"RDATE:{','.join(['20210118T090000Z'] * 200)}" for _ in range(count))


@pytest.mark.parametrize(
    "event",
    [
        MANY * 100_000,
        "SUMMARY:" + "\n a" * 100_000,
        "DESCRIPTION:x\n" + "stray\n" * 60_000,
        "CATEGORIES:" + "a\\" * 150_000 + "\\",
        "SUMMARY" + ';"' * 150_000,
        "SUMMARY" + ";A=" * 100_000 + ":x",
        "SUMMARY;" + " " * 300_000,
        "DESCRIPTION:" + "\\" * 300_001,
        "ATTENDEE;CN=" + "^" * 300_000 + ":mailto:x",
        "X-DIGITALNOW-SESSION:" + "[" * 150_000,
        "RRULE:FREQ=DAILY;INTERVAL=999;BYDAY=MO;COUNT=60",
        "RRULE:" + "COUNT=" * 100_000,
        _days(700),
    ],
)
def test_hostile_events_end_in_bounded_memory(event: str) -> None:
    """Time is bounded by the suite's limit of a minute a test: anything quadratic in these sizes passes it."""
    text = calendar(f"UID:1\n{AT}\nSUMMARY:S\n{event}")
    tracemalloc.start()
    try:
        assert read(text).sessions
        assert tracemalloc.get_traced_memory()[1] < 400 * 2**20
    finally:
        tracemalloc.stop()


def test_a_hostile_zone_is_followed_for_bounded_steps() -> None:
    parts = "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100\nRRULE:FREQ=SECONDLY\nEND:STANDARD\n"
    head = f"BEGIN:VTIMEZONE\nTZID:Own\n{parts * 20_000}END:VTIMEZONE"
    events = [f"UID:{n}\nDTSTART;TZID=Own:{1980 + n % 200}0118T090000\nSUMMARY:S" for n in range(2_000)]
    assert len(read(calendar(*events, head=head)).sessions) == 2_000


def test_more_sessions_than_any_event_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical_reader, "MAX_SESSIONS", 50)
    with pytest.raises(UnreadableSchedule, match="event uid=r: more than 50 sessions"):
        read(calendar(f"UID:r\n{AT}\nSUMMARY:S\nRRULE:FREQ=DAILY;COUNT=55"))


def test_without_the_limit_of_lines_a_million_properties_would_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant of the limit: the test above must not pass for another reason."""
    monkeypatch.setattr(ical_lines, "MAX_LINES", 10**9)
    assert read(calendar(f"UID:1\n{AT}\nSUMMARY:S\n{MANY * 450_000}")).sessions


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_damage_ends_in_anything_but_a_sentence(data: st.DataObject) -> None:
    text = calendar(
        "UID:1\nDTSTART;TZID=Own:20210118T090000\nSUMMARY;LANGUAGE=fr:S\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20210119T090000",
        "UID:1\nRECURRENCE-ID:20210119T090000Z\nDTSTART:20210119T090000Z\nDURATION:PT1H\nATTENDEE;CN=A:mailto:a\nSUMMARY:B",
        head=ZONE.format(name="Own"),
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.text(alphabet='\r\n ;:,"\\=\0T0199ZÉ-', max_size=4)) + text[at + cut :]
    try:
        programme = read(text)
    except UnreadableSchedule as refusal:
        event(str(refusal))
        return
    keys = [session.key for session in programme.sessions]
    assert len(set(keys)) == len(keys) > 0
    for session in programme.sessions:
        assert session.ends_at > session.starts_at
        assert "\0" not in repr(session)


def test_a_real_calendar_is_read_as_an_independent_parser_reads_it() -> None:
    data = content("linux_conf_au_2020.ics")
    programme = read_schedule(data)
    events = Calendar.from_ical(data).walk("VEVENT")
    assert len(programme.sessions) == len(events) == 262
    rooms = {room.key: room.name["und"] for room in programme.rooms}
    for session, other in zip(programme.sessions, events, strict=True):
        assert session.key == str(other["UID"])
        assert session.title == {"und": str(other["SUMMARY"]).strip()}
        assert session.description == {"und": str(other["DESCRIPTION"]).strip()}
        assert rooms.get(session.room or "") == (str(other["LOCATION"]) if "LOCATION" in other else None)
        assert (session.starts_at, session.ends_at) == (other.start, other.end)
        assert session.starts_at.astimezone(ZoneInfo("Australia/Brisbane")).utcoffset() == timedelta(hours=10)
        assert session.url == str(other["URL"])
        assert session.extra == {}
    assert programme.repairs == ()
    assert programme.title == {"und": "linux.conf.au 2020"}


@pytest.mark.parametrize(("day", "offset"), [("20200404", 11), ("20200405", 10), ("20201003", 10), ("20201004", 11)])
def test_a_real_calendar_moved_to_sydney_follows_its_change_of_the_clocks(day: str, offset: int) -> None:
    text = content("linux_conf_au_2020.ics").decode().replace("Australia/Brisbane", "Australia/Sydney")
    moved = text.replace("20200114T070000", f"{day}T070000", 1)
    session = next(each for each in read(moved).sessions if each.key == "201@lca2020.linux.org.au")
    assert session.starts_at == datetime.strptime(f"{day}T070000+{offset}00", "%Y%m%dT%H%M%S%z")
