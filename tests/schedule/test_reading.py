"""Reading the programme over HTTP: what is sent again and what is not, and that both ways to a document give the same bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server.conditional import http_date, read_http_date
from server.direct import Reply
from server.schedule import document_routes, representation
from server.schedule.formats import FORMATS
from server.schedule.lane import Reading
from tests.conftest import Demo, bearer
from tests.schedule.asking import ask

GZIP = {"Accept-Encoding": "gzip"}
FILES = sorted(FORMATS)


@pytest.fixture
async def base(api: httpx.AsyncClient) -> str:
    return str(api.base_url).rstrip("/")


@pytest.fixture
def by_lane(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The status of each answer that goes the short way."""
    answered: list[int] = []
    original = Reading.answer

    def note(self: Reading, opened: Any, body: bytes, reply: Callable[[Reply], None]) -> None:
        def noted(found: Reply) -> None:
            answered.append(found.status)
            reply(found)

        original(self, opened, body, noted)

    monkeypatch.setattr(Reading, "answer", note)
    return answered


async def change(api: httpx.AsyncClient, demo: Demo, **fields: Any) -> dict[str, Any]:
    """Changes the programme's first session, and waits until its reader would see it."""
    schedule = (await api.get("/schedule?lang=*")).json()
    answer = await api.patch(
        f"/sessions/{schedule['sessions'][0]['id']}", json=fields, headers=bearer(demo.file.organizer_token)
    )
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "plain": ("/schedule", {}),
    "a language": ("/schedule?lang=ar", {}),
    "all languages": ("/schedule?lang=*", GZIP),
    "a language the event does not have": ("/schedule?lang=xx", {}),
    "negotiated": ("/schedule", {"Accept-Language": "de, en;q=0.5, fr;q=0.1", **GZIP}),
    "gzip refused": ("/schedule", {"Accept-Encoding": "gzip;q=0, br"}),
    "held": ("/schedule", {"If-None-Match": "*"}),
    "held, gzip": ("/schedule", {"If-None-Match": "*", **GZIP}),
    "another held": ("/schedule", {"If-None-Match": '"other", W/"more"'}),
    "held since": ("/schedule", {"If-Modified-Since": "Fri, 18 Dec 2099 10:00:00 GMT"}),
    "nonsense since": ("/schedule", {"If-Modified-Since": "yesterday"}),
    "another header": ("/schedule", {"User-Agent": "Giggity/2.3", "Accept": "*/*"}),
} | {file: (f"/{file}", GZIP) for file in FILES}


