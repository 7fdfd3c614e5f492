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
REVISIONS = sorted(path.name for path in (FOLDER / "pyconfr_2025_revisions").glob("*.json"))


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


@pytest.mark.parametrize("name", SCHEDULES)
def test_nothing_of_a_real_file_is_left_out(name: str) -> None:
    assert "not kept" not in (notes := repairs(read_schedule(content(name))))
    assert "no address" not in notes


def test_congress_keeps_its_lists_of_languages_and_what_has_no_place() -> None:
    data = content("38c3_hub.xml")
    programme = read_schedule(data)
    both = len(re.findall(rb"<language>(?:de, en|en, de)</language>", data))
    assert sum(set(session.languages) == {"de", "en"} for session in programme.sessions) == both > 0
    assert sum("answers" in session.extra for session in programme.sessions) == 1
    feedback = sum(link.kind == "feedback" for session in programme.sessions for link in session.links)
    assert feedback == data.count(b"<feedback_url>") > 0
    assert sum(session.do_not_record for session in programme.sessions) == data.count(b"<optout>true</optout>") > 0


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


def pyconfr(name: str) -> tuple[Programme, dict[str, Any]]:
    data = content(name)
    return read_schedule(data, filename=name, timezone="Europe/Paris"), json.loads(data)


def slots_of_plan(file: dict[str, Any]) -> Iterator[tuple[str, datetime, str, int]]:
    """Code, start, room and number of speakers of each slot, told by the API's own lists of slots."""
    met = set()
    for section in ("schedule", "sprints"):
        for rows in file[section].values():
            for cells in rows.values():
                for talk in cells.values():
                    for slot in talk["slots"]:
                        if slot["id"] not in met:
                            met.add(slot["id"])
                            start = datetime.fromisoformat(slot["start"]).astimezone(UTC)
                            yield talk["code"], start, str(slot["room"]["id"]), len(talk["speakers"])


PYCONFR = ("pyconfr_2025_pretalx_api.json", *(f"pyconfr_2025_revisions/{name}" for name in REVISIONS))


@pytest.mark.parametrize("name", PYCONFR)
def test_every_slot_and_break_of_a_pretalx_dump_is_read(name: str) -> None:
    programme, file = pyconfr(name)
    expected = sorted(slots_of_plan(file))
    talks = [session for session in programme.sessions if not session.service]
    found = sorted((s.key.partition("-")[0], s.starts_at, s.room or "", len(s.speakers)) for s in talks)
    assert found == expected
    assert len(expected) > 70
    breaks = {entry["id"] for rows in file["extra"].values() for entry in rows.values()}
    assert {session.key for session in programme.sessions if session.service} == breaks
    assert {room.key for room in programme.rooms} == {str(room["id"]) for room in file["rooms"]}
    text = content(name).decode()
    named = set(re.findall(r'"code": ?"([A-Z0-9]{6})",\s*"name"', text))
    assert {speaker.key for speaker in programme.speakers} == named
    assert all(room.name.keys() == {"en", "fr"} for room in programme.rooms)
    assert not any("described nowhere" in repair.what for repair in programme.repairs)


def test_successive_revisions_of_a_pretalx_dump_have_the_same_keys_for_the_same_talks() -> None:
    if not REVISIONS:
        pytest.skip("the revisions are not there")
    before: dict[str, tuple[str, ...]] = {}
    for name in REVISIONS:
        programme, file = pyconfr(f"pyconfr_2025_revisions/{name}")
        after: dict[str, list[str]] = {}
        for session in sorted(programme.sessions, key=lambda session: session.starts_at):
            after.setdefault(session.key.partition("-")[0] if not session.service else session.key, []).append(
                session.key
            )
        codes = {code for code, *_ in slots_of_plan(file)}
        assert codes <= after.keys()
        kept = {code: tuple(keys) for code, keys in after.items()}
        both = before.keys() & kept.keys()
        assert len(both) > 70 or not before
        assert all(kept[code] == before[code] for code in both)
        before = kept


