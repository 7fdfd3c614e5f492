"""iCalendar files out: what the standard demands of every line, and what calendars need to follow a programme."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from icalendar import Calendar, Timezone

from server.interchange.detect import read_schedule
from server.interchange.ical import lines as ical_lines, vtimezone as ical_vtimezone
from server.interchange.ical.vtimezone import vtimezone
from server.interchange.ical.writer import write
from server.interchange.plain_text import plain
from server.interchange.programme import (
    Kind,
    Link,
    Programme,
    Publication,
    Room,
    Session,
    Speaker,
    Stamp,
    Track,
)
from tests.interchange.test_real_schedules import content

CASABLANCA = ZoneInfo("Africa/Casablanca")
UPDATED = datetime(2020, 12, 1, 12, tzinfo=UTC)
SESSION = Session(
    key="k-1",
    number=7,
    title={"fr": "Payer; vite, bien", "ar": "الدفع الإلكتروني في المغرب: بنية تحتية جديدة للتجارة الرقمية"},
    abstract={"fr": "<p>Un <b>résumé</b> &amp; plus.</p>"},
    description={"fr": "Voir **ici** : [le site](https://x.org/a)\n\n* un\n* deux"},
    starts_at=datetime(2021, 2, 20, 9, tzinfo=UTC),
    ends_at=datetime(2021, 2, 20, 10, tzinfo=UTC),
    room="r",
    track="t",
    kind="w",
    speakers=("s1", "s2"),
    roles={"s2": "moderator"},
    languages=("fr", "ar"),
    url="https://x.org/7?a=1,2;b",
    logo_url="https://x.org/l.png",
    links=(
        Link(url="https://x.org/n.pdf", title={"fr": 'Notes: "A"'}, kind="file"),
        Link(url="https://x.org/live", kind="stream"),
        Link(url="https://x.org/v", kind="recording"),
    ),
)
PROGRAMME = Programme(
    title={"fr": "Salon du numérique", "ar": "معرض الرقمنة"},
    timezone="Africa/Casablanca",
    day_begins="06:00",
    version="12",
    rooms=(Room(key="r", name={"fr": "Atlas", "ar": "الأطلس"}, floor="2"),),
    tracks=(Track(key="t", name={"fr": "Paiement"}),),
    kinds=(Kind(key="w", name={"fr": "Atelier"}),),
    speakers=(
        Speaker(key="s1", name={"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}, organisation={"fr": "OCP"}),
        Speaker(key="s2", name={"fr": "Omar Alami"}),
    ),
    sessions=(
        SESSION,
        Session(
            key="k-2",
            title={"fr": "Annulé"},
            starts_at=datetime(2021, 5, 20, 9, tzinfo=UTC),
            ends_at=datetime(2021, 5, 20, 10, tzinfo=UTC),
            status="cancelled",
        ),
    ),
)


def published(programme: Programme = PROGRAMME, **more: Any) -> Publication:
    """Ids after the keys alone, as ours are: a session has the same one in every publication."""
    fields: dict[str, Any] = {
        "programme": programme,
        "ids": {f"session:{each.key}": str(uuid.uuid5(uuid.NAMESPACE_URL, each.key)) for each in programme.sessions},
        "slug": "salon-2021",
        "default_language": "fr",
        "url": "https://x.org/api/salon-2021/schedule.ics",
        "base_url": "https://x.org/salon-2021",
        "updated_at": UPDATED,
    }
    return Publication(**{**fields, **more})


def events(data: bytes) -> list[Any]:
    return Calendar.from_ical(data).walk("VEVENT")


def assert_strict(data: bytes) -> None:
    """RFC 5545 section 3.1, line by line, without any parser."""
    assert data.endswith(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    for line in lines:
        assert 0 < len(line) <= 75
        text = line.decode()
        assert not re.search("[\x00-\x08\x0a-\x1f\x7f\u0085\u2028\u2029]", text)
    whole = data.replace(b"\r\n ", b"").decode()[:-2].split("\r\n")
    stack: list[str] = []
    for text in whole:
        assert re.match(r'[A-Z-]+(;[A-Z-]+=("[^"]*"|[^";:,]*))*:', text), text
        name, _, value = text.partition(":")
        if name == "BEGIN":
            stack.append(value)
        elif name == "END":
            assert stack.pop() == value
        assert stack or text is whole[-1]


def test_a_publication_as_an_independent_parser_reads_it() -> None:
    stamp = Stamp(sequence=3, at=datetime(2020, 11, 30, 8, tzinfo=UTC))
    data = write(published(stamps={"k-1": stamp}), language="fr")
    assert_strict(data)
    calendar = Calendar.from_ical(data)
    assert calendar.errors == []
    assert (str(calendar["METHOD"]), str(calendar["VERSION"])) == ("PUBLISH", "2.0")
    assert str(calendar["X-WR-CALNAME"]) == str(calendar["NAME"]) == "Salon du numérique"
    assert str(calendar["X-WR-TIMEZONE"]) == "Africa/Casablanca"
    assert str(calendar["X-PUBLISHED-TTL"]) == "PT1H"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    first, second = events(data)
    assert first.errors == second.errors == []
    assert str(first["UID"]) == f"{uuid.uuid5(uuid.NAMESPACE_URL, 'k-1')}@salon-2021"
    assert (int(first["SEQUENCE"]), first["LAST-MODIFIED"].dt, first["DTSTAMP"].dt) == (3, stamp.at, UPDATED)
    assert (int(second["SEQUENCE"]), "LAST-MODIFIED" in second) == (0, False)
    assert (str(first["STATUS"]), str(second["STATUS"])) == ("CONFIRMED", "CANCELLED")
    assert (first.start, first.end) == (SESSION.starts_at, SESSION.ends_at)
    assert first["DTSTART"].params["TZID"] == "Africa/Casablanca"
    assert str(first["SUMMARY"]) == "Payer; vite, bien"
    assert str(first["LOCATION"]) == "Atlas, 2"
    assert first["CATEGORIES"].cats == ["Paiement", "Atelier"]
    assert str(first["URL"]) == SESSION.url
    assert str(first["DESCRIPTION"]) == (
        "Salma Idrissi, OCP\nOmar Alami\n\nUn résumé & plus.\n\nVoir ici : le site (https://x.org/a)\n\n• un\n• deux"
    )


def test_a_file_is_in_one_language_or_the_events_own() -> None:
    first, second = events(write(published(), language="ar"))
    assert str(first["SUMMARY"]) == SESSION.title["ar"]
    assert first["SUMMARY"].params["LANGUAGE"] == "ar"
    assert str(first["LOCATION"]) == "الأطلس, 2"
    assert str(second["SUMMARY"]) == "Annulé"


def test_one_publication_is_one_sequence_of_bytes() -> None:
    assert write(published(), language="fr") == write(published(), language="fr")


def test_a_moved_session_keeps_its_uid_and_raises_its_sequence() -> None:
    moved = msgspec.structs.replace(
        SESSION, starts_at=SESSION.starts_at + timedelta(hours=2), ends_at=SESSION.ends_at + timedelta(hours=2)
    )
    later = published(
        msgspec.structs.replace(PROGRAMME, sessions=(PROGRAMME.sessions[1], moved)),
        stamps={"k-1": Stamp(sequence=1, at=UPDATED + timedelta(days=1))},
        updated_at=UPDATED + timedelta(days=1),
    )
    before = events(write(published(), language="fr"))[0]
    after = events(write(later, language="ar"))[1]
    assert after["UID"] == before["UID"]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    assert after["LAST-MODIFIED"].dt > before["DTSTAMP"].dt
    assert after.start == before.start + timedelta(hours=2)


def test_a_track_or_one_session_under_a_name_of_its_own() -> None:
    data = write(published(), language="fr", session_keys=["k-2", "gone"], name="Piste: Paiement, mobile")
    assert [str(event["SUMMARY"]) for event in events(data)] == ["Annulé"]
    assert b"\r\nNAME:Piste: Paiement\\, mobile\r\nX-WR-CALNAME:Piste: Paiement\\, mobile\r\n" in data
    assert_strict(write(published(), language="fr", session_keys=[]))


def assert_same_clock(zone: ZoneInfo, lines: list[str], first: datetime, last: datetime) -> None:
    """Every half hour, by the VTIMEZONE alone: from UTC as the standard has it, from local times by another implementation."""
    component = Timezone.from_ical("\r\n".join(lines) + "\r\n")
    other = component.to_tz(lookup_tzid=False)
    onsets = [
        ((part["DTSTART"].dt - part["TZOFFSETFROM"].td).replace(tzinfo=UTC), part["TZOFFSETTO"].td)
        for part in component.subcomponents
    ]
    assert onsets == sorted(onsets)
    at = first
    while at < last:
        local = at.astimezone(zone)
        assert [offset for since, offset in onsets if since <= at][-1] == local.utcoffset(), at
        if local.replace(fold=1).utcoffset() == local.replace(fold=0).utcoffset():
            assert local.replace(tzinfo=other).utcoffset() == local.utcoffset(), at
        at += timedelta(minutes=30)


ZONES = ["Africa/Casablanca", "Europe/Paris", "Europe/Dublin", "Australia/Sydney", "Asia/Kolkata", "America/St_Johns"]


@pytest.mark.parametrize("name", ZONES)
def test_the_zone_is_right_in_every_hour_of_the_programmes_years(name: str) -> None:
    zone = ZoneInfo(name)
    lines = list(vtimezone(zone, datetime(2020, 3, 1, tzinfo=UTC), datetime(2021, 3, 2, tzinfo=UTC)))
    assert_same_clock(zone, lines, datetime(2020, 1, 2, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC))


def test_a_change_written_on_the_wrong_clock_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: on the clock after the change, as is often done."""
    right = ical_vtimezone._periods

    def wrong(*given: Any) -> Any:
        return (period._replace(since=period.since + period.offset - period.before) for period in right(*given))

    monkeypatch.setattr(ical_vtimezone, "_periods", wrong)
    zone = ZoneInfo("Europe/Paris")
    lines = list(vtimezone(zone, datetime(2020, 3, 1, tzinfo=UTC), datetime(2021, 3, 2, tzinfo=UTC)))
    with pytest.raises(AssertionError):
        assert_same_clock(zone, lines, datetime(2020, 1, 2, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC))


