"""The organizer speaks and changes the programme; everybody hears the same, on the socket and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.conftest import Demo, bearer

Json = dict[str, Any]
PATIENCE = 15
"""Seconds after which an event that should have come is reported as missing."""


class Listener:
    """An app's feed."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def next(self, kind: str) -> Json:
        """The next frame but heartbeats, which is of this type."""
        while True:
            async with asyncio.timeout(PATIENCE):
                frame: Json = json.loads(await self._socket.recv())
            if frame["type"] != "heartbeat":
                assert frame["type"] == kind, frame
                return frame

    async def hello(self, *channels: Json, ticket: str | None = None) -> list[Json]:
        await self._socket.send(json.dumps({"type": "hello", "version": 1, "ticket": ticket, "channels": channels}))
        entered: list[Json] = (await self.next("ready"))["channels"]
        return entered


@asynccontextmanager
async def listening(live: str) -> AsyncIterator[Listener]:
    async with connect(live, compression=None, proxy=None) as socket:
        yield Listener(socket)


async def announce(api: httpx.AsyncClient, demo: Demo, number: int) -> Json:
    body = {
        "title": {"fr": f"Annonce {number}", "ar": f"إعلان {number}", "en": f"Announcement {number}"},
        "body": {"fr": "La séance reprend."},
        "urgent": number % 2 == 0,
    }
    response = await api.post("/announcements", json=body, headers=bearer(demo.file.organizer_token))
    assert response.status_code == 201, response.text
    published: Json = response.json()
    return published


async def change(api: httpx.AsyncClient, demo: Demo, session: str, **fields: Any) -> Json:
    response = await api.patch(f"/sessions/{session}", json=fields, headers=bearer(demo.file.organizer_token))
    assert response.status_code == 200, response.text
    changed: Json = response.json()
    return changed


async def read_schedule(api: httpx.AsyncClient) -> Json:
    schedule: Json = (await api.get("/schedule", params={"lang": "*"})).json()
    return schedule


def from_position(position: Json) -> Json:
    return {"name": position["channel"], "epoch": position["epoch"], "seq": position["seq"]}


async def test_everybody_hears_an_announcement_and_reads_the_same_later(
    api: httpx.AsyncClient, live: str, demo: Demo
) -> None:
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(listening(live)) for _ in range(5)]
        for listener in listeners:
            await listener.hello({"name": "announcements"})
        published = [await announce(api, demo, number) for number in (1, 2, 3)]
        heard = [[await listener.next("event") for _ in published] for listener in listeners]
    page = (await api.get("/feed/announcements")).json()
    listed = (await api.get("/announcements", params={"lang": "*"})).json()["announcements"]

    assert all(events == page["events"] for events in heard)
    assert [event["seq"] for event in page["events"]] == [one["seq"] for one in published] == [1, 2, 3]
    assert {event["kind"] for event in page["events"]} == {"announcement.published"}
    bodies = [{name: value for name, value in one.items() if name != "seq"} for one in published]
    assert [event["data"] for event in page["events"]] == bodies
    assert listed == bodies[::-1]


async def test_who_was_away_catches_up_and_goes_on(api: httpx.AsyncClient, live: str, demo: Demo) -> None:
    """Over HTTP up to a position, and from exactly there over the socket."""
    event = (await api.get("")).json()
    before = next(position for position in event["channels"] if position["channel"] == "announcements")
    assert before["seq"] == 0
    for number in range(1, 6):
        await announce(api, demo, number)
    page = (await api.get("/feed/announcements", params={"epoch": before["epoch"], "after": 0, "limit": 3})).json()
    assert ([one["seq"] for one in page["events"]], page["more"]) == ([1, 2, 3], True)
    async with listening(live) as listener:
        (entered,) = await listener.hello({"name": "announcements", "epoch": page["epoch"], "seq": 3})
        assert (entered["resumed"], entered["reason"]) == (True, None)
        await announce(api, demo, 6)
        assert [(await listener.next("event"))["seq"] for _ in range(3)] == [4, 5, 6]


async def test_an_announcement_that_is_refused_is_heard_by_nobody(
    api: httpx.AsyncClient, live: str, demo: Demo
) -> None:
    async with listening(live) as listener:
        await listener.hello({"name": "announcements"})
        refused = await api.post(
            "/announcements",
            json={"title": {"fr": "Trop tard"}, "expires_at": "2001-01-01T00:00:00Z"},
            headers=bearer(demo.file.organizer_token),
        )
        assert refused.status_code == 422
        forbidden = await api.post(
            "/announcements", json={"title": {"fr": "Moi"}}, headers=bearer(demo.attendees[0]["token"])
        )
        assert forbidden.status_code == 403
        await announce(api, demo, 1)
        heard = await listener.next("event")
        assert (heard["seq"], heard["data"]["title"]["fr"]) == (1, "Annonce 1")


