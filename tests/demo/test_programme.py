"""The sample event's programme: what everybody sees first holds what a printed programme would have to hold."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from datetime import UTC, date, time, timedelta
from itertools import combinations
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from server.demo.programme import CONTENT, ContentError, french_spacing, load_event, load_programme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from server.interchange.programme import Programme, Session, Texts

DAY_ONE = date(2026, 12, 18)
PROGRAMME = load_programme(DAY_ONE)
TALKS = tuple(session for session in PROGRAMME.sessions if session.kind != "break")
BREAKS = tuple(session for session in PROGRAMME.sessions if session.kind == "break")
ZONE = ZoneInfo("Africa/Casablanca")

ARABIC = re.compile(r"[\u0621-\u064a]")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")

# What the real event says it is about → the sessions that speak of it.
SUBJECTS = {
    "digital inclusion": ("last-mile-keynote", "rural-networks", "seniors-caravan"),
    "keeping talent in the country": ("stay-leave-return", "diaspora-return", "remote-from-oujda"),
    "start-ups, germination": ("germination", "pitch-seeds"),
    "start-ups, export": ("first-export", "pitch-growth"),
    "financing": ("funding-without-dilution", "first-cheques"),
    "access to public procurement": ("procurement-small-firms", "first-tender-workshop", "reverse-pitch"),
    "employment": ("job-matching-tadla", "first-contract-workshop"),
    "health": ("telemedicine-atlas", "shared-medical-record"),
    "education": ("tablets-honest-review", "teachers-and-ai"),
    "finance": ("paying-at-the-souk", "participatory-finance"),
    "agritech": ("agritech-souss", "greenhouse-night-watch"),
    "digital tourism": ("essaouira-tourism",),
    "crafts": ("thuya-online",),
    "logistics": ("tangier-logistics", "delivering-without-addresses"),
}
PLACES = {
    "agritech-souss": {"fr": "Agadir", "ar": "أكادير", "en": "Agadir"},
    "essaouira-tourism": {"fr": "Essaouira", "ar": "الصويرة", "en": "Essaouira"},
    "thuya-online": {"fr": "Essaouira", "ar": "الصويرة", "en": "Essaouira"},
    "tangier-logistics": {"fr": "Tanger", "ar": "طنجة", "en": "Tangier"},
}


def every_text(programme: Programme) -> Iterator[tuple[str, Texts]]:
    event = load_event()
    for name in ("name", "theme", "organiser"):
        yield f"event {name}", getattr(event, name)
    for name in ("name", "address", "city"):
        yield f"venue {name}", getattr(event.venue, name)
    yield from ((room.key, room.name) for room in programme.rooms)
    yield from ((track.key, track.name) for track in programme.tracks)
    for speaker in programme.speakers:
        yield from ((speaker.key, text) for text in (speaker.name, speaker.organisation, speaker.bio))
    for session in programme.sessions:
        yield from ((session.key, text) for text in (session.title, session.abstract))


def overlaps(sessions: Iterable[Session]) -> list[tuple[str, str]]:
    ordered = combinations(sorted(sessions, key=lambda session: session.starts_at), 2)
    return [(first.key, second.key) for first, second in ordered if second.starts_at < first.ends_at]


def room_clashes(sessions: tuple[Session, ...]) -> list[tuple[str, str]]:
    rooms = {session.room for session in sessions}
    return [clash for room in rooms for clash in overlaps(one for one in sessions if one.room == room)]


def speaker_clashes(sessions: tuple[Session, ...]) -> list[tuple[str, str]]:
    names = {name for session in sessions for name in session.speakers}
    return [clash for name in names for clash in overlaps(one for one in sessions if name in one.speakers)]


def test_programme_has_the_size_of_a_real_one() -> None:
    assert len(PROGRAMME.rooms) >= 6
    assert len(PROGRAMME.tracks) >= 8
    assert len(PROGRAMME.sessions) >= 64
    assert len(PROGRAMME.speakers) >= 42
    per_track = Counter(session.track for session in TALKS)
    assert all(per_track[track.key] >= 5 for track in PROGRAMME.tracks)


@pytest.mark.parametrize("things", ["rooms", "tracks", "speakers", "sessions"])
def test_keys_are_unique_slugs(things: str) -> None:
    keys = [thing.key for thing in getattr(PROGRAMME, things)]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key) for key in keys)


def test_event_is_the_one_of_the_yardstick() -> None:
    event = load_event()
    assert (event.slug, event.days, event.default_language) == ("digital-now", 2, "fr")
    assert event.languages == ("fr", "ar", "en")
    assert event.timezone == PROGRAMME.timezone == ZONE.key
    assert event.name == PROGRAMME.title
    assert 33.4 < event.venue.latitude < 33.7
    assert -7.8 < event.venue.longitude < -7.4


def test_sessions_name_only_what_exists() -> None:
    rooms = {room.key for room in PROGRAMME.rooms}
    tracks = {track.key for track in PROGRAMME.tracks}
    speakers = {speaker.key for speaker in PROGRAMME.speakers}
    assert {session.room for session in PROGRAMME.sessions} == rooms
    assert {session.track for session in TALKS} == tracks
    assert {name for session in TALKS for name in session.speakers} == speakers
    assert all(session.speakers and session.languages in (("fr",), ("ar",), ("en",)) for session in TALKS)
    assert not any(session.speakers or session.track or session.languages for session in BREAKS)


def test_sessions_lie_within_the_two_days() -> None:
    for session in PROGRAMME.sessions:
        start, end = session.starts_at.astimezone(ZONE), session.ends_at.astimezone(ZONE)
        assert session.starts_at < session.ends_at, session.key
        assert start.date() == end.date() in (DAY_ONE, DAY_ONE + timedelta(days=1)), session.key
        assert time(8, 30) <= start.time(), session.key
        assert end.time() <= time(19), session.key


def test_sessions_come_in_order_of_time() -> None:
    starts = [session.starts_at for session in PROGRAMME.sessions]
    assert starts == sorted(starts)


def test_no_room_and_no_speaker_is_wanted_twice_at_once() -> None:
    assert room_clashes(PROGRAMME.sessions) == []
    assert speaker_clashes(PROGRAMME.sessions) == []


def test_nothing_is_on_stage_during_a_common_break() -> None:
    assert overlaps(BREAKS) == []
    assert not [clash for rest in BREAKS for talk in TALKS for clash in overlaps((rest, talk))]


def test_a_session_moved_onto_another_is_noticed() -> None:
    first, second = (one for one in PROGRAMME.sessions if one.key in ("voice-in-darija", "thuya-online"))
    assert first.room == second.room
    moved = replace(second, starts_at=first.starts_at, ends_at=first.ends_at, speakers=first.speakers)
    broken = tuple(moved if one.key == second.key else one for one in PROGRAMME.sessions)
    assert room_clashes(broken) == [(first.key, second.key)]
    assert speaker_clashes(broken) == [(first.key, second.key)]


def test_every_text_is_there_in_three_languages() -> None:
    for where, texts in every_text(PROGRAMME):
        assert set(texts) == {"fr", "ar", "en"}, where
        assert all(text and text == text.strip() and "\n" not in text for text in texts.values()), where


def test_arabic_is_written_in_arabic_letters_and_punctuation() -> None:
    for where, texts in every_text(PROGRAMME):
        assert ARABIC.search(texts["ar"]), where
        assert not LATIN.search(texts["ar"]), (where, texts["ar"])
        assert not re.search(r"[,;?\"'’“”]", texts["ar"]), (where, texts["ar"])
        assert not re.search(r"\s[،؛؟.:!]|«\s|\s»", texts["ar"]), (where, texts["ar"])


def test_french_follows_its_typography() -> None:
    for where, texts in every_text(PROGRAMME):
        french = texts["fr"]
        assert not re.search(r"[^\u00a0][;:!?»%]", french), (where, french)
        assert not re.search(r"«[^\u00a0]|[\"'“”]| [,.]", french), (where, french)
        assert not re.search(r"\b(A|Ca|Etat|Ecole|Etre|Evaluer)\b", french), (where, french)


def test_english_uses_its_own_punctuation() -> None:
    for where, texts in every_text(PROGRAMME):
        assert not re.search(r"[\"'«»\u00a0]| [,.;:!?%]", texts["en"]), (where, texts["en"])
        assert not ARABIC.search(texts["en"] + texts["fr"]), where


def test_no_text_is_used_twice() -> None:
    for language in ("fr", "ar", "en"):
        for part in ("title", "abstract"):
            texts = [getattr(session, part)[language] for session in PROGRAMME.sessions]
            assert len(set(texts)) == len(texts), (language, part)
        bios = [speaker.bio[language] for speaker in PROGRAMME.speakers]
        assert len(set(bios)) == len(bios), language


def test_abstracts_are_two_sentences_or_more() -> None:
    for session in TALKS:
        for language, text in session.abstract.items():
            assert len(re.findall(r"[.?!؟](?=\s|$)", text)) >= 2, (session.key, language)
            assert 120 <= len(text) <= 480, (session.key, language, len(text))


def test_every_subject_of_the_event_has_its_sessions() -> None:
    keys = {session.key for session in TALKS}
    assert {subject for subject, sessions in SUBJECTS.items() if not keys.issuperset(sessions)} == set()
    by_key = {session.key: session for session in TALKS}
    for key, names in PLACES.items():
        for language, name in names.items():
            assert name in by_key[key].title[language] + by_key[key].abstract[language], (key, language)


def test_kinds_agree_with_what_happens_on_stage() -> None:
    people = {"keynote": {1}, "talk": {1}, "conversation": {2}, "panel": {3, 4}, "pitch": {2}, "workshop": {1, 2}}
    ceremonies = [session.key for session in TALKS if session.kind == "ceremony"]
    assert ceremonies == ["opening", "closing"]
    assert {session.kind for session in TALKS} == {*people, "ceremony"}
    for session in TALKS:
        assert len(session.speakers) in people.get(session.kind, {2, 3}), session.key
        minutes = (session.ends_at - session.starts_at) / timedelta(minutes=1)
        assert minutes >= (60 if session.kind in ("workshop", "pitch") else 30), session.key


def test_three_languages_are_spoken_on_stage() -> None:
    spoken = Counter(session.languages[0] for session in TALKS)
    assert spoken["fr"] > spoken["ar"] > spoken["en"] > 0


def test_clock_follows_the_event_zone_in_ramadan() -> None:
    """Morocco's clocks go back an hour for Ramadan: half past eight on the wall is another instant then."""
    ordinary, ramadan = (load_programme(day).sessions[0].starts_at for day in (date(2020, 12, 18), date(2020, 5, 6)))
    assert ordinary.astimezone(UTC).time() == time(7, 30)
    assert ramadan.astimezone(UTC).time() == time(8, 30)