async def answers_to_all(base: str, *, method: str) -> dict[str, bytes]:
    return {
        name: (await ask(base, path, headers, method=method, times=3)).raw for name, (path, headers) in REQUESTS.items()
    }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_both_ways_give_the_same_bytes(
    base: str, by_lane: list[int], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    for path, headers in REQUESTS.values():
        await ask(base, path, headers)
    by_lane.clear()
    short = await answers_to_all(base, method=method)
    assert len(by_lane) == 3 * len(REQUESTS), "all of them went the short way"
    monkeypatch.setattr(Reading, "open", lambda _self, _asked: None)
    assert await answers_to_all(base, method=method) == short
    assert len(by_lane) == 3 * len(REQUESTS)


UNUSUAL = {
    "another path": ("/rooms/schedule", {}),
    "another query": ("/schedule?lang=fr&x=1", {}),
    "an escape": ("/schedule?lang=%61r", {}),
    "a file in a folder": ("/tracks/00000000-0000-0000-0000-000000000000/schedule", {}),
    "the connection ends": ("/schedule", {"Connection": "close"}),
}


async def test_whatever_is_unusual_is_the_frameworks(base: str, by_lane: list[int]) -> None:
    await ask(base, "/schedule")
    by_lane.clear()
    for path, headers in UNUSUAL.values():
        await ask(base, path, headers)
    assert by_lane == []


async def test_a_head_is_a_get_without_its_body(base: str) -> None:
    for file in FILES:
        whole = await ask(base, f"/{file}", GZIP)
        for _ in range(2):
            head = await ask(base, f"/{file}", GZIP, method="HEAD")
            assert (head.status, head.headers | {"date": ""}, head.body) == (
                200,
                whole.headers | {"date": ""},
                b"",
            )
        held = await ask(base, f"/{file}", {"If-None-Match": head.headers["etag"]} | GZIP, method="HEAD")
        assert (held.status, held.body) == (304, b"")


async def test_what_eventfahrplan_and_giggity_send_back_is_understood(base: str) -> None:
    """EventFahrplan returns `ETag` and `Last-Modified` to the letter, Giggity's list of schedules the ETag without its `W/`."""
    for file in FILES:
        identity, zipped = await ask(base, f"/{file}"), await ask(base, f"/{file}", GZIP)
        packed = "content-encoding" not in zipped.headers
        assert packed == FORMATS[file].compressed
        assert (identity.headers["etag"] == zipped.headers["etag"]) == packed, "each representation has its own"
        assert packed or gzip.decompress(zipped.body) == identity.body
        for answer, way in ((identity, {}), (zipped, GZIP)):
            etag = answer.headers["etag"]
            assert etag.startswith('"')
            for held in (etag, f"W/{etag}", f'"x",{etag}', f'W/"x" , W/{etag}', "*"):
                again = await ask(base, f"/{file}", {"If-None-Match": held, **way})
                assert (again.status, again.body) == (304, b"")
                assert again.headers["etag"] == etag
                assert "content-length" not in again.headers, "it would be that of the document"
                assert again.headers["vary"] == answer.headers["vary"] if not packed else True
            verbatim = {"If-None-Match": etag, "If-Modified-Since": answer.headers["last-modified"]}
            assert (await ask(base, f"/{file}", verbatim | way)).status == 304


async def test_what_the_fosdem_companion_sends_back_is_understood(base: str) -> None:
    """It knows only the date."""
    for file in FILES:
        modified = (await ask(base, f"/{file}")).headers["last-modified"]
        moment = read_http_date(modified)
        assert moment is not None
        for since, status in ((moment, 304), (moment + timedelta(days=1), 304), (moment - timedelta(seconds=1), 200)):
            assert (await ask(base, f"/{file}", {"If-Modified-Since": http_date(since)})).status == status


async def test_an_etag_counts_more_than_a_date(base: str) -> None:
    future = {"If-Modified-Since": "Fri, 18 Dec 2099 10:00:00 GMT"}
    assert (await ask(base, "/schedule", future)).status == 304
    assert (await ask(base, "/schedule", {"If-None-Match": '"other"', **future})).status == 200


async def test_a_server_that_let_the_date_count_would_be_caught(
    api: httpx.AsyncClient, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def date_first(if_none_match: str | None, since: str | None, **how: bool) -> representation.Conditions:
        return representation.Conditions(if_none_match, read_http_date(since), how["takes_gzip"], how["negotiated"])

    monkeypatch.setattr(document_routes, "conditions", date_first)
    monkeypatch.setattr(Reading, "open", lambda _self, _asked: None)
    with pytest.raises(AssertionError):
        await test_an_etag_counts_more_than_a_date(base)


PLAIN = {"negotiated": "en", "one": "fr", "one_or_all": "fr, ar, en", "all": "fr, ar, en"}
"""What a reader of English gets who names no language in the address."""


@pytest.mark.parametrize("file", FILES)
async def test_a_language_is_a_resource_of_its_own(base: str, file: str) -> None:
    languages = FORMATS[file].languages
    plain = await ask(base, f"/{file}", {"Accept-Language": "en"})
    assert plain.headers["content-language"] == PLAIN[languages]
    assert ("Accept-Language" in plain.headers.get("vary", "")) == (languages == "negotiated")
    found = {}
    for lang in ("fr", "ar", "en"):
        asked = await ask(base, f"/{file}?lang={lang}", {"Accept-Language": "en"})
        assert asked.headers["content-language"] == (PLAIN["all"] if languages == "all" else lang)
        assert "Accept-Language" not in asked.headers.get("vary", "")
        found[asked.headers["etag"]] = asked.body
    assert len(found) == (1 if languages == "all" else 3)
    assert (plain.body in found.values()) == (languages != "one_or_all")


async def test_what_a_browser_saves_has_a_name(base: str) -> None:
    names = {
        "/schedule.csv": "digital-now.csv",
        "/schedule.csv?lang=ar": "digital-now-ar.csv",
        "/schedule.xlsx": "digital-now.xlsx",
    }
    for path, name in names.items():
        assert (await ask(base, path)).headers["content-disposition"] == f'attachment; filename="{name}"'
    assert "content-disposition" not in (await ask(base, "/schedule.ics")).headers


TYPES = {
    "schedule": "application/json",
    "schedule.xml": "application/xml; charset=utf-8",
    "schedule.json": "application/json",
    "schedule.v2.json": "application/json",
    "schedule.ics": "text/calendar; charset=utf-8",
    "schedule.csv": "text/csv; charset=utf-8",
    "schedule.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.mark.parametrize("file", FILES)
async def test_a_file_says_what_it_is(base: str, file: str) -> None:
    assert (await ask(base, f"/{file}")).headers["content-type"] == TYPES[file]


async def test_a_track_and_a_session_have_calendars_of_their_own(
    api: httpx.AsyncClient, base: str, by_lane: list[int]
) -> None:
    schedule = (await api.get("/schedule?lang=fr")).json()
    track = schedule["tracks"][0]
    within = [one for one in schedule["sessions"] if one["track_id"] == track["id"]]
    assert within
    by_lane.clear()
    for path, sessions in (
        (f"/tracks/{track['id']}/schedule.ics", within),
        (f"/sessions/{within[0]['id']}/schedule.ics", within[:1]),
    ):
        first, again = await ask(base, path), await ask(base, path)
        assert first.raw == again.raw
        text = first.body.decode()
        assert text.count("BEGIN:VEVENT") == len(sessions)
        assert all(f"UID:{one['id']}@digital-now" in text for one in sessions)
        assert f"SOURCE;VALUE=URI:http://127.0.0.1:8000/v1/events/digital-now{path}" in text.replace("\r\n ", "")
        assert (await ask(base, path, {"If-None-Match": first.headers["etag"]})).status == 304
    assert by_lane == [200, 304, 200, 304]
    nobody = "00000000-0000-0000-0000-000000000000"
    for path in (f"/tracks/{nobody}", f"/sessions/{nobody}"):
        missing = await api.get(f"{path}/schedule.ics")
        assert (missing.status_code, missing.json()["code"].partition(".")[0]) == (404, "schedule")


async def test_a_change_shows_at_once_and_gives_a_new_etag_and_a_later_date(
    api: httpx.AsyncClient, base: str, demo: Demo
) -> None:
    """Also when it comes within the same second as the last one: who only asks by the date must not miss it."""
    for file in FILES:
        before = await ask(base, f"/{file}")
        for n in range(3):
            await change(api, demo, title={"fr": f"{file} {n}", "ar": "س", "en": "x"})
            held = {"If-Modified-Since": before.headers["last-modified"]}
            after = await ask(base, f"/{file}", held)
            assert after.status == 200, "the date alone tells"
            assert after.headers["etag"] != before.headers["etag"]
            before = after


async def test_two_changes_in_one_second_would_be_missed_by_the_date_alone(
    api: httpx.AsyncClient, base: str, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime(2026, 12, 18, tzinfo=UTC)
    monkeypatch.setattr(representation, "last_modified", lambda _moment, _before: midnight)
    with pytest.raises(AssertionError):
        await test_a_change_shows_at_once_and_gives_a_new_etag_and_a_later_date(api, base, demo)