async def test_an_audience_hears_the_whole_life_of_what_is_for_it(
    api: httpx.AsyncClient, live: str, demo: Demo
) -> None:
    """From the list, which says how far the feed had come: scheduled, gone out, edited, expired; and withdrawn."""
    organizer, device = bearer(demo.file.organizer_token), bearer(demo.device())
    ticket = (await api.post("/live/ticket", headers=device)).json()["ticket"]
    listed = (await api.get("/announcements", params={"audience": "staff"}, headers=device)).json()
    async with listening(live) as scanner, listening(live) as stranger:
        (refused,) = await stranger.hello({"name": "announcements:staff"})
        assert (refused["resumed"], refused["reason"]) == (False, "forbidden")
        await scanner.hello(from_position(listed["feed"][0]), ticket=ticket)
        soon = datetime.now(UTC) + timedelta(seconds=1)
        later = {"publish_at": soon.isoformat(), "expires_at": (soon + timedelta(hours=1)).isoformat()}
        body = {"title": {"fr": "Portes à 9 h"}, "audience": "staff", **later}
        made = (await api.post("/announcements", json=body, headers=organizer)).json()
        place = f"/announcements/{made['id']}"
        assert (made["status"], made["seq"]) == ("scheduled", None)
        heard = [await scanner.next("event")]
        await api.patch(place, json={"title": {"fr": "Portes à 8 h"}}, headers=organizer)
        heard.append(await scanner.next("event"))
        ends = datetime.now(UTC) + timedelta(seconds=1)
        await api.patch(place, json={"expires_at": ends.isoformat()}, headers=organizer)
        heard += [await scanner.next("event") for _ in range(2)]
        body = {"title": {"fr": "Erreur"}, "audience": "staff"}
        wrong = (await api.post("/announcements", json=body, headers=organizer)).json()
        await api.delete(f"/announcements/{wrong['id']}", headers=organizer)
        heard += [await scanner.next("event") for _ in range(2)]
    kinds = [event["kind"].removeprefix("announcement.") for event in heard]
    assert kinds == ["published", "edited", "edited", "expired", "published", "withdrawn"]
    assert [event["seq"] for event in heard] == [1, 2, 3, 4, 5, 6]
    assert heard[1]["data"]["title"] == {"fr": "Portes à 8 h"}
    assert [heard[3]["data"], heard[5]["data"]] == [{"id": made["id"]}, {"id": wrong["id"]}]


async def test_a_changed_session_arrives_with_old_and_new_values(api: httpx.AsyncClient, live: str, demo: Demo) -> None:
    schedule = await read_schedule(api)
    session = next(one for one in schedule["sessions"] if one["room_id"])
    room = next(one["id"] for one in schedule["rooms"] if one["id"] != session["room_id"])
    async with listening(live) as listener:
        await listener.hello(from_position(schedule["feed"]))
        answer = await change(api, demo, session["id"], room_id=room, title={"fr": "Nouveau titre"})
        await change(api, demo, session["id"], room_id=room)  # changes nothing, so nobody is told
        await change(api, demo, session["id"], status="cancelled")
        first, second = [await listener.next("event") for _ in range(2)]

    assert (first["channel"], first["kind"], first["seq"]) == (
        "schedule",
        "session.changed",
        schedule["feed"]["seq"] + 1,
    )
    data = first["data"]
    rooms = {one["id"]: one for one in schedule["rooms"]}
    names = {"old_names": [rooms[session["room_id"]]["name"]], "new_names": [rooms[room]["name"]]}
    assert (data["version"], data["session"], data["room"]) == (schedule["version"] + 1, answer, rooms[room])
    assert data["changed"] == {
        "room_id": {"old": session["room_id"], "new": room, **names},
        "title": {"old": session["title"], "new": {"fr": "Nouveau titre"}},
        "status": {"old": "scheduled", "new": "moved"},
    }
    assert set(data["sentence"]) == {"fr", "ar", "en"}
    assert rooms[room]["name"]["ar"] in data["sentence"]["ar"]
    assert second["seq"] == first["seq"] + 1
    assert second["data"]["changed"] == {"status": {"old": "moved", "new": "cancelled"}}


async def test_who_has_just_read_the_programme_goes_on_from_there(
    api: httpx.AsyncClient, live: str, demo: Demo
) -> None:
    """However new the snapshot: a gateway that has not heard of the change yet does not send anybody away."""
    async with listening(live) as first:
        await first.hello({"name": "schedule"})
    sessions = (await read_schedule(api))["sessions"]
    for number, session in enumerate(sessions[:8]):
        await change(api, demo, session["id"], title={"fr": f"Titre {number}"})
        schedule = await read_schedule(api)
        assert schedule["feed"]["seq"] == number + 1
        async with listening(live) as listener:
            (entered,) = await listener.hello(from_position(schedule["feed"]))
            assert (entered["resumed"], entered["reason"]) == (True, None)
