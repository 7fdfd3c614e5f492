"""Columns of rooms in schedule.xml and in version 1: no app has to draw two sessions over one another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from server.interchange.detect import read_schedule
from server.interchange.frab import json_v1_writer, layout as frab_layout, xml_writer
from server.interchange.frab.columns import column_guid
from server.interchange.programme import Programme, Room
from tests.interchange.frab.frab_files import events_of, v1_of, xml_of
from tests.interchange.frab.frab_programmes import MORNING, our_id, programme, programmes, published, session

if TYPE_CHECKING:
    from server.interchange.programme import Publication

ANY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
HOUR = timedelta(hours=1)


def columns(publication: Publication) -> dict[str | None, list[str | None]]:
    found: dict[str | None, list[str | None]] = {}
    for room in xml_of(publication).iter("room"):
        if room.get("guid"):
            found.setdefault(room.get("name"), []).extend(title.text for title in room.iter("title"))
    return found


def test_sessions_at_the_same_time_stand_in_columns_of_their_own() -> None:
    overlapping = programme(
        session("a", minutes=90),
        session("b", MORNING + HOUR / 2),
        session("c", MORNING + 2 * HOUR),
        session("d", MORNING + HOUR),
    )
    publication = published(overlapping)
    assert columns(publication) == {
        "Atlas": ["Titre a", "Titre c"],
        "Atlas (2)": ["Titre b"],
        "Atlas (3)": ["Titre d"],
    }
    rooms = v1_of(publication)["conference"]["rooms"]
    atlas = our_id("room", "atlas")
    assert [(room["name"], room["guid"]) for room in rooms] == [
        ("Atlas", atlas),
        ("Atlas (2)", column_guid(atlas, 2)),
        ("Atlas (3)", column_guid(atlas, 3)),
    ]
    assert [room.key for room in read_schedule(xml_writer.write(publication, language="fr")).rooms] == [atlas]


def test_session_over_night_does_not_overlap_the_next_days() -> None:
    exhibition = session("x", minutes=60 * 30)
    publication = published(programme(exhibition, session("b", MORNING + 26 * HOUR)))
    assert [event["room"] for event in events_of(v1_of(publication))] == ["Atlas", "Atlas (2)"]


def test_rooms_of_one_name_are_told_apart() -> None:
    rooms = (Room(key="atlas", name={"fr": "Atlas"}), Room(key="other", name={"fr": "ATLAS"}))
    publication = published(programme(session("a"), session("b"), session("c", room="other"), rooms=rooms))
    assert columns(publication) == {"Atlas": ["Titre a"], "ATLAS (2)": ["Titre c"], "Atlas (3)": ["Titre b"]}
    read = read_schedule(json_v1_writer.write(publication, language="fr"))
    assert [room.name for room in read.rooms] == [{"fr": "Atlas"}, {"fr": "ATLAS"}]


def test_session_without_a_room_stands_in_a_column_without_a_name() -> None:
    publication = published(programme(session("a", room=None), session("b", room=None)))
    assert columns(publication) == {"Atlas": [], "–": ["Titre a"], "– (2)": ["Titre b"]}


@given(programmes())
@ANY
def test_no_column_has_two_sessions_at_a_time(programme: Programme) -> None:
    assert overlaps(published(programme)) == []


def test_column_with_an_overlap_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    publication = published(programme(session("a"), session("b")))
    monkeypatch.setattr(frab_layout, "_lanes", lambda sessions, cut: [tuple(sessions)])
    assert overlaps(publication) != []


def overlaps(publication: Publication) -> list[str]:
    """Columns of the XML with two sessions at a time, by what the file says, over all days."""
    spans: dict[str | None, list[tuple[datetime, datetime]]] = {}
    for room in xml_of(publication, "ar").iter("room"):
        for event in room.iter("event"):
            start = datetime.fromisoformat(event.findtext("date") or "")
            hours, minutes = (event.findtext("duration") or "").split(":")
            spans.setdefault(room.get("name"), []).append(
                (start, start + timedelta(hours=int(hours), minutes=int(minutes)))
            )
    return [
        str(name)
        for name, listed in spans.items()
        for (_, end), (start, _) in zip(sorted(listed), sorted(listed)[1:], strict=False)
        if start < end
    ]
