"""What one token may have: so many connections, so many hellos, so many frames, each ticket once, and not for ever."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from server.attendee.actions import change_attendee
from server.attendee.types import ChangeAttendee
from server.auth import Principal
from server.config import Settings
from server.db import Database
from server.live import holders as holders_module, session as session_module
from server.live.gateway import Gateway
from server.live.holders import Holders
from tests.conftest import Demo, Publish, bearer
from tests.live.conftest import TicketFor
from tests.sockets import phone

HELLO = {"type": "hello", "version": 1, "channels": []}


async def first_code(feed: str, ticket: str) -> int:
    """With which code a hello is answered; 0: with `ready`."""
    async with phone(feed) as client:
        await client.say({**HELLO, "ticket": ticket})
        with suppress(ConnectionClosed):  # its code can be asked for again
            if json.loads(await client.text())["type"] == "ready":
                return 0
        code, frames = await client.ending()
        assert frames == [], "after its good-bye it went on"
        return code


async def test_a_ticket_opens_one_connection(feed: str, demo: Demo, ticket_for: TicketFor) -> None:
    ticket = await ticket_for("attendee", demo.attendees[0]["token"])
    async with phone(feed) as client:
        await client.hello(ticket=ticket)
        assert await first_code(feed, ticket) == 4101, "a ticket was taken twice"


async def test_a_ticket_that_opens_two_is_noticed(
    feed: str, demo: Demo, ticket_for: TicketFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = Holders.admit

    def forgetful(holders: Holders, session: session_module.Session) -> list[session_module.Session]:
        holders._used.clear()
        return admit(holders, session)

    monkeypatch.setattr(Holders, "admit", forgetful)
    with pytest.raises(AssertionError, match="taken twice"):
        await test_a_ticket_opens_one_connection(feed, demo, ticket_for)


async def test_an_attendee_s_fourth_phone_takes_the_place_of_the_first(
    feed: str, demo: Demo, ticket_for: TicketFor, publish: Publish
) -> None:
    token = demo.attendees[0]["token"]
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(feed)) for _ in range(4)]
        for client in phones:
            await client.hello("announcements", ticket=await ticket_for("attendee", token))
        assert await phones[0].ending() == (4102, [])
        await publish()
        assert [(await client.frame("event"))["seq"] for client in phones[1:]] == [1, 1, 1]


async def test_a_token_that_keeps_coming_back_is_told_to_pause(
    feed: str, demo: Demo, ticket_for: TicketFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders_module, "HELLO_BURST", 2)
    monkeypatch.setattr(holders_module, "HELLO_SECONDS_EACH", 3600.0)
    for code in (0, 0, 4103):
        assert await first_code(feed, await ticket_for("attendee", demo.attendees[0]["token"])) == code
    assert await first_code(feed, await ticket_for("attendee", demo.attendees[1]["token"])) == 0


async def test_frames_are_counted_over_all_connections_of_a_token(
    feed: str, demo: Demo, ticket_for: TicketFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders_module, "TOKEN_FRAME_BURST", 30)
    monkeypatch.setattr(holders_module, "TOKEN_FRAME_SECONDS", 3600.0)
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(feed)) for _ in range(3)]
        for client, number in zip(phones, (0, 0, 1), strict=True):
            await client.hello("announcements", ticket=await ticket_for("attendee", demo.attendees[number]["token"]))
        for client, count in zip(phones, (20, 11, 20), strict=True):
            for _ in range(count - 1):
                await client.say({"type": "ack"})
            await client.say({"type": "subscribe", "channels": []})
            if client is phones[1]:
                assert (await client.ending())[0] == 4103, "the 31st of a token ends the connection it came by"
            else:
                await client.frame("ready")


async def test_a_connection_is_believed_for_hours_not_for_ever(
    feed: str, gateways: list[Gateway], demo: Demo, ticket_for: TicketFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with phone(feed) as client, phone(feed) as anybody:
        await client.hello("announcements", ticket=await ticket_for("attendee", demo.attendees[0]["token"]))
        await anybody.hello("announcements")
        moment = session_module.now()

        def closings(later: float) -> list[int]:
            monkeypatch.setattr(session_module, "now", lambda: moment + later)
            return [closing.code for _ in range(25) for _, closing in gateways[0].heart.tick()]

        assert closings(3 * 3600) == []
        assert closings(5 * 3600) == [4101], "who came without a ticket needs no other"


async def test_who_cancelled_hears_nothing_any_more(
    feed: str, api: httpx.AsyncClient, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    """Until it is taken back."""
    one, other = demo.attendees[0], demo.attendees[1]
    early = await ticket_for("attendee", one["token"])
    async with phone(feed) as client, phone(feed) as neighbour:
        await client.hello("me", ticket=await ticket_for("attendee", one["token"]))
        await neighbour.hello("me", ticket=await ticket_for("attendee", other["token"]))
        await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(cancelled=True))
        assert (await client.ending())[0] == 4501
        assert await first_code(feed, early) == 4501
        refused = await api.post("/live/ticket", headers=bearer(one["token"]))
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.forbidden")
        await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(cancelled=False))
        given = (await api.post("/live/ticket", headers=bearer(one["token"]))).json()["ticket"]
        async with phone(feed) as again:
            await again.hello("me", ticket=given)
        await neighbour.say({"type": "subscribe", "channels": []})
        await neighbour.frame("ready")


async def come_back_before_it_is_heard_of(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    """A registration stands again, and its attendee is quicker than the news of it. Fails unless they are let in."""
    one, relay = demo.attendees[0], gateways[0].relay
    async with phone(feed) as client:
        await client.hello("me", ticket=await ticket_for("attendee", one["token"]))
        await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(cancelled=True))
        assert (await client.ending())[0] == 4501
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relay, "_on_append", lambda _log, _rows: None)  # the gateway hears of nothing more
        await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(cancelled=False))
        assert await first_code(feed, await ticket_for("attendee", one["token"])) == 0, "sent away for ever"


async def test_who_comes_back_is_let_in_before_it_is_heard_of(
    feed: str, gateways: list[Gateway], db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    await come_back_before_it_is_heard_of(feed, gateways, db, event_id, demo, ticket_for)


async def test_a_cancellation_that_outlives_its_end_would_be_noticed(
    feed: str,
    gateways: list[Gateway],
    db: Database,
    event_id: UUID,
    demo: Demo,
    ticket_for: TicketFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    void_code = Holders.void_code

    def by_id(holders: Holders, principal: Principal) -> int | None:
        return 4501 if principal.subject_id in holders._cancelled else void_code(holders, principal)

    monkeypatch.setattr(Holders, "void_code", by_id)
    with pytest.raises(AssertionError, match="sent away for ever"):
        await come_back_before_it_is_heard_of(feed, gateways, db, event_id, demo, ticket_for)


async def test_who_speaks_no_longer_hears_speakers_no_longer(
    feed: str, api: httpx.AsyncClient, db: Database, event_id: UUID, demo: Demo, ticket_for: TicketFor
) -> None:
    """Open connections end, so that they come back with what is true now; a ticket from before is worth nothing."""
    one = demo.attendees[0]
    speaker = UUID((await api.get("/speakers")).json()["speakers"][0]["id"])
    await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(speaker_id=speaker))
    early = await ticket_for("attendee", one["token"])
    async with phone(feed) as client, phone(feed) as neighbour:
        ready = await client.hello("announcements:speakers", "me", ticket=await ticket_for("attendee", one["token"]))
        assert {channel["reason"] for channel in ready["channels"]} == {None}
        await neighbour.hello(ticket=await ticket_for("attendee", demo.attendees[1]["token"]))
        await change_attendee(db, event_id, UUID(one["id"]), ChangeAttendee(speaker_id=None))
        assert (await client.ending())[0] == 4101
        assert await first_code(feed, early) == 4101
        async with phone(feed) as again:
            wanted = ("announcements:speakers", "me")
            ready = await again.hello(*wanted, ticket=await ticket_for("attendee", one["token"]))
            assert [channel["reason"] for channel in ready["channels"]] == ["forbidden", None]
        await neighbour.say({"type": "subscribe", "channels": []})
        await neighbour.frame("ready")


async def test_a_full_gateway_says_so_before_the_handshake(
    settings: Settings, feed: str, gateways: list[Gateway]
) -> None:
    url = feed.replace("ws://", "http://")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "bG9hZHRlc3RzIG9mIGRpZw==",
    }
    async with phone(feed) as client, httpx.AsyncClient() as outside:
        await client.hello("announcements")
        gateways[0]._most = 1
        for path, headers in ((url, upgrade), (f"{url}/stream", {})):
            answer = await outside.get(path, headers=headers)
            assert answer.status_code == 503, path
        gateways[0]._most = 2
        async with phone(feed) as second:
            await second.hello("announcements")
