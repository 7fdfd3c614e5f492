"""Scanners that were offline bring what they did: merged by when it happened, whoever comes first."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.conftest import Demo, bearer

NOW = datetime.now(UTC)


def scan(code: str, *, minutes_ago: float, **more: object) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return {"scan_id": str(uuid.uuid4()), "list": "main", "code": code, "scanned_at": at, **more}


async def ask(api: httpx.AsyncClient, token: str, code: str, **more: object) -> dict[str, Any]:
    body = {"scan_id": str(uuid.uuid4()), "list": "main", "code": code, **more}
    response = await api.post("/checkins", json=body, headers=bearer(token))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def upload(api: httpx.AsyncClient, token: str, *scans: dict[str, Any]) -> list[dict[str, Any]]:
    response = await api.post("/checkins/batch", json={"scans": scans}, headers=bearer(token))
    assert response.status_code == 200, response.text
    assert response.json()["stored"] == len(scans)
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def told(answer: dict[str, Any]) -> tuple[str, bool]:
    return answer["outcome"], answer["conflict"]


async def test_the_earliest_scan_is_the_admission_whoever_uploads_first(api: httpx.AsyncClient, demo: Demo) -> None:
    early, late = scan(demo.badge(), minutes_ago=60), scan(demo.badge(), minutes_ago=50)
    (first,) = await upload(api, demo.device(1), late)
    (second,) = await upload(api, demo.device(2), early)
    third = await ask(api, demo.device(3), demo.badge())

    assert told(first) == ("admitted", False), "nobody knew better"
    assert told(second) == ("admitted", True), "it was before the other"
    assert third["outcome"] == "already_admitted"
    assert third["admission"]["device"] == demo.file.devices[2].name
    assert datetime.fromisoformat(third["admission"]["at"]) == datetime.fromisoformat(early["scanned_at"])
    assert await upload(api, demo.device(1), late) == [first], "an answer that was given stays"


async def test_two_doors_that_both_let_somebody_in_are_a_conflict(api: httpx.AsyncClient, demo: Demo) -> None:
    await upload(api, demo.device(1), scan(demo.badge(), minutes_ago=60))
    (second,) = await upload(api, demo.device(2), scan(demo.badge(), minutes_ago=50))
    assert told(second) == ("already_admitted", True)
    assert second["admission"]["device"] == demo.file.devices[1].name


async def test_the_same_scanner_twice_is_no_conflict(api: httpx.AsyncClient, demo: Demo) -> None:
    scans = [scan(demo.badge(), minutes_ago=minutes) for minutes in (60, 59)]
    answers = await upload(api, demo.device(1), *scans)
    assert [told(answer) for answer in answers] == [("admitted", False), ("already_admitted", False)]


async def test_a_person_may_leave_and_come_back_offline(api: httpx.AsyncClient, demo: Demo) -> None:
    code = demo.badge()
    answers = await upload(
        api,
        demo.device(1),
        scan(code, minutes_ago=30),
        scan(code, minutes_ago=40, direction="exit"),
        scan(code, minutes_ago=60),
    )
    assert [answer["outcome"] for answer in answers] == ["admitted", "exited", "admitted"]
    assert (await ask(api, demo.device(2), code))["outcome"] == "already_admitted"


async def test_what_was_answered_online_is_never_revised(api: httpx.AsyncClient, demo: Demo) -> None:
    body = {"scan_id": "online-1", "list": "main", "code": demo.badge()}
    online = (await api.post("/checkins", json=body, headers=bearer(demo.device(0)))).json()
    (offline,) = await upload(api, demo.device(1), scan(demo.badge(), minutes_ago=60))
    again = (await api.post("/checkins", json=body, headers=bearer(demo.device(0)))).json()

    assert online["outcome"] == "admitted"
    assert told(offline) == ("admitted", True)
    assert again == online


async def test_a_clock_is_believed_between_the_last_sync_and_the_arrival(api: httpx.AsyncClient, demo: Demo) -> None:
    synced = (NOW - timedelta(minutes=30)).isoformat()
    before, within, after = await upload(
        api,
        demo.device(1),
        scan(demo.badge(0), minutes_ago=60, synced_at=synced),
        scan(demo.badge(1), minutes_ago=10, synced_at=synced),
        scan(demo.badge(2), minutes_ago=-3 * 24 * 60, synced_at=synced),
    )
    assert (before["clock"], within["clock"], after["clock"]) == ("behind", None, "ahead")
    assert datetime.fromisoformat(before["admission"]["at"]) == datetime.fromisoformat(synced)
    assert datetime.fromisoformat(after["admission"]["at"]) <= datetime.now(UTC)


async def test_a_scan_asked_online_and_decided_locally_is_one_scan(api: httpx.AsyncClient, demo: Demo) -> None:
    body = {"scan_id": "lost-answer", "list": "main", "code": demo.badge()}
    online = (await api.post("/checkins", json=body, headers=bearer(demo.device(0)))).json()
    (merged,) = await upload(api, demo.device(0), {**body, "decided": "admitted"})
    assert merged == online


async def test_a_refusal_that_never_arrived_and_a_person_let_in_is_a_conflict(
    api: httpx.AsyncClient, demo: Demo
) -> None:
    await ask(api, demo.device(0), demo.badge())
    body = {"scan_id": "lost-refusal", "list": "main", "code": demo.badge()}
    online = (await api.post("/checkins", json=body, headers=bearer(demo.device(1)))).json()
    (merged,) = await upload(api, demo.device(1), {**body, "decided": "admitted"})
    assert told(online) == ("already_admitted", False)
    assert told(merged) == ("already_admitted", True)
    assert (await api.post("/checkins", json=body, headers=bearer(demo.device(1)))).json() == online


async def test_conflicts_are_listed_told_and_resolved(api: httpx.AsyncClient, demo: Demo) -> None:
    organizer = bearer(demo.file.organizer_token)
    await upload(api, demo.device(1), scan(demo.badge(), minutes_ago=60))
    await upload(api, demo.device(2), scan(demo.badge(), minutes_ago=50))

    async def conflicts() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.get("/checkins/conflicts", headers=organizer)).json()["conflicts"]
        return found

    found: list[dict[str, Any]] = []
    while not found:
        found = await conflicts()
    (conflict,) = found
    assert conflict["kind"] == "double_admission"
    assert (conflict["first_device"], conflict["device"]) == tuple(demo.file.devices[n].name for n in (1, 2))
    await upload(api, demo.device(1), scan(demo.badge(), minutes_ago=55, direction="exit"))
    while found:
        found = await conflicts()
