"""What really goes over the wire is as the AsyncAPI document describes it: every frame, every kind of event, both ways."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft7Validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.access.actions import create_organizer, revoke
from server.config import Settings
from server.db import Database, open_database
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from server.event.reader import EVERY_LANGUAGE
from server.interchange.programme import Kind, Programme
from server.live import gateway as gateway_module
from server.live.heartbeat import Heart
from server.live.protocol import HEARTBEAT_SECONDS
from server.schedule.actions import MOST_TOLD
from server.schedule.import_actions import import_programme
from tests.conftest import Demo, bearer, running_api, running_gateway
from tests.contract.frames import DOCUMENT, FRAMES, channels_by_kind, faults, name_of
from tests.contract.published import CHANGES, NEW_THINGS, tokens_of
from tests.databases import TEMPLATE, new_database
from tests.waiting import PATIENCE, until

Frame = dict[str, Any]
ADDRESS = DOCUMENT["channels"]["live"]["address"].replace("{event}", SLUG)
STREAM = DOCUMENT["channels"]["stream"]["address"].replace("{event}", SLUG)
DESCRIBED = {(channel, kind) for kind, channels in channels_by_kind().items() for channel in channels}
FIELDS = Draft7Validator(DOCUMENT["channels"]["stream"]["x-server-sent-events"])


class World:
    """The sample event, its API, its feed, and all that was heard there."""

    def __init__(
        self,
        api: httpx.AsyncClient,
        db: Database,
        event_id: UUID,
        demo: Demo,
        settings: Settings,
        feed: str,
        heart: Heart,
    ) -> None:
        self.api = api
        self.db = db
        self.event_id = event_id
        self.demo = demo
        self.settings = settings
        self.feed = feed
        self.heart = heart
        self.heard: list[Frame] = []
        self._numbers = itertools.count(1)

    async def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        headers = bearer(self.demo.file.organizer_token if token is None else token)
        response = await self.api.request(method, path, json=body, headers=headers)
        assert response.status_code < 400, response.text
        return response.json() if response.content else None

    async def scan(self, token: str, code: str, minutes_ago: float) -> None:
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        scan = {"scan_id": f"frames-{next(self._numbers)}", "list": "main", "code": code, "scanned_at": at.isoformat()}
        await self.ask("POST", "/checkins/batch", {"scans": [scan]}, token)

    async def ticket(self, token: str) -> str:
        return str((await self.ask("POST", "/live/ticket", token=token))["ticket"])

    def names(self) -> set[str]:
        return {name_of(frame) for frame in self.heard}

    def told(self) -> set[tuple[str, str]]:
        """The channels, without their audiences, and the kinds of the events that were heard on them."""
        return {(one["channel"].partition(":")[0], one["kind"]) for one in self.heard if one["type"] == "event"}

    async def listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.heard.append(json.loads(message))

    async def beat(self) -> None:
        """A whole turn of the wheel."""
        await until(lambda: self.heart._places)
        for _ in range(HEARTBEAT_SECONDS):
            list(self.heart.tick())


@asynccontextmanager
async def listening(world: World, token: str, *channels: Frame) -> AsyncIterator[ClientConnection]:
    """A websocket on some channels; what it hears is noted."""
    async with connect(world.feed.partition("/v1/")[0] + ADDRESS, proxy=None, max_queue=None) as socket:
        hello = {"type": "hello", "version": 1, "ticket": await world.ticket(token), "channels": list(channels)}
        assert faults(hello) == []
        await socket.send(json.dumps(hello))
        before = len(world.heard)
        task = asyncio.create_task(world.listen(socket))
        try:
            await until(lambda: len(world.heard) > before)
            yield socket
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def world(postgres: str, template: Demo, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    hearts: list[Heart] = []

    class Seen(Heart):
        def __init__(self) -> None:
            super().__init__()
            hearts.append(self)

    monkeypatch.setattr(gateway_module, "Heart", Seen)
    async with new_database(postgres, template=TEMPLATE) as url, open_database(url, size=2, name="test") as db:
        async with db.read() as connection:
            event = await get_event_by_slug(connection, SLUG)
        assert event is not None
        settings = Settings(database_url=url, data_dir=tmp_path, durable=False, drain_seconds=0.05)
        async with running_api(settings) as base, running_gateway(settings) as feed:
            await until(lambda: hearts)
            async with httpx.AsyncClient(base_url=base, timeout=30) as api:
                yield World(api, db, event.event_id, template, settings, feed, hearts[0])


async def announce(world: World) -> None:
    """One that is changed and withdrawn, and one that expires."""
    made = await world.ask(
        "POST", "/announcements", {"title": {"fr": "Le déjeuner"}, "audience": "staff", "urgent": True}
    )
    await world.ask("PATCH", f"/announcements/{made['id']}", {"body": {"fr": "Hall B", "ar": "القاعة ب"}})
    await world.ask("DELETE", f"/announcements/{made['id']}")
    soon = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    await world.ask("POST", "/announcements", {"title": {"fr": "Départ du car"}, "expires_at": soon})


async def change_what_organizers_change(world: World) -> None:
    """The programme, a speaker's registration and badge, keys and lists."""
    sessions = (await world.ask("GET", "/schedule"))["sessions"]
    session = next(one for one in sessions if one["speaker_ids"])
    person, speaker = f"/attendees/{world.demo.attendees[0]['id']}", session["speaker_ids"][0]
    for change in ({"speaker_id": speaker}, {"cancelled": True}, {"cancelled": False}):
        await world.ask("PATCH", person, change)
    await world.ask("POST", f"{person}/badge")
    await world.ask("PATCH", f"/sessions/{session['id']}", {"title": {"fr": "Un autre titre", "ar": "عنوان آخر"}})
    await world.ask("PATCH", f"/speakers/{speaker}", {"bio": {"en": "Grows strawberries."}})
    await world.ask("POST", "/speakers", {"name": {"fr": "Une autre"}})
    await world.ask("POST", "/badge-keys")
    await world.ask("POST", "/checkins/lists", {"key": "atelier", "name": {"fr": "Atelier"}, "capacity": 20})