def test_ramadan_and_the_rest_of_the_year() -> None:
    """Ramadan is 24 April to 23 May 2020, 13 April to 12 May 2021: years on which all releases of the zones agree."""
    starts = [
        datetime(2020, 5, 6, 9, tzinfo=UTC),
        datetime(2020, 8, 20, 9, tzinfo=UTC),
        datetime(2021, 4, 20, 9, tzinfo=UTC),
        datetime(2021, 8, 20, 9, tzinfo=UTC),
    ]
    sessions = tuple(
        Session(key=str(number), title={"fr": "S"}, starts_at=at, ends_at=at + timedelta(hours=1))
        for number, at in enumerate(starts)
    )
    data = write(published(msgspec.structs.replace(PROGRAMME, sessions=sessions)), language="fr")
    assert b"DTSTART;TZID=Africa/Casablanca:20200506T090000\r\n" in data
    assert b"DTSTART;TZID=Africa/Casablanca:20200820T100000\r\n" in data
    (own,) = Calendar.from_ical(data).walk("VTIMEZONE")
    clock = own.to_tz(lookup_tzid=False)
    for at, event in zip(starts, events(data), strict=True):
        local = event["DTSTART"].dt.replace(tzinfo=None)
        assert local == at.astimezone(CASABLANCA).replace(tzinfo=None)
        assert local.replace(tzinfo=clock).astimezone(UTC) == at


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    starts = [datetime(2020, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    sessions = tuple(
        Session(key=str(number), title={"fr": "S"}, starts_at=at, ends_at=at + timedelta(hours=1))
        for number, at in enumerate(starts)
    )
    data = write(published(Programme(title={"fr": "N"}, timezone="Europe/Paris", sessions=sessions)), language="fr")
    assert [event.start.astimezone(UTC) for event in events(data)] == starts
    assert [session.starts_at for session in read_schedule(data).sessions] == starts


# What a calendar carries: key, number, times, title, one text of what is said about it, room with its floor, track, kind,
# speakers with organisation and role, languages, service, url, logo, links, status; of the programme title, zone, day_begins
# and version. Each text in one language. Not: subtitle and abstract apart from the description, capacity, colours,
# biographies, photos, licences, do_not_record, extra.

# Arabic as a PDF holds it is put back into letters, and reported.
SHAPES = "".join(map(chr, (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD))))
LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters=SHAPES),
    min_size=1,
    max_size=40,
).map(str.strip)
LINES = LINE.filter(bool)
PARAGRAPHS = st.lists(LINES, min_size=1, max_size=4).map("\n".join)
KEYS = st.lists(LINES, min_size=1, max_size=4, unique=True)
TAGS = st.sampled_from(["fr", "ar", "en", "und"])


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """Of things that sessions use; of what they do not use no calendar tells."""
    tag = draw(TAGS)
    rooms = [Room(key=key, name={tag: draw(LINES)}, floor=draw(st.none() | LINES)) for key in draw(KEYS)]
    tracks = [Track(key=key, name={tag: draw(LINES)}) for key in draw(KEYS)]
    kinds = [Kind(key=key, name={tag: draw(LINES)}) for key in draw(KEYS)]
    speakers = [
        Speaker(
            key=key,
            name={tag: draw(LINES)},
            organisation=draw(st.just({}) | st.builds(dict, st.just([(tag, "O, P;")]))),
        )
        for key in draw(KEYS)
    ]
    sessions = []
    for key in draw(KEYS):
        starts_at = datetime(2021, 1, 1, tzinfo=UTC) + draw(st.integers(0, 7_000_000)) * timedelta(minutes=1)
        text = draw(st.none() | PARAGRAPHS)
        assume(text is None or plain(text) == text)
        cast = tuple(draw(st.lists(st.sampled_from([each.key for each in speakers]), unique=True, max_size=3)))
        sessions.append(
            Session(
                key=key,
                title={tag: draw(PARAGRAPHS)},
                description={tag: text} if text else {},
                starts_at=starts_at,
                ends_at=starts_at + draw(st.integers(1, 5000)) * timedelta(minutes=1),
                room=draw(st.sampled_from([None, *(each.key for each in rooms)])),
                track=draw(st.sampled_from([None, *(each.key for each in tracks)])),
                kind=draw(st.sampled_from([None, *(each.key for each in kinds)])),
                speakers=cast,
                roles={each: "host" for each in cast[:1] if draw(st.booleans())},
                languages=draw(st.sampled_from([(), ("fr",), ("ar", "fr")])),
                service=draw(st.booleans()),
                url=draw(st.sampled_from([None, "https://x.org/a;b,c?d=%20"])),
                links=tuple(
                    Link(url="https://x.org/l", title={tag: title}, kind=kind)
                    for title, kind in draw(
                        st.lists(st.tuples(LINES, st.sampled_from(["link", "file", "stream", "feedback"])), max_size=2)
                    )
                ),
                status=draw(st.sampled_from(["scheduled", "moved", "delayed", "cancelled"])),
            )
        )
    return Programme(
        title={tag: draw(LINES)},
        timezone=draw(st.sampled_from([*ZONES, "UTC"])),
        day_begins=draw(st.sampled_from(["00:00", "06:00"])),
        version=draw(st.sampled_from(["", "12"])),
        rooms=tuple(rooms),
        tracks=tuple(tracks),
        kinds=tuple(kinds),
        speakers=tuple(speakers),
        sessions=tuple(sessions),
    )


