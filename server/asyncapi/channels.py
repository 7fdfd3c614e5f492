"""The feed's channels: what each says, and who may read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from uuid import UUID

from msgspec import Struct

from server.announcement import types as announcement
from server.attendee import types as attendee
from server.auth import Kind, Principal
from server.badge import types as badge
from server.checkin import events as checkin
from server.desk import types as desk
from server.device import types as device
from server.feed import topics, types as feed
from server.feed.topics import TICKET, TRACK, announcements_to
from server.schedule import types as schedule

ID = UUID("01920000-0000-7000-8000-000000000000")
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACEHOLDERS = {"track_id": (_UUID, str(ID)), "ticket_type": (".+", "full")}
"""Placeholder of a name → pattern of what stands there, and an example of it."""


class FeedChannel(Struct, frozen=True):
    """A channel, or all whose names have the same form."""

    name: str
    """May hold a placeholder: `announcements:track:{track_id}`."""
    description: str
    events: Mapping[str, type] = {}
    """Kind → data of a log's events."""
    states: Mapping[str, type] = {}
    """Beginning of a key → value of a state channel."""

    @property
    def schema(self) -> dict[str, Any]:
        """What a frame's `channel` may be."""
        if "{" not in self.name:
            return {"type": "string", "enum": [self.name]}
        pattern = re.escape(self.name)
        for placeholder, (allowed, _) in _PLACEHOLDERS.items():
            pattern = pattern.replace(re.escape(f"{{{placeholder}}}"), allowed)
        return {"type": "string", "pattern": f"^{pattern}$"}

    @property
    def example(self) -> str:
        """A name of this form."""
        name = self.name
        for placeholder, (_, example) in _PLACEHOLDERS.items():
            name = name.replace(f"{{{placeholder}}}", example)
        return name

    @property
    def readers(self) -> list[str]:
        """The kinds of token with which somebody may read it, or `anybody`."""
        if topics.resolve(None, self.example) is not None:
            return ["anybody"]
        return sorted(kind for kind in get_args(Kind) if topics.resolve(_somebody(kind), self.example) is not None)


def _somebody(kind: Kind) -> Principal:
    """One who has everything that a token of this kind can bring along."""
    of_type = _PLACEHOLDERS["ticket_type"][1]
    return Principal(kind, ID, ID, "", booth_id=ID if kind == "exhibitor" else None, ticket=of_type, speaker_id=ID)


_AUDIENCES = {
    "attendees": "What is announced to attendees.",
    "exhibitors": "What is announced to exhibitors' staff.",
    "speakers": "What is announced to those attendees who speak.",
    "staff": "What is announced to those who work at the doors.",
    f"{TRACK}{{track_id}}": "What is announced to whoever follows a track.",
    f"{TICKET}{{ticket_type}}": "What is announced to holders of a type of ticket.",
}

_AT_THE_DOORS = {**checkin.EVENTS, **attendee.EVENTS, **badge.EVENTS, **device.EVENTS, **feed.EVENTS}
_PERSONAL = ("badge.changed", "registration.changed", "session.added", "session.changed", "session.removed")
"""What is told to those whom it concerns, with `feed.emit_to_each`."""

CHANNELS = (
    FeedChannel(feed.ANNOUNCEMENTS, "What is announced to everybody.", announcement.EVENTS),
    *(
        FeedChannel(announcements_to(audience), description, announcement.EVENTS)
        for audience, description in _AUDIENCES.items()
    ),
    FeedChannel(feed.SCHEDULE, "How the programme changes.", schedule.EVENTS),
    FeedChannel(
        feed.CHECKIN,
        "What a scanner needs to know of the others, and that tokens have ended.",
        {kind: data for kind, data in _AT_THE_DOORS.items() if kind not in _PERSONAL},
    ),
    FeedChannel(feed.LEADS, "What the staff of one's own booth does with its leads."),
    FeedChannel(
        feed.ME,
        "What concerns oneself: the registration, the badge, and the sessions that one speaks in.",
        {kind: data for kind, data in {**_AT_THE_DOORS, **schedule.EVENTS}.items() if kind in _PERSONAL},
    ),
    FeedChannel(feed.OCCUPANCY, "How full the lists are that people are let into by.", states=desk.STATES),
)


def kinds() -> dict[str, type]:
    """Every kind of event → its data. Raises `ValueError` where two nouns mean different things by one kind."""
    found: dict[str, type] = {}
    for channel in CHANNELS:
        for kind, data in channel.events.items():
            if found.setdefault(kind, data) is not data:
                raise ValueError(
                    f"`{kind}` is {data.__name__} on channel {channel.name}, and {found[kind].__name__} elsewhere"
                )
    return found
