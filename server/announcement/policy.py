"""What may become of an announcement, and who hears it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from server.announcement.errors import AlreadyEnded, AlreadyPublished, UnknownAudience
from server.announcement.types import EVERYBODY, ChangeAnnouncement, LockedRow, PublishAnnouncement
from server.auth import Principal
from server.errors import InvalidRequest, NotAllowed, NotAuthenticated
from server.feed.topics import GROUPS, announcements_to, belongs
from server.instants import in_utc

MAX_TRANSACTION_SECONDS = 30
"""No change takes longer from its beginning to its commit: each of its few statements is given up after 3.5 seconds."""


def content_of(command: PublishAnnouncement) -> bytes:
    """SHA-256 of what is asked for, however it was spelt: the order of languages and an offset from UTC do not matter."""
    times = {name: in_utc(getattr(command, name), name) for name in ("publish_at", "expires_at")}
    plain = msgspec.structs.replace(command, id=None, **times)
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).digest()


def next_step(row: LockedRow) -> Literal["publish", "expire"] | None:
    """What is due now. What has expired before it could go out never does."""
    if row.status not in ("scheduled", "published"):
        return None
    if row.expires_at is not None and row.expires_at <= row.now:
        return "expire"
    return "publish" if row.status == "scheduled" and row.publish_at <= row.now else None


def apply_change(before: LockedRow, change: ChangeAnnouncement) -> LockedRow:
    """The announcement after the change; equal to the one before if it changes nothing.

    Raises `AlreadyEnded`, `AlreadyPublished`, `InvalidRequest`.
    """
    if before.status not in ("scheduled", "published"):
        raise AlreadyEnded
    given: dict[str, Any] = {
        name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET
    }
    for name in given.keys() & {"publish_at", "expires_at"}:
        given[name] = in_utc(given[name], name)
    if "audience" in given:
        given["channel"] = announcements_to(given.pop("audience"))
    if before.status == "scheduled":
        if "publish_at" in given:
            given["publish_at"] = max(given["publish_at"] or before.now, before.now)
        return msgspec.structs.replace(before, **given)
    return _change_published(before, given)


def _change_published(before: LockedRow, given: dict[str, Any]) -> LockedRow:
    publish_at, channel = given.pop("publish_at", None), given.pop("channel", before.channel)
    if publish_at not in (None, before.publish_at) or channel != before.channel:
        raise AlreadyPublished
    after = msgspec.structs.replace(before, **given)
    if after.expires_at not in (None, before.expires_at) and after.expires_at <= before.now:
        raise InvalidRequest("This moment is past: to take the announcement back, withdraw it - at `$.expires_at`")
    return after


def channels_heard(who: Principal | None, audiences: Iterable[str], wanted: str | None) -> list[str]:
    """The channels of what somebody (None: without a token) may read, of the `wanted` audience alone if one is named.

    `audiences` are the event's tracks and ticket types. Raises `UnknownAudience`; for one to which somebody does not belong
    `NotAuthenticated`, `NotAllowed`.
    """
    known = [*GROUPS, *audiences]
    own = [audience for audience in known if who is not None and belongs(who, audience)]
    if wanted is None:
        return [announcements_to(None), *map(announcements_to, own)]
    if wanted == EVERYBODY:
        return [announcements_to(None)]
    if wanted not in known:
        raise UnknownAudience
    if who is None:
        raise NotAuthenticated
    if wanted not in own:
        raise NotAllowed("You do not belong to this audience: its announcements are for others.")
    return [announcements_to(wanted)]