async def change_the_programme(world: World) -> None:
    """Each sort of thing comes, changes and goes; a draft is released; a file brings more than can be told."""
    for noun, new in NEW_THINGS.items():
        path = f"/{noun.lower()}s"
        made = await world.ask("POST", path, new)
        await world.ask(
            "PATCH", f"{path}/{made['id']}", {"name": {"fr": "Autre"}} if noun != "Session" else CHANGES[noun]
        )
        if noun == "Session":
            speaks = {"speaker_id": (await world.ask("POST", "/speakers", NEW_THINGS["Speaker"]))["id"]}
            await world.ask("PATCH", f"/attendees/{world.demo.attendees[0]['id']}", speaks)
            await world.ask("DELETE", f"{path}/{made['id']}")
            made = await world.ask("POST", path, new | {"speaker_ids": [speaks["speaker_id"]]})
        await world.ask("DELETE", f"{path}/{made['id']}")
    await world.ask("POST", "/draft/rooms", NEW_THINGS["Room"])
    await world.ask("POST", "/draft/release", {"name": "1.1"})
    many = [Kind(key=f"kind-{number}", name={"fr": f"Genre {number}"}) for number in range(MOST_TOLD + 1)]
    programme = Programme(title={"fr": "Forum"}, timezone="Africa/Casablanca", kinds=tuple(many))
    async with world.db.read() as connection:
        event = await get_event_by_slug(connection, SLUG)
    assert event is not None
    await import_programme(world.db, event, programme, reader=EVERY_LANGUAGE)


async def change_devices(world: World) -> None:
    """Gates and devices come, change and go; a phone is paired; tokens end."""
    gate = (await world.ask("POST", "/gates", {"name": "Porte Sud"}))["id"]
    await world.ask("PATCH", f"/gates/{gate}", {"name": "Porte Nord"})
    made = await world.ask("POST", "/devices", {"name": "Scanner 99", "gate": "Porte Océan"})
    await world.ask("PATCH", f"/devices/{made['device']['id']}", {"name": "Scanner 100"})
    await world.ask("POST", "/devices/pair", {"code": made["pairing"]["code"]})
    await world.ask("DELETE", f"/devices/{made['device']['id']}")
    await world.ask("DELETE", f"/gates/{gate}")
    await revoke(world.db, world.event_id, await create_organizer(world.db, world.event_id, name="Second"))
    await revoke(world.db, world.event_id, world.demo.file.exhibitors[0].token)


