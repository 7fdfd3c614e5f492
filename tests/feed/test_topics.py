"""Who may read what."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from server.auth import Kind, Principal
from server.feed.topics import is_channel, resolve

EVENT, BOOTH, TRACK, SPEAKER, *SOMEBODY = (UUID(int=0xABC << 116 | 7 << 76 | number) for number in range(1, 10))
PEOPLE = {
    "organizer": Principal("organizer", EVENT, SOMEBODY[0], ""),
    "device": Principal("device", EVENT, SOMEBODY[1], ""),
    "exhibitor": Principal("exhibitor", EVENT, SOMEBODY[2], "", BOOTH),
    "visitor": Principal("attendee", EVENT, SOMEBODY[3], "", ticket="visitor"),
    "speaker": Principal("attendee", EVENT, SOMEBODY[4], "", ticket="vip", speaker_id=SPEAKER),
}
READERS = {
    "announcements": {*PEOPLE},
    "schedule": {*PEOPLE},
    "occupancy": {*PEOPLE},
    "checkin": {"organizer", "device"},
    "announcements:attendees": {"organizer", "visitor", "speaker"},
    "announcements:exhibitors": {"organizer", "exhibitor"},
    "announcements:speakers": {"organizer", "speaker"},
    "announcements:staff": {"organizer", "device"},
    f"announcements:track:{TRACK}": {"organizer", "exhibitor", "visitor", "speaker"},
    "announcements:ticket:visitor": {"organizer", "visitor"},
    "announcements:ticket:vip": {"organizer", "speaker"},
}
PUBLIC = {"announcements", "schedule", "occupancy"}


@pytest.mark.parametrize("channel", READERS)
def test_a_channel_is_for_those_it_concerns(channel: str) -> None:
    found = {who for who, principal in PEOPLE.items() if resolve(principal, channel) == channel}
    assert found == READERS[channel]
    assert resolve(None, channel) == (channel if channel in PUBLIC else None)
    assert is_channel(channel)


def test_me_is_everybody_s_own() -> None:
    assert {resolve(one, "me") for one in PEOPLE.values()} == {f"me:{one.subject_id}" for one in PEOPLE.values()}
    assert resolve(None, "me") is None


def test_leads_are_the_booth_s() -> None:
    found = {who: resolve(principal, "leads") for who, principal in PEOPLE.items()}
    assert found == {**dict.fromkeys(PEOPLE), "exhibitor": f"leads:{BOOTH}"}


NONE = [
    "",
    "checkin ",
    "Checkin",
    "checkin:main",
    "session:1",
    "*",
    "announcements:",
    "announcements:vip",
    "announcements:Staff",
    "announcements:track:",
    "announcements:track:1",
    f"announcements:track:{TRACK}\n",
    f"announcements:track:{str(TRACK).upper()}",
    "occupancy:main",
    f"leads:{BOOTH}",
    *(f"me:{one.subject_id}" for one in PEOPLE.values()),
]


@pytest.mark.parametrize("name", NONE)
def test_no_other_name_is_a_channel(name: str) -> None:
    """Above all not the log behind another one's `me` or `leads`."""
    assert not is_channel(name)
    assert {resolve(principal, name) for principal in [None, *PEOPLE.values()]} == {None}


def test_who_cancelled_has_their_own_channel_left() -> None:
    gone = msgspec.structs.replace(PEOPLE["speaker"], cancelled=True)
    assert {name for name in [*READERS, "me", "leads"] if resolve(gone, name)} == PUBLIC | {"me"}


def test_a_ticket_that_nobody_has_is_for_organizers_alone() -> None:
    found = {who for who, principal in PEOPLE.items() if resolve(principal, "announcements:ticket:")}
    assert found == {"organizer"}


def test_each_kind_is_tried() -> None:
    kinds: set[Kind] = {"organizer", "device", "exhibitor", "attendee"}
    assert {one.kind for one in PEOPLE.values()} == kinds
