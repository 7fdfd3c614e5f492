"""The programme over HTTP."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import msgspec
import pytest

from server.config import Settings
from server.event.types import EventRow
from server.schedule.documents import Documents
from server.schedule.edition import Edition
from server.schedule.types import Schedule
from tests.conftest import Demo, bearer, running_api


async def schedule(api: httpx.AsyncClient, lang: str = "*") -> dict[str, Any]:
    response = await api.get("/schedule", params={"lang": lang})
    assert response.status_code == 200
    content: dict[str, Any] = response.json()
    return content


async def change(api: httpx.AsyncClient, demo: Demo, session_id: str, **fields: Any) -> httpx.Response:
    return await api.patch(f"/sessions/{session_id}", json=fields, headers=bearer(demo.file.organizer_token))


async def test_an_event_tells_where_everything_is(api: httpx.AsyncClient) -> None:
    event = (await api.get("", params={"lang": "ar"})).json()
    assert event["theme"] == "الرقمنة للجميع"
    assert event["live_url"].startswith("ws://")
    assert event["live_url"].endswith("/v1/events/digital-now/live")
    assert event["stream_url"] == event["live_url"].replace("ws://", "http://") + "/stream"
    assert [channel["channel"] for channel in event["channels"]] == ["announcements", "schedule"]
    by_id = await api.get(str(api.base_url).replace("digital-now", event["id"]))
    assert by_id.json()["id"] == event["id"]


LANGUAGES: list[tuple[str | None, str | None, str]] = [
    ("fr", "ar", "fr"),
    (None, "ar-MA, fr;q=0.9", "ar"),
    (None, "de, en;q=0.5, fr;q=0.1", "en"),
    (None, "fr;q=0, en", "en"),
    (None, "xx", "fr"),
    ("xx", "ar", "fr"),
    (None, None, "fr"),
    (None, ";;;q=,,", "fr"),
]
"""`?lang=`, `Accept-Language`, and the language one gets."""


async def test_a_reader_gets_their_language(api: httpx.AsyncClient) -> None:
    everything = await schedule(api)
    for query, header, language in LANGUAGES:
        response = await api.get(
            "/schedule", params={"lang": query} if query else {}, headers={"Accept-Language": header or ""}
        )
        assert response.headers["content-language"] == language
        for whole, plain in zip(everything["sessions"], response.json()["sessions"], strict=True):
            assert plain["title"] == whole["title"][language]
        msgspec.json.decode(response.content, type=Schedule)


async def test_an_unchanged_programme_is_not_sent_again(api: httpx.AsyncClient, demo: Demo) -> None:
    first = await api.get("/schedule?lang=fr", headers={"Accept-Encoding": "identity"})
    zipped = await api.get("/schedule?lang=fr", headers={"Accept-Encoding": "gzip"})
    other = await api.get("/schedule?lang=ar", headers={"Accept-Encoding": "identity"})
    etags = [response.headers["etag"] for response in (first, zipped, other)]
    assert len(set(etags)) == 3, "every representation has its own"
    assert zipped.content == first.content

    for held in (etags[0], f"W/{etags[0]}", f'"x", {etags[1]}', "*"):
        again = await api.get("/schedule?lang=fr", headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] in etags[:2]
    assert (await api.get("/schedule?lang=fr", headers={"If-None-Match": etags[2]})).status_code == 200

    session = first.json()["sessions"][0]
    await change(api, demo, session["id"], status="cancelled")
    moved_on = await api.get("/schedule?lang=fr", headers={"If-None-Match": etags[0]})
    assert moved_on.status_code == 200
    assert moved_on.json()["version"] == first.json()["version"] + 1


async def test_compressed_bytes_are_the_same_programme(api: httpx.AsyncClient) -> None:
    async with api.stream("GET", "/schedule", headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == (await api.get("/schedule", headers={"Accept-Encoding": "identity"})).content


async def test_a_moved_a_delayed_and_a_cancelled_session(api: httpx.AsyncClient, demo: Demo) -> None:
    before = await schedule(api)
    session = before["sessions"][0]
    room = (
        await api.post("/rooms", json={"name": {"fr": "Annexe"}}, headers=bearer(demo.file.organizer_token))
    ).json()["id"]

    later = (await change(api, demo, session["id"], starts_at="2026-12-18T23:00:00+01:00")).json()
    assert (later["status"], later["starts_at"]) == ("delayed", "2026-12-18T22:00:00Z")
    moved = (await change(api, demo, session["id"], room_id=room)).json()
    assert (moved["status"], moved["room_id"]) == ("moved", room)
    cancelled = (await change(api, demo, session["id"], status="cancelled")).json()
    assert cancelled["status"] == "cancelled"

    after = next(one for one in (await schedule(api))["sessions"] if one["id"] == session["id"])
    assert after == {name: cancelled[name] for name in after}
    detail = (await api.get(f"/sessions/{session['id']}", params={"lang": "*"})).json()
    assert detail == cancelled
    feed = (await api.get("/feed/schedule")).json()
    assert [sorted(event["data"]["changed"]) for event in feed["events"][1:]] == [
        ["ends_at", "starts_at", "status"],
        ["room_id", "status"],
        ["status"],
    ]
    assert [event["data"]["version"] for event in feed["events"]] == [before["version"] + n for n in (1, 2, 3, 4)]


async def test_a_change_that_changes_nothing_tells_nobody(api: httpx.AsyncClient, demo: Demo) -> None:
    before = await schedule(api)
    session = before["sessions"][0]
    response = await change(api, demo, session["id"], starts_at=session["starts_at"])
    assert response.status_code == 200
    assert await schedule(api) == before


WRONG_CHANGES: list[tuple[dict[str, Any], str, str | None]] = [
    ({"room_id": "01a209a3-6ba6-7377-89b9-1816486e0451"}, "schedule.unknown_room", None),
    ({"track_id": "01a209a3-6ba6-7377-89b9-1816486e0451"}, "schedule.unknown_track", None),
    ({"ends_at": "2020-01-01T00:00:00Z"}, "request.invalid", "ends_at"),
    ({"starts_at": "2026-12-18T11:00:00"}, "request.invalid", "starts_at"),
    ({"status": "postponed"}, "request.invalid", "status"),
    ({"title": {}}, "request.invalid", "title"),
    ({"title": {"fr": "\x00"}}, "request.invalid", "title[...]"),
    ({"start": "2026-12-18T11:00:00Z"}, "request.invalid", None),
]


async def test_a_wrong_change_is_refused_by_name(api: httpx.AsyncClient, demo: Demo) -> None:
    before = await schedule(api)
    for fields, code, field in WRONG_CHANGES:
        response = await change(api, demo, before["sessions"][0]["id"], **fields)
        problem = response.json()
        assert (response.status_code, problem["code"], problem.get("field")) == (422, code, field)
    assert await schedule(api) == before


async def test_only_an_organizer_of_the_event_changes_it(api: httpx.AsyncClient, demo: Demo) -> None:
    session_id = (await schedule(api))["sessions"][0]["id"]
    path = f"/sessions/{session_id}"
    assert (await api.patch(path, json={"status": "cancelled"})).status_code == 401
    for token in (demo.device(), demo.attendees[0]["token"], demo.file.exhibitors[0].token):
        response = await api.patch(path, json={"status": "cancelled"}, headers=bearer(token))
        assert (response.status_code, response.json()["code"]) == (403, "auth.forbidden")
    unknown = await change(api, demo, "01a209a3-6ba6-7377-89b9-1816486e0451", status="cancelled")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "schedule.unknown_session")


async def test_many_changes_at_once_are_all_counted(api: httpx.AsyncClient, demo: Demo) -> None:
    before = await schedule(api)
    sessions = before["sessions"][:10]
    await asyncio.gather(*(change(api, demo, session["id"], status="cancelled") for session in sessions))
    assert (await schedule(api))["version"] == before["version"] + 10
    assert (await api.get("/feed/schedule")).json()["seq"] == 10


async def test_a_change_through_one_process_shows_in_another(settings: Settings, demo: Demo) -> None:
    """The second process hears of it by the feed alone."""
    async with (
        running_api(settings) as one,
        running_api(settings) as two,
        httpx.AsyncClient(base_url=one) as here,
        httpx.AsyncClient(base_url=two) as there,
    ):
        session_id = (await schedule(there))["sessions"][0]["id"]
        await change(here, demo, session_id, status="cancelled")
        seen = await schedule(there)
        while seen["version"] == 1:
            seen = await schedule(there)
        assert (await schedule(there)) == (await schedule(here))


async def test_a_document_built_during_a_change_is_not_kept(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader begins, an organizer changes the programme, the reader's document must not be what the next one gets."""
    read = Documents._read

    async def read_slowly(self: Documents, event: EventRow) -> Edition:
        edition = await read(self, event)
        self.forget(event.event_id)
        return edition

    monkeypatch.setattr(Documents, "_read", read_slowly)
    await schedule(api)
    calls = []

    async def read_and_count(self: Documents, event: EventRow) -> Edition:
        calls.append(event)
        return await read(self, event)

    monkeypatch.setattr(Documents, "_read", read_and_count)
    await schedule(api)
    await schedule(api)
    assert len(calls) == 1, "read anew once, then kept"
