"""Two events in one database, and nobody of one gets anything of the other."""

from __future__ import annotations

from typing import Any

import httpx

from tests.conftest import OTHER, Demo, bearer


async def test_tokens_are_worth_nothing_in_another_event(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> None:
    session_id = (await api.get("/schedule")).json()["sessions"][0]["id"]
    scan = {"scan_id": "s", "list": "main", "code": demo.badge()}
    requests: list[tuple[str, str, str, Any]] = [
        ("POST", "/checkins", stranger.device(), scan),
        ("POST", "/checkins/", stranger.device(), scan),
        ("GET", "/checkins/lists", stranger.device(), None),
        ("PATCH", f"/sessions/{session_id}", stranger.file.organizer_token, {"status": "cancelled"}),
        ("POST", "/announcements", stranger.file.organizer_token, {"title": {"fr": "x"}}),
        ("GET", "/me", stranger.attendees[0]["token"], None),
        ("POST", "/live/ticket", stranger.file.exhibitors[0].token, None),
        ("GET", "/feed/checkin", stranger.device(), None),
    ]
    for method, path, token, body in requests:
        response = await api.request(method, path, json=body, headers=bearer(token))
        assert (response.status_code, response.json()["code"]) == (401, "auth.required"), path
    assert (await api.get(f"/sessions/{session_id}")).json()["status"] == "scheduled"


async def test_badges_and_sessions_are_unknown_in_another_event(
    api: httpx.AsyncClient, demo: Demo, stranger: Demo
) -> None:
    scan = {"scan_id": "s", "list": "main", "code": stranger.badge()}
    answer = (await api.post("/checkins", json=scan, headers=bearer(demo.device()))).json()
    assert (answer["outcome"], answer["reason"], answer["attendee"]) == ("refused", "unknown_code", None)

    other = str(api.base_url).replace("digital-now", OTHER)
    session_id = (await api.get(f"{other}schedule")).json()["sessions"][0]["id"]
    assert (await api.get(f"{other}sessions/{session_id}")).status_code == 200
    assert (await api.get(f"/sessions/{session_id}")).status_code == 404
    response = await api.patch(
        f"/sessions/{session_id}", json={"status": "cancelled"}, headers=bearer(demo.file.organizer_token)
    )
    assert response.status_code == 404


async def test_the_same_scan_id_in_two_events_is_two_scans(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> None:
    other = str(api.base_url).replace("digital-now", OTHER)
    for base, event in ((str(api.base_url), demo), (other, stranger)):
        scan = {"scan_id": "same", "list": "main", "code": event.badge()}
        answer = (await api.post(f"{base}checkins", json=scan, headers=bearer(event.device()))).json()
        assert answer["outcome"] == "admitted"
