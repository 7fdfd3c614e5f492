"""Those who announce and those who listen in these tests, and the table behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from server.announcement.actions import publish_announcement
from server.announcement.types import Announcement, PublishAnnouncement
from server.db import Database
from server.feed import queries as feed_queries
from server.feed.types import FeedEventRow
from tests.phones import Caller

Json = dict[str, Any]
TITLE = {"fr": "Changement de salle", "ar": "تغيير القاعة", "en": "Another room"}
ENDINGS = ("announcement.withdrawn", "announcement.expired")


def later(**delta: float) -> str:
    """A moment from now on, as a request says it."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


class Speaker(Caller):
    """Somebody with or without a token, who announces if they may, and reads."""

    async def announce(self, **more: Any) -> Json:
        response = await self.ask("POST", "/announcements", {"title": TITLE, **more})
        assert response.status_code == 201, response.text
        made: Json = response.json()
        return made

    async def edit(self, announcement: str, **changes: Any) -> Json:
        response = await self.ask("PATCH", f"/announcements/{announcement}", changes)
        assert response.status_code == 200, response.text
        changed: Json = response.json()
        return changed

    async def withdraw(self, announcement: str) -> None:
        response = await self.ask("DELETE", f"/announcements/{announcement}")
        assert (response.status_code, response.content) == (204, b"")

    async def page(self, **query: Any) -> Json:
        response = await self.ask("GET", "/announcements", None, **query)
        assert response.status_code == 200, response.text
        page: Json = response.json()
        return page

    async def listed(self, **query: Any) -> list[str]:
        """Ids, in the order of the list."""
        return [one["id"] for one in (await self.page(**query))["announcements"]]

    async def events(self, channel: str = "announcements", after: int = 0) -> list[Json]:
        response = await self.ask("GET", f"/feed/{channel}", None, after=after, limit=500)
        assert response.status_code == 200, response.text
        events: list[Json] = response.json()["events"]
        return events

    async def heard(self, channel: str = "announcements") -> list[tuple[str, str]]:
        """Kinds and ids of all that was told."""
        return [
            (event["kind"].removeprefix("announcement."), event["data"]["id"]) for event in await self.events(channel)
        ]


class Table:
    """The announcements without the API."""

    def __init__(self, db: Database, event_id: UUID) -> None:
        self.db = db
        self.event_id = event_id

    async def schedule(self, count: int, *, in_seconds: float = 3600, **more: Any) -> list[UUID]:
        """Announcements for later."""
        at = datetime.now(UTC) + timedelta(seconds=in_seconds)
        made = []
        for number in range(count):
            command = PublishAnnouncement(title={"fr": f"Annonce {number}"}, publish_at=at, **more)
            made.append((await publish_announcement(self.db, self.event_id, command)).row.announcement_id)
        return made

    async def let_time_pass(self, seconds: float = 7200) -> None:
        """All that was to happen within that time is due."""
        async with self.db.read() as connection:
            await connection.execute(
                "UPDATE announcement SET publish_at = publish_at - make_interval(secs => $1),"
                " published_at = published_at - make_interval(secs => $1),"
                " expires_at = expires_at - make_interval(secs => $1)",
                seconds,
            )

    async def statuses(self) -> dict[UUID, str]:
        async with self.db.read() as connection:
            return dict(await connection.fetch("SELECT announcement_id, status FROM announcement"))

    async def log(self, channel: str = "announcements", event_id: UUID | None = None) -> list[FeedEventRow]:
        async with self.db.read() as connection:
            return await feed_queries.list_events_after(
                connection, event_id or self.event_id, channel=channel, after=0, limit=10_000
            )

    async def told(self, channel: str = "announcements") -> list[tuple[int, str, UUID]]:
        """What the channel's log says: number, kind and announcement."""
        return [
            (row.seq, row.kind.removeprefix("announcement."), UUID(msgspec.json.decode(row.data)["id"]))
            for row in await self.log(channel)
        ]

    async def has_told(self, least: int) -> bool:
        return len(await self.told()) >= least

    async def told_once(self, announcements: list[UUID], channel: str = "announcements") -> bool:
        """Whether each of these went out exactly once, and the log has no gap."""
        told = await self.told(channel)
        published = sorted(one for _, kind, one in told if kind == "published")
        return published == sorted(announcements) and [seq for seq, _, _ in told] == list(range(1, len(told) + 1))


def apply(listing: Json, events: list[Json]) -> Json:
    """What an app does with its list when it hears of changes: `listing` is the answer with `lang=*`."""
    shown = {one["id"]: one for one in listing["announcements"]}
    positions = {position["channel"]: position["seq"] for position in listing["feed"]}
    for event in events:
        channel, data = event["channel"], event["data"]
        if event["seq"] <= positions[channel]:
            continue
        assert event["seq"] == positions[channel] + 1, "a gap"
        positions[channel] = event["seq"]
        if event["kind"] in ENDINGS:
            shown.pop(data["id"], None)
        else:
            assert msgspec.json.decode(msgspec.json.encode(data), type=Announcement)
            shown[data["id"]] = data
    feed = [{**position, "seq": positions[position["channel"]]} for position in listing["feed"]]
    return {"announcements": newest_first(shown.values()), "feed": feed}


def newest_first(announcements: Any) -> list[Json]:
    return sorted(
        announcements, key=lambda one: (datetime.fromisoformat(one["published_at"]), UUID(one["id"])), reverse=True
    )