def used(programme: Programme) -> Programme:
    """Only what sessions use, in the order in which they use it; links by kind, as a calendar has them."""
    sessions = programme.sessions

    def named(things: Any, keys: Any) -> tuple[Any, ...]:
        by_key = {each.key: each for each in things}
        return tuple(by_key[key] for key in dict.fromkeys(keys) if key is not None)

    return msgspec.structs.replace(
        programme,
        rooms=named(programme.rooms, (each.room for each in sessions)),
        tracks=named(programme.tracks, (each.track for each in sessions)),
        kinds=named(programme.kinds, (each.kind for each in sessions)),
        speakers=named(programme.speakers, (key for each in sessions for key in each.speakers)),
        repairs=(),
    )


often = settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@often
@given(programmes())
def test_what_a_calendar_carries_comes_back(programme: Programme) -> None:
    data = write(published(programme), language="fr")
    assert_strict(data)
    back = read_schedule(data)
    assert back.repairs == ()
    assert used(back) == used(programme)
    assert write(published(back), language="fr") == data
    assert [event.start.astimezone(UTC) for event in events(data)] == [each.starts_at for each in programme.sessions]


@often
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_a_line(title: str, description: str) -> None:
    session = msgspec.structs.replace(SESSION, title={"fr": title}, description={"fr": description}, links=())
    data = write(published(msgspec.structs.replace(PROGRAMME, sessions=(session,))), language="fr")
    assert_strict(data)
    assert len(read_schedule(data).sessions) == len(events(data)) == 1


