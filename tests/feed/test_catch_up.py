"""Reading a channel over HTTP: page by page to its end, and never on from a position that is no longer one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from server.db import Database
from server.feed import emit, queries
from tests.conftest import Demo, bearer


async def fill(db: Database, event_id: UUID, count: int, channel: str = "announcements") -> str:
    """Appends events; returns the channel's epoch."""
    async with db.tx() as tx:
        for number in range(count):
            await emit(tx, event_id, channel=channel, kind="test.happened", data={"number": number})
        position = await queries.get_position(tx, event_id, channel=channel)
    assert position is not None
    return position.epoch


async def read(api: httpx.AsyncClient, channel: str = "announcements", **parameters: Any) -> httpx.Response:
    return await api.get(f"/feed/{channel}", params=parameters)


def seqs(page: dict[str, Any]) -> list[int]:
    return [event["seq"] for event in page["events"]]


async def test_an_empty_channel_has_an_end_at_zero(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 0)
    response = await read(api)
    assert response.status_code == 200
    assert response.json() == {"channel": "announcements", "epoch": epoch, "seq": 0, "events": [], "more": False}


async def test_an_event_has_the_shape_it_has_on_the_socket(
    api: httpx.AsyncClient, db: Database, event_id: UUID
) -> None:
    await fill(db, event_id, 1)
    (event,) = (await read(api)).json()["events"]
    assert list(event) == ["type", "channel", "seq", "id", "at", "kind", "data"]
    assert event["type"] == "event"
    assert event["data"] == {"number": 0}


async def test_pages_make_the_whole(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 7)
    for limit, pages in ((1, 7), (3, 3), (6, 2), (7, 1), (500, 1)):
        collected: list[int] = []
        for number in range(1, pages + 1):
            page = (await read(api, epoch=epoch, after=len(collected), limit=limit)).json()
            collected += seqs(page)
            assert (page["seq"], page["more"]) == (7, number < pages)
        assert collected == list(range(1, 8))


async def test_a_page_begins_after_the_position_given(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 5)
    assert seqs((await read(api, after=3, epoch=epoch)).json()) == [4, 5]
    at_the_end = (await read(api, after=5, epoch=epoch)).json()
    assert (at_the_end["events"], at_the_end["more"]) == ([], False)


async def test_a_page_is_of_moderate_length_unless_asked_otherwise(
    api: httpx.AsyncClient, db: Database, event_id: UUID
) -> None:
    await fill(db, event_id, 201)
    page = (await read(api)).json()
    assert (len(page["events"]), page["more"]) == (200, True)


async def test_a_position_of_another_log_is_gone(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 5)
    for wrong in (
        {"epoch": "another"},
        {"epoch": ""},
        {"epoch": epoch, "after": 6},
        {"after": 6},
        {"after": 2**63 - 1},
    ):
        response = await read(api, **wrong)
        assert response.status_code == 410, wrong
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "feed.epoch"
        assert response.headers["cache-control"] == "no-store", "a proxy must not tell it to those who come later"


async def test_the_door_s_channel_is_read_with_the_token_of_somebody_at_the_door(
    api: httpx.AsyncClient, demo: Demo, db: Database, event_id: UUID
) -> None:
    async with db.tx() as tx:
        await emit(tx, event_id, channel="checkin", kind="device.created", data={})
    strangers = [
        (None, 401),
        ("dn_dev_x", 401),
        (demo.attendees[0]["token"], 403),
        (demo.file.exhibitors[0].token, 403),
    ]
    for token, status in strangers:
        response = await api.get("/feed/checkin", headers=bearer(token) if token else {})
        assert response.status_code == status, token
    for token in (demo.device(), demo.file.organizer_token):
        response = await api.get("/feed/checkin", headers=bearer(token))
        assert [event["kind"] for event in response.json()["events"]] == ["device.created"]
        assert response.headers["cache-control"].startswith("private")