async def pass_the_doors(world: World) -> None:
    """Somebody comes in, and somebody is let in at two doors that are offline."""
    await world.scan(world.demo.device(1), world.demo.badge(), 60)
    await world.scan(world.demo.device(2), world.demo.badge(1), 60)
    await world.scan(world.demo.device(1), world.demo.badge(1), 50)


async def hear_everything(world: World) -> list[Frame]:
    """Every frame that a server sends and every kind of event, each provoked by what people do."""
    names = ("announcements", "announcements:staff", "schedule", "checkin", "occupancy")
    async with listening(world, world.demo.file.organizer_token, *({"name": name} for name in names)) as socket:
        await announce(world)
        await change_what_organizers_change(world)
        await change_the_programme(world)
        await change_devices(world)
        await pass_the_doors(world)
        await until(lambda: not {each for each in DESCRIBED if each[0] != "me"} - world.told())
        await world.ask("DELETE", "/checkins/lists/atelier")
        await until(lambda: any(one["type"] == "state" and one["data"] is None for one in world.heard))
        await world.beat()
        await until(lambda: "heartbeat" in world.names())
        await socket.send(json.dumps({"type": "subscribe", "channels": [{"name": "leads"}]}))
        await until(lambda: any(one.get("channels", [{}])[0].get("name") == "leads" for one in world.heard))
    token = world.demo.attendees[0]["token"]
    epoch = (await world.ask("GET", "/feed/me", token=token))["epoch"]
    async with listening(world, token, {"name": "me", "epoch": epoch, "seq": 0}):
        await until(lambda: not DESCRIBED - world.told())
    return world.heard


async def test_whatever_is_heard_is_as_described(world: World) -> None:
    """A kind that nobody provokes makes it wait in vain: add what people do to `hear_everything`."""
    heard = await hear_everything(world)
    assert [fault for frame in heard for fault in faults(frame)] == []
    assert world.told() == DESCRIBED
    assert {"ready", "state", "heartbeat"} <= world.names()
    assert noticed(heard) == []


def noticed(heard: list[Frame]) -> list[str]:
    """Broken variants of real frames that the document lets pass."""
    missed = []
    fullest = sorted(heard, key=lambda frame: frame.get("data") is not None)
    for frame in {name_of(frame): frame for frame in fullest}.values():
        variants = {"one member more": frame | {"extra": 1}}
        for member in frame:
            variants[f"without {member}"] = {name: value for name, value in frame.items() if name != member}
            if member not in {"data", "type"}:
                variants[f"{member} of another type"] = frame | {member: {"wrong": []}}
        if isinstance(frame.get("data"), dict):
            variants["one member more in data"] = frame | {"data": frame["data"] | {"extra": 1}}
            for member in frame["data"]:
                data = copy.deepcopy(frame["data"])
                variants[f"data without {member}"] = frame | {"data": {n: v for n, v in data.items() if n != member}}
        optional = {"data without attendee_ids"}
        missed += [
            f"{name_of(frame)} {name}"
            for name, variant in variants.items()
            if name not in optional and not faults(variant)
        ]
    return missed


async def test_a_good_bye_is_as_described(world: World) -> None:
    async with AsyncExitStack() as stack:
        async with running_gateway(world.settings) as feed:
            socket = await stack.enter_async_context(connect(feed, proxy=None))
            await socket.send(json.dumps({"type": "hello", "version": 1, "channels": [{"name": "schedule"}]}))
            assert faults(json.loads(await socket.recv())) == []
        bye = json.loads(await socket.recv())
        assert (bye["type"], faults(bye)) == ("bye", [])
        with pytest.raises(ConnectionClosed) as ending:
            await socket.recv()
        assert ending.value.rcvd is not None
        assert ending.value.rcvd.code == bye["code"]
    assert noticed([bye]) == []