@often
@given(st.text(max_size=300))
def test_escapes_and_folds_are_undone(text: str) -> None:
    assume(ical_lines.escaped(text).count("\\n") == text.count("\n"))
    line = ical_lines.folded(f"X:{ical_lines.escaped(text)}")
    assert all(len(each) <= 75 and each.decode() is not None for each in line.split(b"\r\n"))
    assert ical_lines.text_of(line.decode().replace("\r\n ", "")[2:-2]) == ical_lines._CONTROL.sub("", text)


def test_a_mark_that_no_longer_says_what_can_be_seen_does_not_count() -> None:
    data = write(published(), language="fr")
    edited = data.replace(b"Atlas\\, 2", b"Rif", 1).replace(
        b"CATEGORIES;LANGUAGE=fr:Paiement", b"CATEGORIES;LANGUAGE=fr:Data", 1
    )
    programme = read_schedule(edited.replace(b"Omar Alami\\n", b"", 1))
    first = programme.sessions[0]
    assert first.key == "k-1"
    assert [room.name for room in programme.rooms] == [{"fr": "Rif"}]
    assert [track.name for track in programme.tracks] == [{"fr": "Data"}]
    assert first.speakers == ("s1",)


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "{}",
        '{"key":"\\\\u0000"}',
        '{"key":"k","number":0}',
        '{"key":"k","room":{"key":"","name":{}}}',
        '{"x":' + "[" * 90_000,
    ],
)
def test_a_mark_of_a_stranger_is_left_out(mark: str) -> None:
    event = f"UID:1\nDTSTART:20210118T090000Z\nSUMMARY:S\nX-DIGITALNOW-SESSION:{mark}"
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR"
    programme = read_schedule(text.encode())
    assert programme.sessions[0].key == "1"
    assert any("X-DIGITALNOW-SESSION` cannot be read" in repair.what for repair in programme.repairs)


