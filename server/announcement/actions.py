"""Announcing, editing, withdrawing; and what comes by itself: going out at its time, expiring.

Each of these locks the announcement, then its channel's counter by telling the event, and writes the row last, because what was
told is stored with its number.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct, structs

from server.announcement import queries
from server.announcement.errors import BY_CONSTRAINT, AnnouncementIdReused, UnknownAnnouncement, UnknownAudience
from server.announcement.policy import apply_change, content_of, next_step
from server.announcement.types import (
    EDITED,
    EXPIRED,
    PUBLISHED,
    WITHDRAWN,
    AnnouncementEnded,
    AnnouncementRow,
    ChangeAnnouncement,
    LockedRow,
    PublishAnnouncement,
)
from server.announcement.views import in_all_languages
from server.db import Database, Tx
from server.feed import emit
from server.feed.topics import TICKET, TRACK, announcements_to, audience_of, is_channel
from server.ids import new_id


class Announced(Struct, frozen=True):
    """What became of an announcement that was sent."""

    row: AnnouncementRow
    repeated: bool
    """It had been sent before."""


async def publish_announcement(db: Database, event_id: UUID, command: PublishAnnouncement) -> Announced:
    """Stores an announcement and, unless it is for later, tells the feed; one that was sent before is left as it is by now.

    Raises `AnnouncementIdReused`, `UnknownAudience`, and `InvalidRequest` for one that would expire before it goes out.
    """
    content = content_of(command)
    announcement_id = command.id or new_id()
    channel = announcements_to(command.audience)
    async with db.tx(BY_CONSTRAINT) as tx:
        # Looked for first, too: what was right when it was first sent may have expired, or its track be gone.
        if command.id is not None and (sent := await _find_repeated(tx, event_id, command.id, content)):
            return Announced(sent, repeated=True)
        await _check_audience(tx, event_id, channel)
        new = await queries.insert_announcement(
            tx, event_id, announcement_id, channel=channel, new=command, content=content
        )
        if new is None:  # its repetition was quicker, and has committed by now
            sent = await _find_repeated(tx, event_id, announcement_id, content)
            assert sent is not None, "announcements are never deleted"  # noqa: S101 - for the type checker
            return Announced(sent, repeated=True)
        if next_step(new) == "publish":
            return Announced(await _publish(tx, event_id, new), repeated=False)
        return Announced(new, repeated=False)


async def edit_announcement(
    db: Database, event_id: UUID, announcement_id: UUID, change: ChangeAnnouncement
) -> AnnouncementRow:
    """Changes an announcement; those who have heard of it hear it anew. A change that changes nothing tells nobody.

    Raises `UnknownAnnouncement`, `AlreadyPublished`, `AlreadyEnded`, `UnknownAudience`, `InvalidRequest`.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        before = await _lock(tx, event_id, announcement_id)
        after = apply_change(before, change)
        if after == before:
            return before
        if after.channel != before.channel:
            await _check_audience(tx, event_id, after.channel)
        if before.status == "published":
            after = structs.replace(after, edited_at=after.now)
            await emit(tx, event_id, channel=after.channel, kind=EDITED, data=in_all_languages(after))
        elif next_step(after) == "publish":
            return await _publish(tx, event_id, after)
        return await queries.update_announcement(tx, event_id, after=after)


async def withdraw_announcement(db: Database, event_id: UUID, announcement_id: UUID) -> None:
    """Takes an announcement back; one that is still scheduled never goes out. One that has ended stays as it is.

    Raises `UnknownAnnouncement`.
    """
    async with db.tx() as tx:
        before = await _lock(tx, event_id, announcement_id)
        if before.status in ("scheduled", "published"):
            await _end(tx, event_id, structs.replace(before, withdrawn_at=before.now), kind=WITHDRAWN)


async def take_due_step(db: Database, event_id: UUID, announcement_id: UUID) -> bool:
    """Publishes or expires an announcement if that is due by the database's clock; False where it is not, or another is at it."""
    async with db.tx() as tx:
        due = await queries.lock_due(tx, event_id, announcement_id)
        step = None if due is None else next_step(due)
        if due is None or step is None:
            return False
        if step == "publish":
            await _publish(tx, event_id, due)
        else:
            await _end(tx, event_id, structs.replace(due, expired_at=due.now), kind=EXPIRED)
        return True


async def _publish(tx: Tx, event_id: UUID, row: LockedRow) -> AnnouncementRow:
    told = structs.replace(row, status="published", published_at=row.now)
    emitted = await emit(tx, event_id, channel=told.channel, kind=PUBLISHED, data=in_all_languages(told))
    return await queries.update_announcement(tx, event_id, after=structs.replace(told, seq=emitted.seq))


async def _end(tx: Tx, event_id: UUID, ended: LockedRow, *, kind: str) -> None:
    if ended.published_at is not None:
        await emit(tx, event_id, channel=ended.channel, kind=kind, data=AnnouncementEnded(ended.announcement_id))
    await queries.update_announcement(tx, event_id, after=ended)


async def _lock(tx: Tx, event_id: UUID, announcement_id: UUID) -> LockedRow:
    found = await queries.lock_announcement(tx, event_id, announcement_id)
    if found is None:
        raise UnknownAnnouncement
    return found


async def _find_repeated(tx: Tx, event_id: UUID, announcement_id: UUID, content: bytes) -> AnnouncementRow | None:
    same = await queries.has_content(tx, event_id, announcement_id, content=content)
    if same is False:
        raise AnnouncementIdReused
    return await queries.get_announcement(tx, event_id, announcement_id) if same else None


async def _check_audience(tx: Tx, event_id: UUID, channel: str) -> None:
    """Raises `UnknownAudience`. A track or ticket type that is there stays until the commit."""
    if not is_channel(channel):
        raise UnknownAudience
    audience = audience_of(channel) or ""
    if audience.startswith(TRACK):
        known = await queries.lock_track(tx, event_id, UUID(audience.removeprefix(TRACK)))
    elif audience.startswith(TICKET):
        known = await queries.lock_ticket(tx, event_id, audience.removeprefix(TICKET))
    else:
        known = True
    if not known:
        raise UnknownAudience