async def messages(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """A stream's messages, field by field."""
    text = ""
    async for part in response.aiter_text():
        *whole, text = (text + part).split("\n\n")
        for message in whole:
            yield dict(line.partition(": ")[::2] for line in message.split("\n"))


async def first(response: httpx.Response) -> Frame:
    """The first frame, which is `ready`."""
    async for message in messages(response):
        if "data" in message:
            frame: Frame = json.loads(message["data"])
            return frame
    raise EOFError


async def test_a_stream_is_as_described(world: World) -> None:
    """Its fields and the frames in them, a reader's coming back, and its good-bye."""
    asked = DOCUMENT["components"]["messages"]["open"]["headers"]["properties"]
    parameters = DOCUMENT["operations"]["openStream"]["bindings"]["http"]["query"]["properties"]
    url = world.feed.partition("/v1/")[0].replace("ws://", "http://") + STREAM
    headers = {"Authorization": f"Bearer {await world.ticket(world.demo.device(4))}"}
    seen: list[dict[str, str]] = []
    async with (
        world.api.stream("GET", url, headers=headers, params={"channels": "checkin,occupancy"}) as response,
        asyncio.timeout(PATIENCE),
        aclosing(messages(response)) as found,
    ):
        seen += [await anext(found), await anext(found)]
        await pass_the_doors(world)
        while {"event", "state"} - {one.get("event") for one in seen}:
            seen.append(await anext(found))
        await world.beat()
        await revoke(world.db, world.event_id, world.demo.device(4))
        seen += [one async for one in found]
    assert [error.message for one in seen for error in FIELDS.iter_errors(one)] == []
    assert "retry" in seen.pop(0)
    assert [fault for one in seen for fault in faults(json.loads(one["data"]))] == []
    assert all(json.loads(one["data"])["type"] == one["event"] for one in seen)
    assert {one["event"] for one in seen} == {*FRAMES, "event"}
    assert seen[-1]["event"] == "bye"
    assert json.loads(seen[-1]["data"])["code"] == 4501
    place = next(one["id"] for one in reversed(seen) if "id" in one)
    assert re.match(asked["Last-Event-ID"]["pattern"], place)
    assert re.match(asked["Authorization"]["pattern"], headers["Authorization"])
    again = {"Authorization": f"Bearer {await world.ticket(world.demo.device(5))}", "Last-Event-ID": place}
    async with world.api.stream("GET", url, headers=again, params={"channels": "checkin"}) as response:
        ready = await first(response)
    assert ready["channels"][0]["resumed"] is True
    async with world.api.stream("GET", url) as response:
        ready = await first(response)
    assert [one["name"] for one in ready["channels"]] == parameters["channels"]["default"].split(",")
    assert list(FIELDS.iter_errors({"event": "shout", "data": ""}))
    assert list(FIELDS.iter_errors({"event": "event"}))
    assert list(FIELDS.iter_errors({"retry": "1000", "data": ""}))
    assert list(FIELDS.iter_errors({"event": "event", "id": "announcements=7", "data": ""}))


async def test_exactly_those_may_read_a_channel_whom_the_document_names(world: World) -> None:
    """Asked with a real token of each kind; the attendee speaks, and has the type of ticket that is asked for."""
    attendee = world.demo.attendees[0]
    async with world.db.tx() as tx:
        await tx.execute(
            "UPDATE attendee SET speaker_id = (SELECT speaker_id FROM speaker ORDER BY 1 LIMIT 1) WHERE attendee_id = $1",
            UUID(attendee["id"]),
        )
    tokens = {"anybody": "", **tokens_of(world.demo)}
    for channel in DOCUMENT["x-feed-channels"]:
        name = channel["name"].replace("{ticket_type}", attendee["ticket"]).replace("{track_id}", str(uuid.UUID(int=7)))
        path = channel["read"].partition("{event}")[2].replace("{channel}", name)
        allowed = set()
        for kind, token in tokens.items():
            response = await world.api.get(path, headers=bearer(token) if token else {})
            # A track that is not there has no log: whoever may ask is told that.
            assert response.status_code in {200, 401, 403, 404}, response.text
            if response.status_code in {200, 404}:
                allowed.add(kind)
        assert allowed == (tokens.keys() if channel["readers"] == ["anybody"] else set(channel["readers"])), name