def test_loading_twice_gives_the_same_programme() -> None:
    assert load_programme(DAY_ONE) == PROGRAMME
    shifted = load_programme(DAY_ONE + timedelta(days=365))
    assert [session.key for session in shifted.sessions] == [session.key for session in PROGRAMME.sessions]


def test_french_spacing_touches_only_what_must_not_break() -> None:
    assert french_spacing("« Oui » : 6 % ; non ?") == "«~Oui~»~: 6~%~; non~?".replace("~", "\u00a0")
    assert french_spacing("à 9 h 12, 500 000 dirhams, 8 hommes") == "à 9~h~12, 500~000 dirhams, 8 hommes".replace(
        "~", "\u00a0"
    )
    assert french_spacing("9:30, d’accord") == "9:30, d’accord"


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        (
            "day1-morning.toml",
            "title.ar",
            "title.arr",
            r"day1-morning\.toml: .*unknown field `arr`.*session\[0\]\.title",
        ),
        ("day1-morning.toml", 'room = "hall"', 'roon = "hall"', r"day1-morning\.toml: .*session\[0\]"),
        ("event.toml", "capacity = 420", "capacity = 420\nsize = 1", r"event\.toml: .*unknown field `size`.*room\[1\]"),
        (
            "day2-morning.toml",
            'kind = "keynote"',
            'kind = "keynot"',
            r"day2-morning\.toml: session .* names kind keynot,",
        ),
        ("day1-morning.toml", 'end = "09:45"', 'end = "09:05"', r"day1-morning\.toml: session opening ends.*\[1\]"),
        ("day1-morning.toml", 'room = "atlas"', 'room = "atlass"', r"procurement-small-firms names room atlass"),
        ("day1-morning.toml", '"hicham-bouzerda"', '"hicham"', r"last-mile-keynote names speaker hicham,"),
        ("day2-morning.toml", 'track = "health"', 'track = "healt"', r"midwife-messages names track healt,"),
        ("day1-morning.toml", "day = 1", "day = 3", r"welcome-day-1 names day 3"),
        ("speakers.toml", "bio.en = ", "# ", r"speakers\.toml: .*missing required field `en`.*speaker\[0\]\.bio"),
        ("event.toml", "#0072b2", "blue", r"event\.toml: .*track\[0\]\.color"),
        ("speakers.toml", "[[speaker]]", "[[speaker]", r"speakers\.toml: .*line 3"),
    ],
)
def test_slip_in_a_file_is_refused_with_its_place(tmp_path: Path, file: str, old: str, new: str, place: str) -> None:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    text = (content / file).read_text(encoding="utf-8")
    assert old in text
    (content / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=place):
        load_programme(DAY_ONE, content)
