"""The sessions that somebody asks for: in memory, and over HTTP against the whole programme."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from server.errors import InvalidRequest
from server.paging import encode_cursor
from server.schedule.edition import Edition
from server.schedule.listing import Wanted, page_after, select
from tests.conftest import Demo
from tests.schedule.editions import edition_of, event_row, id_of, session_row

NOON = datetime(2021, 1, 10, 12, tzinfo=UTC)
BIG, SMALL = id_of(100), id_of(101)


@pytest.fixture
def edition() -> Edition:
    """In UTC, so that the clock says what is written."""
    return edition_of(
        event_row(timezone="UTC"),
        [
            session_row(1, "2021-01-10T11:00+00:00", room_id=BIG, languages=["fr-MA", "ar"], track_id=id_of(200)),
            session_row(2, "2021-01-10T11:30+00:00", room_id=SMALL, kind_id=id_of(300)),
            session_row(3, "2021-01-10T12:00+00:00", room_id=BIG, speaker_ids=[id_of(400)], languages=["en"]),
            session_row(4, "2021-01-10T12:30+00:00", room_id=SMALL, status="cancelled"),
            session_row(5, "2021-01-10T13:00+00:00", room_id=SMALL, shares_room=True, status="moved"),
            session_row(6, "2021-01-10T13:00+00:00", room_id=SMALL, shares_room=True),
            session_row(7, "2021-01-10T13:00+00:00"),
            session_row(8, "2021-01-11T02:00+00:00", room_id=BIG),
            session_row(9, "2021-01-11T09:00+00:00"),
        ],
    )


ASKED: dict[str, tuple[dict[str, Any], list[int]]] = {
    "all": ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "a day, and its night": ({"day": date(2021, 1, 10)}, [1, 2, 3, 4, 5, 6, 7, 8]),
    "the next day": ({"day": date(2021, 1, 11)}, [9]),
    "a day without any": ({"day": date(2021, 1, 12)}, []),
    "a room": ({"room": BIG}, [1, 3, 8]),
    "a track": ({"track": id_of(200)}, [1]),
    "a kind": ({"kind": id_of(300)}, [2]),
    "a speaker": ({"speaker": id_of(400)}, [3]),
    "somebody unknown": ({"speaker": id_of(9)}, []),
    "a language": ({"language": "fr"}, [1]),
    "a language to the letter": ({"language": "FR-ma"}, [1]),
    "the second language": ({"language": "ar"}, [1]),
    "not the beginning of a language": ({"language": "f"}, []),
    "a status": ({"status": "cancelled"}, [4]),
    "not over yet": ({"since": NOON}, [2, 3, 4, 5, 6, 7, 8, 9]),
    "begun by then": ({"until": NOON}, [1, 2]),
    "two rooms' worth": ({"room": SMALL, "since": NOON}, [2, 4, 5, 6]),
    "now": ({"now": True}, [2, 3]),
    "now in a room": ({"now": True, "room": BIG}, [3]),
    "next": ({"next": True}, [5, 6, 7, 8]),
    "next in a room": ({"next": True, "room": BIG}, [8]),
    "now and next": ({"now": True, "next": True}, [2, 3, 5, 6, 7, 8]),
    "now, cancelled": ({"now": True, "status": "cancelled"}, []),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for(edition: Edition, asked: str) -> None:
    wanted, numbers = ASKED[asked]
    assert [one.number for one in select(edition, Wanted(at=NOON, **wanted))] == numbers


@pytest.mark.parametrize(("minute", "numbers"), [(59, [1, 2]), (60, [2, 3])])
def test_one_that_ends_makes_room_for_the_next(edition: Edition, minute: int, numbers: list[int]) -> None:
    at = datetime(2021, 1, 10, 11, 59, tzinfo=UTC) if minute == 59 else NOON
    assert [one.number for one in select(edition, Wanted(at=at, now=True))] == numbers


@pytest.mark.parametrize("limit", range(1, 11))
def test_pages_together_are_the_whole(edition: Edition, limit: int) -> None:
    everything = list(edition.state.session.values())
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page, cursor = page_after(edition.state, everything, cursor, limit)
        assert len(page) <= limit
        found += page
        pages += 1
    assert found == everything
    assert pages == -(-len(everything) // limit)


def test_a_page_goes_on_though_the_last_one_is_gone(edition: Edition) -> None:
    everything = list(edition.state.session.values())
    _, cursor = page_after(edition.state, everything, None, 6)
    left = [one for one in everything if one.number != 6]
    assert [one.number for one in page_after(edition.state, left, cursor, 9)[0]] == [7, 8, 9]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        encode_cursor("a", "b"),
        encode_cursor("2021-01-10T11:00:00", "0", "0", "0"),
        encode_cursor("", "", "", ""),
    ],
)
def test_a_cursor_that_is_none(edition: Edition, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        page_after(edition.state, [], cursor, 5)


async def ids(api: httpx.AsyncClient, **asked: str) -> list[str]:
    answer = await api.get("/sessions", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["sessions"]]


async def test_lists_over_http_agree_with_the_programme(api: httpx.AsyncClient, demo: Demo) -> None:
    schedule = (await api.get("/schedule?lang=ar")).json()
    sessions = schedule["sessions"]
    whole = (await api.get("/sessions", params={"lang": "ar", "limit": "500"})).json()
    assert whole["sessions"] == sessions
    assert (whole["version"], whole["next_cursor"]) == (schedule["version"], None)
    for day in schedule["days"]:
        assert await ids(api, day=day["date"]) == day["session_ids"]
    one = next(one for one in sessions if one["speaker_ids"] and one["track_id"] and one["room_id"])
    for name, value in (
        ("room", one["room_id"]),
        ("track", one["track_id"]),
        ("speaker", one["speaker_ids"][0]),
        ("language", one["language"]),
    ):
        assert one["id"] in await ids(api, **{name: value})
    at = one["starts_at"]
    on = (await api.get("/sessions", params={"now": "1", "at": at})).json()
    assert on["at"] == at
    assert [each["id"] for each in on["sessions"]] == [
        each["id"] for each in sessions if each["starts_at"] <= at < each["ends_at"] and each["status"] != "cancelled"
    ]
    assert one["id"] in await ids(api, next="1", at="2026-01-01T00:00:00Z") or sessions[0]["room_id"] == one["room_id"]
    assert await ids(api, now="true", at="2026-01-01T00:00:00Z") == []
    window = await ids(api, **{"from": at, "until": "2026-12-18T23:00:00Z"})
    assert one["id"] in window


async def test_pages_over_http(api: httpx.AsyncClient) -> None:
    everything = await ids(api, limit="500")
    found, cursor = [], None
    while cursor is not None or not found:
        page = (await api.get("/sessions", params={"limit": "7", **({"cursor": cursor} if cursor else {})})).json()
        found += [one["id"] for one in page["sessions"]]
        cursor = page["next_cursor"]
    assert found == everything


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "tomorrow"},
        {"room": "1"},
        {"status": "late"},
        {"from": "2026-12-18T10:00:00"},
        {"until": "18 December"},
        {"at": "2026-12-18T10:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"cursor": "?"},
        {"limit": "0"},
        {"language": "f"},
        {"now": "perhaps"},
    ],
    ids=str,
)
async def test_what_cannot_be_asked(api: httpx.AsyncClient, asked: dict[str, str]) -> None:
    answer = await api.get("/sessions", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert answer.json()["field"] == next(iter(asked))
