"""A device that gets a new token: connections and tickets of the old one end, those of the new one do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from server.auth import Principal
from server.config import Settings
from server.db import Database
from server.feed import emit
from server.feed.types import TokenReplaced
from server.ids import new_id
from server.live import ticket as tickets
from server.live.holders import Holders
from tests.conftest import running_gateway
from tests.sockets import Phone, phone

BEFORE = datetime(2026, 12, 18, 8, 0, tzinfo=UTC)
SINCE = BEFORE + timedelta(microseconds=1)
HELLO = {"type": "hello", "version": 1, "channels": []}


async def renew(db: Database, event_id: UUID, device_id: UUID, since: datetime) -> None:
    async with db.tx() as tx:
        await emit(tx, event_id, channel="checkin", kind="device.paired", data=TokenReplaced(device_id, since))


async def only_the_newest_stays(feed: str, settings: Settings, db: Database, event_id: UUID, key: bytes) -> None:
    """Fails unless the old token's connection and ticket are refused, and the new one's welcome, here and elsewhere."""
    device_id = new_id()
    old, new = (
        tickets.issue(key, Principal("device", event_id, device_id, "", since=since)) for since in (BEFORE, SINCE)
    )
    async with phone(feed) as holder, phone(feed) as bystander, running_gateway(settings) as fresh:
        await holder.hello("checkin", ticket=old)
        await bystander.hello("checkin", ticket=tickets.issue(key, Principal("organizer", event_id, new_id(), "")))
        await renew(db, event_id, device_id, SINCE)
        assert (await bystander.frame("event"))["kind"] == "device.paired"
        await refused(feed, old)
        assert (await holder.ending())[0] == 4501
        for url in (feed, fresh):  # the fresh one hears of it from the log
            await refused(url, old)
            async with phone(url) as successor:
                await successor.say({**HELLO, "ticket": new, "channels": [{"name": "checkin"}]})
                await successor.frame("ready")


async def refused(url: str, ticket: str) -> None:
    async with phone(url) as client:
        await client.say({**HELLO, "ticket": ticket})
        assert await first_answer(client) == 4501, "an old ticket was taken"


async def first_answer(client: Phone) -> int | str | None:
    """The first frame, or the code with which the connection was closed instead."""
    try:
        return await client.text()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_only_the_newest_token_s_connections_stay(
    feed: str, settings: Settings, db: Database, event_id: UUID, key: bytes
) -> None:
    await only_the_newest_stays(feed, settings, db, event_id, key)


async def test_a_newer_token_may_connect_before_its_event_is_heard(
    feed: str, db: Database, event_id: UUID, key: bytes
) -> None:
    device_id = new_id()
    async with phone(feed) as successor:
        ticket = tickets.issue(key, Principal("device", event_id, device_id, "", since=SINCE))
        await successor.hello("checkin", ticket=ticket)
        await renew(db, event_id, device_id, BEFORE)
        await renew(db, event_id, device_id, SINCE)
        assert [event["kind"] for event in await successor.events(2)] == ["device.paired"] * 2


def by_id(holders: Holders, principal: Principal) -> int | None:
    """The broken variant that shuts out the new phone with the old one."""
    return 4501 if principal.subject_id in holders._revoked or principal.subject_id in holders._renewed else None


def not_at_all(holders: Holders, principal: Principal) -> int | None:
    """The broken variant that forgets the old phone."""
    return 4501 if principal.subject_id in holders._revoked else None


@pytest.mark.parametrize("broken", [by_id, not_at_all])
async def test_going_by_the_id_alone_is_noticed(
    feed: str,
    settings: Settings,
    db: Database,
    event_id: UUID,
    key: bytes,
    monkeypatch: pytest.MonkeyPatch,
    broken: object,
) -> None:
    monkeypatch.setattr(Holders, "void_code", broken)
    with pytest.raises(Exception, match=r"4501|old ticket"):
        await only_the_newest_stays(feed, settings, db, event_id, key)
