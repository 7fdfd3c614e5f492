"""What the files of frab's formats say in words: languages, odd characters, slugs, links, kinds."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from msgspec import structs

from server.interchange.frab import export as frab_export, json_v1_writer, json_v2_writer, xml_writer
from server.interchange.programme import Link, Room, Speaker, Track
from tests.interchange.frab.frab_files import events_of, v1_of, v2_of, xml_of
from tests.interchange.frab.frab_programmes import LANGUAGES, MORNING, RICH, our_id, programme, published, session

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_in_the_language_of_the_file_else_of_the_event(language: str) -> None:
    events = {event.get("id"): event for event in xml_of(published(RICH), language).iter("event")}
    titles = {"fr": "Payer <vite> & bien", "ar": "الدفع \u200f(2021)\u200e", "en": "Paying"}
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
    assert xml_writer.write(first, language="ar") == xml_writer.write(second, language="ar")
    assert json_v1_writer.write(first, language="ar") == json_v1_writer.write(second, language="ar")
    assert json_v2_writer.write(first) == json_v2_writer.write(second)


def test_large_programme_is_written_with_all_its_sessions() -> None:
    many = tuple(session(f"s{n}", MORNING + timedelta(minutes=n), speakers=("ana",)) for n in range(1500))
    people = (Speaker(key="ana", name={"fr": "Ana"}, links=(Link(url="https://a.example"),)),)
    publication = published(programme(*many, speakers=people))
    assert len(events_of(v1_of(publication))) == len(list(xml_of(publication).iter("event"))) == 1500
    assert {date.fromisoformat(day.get("date", "")) for day in xml_of(publication).iter("day")} == {
        date(2021, 12, 18),
        date(2021, 12, 19),
    }
