"""The door for schedule files: formats, encodings, limits, and that hostile bytes end in a sentence."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from server.interchange import detect
from server.interchange.detect import MAX_BYTES, read_schedule
from server.interchange.errors import UnreadableSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.interchange.programme import Programme

XML = """<?xml version="1.0" encoding="UTF-8"?>
<schedule><version>1</version><conference><title>Été numérique</title>
<time_zone_name>Africa/Casablanca</time_zone_name>
<track name="Paiement" slug="pay" color="#0a66ff"/></conference>
<day index="1" date="2021-12-18" start="2021-12-18T08:00:00+01:00" end="2021-12-18T22:00:00+01:00">
<room name="Atlas" guid="0f6b1a52-9c4e-4c6d-8a51-2f0f6a3c9d17">
<event id="7" guid="270fa44c-821a-577f-8ca3-33e8d4a8c2a7">
<date>2021-12-18T10:00:00+01:00</date><start>10:00</start><duration>00:45</duration><title>Payer</title>
<track>Paiement</track><language>fr</language><persons><person id="3">Salma</person><person>Omar</person></persons>
</event>
<event id="8"><start>00:30</start><duration>1:00</duration><title>Nuit</title></event></room></day></schedule>"""

EVENT_1 = {
    "id": 7,
    "date": "2021-12-18T10:00:00+01:00",
    "duration": "00:45",
    "title": "Payer",
    "persons": [{"name": "A"}],
}
EVENT_2 = {"guid": "g", "start": "2021-12-18T10:00:00+01:00", "end": "2021-12-18T11:00:00+01:00", "title": {"fr": "Un"}}
CONFERENCE = {"title": "Été", "time_zone_name": "Africa/Casablanca"}
DAY = {"date": "2021-12-18", "rooms": {"Atlas": [EVENT_1, {**EVENT_1, "id": 8, "start": "00:30", "date": None}]}}
JSON_1 = json.dumps({"schedule": {"version": "1", "conference": {**CONFERENCE, "days": [DAY]}}}, ensure_ascii=False)
JSON_2 = json.dumps({"schedule": {"version": "1", "conference": CONFERENCE, "events": [EVENT_2]}}, ensure_ascii=False)
SAMPLES = {"xml": XML, "json 1": JSON_1, "json 2": JSON_2}
PLACE = re.compile(r"line \d+|byte \d+|event \S+|day \S+|no session|the gzip stream")

hostile = settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def assert_sound(programme: Programme) -> None:
    """What whoever stores a programme relies on."""
    ZoneInfo(programme.timezone)
    assert programme.sessions
    assert programme.title
    for things in (programme.rooms, programme.tracks, programme.speakers, programme.sessions):
        keys = [thing.key for thing in things]
        assert len(set(keys)) == len(keys)
        assert all(keys)
    rooms, tracks, speakers = (
        {thing.key for thing in things} for things in (programme.rooms, programme.tracks, programme.speakers)
    )
    for session in programme.sessions:
        assert session.starts_at.utcoffset() == timedelta()
        assert session.ends_at.utcoffset() == timedelta()
        assert session.starts_at < session.ends_at
        assert session.room is None or session.room in rooms
        assert session.track is None or session.track in tracks
        assert set(session.speakers) <= speakers
        assert len(set(session.speakers)) == len(session.speakers)
        assert session.title
        for texts in (session.title, session.subtitle, session.abstract, session.description):
            assert_texts(texts)
    names = [thing.name for thing in programme.rooms]
    names += [thing.name for thing in programme.tracks]
    names += [thing.name for thing in programme.speakers]
    assert all(names)
    for texts in names:
        assert_texts(texts)


def assert_texts(texts: dict[str, str]) -> None:
    for tag, text in texts.items():
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag)
        assert text == text.strip() != ""
        assert "\0" not in text
        text.encode()  # half an emoji cannot be


def read_or_refused(data: bytes, read: Callable[[bytes], Programme] = read_schedule) -> str | None:
    """The sentence of a refusal; None for a sound programme. Anything else fails the test."""
    try:
        programme = read(data)
    except UnreadableSchedule as refusal:
        sentence = str(refusal)
    else:
        assert_sound(programme)
        return None
    assert PLACE.match(sentence), sentence
    assert "\n" not in sentence
    assert len(sentence) < 200
    return sentence


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-32"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: ("\r\n \t" + text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>')).encode(),
        lambda text: gzip.compress(text.encode("utf-8-sig")),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "blank lines before", "gzip"],
)
def test_same_content_is_read_from_every_wrapping(text: str, encode: Callable[[str], bytes]) -> None:
    assert read_schedule(encode(text)) == read_schedule(text.encode())


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("us-ascii", "utf-8"), ("UTF-16", "utf-8")],
)
def test_encoding_named_by_the_xml_is_followed_where_it_can_be(declared: str, codec: str) -> None:
    data = XML.replace("UTF-8", declared).encode(codec)
    assert read_schedule(data).title == {"und": "Été numérique"}


@pytest.mark.parametrize("declared", ["utf-7", "rot13", "unicode_escape", "punycode", "zlib", "klingon", "idna"])
def test_encoding_that_could_hide_something_is_refused(declared: str) -> None:
    refusal = read_or_refused(XML.replace("UTF-8", declared).encode())
    assert refusal == f"line 1: encoding {declared} is not read here; save the file as UTF-8"


def test_wrong_encoding_is_refused_with_the_byte() -> None:
    data = XML.encode("latin-1")
    place = data.index(b"\xc9")
    assert read_or_refused(data) == (f"byte {place}: not UTF-8; save the file as UTF-8, or name its encoding in line 1")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "byte 0: the file is empty"),
        (b" \n", "byte 0: the file is empty"),
        (b"PK\x03\x04\x14", "the workbook is damaged or was cut short"),
        (b"%PDF-1.7", "a PDF document"),
        (b"BEGIN:VCALENDAR\r\n", "line 1: the file breaks off here"),
        (b"\xef\xbb\xbfbegin:vcalendar", "line 1: the file breaks off here"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\n<HTML><body>", "a web page"),
        (b"id,title\n1,x", "line 1: this is no XML, no JSON"),
        (XML.replace("Payer", "Pay\0er").encode(), "line 8: a NUL character"),
        (gzip.compress(XML.encode())[:-40], "the gzip stream breaks off or is damaged"),
        (gzip.compress(gzip.compress(XML.encode())), "byte 1: not UTF-8"),
        (b"\x1f\x8bnonsense", "the gzip stream breaks off or is damaged"),
        (b" " * (MAX_BYTES + 1), f"byte {MAX_BYTES}: the file goes on beyond 32 MiB"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    refusal = read_or_refused(data)
    assert refusal is not None
    assert sentence in refusal


LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        "<!DOCTYPE schedule>",
        '<!DOCTYPE schedule SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE schedule [<!ENTITY x SYSTEM "http://127.0.0.1/">]>',
        '<!DOCTYPE schedule [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]>',
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_doctype_is_refused_before_anything_in_it_is_read(doctype: str, codec: str) -> None:
    head, _, rest = XML.partition("\n")
    refusal = read_or_refused(f"{head}\n{doctype}\n{rest.replace('Payer', '&b;')}".encode(codec))
    assert refusal == "line 2: a DOCTYPE or an entity; a schedule needs neither: remove it"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<schedule>" + "<a>" * 64, "line 1: elements are nested more than 64 deep"),
        ("<schedule>" + "<a/>" * 300_001, "line 1: more than 300000 elements"),
        ("<schedule>\n<a b='" + "x" * 2**21 + "'/>", "line 2: a tag or comment of more than 1 MiB"),
        ("<schedule>\n<!--" + "x" * 2**21 + "-->", "line 2: a tag or comment of more than 1 MiB"),
        ("<schedule>\n<a " + "".join(f"b{n}='' " for n in range(200_000)) + "/>", "line 2: a tag or comment"),
        ("<schedule>\n<?p " + "x" * 2**21 + "?>", "line 2: a tag or comment of more than 1 MiB"),
    ],
)
def test_xml_that_would_only_fill_memory_is_refused(text: str, sentence: str) -> None:
    refusal = read_or_refused(text.encode())
    assert refusal is not None
    assert refusal.startswith(sentence)


def test_long_texts_are_no_long_tags() -> None:
    for text in ("x" * 3_000_000, "<![CDATA[" + "x\n" * 1_500_000 + "]]>", "&lt;é" * 500_000):
        assert read_or_refused(XML.replace("Payer", text).encode()) is None


def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(mebibytes)) + packer.flush()


def peak_of(read: Callable[[bytes], object], data: bytes) -> int:
    """The most bytes that were taken at once."""
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableSchedule):
            read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_gzip_bomb_is_not_unpacked_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a reader that unpacks first and looks at the size then."""

    def careless(data: bytes) -> Programme:
        return read_schedule(gzip.decompress(data))

    monkeypatch.setattr(detect, "MAX_BYTES", 2**20)
    data = bomb(32)
    assert peak_of(read_schedule, data) < 6 * 2**20
    assert peak_of(careless, data) > 32 * 2**20