def test_every_session_of_a_sessionize_file_is_read() -> None:
    data = content("scottish_summit_2026_sessionize_all.json")
    file = json.loads(data)
    programme = read_schedule(data, timezone="Europe/London")
    expected = [
        (
            session["id"],
            datetime.fromisoformat(session["startsAt"] + "+01:00").astimezone(UTC),  # summer time, 2 and 3 October
            str(session["roomId"]),
            tuple(session["speakers"]),
        )
        for session in file["sessions"]
    ]
    assert [(s.key, s.starts_at, s.room, s.speakers) for s in programme.sessions] == expected
    assert [s.number for s in programme.sessions] == [int(session["id"]) for session in file["sessions"]]
    assert [room.key for room in programme.rooms] == [str(room["id"]) for room in file["rooms"]]
    assert [speaker.key for speaker in programme.speakers] == [speaker["id"] for speaker in file["speakers"]]
    items = {item["id"]: item["name"] for category in file["categories"] for item in category["items"]}
    for session, source in zip(programme.sessions, file["sessions"], strict=True):
        placed = {session.track, session.kind} - {None}
        kept = str(session.extra.get("level")) + str(session.extra.get("categories"))
        assert all(str(item) in placed or items[item] in kept for item in source["categoryItems"])
    for speaker, source in zip(programme.speakers, file["speakers"], strict=True):
        small = {
            re.sub("^https?:", lambda scheme: scheme[0].lower(), link["url"], flags=re.IGNORECASE)
            for link in source["links"]
        }
        assert {link.url for link in speaker.links} == small
    assert "a link is named twice; kept once" in repairs(programme)


def test_every_session_of_an_app_s_payload_is_read() -> None:
    data = content("kotlinconf_2025_app_backend.json")
    file = json.loads(data)
    programme = read_schedule(data, timezone="Europe/Copenhagen")
    rooms = {room.key: room.name["und"] for room in programme.rooms}
    expected = [
        (
            session["id"],
            datetime.fromisoformat(session["startsAt"] + ":00+02:00").astimezone(UTC),
            session["location"],
            tuple(session["speakerIds"]),
            len([session["videoUrl"]]) if session["videoUrl"] else 0,
        )
        for session in file["sessions"]
    ]
    found = [(s.key, s.starts_at, rooms[s.room or ""], s.speakers, len(s.links)) for s in programme.sessions]
    assert found == expected
    assert len(rooms) == len({session["location"] for session in file["sessions"]})
    assert len(programme.speakers) == len(file["speakers"])
    for session, source in zip(programme.sessions, file["sessions"], strict=True):
        assert session.extra == ({"tags": source["tags"]} if source["tags"] else {})
    for speaker, source in zip(programme.speakers, file["speakers"], strict=True):
        assert (speaker.name["und"], speaker.photo_url) == (source["name"].strip(), source["photoUrl"] or None)
        assert list(speaker.tagline.values()) == ([source["position"].strip()] if source["position"] else [])


def test_every_slot_of_an_agenda_in_arabic_and_english_is_read() -> None:
    data = content("ar_en_construction_conf_2023.json")
    file = json.loads(data)
    programme = read_schedule(data)
    assert programme.timezone == "Asia/Riyadh"
    assert len(programme.sessions) == len(file["slots"]) == 29
    for session, slot in zip(programme.sessions, file["slots"], strict=True):
        assert session.title["en"] == slot["title"]["en"].strip()
        assert session.title.keys() == {"en", "ar"}
        if slot["start"]:
            local = datetime.fromisoformat(f"{slot['date']}T{slot['start']}:00+03:00")
            assert session.starts_at == local.astimezone(UTC)
        lines = [line["en"].strip() for line in slot["text_lines"] if line["en"].strip()]
        assert session.description.get("en", "") == "\n".join(lines)
    assert not re.search(
        "[\ufb50-\ufdff\ufe70-\ufefc]", str(programme.sessions) + str(programme.tracks) + str(programme.extra)
    )
    assert "texts are in Arabic presentation forms" in repairs(programme)
    assert programme.extra["glossary"].keys() == file["glossary"].keys()


@pytest.mark.parametrize("name", ["scottish_summit_2026_sessionize_all.json", "kotlinconf_2025_app_backend.json"])
def test_real_times_without_a_zone_are_refused_with_how_to_give_one(name: str) -> None:
    with pytest.raises(UnreadableSchedule, match=r"^line 1: its times have no offset .*: give the event's zone"):
        read_schedule(content(name))
