"""Who may read what."""

from __future__ import annotations

import pytest

from server.auth import Kind, Principal
from server.feed.topics import may_read
from server.ids import new_id


def make_principal(kind: Kind) -> Principal:
    return Principal(kind, new_id(), new_id(), "")


@pytest.mark.parametrize("channel", ["announcements", "schedule", "occupancy"])
def test_public_channels_are_for_everybody(channel: str) -> None:
    everybody: tuple[Kind, ...] = ("organizer", "device", "exhibitor", "attendee")
    assert may_read(None, channel)
    assert all(may_read(make_principal(kind), channel) for kind in everybody)


def test_the_door_s_channel_is_for_those_at_the_door() -> None:
    allowed = {
        kind: may_read(make_principal(kind), "checkin") for kind in ("organizer", "device", "exhibitor", "attendee")
    }
    assert allowed == {"organizer": True, "device": True, "exhibitor": False, "attendee": False}
    assert not may_read(None, "checkin")


@pytest.mark.parametrize(
    "channel",
    ["", "checkin ", "Checkin", "checkin:main", "leads", "me", "session:1", "*", "announcements:vip", "occupancy:main"],
)
def test_any_other_channel_is_closed(channel: str) -> None:
    assert not may_read(None, channel)
    assert not may_read(make_principal("organizer"), channel)