def test_gzip_bomb_is_refused_by_the_real_limit() -> None:
    refusal = read_or_refused(bomb(33))
    assert refusal == f"byte {MAX_BYTES}: the file goes on beyond 32 MiB; leave out what is no schedule"


def test_thousands_of_alike_sessions_persons_and_rooms_are_read_in_time() -> None:
    """Every look-up is by key: anything quadratic here would run into the timeout of the tests."""
    persons = [{"id": 1, "name": f"n{n}"} for n in range(20_000)]
    events = [{**EVENT_1, "guid": "g"}] * 20_000
    day = {"date": "2021-12-18", "rooms": {"Atlas": [{**EVENT_1, "persons": persons}, *events]}}
    programme = read_schedule(json.dumps({"schedule": {"conference": {"days": [day]}}}).encode())
    assert_sound(programme)
    assert (len(programme.sessions), len(programme.speakers)) == (20_001, 20_001)


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
def test_file_cut_short_anywhere_is_refused(text: str) -> None:
    """Half a programme would look like cancellations."""
    data = text.encode()
    assert read_or_refused(data) is None
    assert all(read_or_refused(data[:end]) for end in range(len(data)))


@hostile
@given(st.binary(max_size=300), st.sampled_from([b"", b"<", b"{", b"\x1f\x8b\x08", b"\xff\xfe", b"\xef\xbb\xbf<?xml "]))
def test_junk_is_refused(junk: bytes, start: bytes) -> None:
    assert read_or_refused(start + junk)


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 6),
        st.one_of(
            st.binary(max_size=4), st.sampled_from([b'"', b"<", b">", b"&", b"{", b"]", b"null", b"\\ud800", b"&#0;"])
        ),
    ),
    min_size=1,
    max_size=4,
)