async def test_a_channel_that_does_not_exist_is_unknown(api: httpx.AsyncClient) -> None:
    for channel in ("no-such-channel", "announcements:vip", "me:1", "leads:1", "occupancy", "%00", "ANNOUNCEMENTS"):
        response = await read(api, channel)
        assert (response.status_code, response.json()["code"]) == (404, "feed.unknown_channel"), channel


async def test_an_open_channel_without_a_log_is_unknown(api: httpx.AsyncClient, other_event_id: UUID) -> None:
    response = await api.get(str(api.base_url.copy_with(path=f"/v1/events/{other_event_id}/feed/schedule")))
    assert (response.status_code, response.json()["code"]) == (404, "feed.unknown_channel")


async def test_an_unknown_event_is_unknown(api: httpx.AsyncClient) -> None:
    response = await api.get(str(api.base_url.copy_with(path="/v1/events/nowhere/feed/schedule")))
    assert (response.status_code, response.json()["code"]) == (404, "event.unknown")


async def test_another_event_s_log_stays_its_own(
    api: httpx.AsyncClient, db: Database, event_id: UUID, other_event_id: UUID
) -> None:
    await fill(db, event_id, 2)
    await fill(db, other_event_id, 3)
    assert len((await read(api)).json()["events"]) == 2
    other = await api.get(str(api.base_url.copy_with(path=f"/v1/events/{other_event_id}/feed/announcements")))
    assert len(other.json()["events"]) == 3


async def test_a_parameter_that_makes_no_sense_is_named(api: httpx.AsyncClient) -> None:
    wrong_values: dict[str, tuple[Any, ...]] = {"after": (-1, 2**63, "x", 1.5), "limit": (0, 501, -1, "", "ten")}
    for name, values in wrong_values.items():
        for value in values:
            response = await read(api, **{name: value})
            assert response.status_code == 422, (name, value)
            assert (response.json()["code"], response.json()["field"]) == ("request.invalid", name)


async def test_what_stays_as_it_is_may_be_kept_longer(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 5)
    for parameters, kept in (
        ({"epoch": epoch, "limit": 2}, 60),
        ({"epoch": epoch, "after": 2, "limit": 2}, 60),
        ({"epoch": epoch, "after": 3, "limit": 2}, 1),
        ({"epoch": epoch}, 1),
        ({"limit": 2}, 1),  # without its epoch a page may become another one
    ):
        response = await read(api, **parameters)
        assert response.headers["cache-control"].partition(", stale")[0] == f"public, max-age={kept}", parameters


async def test_nobody_needs_a_token(api: httpx.AsyncClient) -> None:
    assert (await api.get("/feed/schedule", headers={"Authorization": "Bearer nonsense"})).status_code == 200


async def test_who_has_the_end_is_told_when_it_has_moved(api: httpx.AsyncClient, db: Database, event_id: UUID) -> None:
    epoch = await fill(db, event_id, 2)
    first = await read(api, epoch=epoch)
    held = {"If-None-Match": first.headers["etag"]}
    again = await api.get("/feed/announcements", params={"epoch": epoch}, headers=held)
    assert (again.status_code, again.content) == (304, b"")
    await fill(db, event_id, 1)
    moved = await api.get("/feed/announcements", params={"epoch": epoch}, headers=held)
    assert (moved.status_code, seqs(moved.json())) == (200, [1, 2, 3])


async def test_a_proxy_may_keep_what_everybody_may_read(
    api: httpx.AsyncClient, db: Database, event_id: UUID, demo: Demo
) -> None:
    epoch = await fill(db, event_id, 3)
    end, middle = await read(api, epoch=epoch), await read(api, epoch=epoch, limit=2)
    assert end.headers["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
    assert middle.headers["cache-control"] == "public, max-age=60"
    assert "vary" not in end.headers
    for channel in ("me", "checkin", "announcements:staff"):
        own = await api.get(f"/feed/{channel}", headers=bearer(demo.device()))
        assert own.headers["cache-control"].startswith("private, ")
        assert own.headers["vary"] == "Authorization"
