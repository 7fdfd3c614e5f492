"""Lists page by page, and what an attendee sees."""

from __future__ import annotations

import itertools
from typing import Any

import httpx

from tests.conftest import Demo, bearer


async def all_pages(api: httpx.AsyncClient, path: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        response = await api.get(f"/{path}", params={"limit": limit} | ({"cursor": cursor} if cursor else {}))
        page = response.json()
        assert len(page[path]) <= limit
        items += page[path]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


async def test_pages_together_are_the_whole(api: httpx.AsyncClient, demo: Demo) -> None:
    for number in range(5):
        body = {"title": {"fr": f"Annonce {number}"}}
        await api.post("/announcements", json=body, headers=bearer(demo.file.organizer_token))
    for path in ("speakers", "exhibitors", "announcements"):
        whole = (await api.get(f"/{path}", params={"limit": 500})).json()[path]
        assert len(whole) >= 5
        for limit in (1, 2, len(whole) - 1, len(whole)):
            assert await all_pages(api, path, limit) == whole, (path, limit)


async def test_a_foreign_cursor_is_refused(api: httpx.AsyncClient) -> None:
    for path, cursor in itertools.product(
        ("speakers", "announcements", "exhibitors"), ("x", "é", "%00", "AAAA", "QTAxHw", "A" * 500)
    ):
        response = await api.get(f"/{path}", params={"cursor": cursor})
        assert response.status_code in (400, 422), (path, cursor, response.text)
        assert response.json()["code"] == "request.invalid"


async def test_a_limit_has_bounds(api: httpx.AsyncClient) -> None:
    for limit in ("0", "-1", "501", "x", "9" * 40):
        response = await api.get("/speakers", params={"limit": limit})
        assert (response.status_code, response.json()["field"]) == (422, "limit"), limit


async def test_an_expired_announcement_is_no_longer_listed(api: httpx.AsyncClient, demo: Demo) -> None:
    headers = bearer(demo.file.organizer_token)
    past = {"title": {"fr": "Hier"}, "expires_at": "2020-01-01T00:00:00Z"}
    refused = await api.post("/announcements", json=past, headers=headers)
    assert (refused.status_code, refused.json()["field"]) == (422, "expires_at")
    assert (await api.get("/feed/announcements")).json()["seq"] == 0, "what was refused was told to nobody"


async def test_an_attendee_sees_themselves_and_their_badge(api: httpx.AsyncClient, demo: Demo) -> None:
    line = demo.attendees[5]
    me = (await api.get("/me", headers=bearer(line["token"]))).json()
    assert {name: me[name] for name in ("id", "name", "email", "badge_code", "short_code")} == {
        name: line[name] for name in ("id", "name", "email", "badge_code", "short_code")
    }
    assert (await api.get("/me", headers=bearer(demo.device()))).status_code == 403