@hostile
@given(st.sampled_from(sorted(SAMPLES)), EDITS)
def test_damaged_file_is_sound_or_refused(sample: str, edits: list[tuple[float, int, bytes]]) -> None:
    data = SAMPLES[sample].encode()
    for where, gone, new in edits:
        place = int(where * len(data))
        data = data[:place] + new + data[place + gone :]
    read_or_refused(data)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["2021-12-18T10:00:00+01:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59", "2021-12-18", "23:59"]
    ),
    st.sampled_from(
        ["00:45", "P99W", "PT999999S", "de, en", "DELAYED", "DRAFT", "javascript:x", "#12", "Etc/UTC", "fr"]
    ),
    st.text(st.characters(categories=["Cc", "Cs", "Zs", "Nd", "Lo"]), max_size=6),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4) | st.just("fr"), inner, max_size=3)
    ),
    max_leaves=4,
)
NAMED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("guid", "id", "slug", "name", "capacity", "color", "colors", "biography", "role"), VALUES),
)
EVENT_FIELDS = "guid id title subtitle abstract description date start end duration language url state type room track"
EVENTS = st.lists(
    st.one_of(
        VALUES,
        st.fixed_dictionaries({}, optional=dict.fromkeys(f"{EVENT_FIELDS} persons other".split(), VALUES | NAMED)),
        st.fixed_dictionaries(
            {"date": st.just("2021-12-18T10:00:00+01:00")},
            optional={"room": NAMED, "track": NAMED, "persons": st.lists(NAMED, max_size=4), "guid": st.just("g")},
        ),
    ),
    max_size=5,
)
FILES = st.fixed_dictionaries(
    {
        "conference": st.fixed_dictionaries(
            {},
            optional={
                "title": VALUES,
                "time_zone_name": VALUES,
                "day_change": VALUES,
                "rooms": VALUES | st.lists(NAMED, max_size=4),
                "tracks": VALUES | st.lists(NAMED, max_size=4),
                "days": VALUES
                | st.lists(
                    st.fixed_dictionaries(
                        {"rooms": st.dictionaries(st.text(max_size=3), EVENTS, max_size=3)},
                        optional={"date": VALUES, "day_start": VALUES, "day_end": VALUES, "index": VALUES},
                    ),
                    max_size=3,
                ),
            },
        )
    },
    optional={"version": VALUES, "events": EVENTS, "persons": VALUES | st.lists(NAMED, max_size=4), "base_url": VALUES},
)


@hostile
@given(FILES)
def test_json_of_any_values_is_sound_or_refused(schedule: dict[str, Any]) -> None:
    read_or_refused(json.dumps({"schedule": schedule}).encode())


@pytest.mark.parametrize(
    "broken",
    [
        {"sessions": "twice"},
        {"rooms": ()},
        {"speakers": ()},
        {"title": {}},
        {"timezone": "Europe/Nowhere"},
    ],
    ids=str,
)
def test_checker_catches_a_programme_that_is_not_sound(broken: dict[str, Any]) -> None:
    good = read_schedule(XML.encode())
    if broken.get("sessions") == "twice":
        broken = {"sessions": good.sessions * 2}
    with pytest.raises((AssertionError, KeyError)):
        read_or_refused(XML.encode(), lambda _: msgspec.structs.replace(good, **broken))


def test_checker_catches_a_reader_that_raises_something_else() -> None:
    def careless(data: bytes) -> Programme:
        raise ValueError(len(data))

    with pytest.raises(ValueError, match="3"):
        read_or_refused(b"abc", careless)