def test_without_its_marks_a_file_still_says_what_can_be_seen() -> None:
    data = re.sub(rb"X-DIGITALNOW-SESSION(?:[^\r]|\r\n )*\r\n", b"", write(published(), language="fr"))
    first = read_schedule(data).sessions[0]
    assert first.key == f"{uuid.uuid5(uuid.NAMESPACE_URL, 'k-1')}@salon-2021"
    assert first.description["fr"].startswith("Salma Idrissi, OCP")


def test_a_line_end_in_an_address_is_no_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    session = msgspec.structs.replace(SESSION, url="https://x.org/\r\nATTENDEE:mailto:a@x.org")
    publication = published(msgspec.structs.replace(PROGRAMME, sessions=(session,)))
    assert "ATTENDEE" not in events(write(publication, language="fr"))[0]
    monkeypatch.setattr("server.interchange.ical.writer.address", str)
    assert "ATTENDEE" in events(write(publication, language="fr"))[0]


@pytest.mark.parametrize(
    "name",
    [
        "linux_conf_au_2020.ics",
        "38c3_hub.xml",
        "debconf23.xml",
        "voc_frab-camp2019.json",
        "voc_pretalx-democon.json",
        "voc_hub-schedule2.json",
    ],
)
def test_a_real_programme_comes_back_and_is_the_same_bytes_again(name: str) -> None:
    programme = read_schedule(content(name))
    data = write(published(programme), language="en")
    assert_strict(data)
    back = read_schedule(data)
    assert write(published(back), language="en") == data
    assert back.repairs == ()
    for session, again, event in zip(programme.sessions, back.sessions, events(data), strict=True):
        assert (again.key, again.starts_at, again.ends_at) == (session.key, session.starts_at, session.ends_at)
        assert (again.room, again.track, again.kind) == (session.room, session.track, session.kind)
        assert (again.speakers, again.languages, again.url, again.status) == (
            session.speakers,
            session.languages,
            session.url,
            session.status,
        )
        assert (event.start, event.end) == (session.starts_at, session.ends_at)
        assert next(iter(again.title.values())) in session.title.values()


def test_five_thousand_sessions_are_one_file() -> None:
    sessions = tuple(msgspec.structs.replace(SESSION, key=f"k-{number}", number=number + 1) for number in range(5_000))
    data = write(published(msgspec.structs.replace(PROGRAMME, sessions=sessions)), language="fr")
    assert len(read_schedule(data).sessions) == 5_000
    assert len(set(re.findall(rb"\r\nUID:([^\r]+)", data))) == 5_000
