"""Published files of real events against an independent count of what is in them.

They are other people's and not part of the project: the folder is named by DIGITALNOW_REAL_SCHEDULES, or lies as
`shared/data` beside the checkout.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.interchange.detect import read_schedule
from server.interchange.errors import UnreadableSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.programme import Programme

FOLDER = Path(os.environ.get("DIGITALNOW_REAL_SCHEDULES") or Path(__file__).parents[3] / "shared" / "data")
SCHEDULES = (
    "38c3_hub.xml",
    "debconf23.xml",
    "voc_frab-camp2019.json",
    "voc_pretalx-democon.json",
    "voc_hub-schedule2.json",
)
STRANGERS = ("linux_conf_au_2020.ics",)


def content(name: str) -> bytes:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; DIGITALNOW_REAL_SCHEDULES names the folder of real schedules")
    return path.read_bytes()


def facts_of_xml(text: str) -> Iterator[tuple[str, datetime, int, str]]:
    """Guid, start, number of speakers and title by plain text search, without any parser."""
    for event in re.findall(r"<event .*?</event>", text, re.DOTALL):
        guid = re.search(r'<event [^>]*guid="([^"]+)"', event)
        date = re.search(r"<date>([^<]+)</date>", event)
        title = re.search(r"<title>([^<]*)</title>", event)
        assert guid
        assert date
        assert title
        persons = set(re.findall(r"<person (?:guid|id)=\"([^\"]+)", event))
        yield guid[1], datetime.fromisoformat(date[1]), len(persons), title[1]


def facts_of_json(value: Any) -> Iterator[tuple[str, datetime, int, str]]:
    """The same of every object that has a guid and a title, wherever it is."""
    if isinstance(value, list):
        for entry in value:
            yield from facts_of_json(entry)
    elif isinstance(value, dict):
        if "guid" in value and "title" in value:
            start = datetime.fromisoformat(value["date"] if "date" in value else value["start"])
            yield (
                value["guid"],
                start,
                len(value["persons"] if "persons" in value else value["participants"]),
                value["title"],
            )
        for entry in value.values():
            yield from facts_of_json(entry)


def plain(title: str) -> str:
    for name, mark in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")):
        title = title.replace(name, mark)
    return title.strip()


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_session_of_a_real_file_is_read(name: str) -> None:
    data = content(name)
    text = data.decode()
    facts = list(facts_of_xml(text) if name.endswith(".xml") else facts_of_json(json.loads(text)))
    programme = read_schedule(data, filename=name)
    assert len(programme.sessions) == len(facts) > 0
    for session, (guid, start, speakers, title) in zip(programme.sessions, facts, strict=True):
        assert session.key == guid.lower()
        assert session.starts_at == start.astimezone(UTC)
        assert len(session.speakers) == speakers
        assert list(session.title.values()) == [plain(title)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_reference_of_a_real_file_resolves(name: str) -> None:
    programme = read_schedule(content(name))
    keys = [session.key for session in programme.sessions]
    assert len(set(keys)) == len(keys)
    rooms = {room.key for room in programme.rooms}
    tracks = {track.key for track in programme.tracks}
    speakers = {speaker.key for speaker in programme.speakers}
    assert len(rooms) == len(programme.rooms)
    for session in programme.sessions:
        assert session.room in rooms
        assert session.track is None or session.track in tracks
        assert speakers.issuperset(session.speakers)
        assert session.ends_at > session.starts_at


@pytest.mark.parametrize(
    ("name", "zone", "rooms", "tracks"),
    [
        ("38c3_hub.xml", "Europe/Berlin", 72, 7),
        ("debconf23.xml", "Asia/Kolkata", 5, 12),
        ("voc_frab-camp2019.json", "Europe/Berlin", 2, 7),
        ("voc_pretalx-democon.json", "UTC", 2, 2),
        ("voc_hub-schedule2.json", "Europe/Berlin", 5, 7),
    ],
)
def test_zone_rooms_and_tracks_of_a_real_file(name: str, zone: str, rooms: int, tracks: int) -> None:
    programme = read_schedule(content(name))
    assert (programme.timezone, len(programme.rooms), len(programme.tracks)) == (zone, rooms, tracks)


def repairs(programme: Programme) -> str:
    return "\n".join(f"{repair.where}: {repair.what}" for repair in programme.repairs)


def test_congress_keeps_its_lists_of_languages_and_reports_what_is_not_kept() -> None:
    data = content("38c3_hub.xml")
    programme = read_schedule(data)
    both = len(re.findall(rb"<language>(?:de, en|en, de)</language>", data))
    assert sum(set(session.languages) == {"de", "en"} for session in programme.sessions) == both > 0
    assert "field `answers` in 1 event is not kept" in repairs(programme)


def test_wafer_reports_its_version_and_its_dates_in_utc() -> None:
    notes = repairs(read_schedule(content("debconf23.xml")))
    assert "schedule: no version is given" in notes
    assert "117 places: event id=35" in notes
    assert "another offset than Asia/Kolkata has then" in notes
    assert "not the time of its date" not in notes


def test_two_rooms_with_one_guid_stay_two() -> None:
    programme = read_schedule(content("voc_pretalx-democon.json"))
    assert {session.room for session in programme.sessions} == {room.key for room in programme.rooms}
    assert "has the guid of another room" in repairs(programme)


@pytest.mark.parametrize("name", STRANGERS)
def test_other_formats_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(UnreadableSchedule, match=r"^line 1: .*; give a frab schedule"):
        read_schedule(content(name), filename=name)
