"""The first frames: who one is, which channels one enters, and from where."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from server.auth import Kind
from server.config import Settings
from server.db import Database
from server.feed import queries as feed_queries
from server.live import relay
from server.live.gateway import Gateway
from tests.conftest import Demo, Publish, bearer, running_gateway
from tests.live.conftest import TicketFor
from tests.sockets import at, phone
from tests.waiting import until


async def epoch_of(db: Database, event_id: UUID, channel: str = "announcements") -> str:
    async with db.read() as connection:
        position = await feed_queries.get_position(connection, event_id, channel=channel)
    assert position is not None
    return position.epoch


def joined(name: str, epoch: str | None, seq: int | None, **more: Any) -> dict[str, Any]:
    """A channel of a `ready` frame: every field is always there."""
    return {"name": name, "epoch": epoch, "seq": seq, "resumed": False, "reason": None, "catch_up": None, **more}


async def test_a_hello_is_answered_with_every_channel_s_end(
    feed: str, db: Database, event_id: UUID, publish: Publish
) -> None:
    await publish("schedule", 3)
    async with phone(feed) as client:
        ready = await client.hello("announcements", "schedule")
    assert ready == {
        "type": "ready",
        "heartbeat_seconds": 25,
        "channels": [
            joined("announcements", await epoch_of(db, event_id), 0),
            joined("schedule", await epoch_of(db, event_id, "schedule"), 3),
        ],
    }


async def test_fields_nobody_knows_yet_are_ignored(feed: str, publish: Publish) -> None:
    async with phone(feed) as client:
        await client.say(
            {
                "type": "hello",
                "version": 1,
                "app": {"os": [1]},
                "channels": [{"name": "announcements", "colour": "red"}],
            }
        )
        await client.frame("ready")
        await client.say({"type": "ack", "battery": 0.4})
        await publish()
        assert (await client.frame("event"))["seq"] == 1


async def test_a_hello_may_want_nothing_yet(feed: str, publish: Publish) -> None:
    async with phone(feed) as client:
        assert (await client.hello())["channels"] == []
        await client.say({"type": "subscribe", "channels": [{"name": "announcements"}]})
        assert (await client.frame("ready"))["channels"][0]["seq"] == 0
        await publish()
        assert (await client.frame("event"))["seq"] == 1


async def test_an_event_is_sent_to_the_letter(
    feed: str, api: httpx.AsyncClient, db: Database, event_id: UUID, publish: Publish
) -> None:
    """What the socket sends, what HTTP answers and what the table holds are the same bytes."""
    data = {
        "title": {"ar": "مرحبا «بكم»", "fr": "Été\u2028"},
        "ratio": 0.1,
        "big": 2**53 + 1,
        "nested": [None, {"a": []}],
    }
    async with phone(feed) as client:
        await client.hello("announcements")
        await publish(data=data)
        sent = await client.text()
    async with db.read() as connection:
        rows = await feed_queries.list_events_after(connection, event_id, channel="announcements", after=0, limit=10)
    assert sent == msgspec.json.encode(rows[0].to_event()).decode()
    assert sent in (await api.get("/feed/announcements")).text
    frame = msgspec.json.decode(sent)
    assert list(frame) == ["type", "channel", "seq", "id", "at", "kind", "data"]
    assert (frame["type"], frame["channel"], frame["kind"]) == ("event", "announcements", "test.happened")
    assert frame["data"] == data
    assert UUID(frame["id"]).version == 7
    assert frame["at"].endswith("Z")


@pytest.mark.parametrize("size", [0, 100, 70_000])
async def test_events_of_every_frame_size_arrive(feed: str, publish: Publish, size: int) -> None:
    async with phone(feed) as client:
        await client.hello("announcements")
        await publish(data="x" * size, count=2)
        assert [(event["seq"], event["data"]) for event in await client.events(2)] == [(1, "x" * size), (2, "x" * size)]


async def test_a_position_is_resumed_or_refused_with_a_way_to_catch_up(
    feed: str, api: httpx.AsyncClient, db: Database, event_id: UUID, publish: Publish
) -> None:
    await publish(count=8)
    epoch = await epoch_of(db, event_id)
    everything = f"/v1/events/digital-now/feed/announcements?epoch={epoch}&after=0"
    for wanted, expected, missed in (
        (at("announcements", epoch, 5), {"resumed": True}, [6, 7, 8]),
        (at("announcements", epoch, 0), {"resumed": True}, [1, 2, 3, 4, 5, 6, 7, 8]),
        (at("announcements", epoch, 8), {"resumed": True}, []),
        (at("announcements", epoch, 9), {"reason": "ahead", "catch_up": everything}, []),
        (at("announcements", "another", 5), {"reason": "epoch", "catch_up": everything}, []),
        ({"name": "announcements", "seq": 5}, {"reason": "epoch", "catch_up": everything}, []),
        ({"name": "announcements", "epoch": epoch}, {}, []),
    ):
        async with phone(feed) as client:
            ready = await client.hello(wanted)
            assert ready["channels"] == [joined("announcements", epoch, 8, **expected)], wanted
            assert [event["seq"] for event in await client.events(len(missed))] == missed
    page = (await api.get(str(api.base_url.copy_with(path="/")).rstrip("/") + everything)).json()
    assert [event["seq"] for event in page["events"]] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_position_older_than_the_ring_is_refused_and_caught_up_by_http(
    settings: Settings,
    api: httpx.AsyncClient,
    db: Database,
    event_id: UUID,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "RING_LENGTH", 5)
    await publish(count=12)
    epoch = await epoch_of(db, event_id)
    async with running_gateway(settings) as feed, phone(feed) as client:
        ready = await client.hello(at("announcements", epoch, 6))
        path = f"/v1/events/digital-now/feed/announcements?epoch={epoch}&after=6"
        assert ready["channels"] == [joined("announcements", epoch, 12, reason="too_old", catch_up=path)]
        page = (await api.get(str(api.base_url.copy_with(path="/")).rstrip("/") + path)).json()
        await publish()
        assert [event["seq"] for event in page["events"]] + [(await client.frame("event"))["seq"]] == list(range(7, 14))
        async with phone(feed) as other:
            await other.hello(at("announcements", epoch, 7))
            assert [event["seq"] for event in await other.events(6)] == list(range(8, 14))


async def test_closed_channels_are_refused_and_the_others_entered(
    feed: str, demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    cases: tuple[tuple[Kind | None, str, bool], ...] = (
        (None, "", False),
        ("attendee", demo.attendees[0]["token"], False),
        ("exhibitor", demo.file.exhibitors[0].token, False),
        ("device", demo.device(), True),
        ("organizer", demo.file.organizer_token, True),
    )
    for kind, token, allowed in cases:
        async with phone(feed) as client:
            ticket = await ticket_for(kind, token) if kind else None
            ready = await client.hello("checkin", "announcements", "no-such-channel", ticket=ticket)
            refused = joined("checkin", None, None, reason="forbidden")
            assert (ready["channels"][0] == refused) is not allowed, kind
            assert ready["channels"][1]["reason"] is None
            assert ready["channels"][2] == joined("no-such-channel", None, None, reason="forbidden")
            await publish()
            assert (await client.frame("event"))["channel"] == "announcements"


async def test_a_ticket_from_the_api_opens_the_door_s_channel(
    feed: str, api: httpx.AsyncClient, demo: Demo, publish: Publish
) -> None:
    response = await api.post("/live/ticket", headers=bearer(demo.device()))
    assert response.json()["expires_in_seconds"] == 60
    async with phone(feed) as client:
        ready = await client.hello("checkin", ticket=response.json()["ticket"])
        await publish("checkin")
        assert (await client.frame("event"))["seq"] == ready["channels"][0]["seq"] + 1


async def test_every_way_to_catch_up_that_is_named_is_answered(
    feed: str, api: httpx.AsyncClient, demo: Demo, ticket_for: TicketFor
) -> None:
    async with phone(feed) as client:
        ticket = await ticket_for("device", demo.device())
        ready = await client.hello(
            *(at(name, "old", 1) for name in ("checkin", "schedule", "announcements")), ticket=ticket
        )
    assert [channel["reason"] for channel in ready["channels"]] == ["epoch"] * 3
    for path in (channel["catch_up"] for channel in ready["channels"]):
        url = str(api.base_url.copy_with(path=path.partition("?")[0]))
        assert (await api.get(url, headers=bearer(demo.device()))).status_code == 200


async def test_a_channel_named_twice_is_read_once(feed: str, db: Database, event_id: UUID, publish: Publish) -> None:
    await publish(count=2)
    epoch = await epoch_of(db, event_id)
    async with phone(feed) as client:
        ready = await client.hello("announcements", at("announcements", epoch, 0), at("announcements", epoch, 1))
        assert len(ready["channels"]) == 3
        await publish(count=1)
        assert [event["seq"] for event in await client.events(2)] == [2, 3], "the last position given counts"


async def test_a_channel_asked_for_again_goes_on_from_the_new_position(
    feed: str, db: Database, event_id: UUID, publish: Publish
) -> None:
    epoch = await epoch_of(db, event_id)
    async with phone(feed) as client:
        await client.hello("announcements")
        await publish(count=3)
        await client.events(3)
        await client.say({"type": "subscribe", "channels": [at("announcements", epoch, 1)]})
        assert (await client.frame("ready"))["channels"][0]["resumed"] is True
        await publish()
        assert [event["seq"] for event in await client.events(3)] == [2, 3, 4]


async def test_a_channel_that_was_left_sends_nothing_until_it_is_entered_again(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, publish: Publish
) -> None:
    epoch = await epoch_of(db, event_id)
    async with phone(feed) as client:
        await client.hello("announcements", "schedule")
        await client.say({"type": "unsubscribe", "channels": [{"name": "announcements"}, {"name": "never-entered"}]})
        await client.say({"type": "subscribe", "channels": []})
        assert (await client.frame("ready"))["channels"] == []
        await publish("announcements", 2)
        log = gateways[0].relay._followed.get((event_id, "announcements"))
        assert log is not None
        await until(lambda: log.seq == 2 and not gateways[0]._pumps)
        await publish("schedule", 1)
        assert (await client.frame("event"))["channel"] == "schedule"
        await client.say({"type": "subscribe", "channels": [at("announcements", epoch, 0)]})
        await client.frame("ready")
        assert [event["seq"] for event in await client.events(2)] == [1, 2]


async def test_fifty_channels_can_be_asked_for_and_no_more(feed: str, demo: Demo, ticket_for: TicketFor) -> None:
    many = [f"channel-{number}" for number in range(51)]
    async with phone(feed) as client:
        assert len((await client.hello(*many[:50]))["channels"]) == 50
    async with phone(feed) as client:
        wanted = [{"name": name} for name in many]
        await client.say({"type": "hello", "version": 1, "channels": wanted})
        assert await client.ending() == (4502, [])
    async with phone(feed) as client:
        await client.hello("announcements", "checkin", "schedule", ticket=await ticket_for("device", demo.device()))
        await client.say({"type": "subscribe", "channels": [{"name": name} for name in many[:48]]})
        assert await client.ending() == (4502, []), "those entered before count too"
