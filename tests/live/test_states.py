"""State channels on real sockets: everybody ends with the latest values, seldom enough, and only with their own event's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import msgspec
import pytest

from server.config import Settings
from server.db import Database, Tx
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug, insert_event
from server.feed import OCCUPANCY, open_channels, queries as feed_queries, set_states, watch
from server.feed.types import StateRow
from server.ids import new_id
from server.live import gateway as gateway_module, relay as relay_module
from server.live.board import Board
from server.live.gateway import Gateway
from server.live.hub import Sink
from server.live.wire import MAX_BUFFERED
from tests.conftest import Publish, running_gateway
from tests.live.slow import BIG, ENOUGH, stuck_phone
from tests.sockets import Frame, Phone, phone
from tests.waiting import until

Put = Callable[[Mapping[str, object]], Awaitable[None]]

JOINED = {"name": "occupancy", "epoch": None, "seq": None, "resumed": False, "reason": None, "catch_up": None}
STORM = 200


@pytest.fixture
def put(db: Database, event_id: UUID) -> Put:
    """Sets values in a transaction of its own."""

    async def put(states: Mapping[str, object]) -> None:
        async with db.tx() as tx:
            await set_states(tx, event_id, OCCUPANCY, states)

    return put


@pytest.fixture
def quick_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel goes round without taking its second."""
    monkeypatch.setattr(gateway_module, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(relay_module, "BOARD_SECONDS", 0.0)


@pytest.fixture
async def other_event_id(db: Database) -> UUID:
    """Another event with the same channels."""
    async with db.tx() as tx:
        event = await get_event_by_slug(tx, SLUG)
        assert event is not None
        other = msgspec.structs.replace(event, event_id=new_id(), slug="elsewhere")
        await insert_event(tx, other)
        await open_channels(tx, other.event_id, ["announcements", OCCUPANCY])
    return other.event_id


def brief(frame: Frame) -> tuple[str, Any]:
    return frame["key"], frame["data"]


async def states(client: Phone, count: int) -> list[tuple[str, Any]]:
    """The next frames, which are states; keys and values."""
    return [brief(await client.frame("state")) for _ in range(count)]


async def until_shown(client: Phone, key: str, value: object) -> list[Frame]:
    """Everything up to the frame with this value."""
    frames = [await client.frame("state")]
    while brief(frames[-1]) != (key, value):
        frames.append(await client.frame("state"))
    return frames


async def test_who_enters_gets_the_present_values(feed: str, put: Put) -> None:
    await put({"list:main": {"inside": 1}, "list:old": {"inside": 7}})
    await put({"list:vip": {"inside": 2}})
    await put({"list:main": {"inside": 3, "capacity": None}, "list:old": None})
    async with phone(feed) as client, phone(feed) as later:
        assert (await client.hello("occupancy"))["channels"] == [JOINED]
        assert await client.frame("state") == {
            "type": "state",
            "channel": "occupancy",
            "key": "list:vip",
            "version": 2,
            "data": {"inside": 2},
        }
        assert brief(await client.frame("state")) == ("list:main", {"inside": 3, "capacity": None})
        await later.hello("announcements")
        await later.say({"type": "subscribe", "channels": [{"name": "occupancy", "epoch": "e", "seq": 5}]})
        assert (await later.frame("ready"))["channels"] == [JOINED], "a position means nothing here"
        assert [key for key, _ in await states(later, 2)] == ["list:vip", "list:main"]


@pytest.mark.usefixtures("quick_turns")
async def test_what_changes_arrives(feed: str, put: Put) -> None:
    async with phone(feed) as client:
        await client.hello("occupancy")
        await put({"a": 1, "b": 1})
        assert await states(client, 2) == [("a", 1), ("b", 1)]
        await put({"a": 1, "b": 2})
        assert await states(client, 1) == [("b", 2)]
        await put({"a": None})
        assert await states(client, 1) == [("a", None)]
        await put({"a": 1})
        assert await states(client, 1) == [("a", 1)]


@pytest.mark.usefixtures("quick_turns")
async def test_logs_and_states_share_a_connection(feed: str, put: Put, publish: Publish) -> None:
    await put({"a": 1})
    async with phone(feed) as client:
        channels = (await client.hello("announcements", "occupancy", "schedule"))["channels"]
        assert [(one["name"], one["seq"]) for one in channels] == [
            ("announcements", 0),
            ("occupancy", None),
            ("schedule", 0),
        ]
        assert await states(client, 1) == [("a", 1)]
        await publish()
        assert (await client.frame("event"))["seq"] == 1
        await put({"a": 2})
        assert await states(client, 1) == [("a", 2)]


@pytest.mark.usefixtures("quick_turns")
async def test_who_leaves_hears_nothing_more_until_it_comes_back(feed: str, gateways: list[Gateway], put: Put) -> None:
    occupancy = {"channels": [{"name": "occupancy"}]}
    async with phone(feed) as client, phone(feed) as other:
        await client.hello("occupancy")
        await other.hello("occupancy")
        await client.say({"type": "unsubscribe", **occupancy})
        (board,) = gateways[0].relay.boards()
        await until(lambda: len(board.readers()) == 1)
        await put({"a": 1})
        assert await states(other, 1) == [("a", 1)]
        await client.say({"type": "subscribe", **occupancy})
        await client.frame("ready")
        assert await states(client, 1) == [("a", 1)]
        await client.say({"type": "subscribe", **occupancy})
        await client.frame("ready")
        assert await states(client, 1) == [("a", 1)], (
            "whoever asks again is shown everything again, and stands there once"
        )
        assert len(board.readers()) == 2
    await until(lambda: not board.readers())


async def storm(feed: str, put: Put) -> None:
    """Two hundred changes in about a second. Fails where a phone gets a key more than once a second or not its last value."""
    async with phone(feed) as client, phone(feed) as calm:
        await client.hello("occupancy")
        await calm.hello("announcements")
        began = asyncio.get_running_loop().time()
        reading = asyncio.create_task(until_shown(client, "a", STORM))
        for number in range(1, STORM + 1):
            await put({"a": number, "b": number})
            await asyncio.sleep(0.005)  # what makes it a storm and not a blow
        frames = await reading
        seconds = asyncio.get_running_loop().time() - began
    last = await states_of_a_newcomer(feed)
    assert last == {"a": STORM, "b": STORM}
    for key in ("a", "b"):
        shown = [frame for frame in frames if frame["key"] == key]
        assert len(shown) <= seconds + 1, f"{key} came {len(shown)} times in {seconds:.1f} s"
        assert shown == sorted(shown, key=lambda frame: int(frame["version"]))


async def states_of_a_newcomer(feed: str) -> dict[str, Any]:
    async with phone(feed) as client:
        await client.hello("occupancy")
        return dict(await states(client, 2))


async def test_a_storm_is_a_frame_a_second_and_ends_with_its_last_value(feed: str, put: Put) -> None:
    await storm(feed, put)


async def test_a_storm_without_turns_is_caught(feed: str, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "TURN", 1)
    with pytest.raises(AssertionError, match="came"):
        await storm(feed, put)


async def outpace(feed: str, gateways: list[Gateway], put: Put) -> None:
    """A phone takes nothing while a big value changes and changes. Fails where more than one value piles up for it."""
    async with AsyncExitStack() as stack:
        slow = await stuck_phone(stack, feed, "occupancy")
        (held,) = gateways[0].sessions
        quick = await stack.enter_async_context(phone(feed))
        await quick.hello("occupancy")
        for number in range(ENOUGH):
            await put({"big": [number, BIG]})
            await until_shown(quick, "big", [number, BIG])
        assert held.line.transport.get_write_buffer_size() <= MAX_BUFFERED + len(BIG) + 1000, "values piled up"
        slow.socket.transport.resume_reading()
        frames = await until_shown(slow, "big", [ENOUGH - 1, BIG])
        assert len(frames) < ENOUGH
        versions = [int(frame["version"]) for frame in frames]
        assert versions == sorted(set(versions))


@pytest.mark.usefixtures("quick_turns")
async def test_a_client_that_does_not_read_gets_the_latest_value_later(
    feed: str, gateways: list[Gateway], put: Put
) -> None:
    await outpace(feed, gateways, put)


@pytest.mark.usefixtures("quick_turns")
async def test_a_gateway_that_writes_without_asking_is_caught(
    feed: str, gateways: list[Gateway], put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unasked:
        """A connection that always says it takes more."""

        def __init__(self, sink: Sink) -> None:
            self.write = sink.write

        def takes(self) -> bool:
            return True

    join = Board.join
    monkeypatch.setattr(Board, "join", lambda board, sink: join(board, Unasked(sink)))
    with pytest.raises(AssertionError, match="piled up"):
        await outpace(feed, gateways, put)


@pytest.mark.usefixtures("quick_turns", "looks_often")
async def test_lost_hints_cost_nothing_but_time(settings: Settings, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch.Watch, "_on_hint", lambda *_hint: None)
    async with running_gateway(settings) as feed, phone(feed) as client:
        await client.hello("occupancy")
        for number in range(3):
            await put({"a": number, "b": None if number == 1 else number})
            await until_shown(client, "b", None if number == 1 else number)


@pytest.mark.usefixtures("quick_turns")
async def test_a_restart_of_the_gateway_loses_no_value(settings: Settings, put: Put) -> None:
    async with running_gateway(settings) as feed, phone(feed) as client:
        await client.hello("occupancy")
        await put({"a": 1, "b": 1})
        assert await states(client, 2) == [("a", 1), ("b", 1)]
        await put({"a": 2})
        (frame,) = await until_shown(client, "a", 2)
    await put({"b": None})
    async with running_gateway(settings) as feed, phone(feed) as client:
        await client.hello("occupancy")
        assert await client.frame("state") == frame, "with the version it had"
        await put({"b": 3})
        assert await states(client, 1) == [("b", 3)], "what went while it was down is not there, and comes back as new"


async def look_into_another_event(feed: str, db: Database, event_id: UUID, other_event_id: UUID) -> None:
    """Two phones at two events with the same keys and versions. Fails where one sees the other's values."""

    async def put_everywhere(number: int) -> None:
        async with db.tx() as tx:
            for event, place in ((event_id, "here"), (other_event_id, "there")):
                await set_states(tx, event, OCCUPANCY, {"a": [place, number], place: [place, number]})

    await put_everywhere(1)
    async with phone(feed) as here, phone(feed.replace(SLUG, "elsewhere")) as there:
        for client in (here, there):
            await client.hello("occupancy")
        await put_everywhere(2)
        for client, place in ((here, "here"), (there, "there")):
            shown = [brief(frame) for frame in await until_shown(client, place, [place, 2])]
            assert {key for key, _ in shown} == {"a", place}, "saw another event's key"
            assert {value[0] for _, value in shown} == {place}, "saw another event's value"


@pytest.mark.usefixtures("quick_turns")
async def test_another_event_s_values_are_never_seen(
    feed: str, db: Database, event_id: UUID, other_event_id: UUID
) -> None:
    await look_into_another_event(feed, db, event_id, other_event_id)


@pytest.mark.usefixtures("quick_turns")
async def test_a_gateway_that_reads_all_events_values_is_caught(
    feed: str, db: Database, event_id: UUID, other_event_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_all(tx: Tx, _event_id: UUID, *, channel: str, after: int) -> list[StateRow]:
        found = await tx.fetch(
            "SELECT channel, key, version, data FROM feed_state WHERE channel = $1 AND version > $2 ORDER BY version, key",
            channel,
            after,
        )
        return [StateRow(*record) for record in found]

    monkeypatch.setattr(feed_queries, "list_states_after", list_all)
    with pytest.raises(AssertionError, match="another event"):
        await look_into_another_event(feed, db, event_id, other_event_id)


@pytest.mark.usefixtures("quick_turns", "looks_often")
async def test_a_restored_database_sends_everybody_to_start_over(feed: str, db: Database, put: Put) -> None:
    async with phone(feed) as client:
        await client.hello("occupancy")
        await put({"a": 1})
        await put({"a": 2})
        await until_shown(client, "a", 2)
        async with db.tx() as tx:  # what a restore to an earlier moment has to do
            await tx.execute("UPDATE feed_state SET version = 1, data = '1' WHERE channel = 'occupancy'")
            await tx.execute("UPDATE feed_channel SET epoch = 'e2', seq = 1 WHERE channel = 'occupancy'")
        assert await client.ending() == (4003, [{"type": "bye", "code": 4003, "retry_after_ms": [0, 8000]}])
    async with phone(feed) as client:
        await client.hello("occupancy")
        assert await states(client, 1) == [("a", 1)]
        await put({"a": 3})
        assert await states(client, 1) == [("a", 3)]


async def test_an_event_without_the_channel_has_none(feed: str, db: Database, event_id: UUID) -> None:
    async with db.tx() as tx:
        await tx.execute("DELETE FROM feed_channel WHERE channel = 'occupancy'")
    async with phone(feed) as client:
        (channel,) = (await client.hello("occupancy"))["channels"]
        assert channel["reason"] == "forbidden"
    async with db.tx() as tx:
        await open_channels(tx, event_id, [OCCUPANCY])


@pytest.mark.usefixtures("quick_turns")
async def test_many_phones_see_the_same_frames(feed: str, put: Put, gateways: list[Gateway]) -> None:
    """And the database is asked once for all of them."""
    await put({"a": 0})
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(feed)) for _ in range(40)]
        for client in phones:
            await client.hello("occupancy")
        assert gateways[0].relay.queries == 1
        await put({"a": 1, "b": 1})
        texts = {(await client.text(), await client.text(), await client.text()) for client in phones}
        assert len(texts) == 1
        assert gateways[0].relay.queries == 2
