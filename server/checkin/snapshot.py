"""What an offline scanner needs to decide by itself: who is entitled, who is inside, which badges are void.

Without personal data unless the device's profile allows it: a badge is a number, sets of badges are bitmaps over these numbers
(least significant bit first; 5,000 badges are 625 bytes), and short codes are digests, so that a lost phone names nobody.
A delta is what channel `checkin` has said since the cursor; where that would be longer than the whole, the whole comes again.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from server.badge import queries as badge_queries
from server.badge.types import BadgeKey, public
from server.checkin.door import Door
from server.checkin.events import PASSED, BadgeRevoked, Passed
from server.checkin.types import CheckinListRow
from server.db import Database
from server.device.policy import may
from server.device.types import DeviceRow
from server.errors import InvalidRequest
from server.event.types import EventRow
from server.feed import CHECKIN, queries as feed_queries
from server.feed.types import FeedEventRow
from server.paging import NOT_OURS, decode_cursor, encode_cursor

MAX_EVENTS = 1000
"""Of the channel in one delta."""
DIGEST_BYTES = 6
NEEDS_ALL = ("attendees.changed", "attendee.cancelled", "badge_keys.changed")
"""After one of these the whole comes again."""


class SessionWindow(Struct, frozen=True):
    """A session in a list's room."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    inside: str
    """As `ListRules.inside`, of those who came for this session; empty where there is nobody."""


class ListRules(Struct, frozen=True, kw_only=True):
    """A check-in list, and who is inside."""

    key: str
    kind: str
    tickets: list[str]
    opens_at: datetime | None
    closes_at: datetime | None
    capacity: int | None
    reentry: str
    early_minutes: int
    sessions: list[SessionWindow]
    """Of a room's list."""
    session_id: UUID | None
    """What a room's list is open for."""
    inside_count: int
    """How many people are inside, of a room for this session; a person may have several badges."""
    inside: str
    """Base64: a bit for each badge number, set where its holder is inside."""
    been: str
    """The same for those who have been inside and are not now."""


class Badges(Struct, frozen=True, kw_only=True):
    """Every badge of the event by its number; the first byte, or group of bytes, is of number 1."""

    count: int
    tickets: str
    """Base64: a byte a badge, the place of its ticket in the snapshot's `tickets`; 255 for a number nobody has."""
    short_codes: str
    """Base64: six bytes a badge, the beginning of the SHA-256 of its short code."""
    void: list[int]
    """Revoked, or of somebody whose registration was cancelled."""


class Bearer(Struct, frozen=True):
    """Whose badge it is; only for profiles that may know."""

    badge: int
    name: str
    company: str
    language: str


class Snapshot(Struct, frozen=True, kw_only=True, tag_field="kind", tag="snapshot"):
    """All of it."""

    cursor: str
    """Ask with it for what has changed since."""
    synced_at: datetime
    """Say this with each scan that is decided by this snapshot."""
    event_id: UUID
    """Part of what a badge's signature is over."""
    badge_keys: list[BadgeKey]
    tickets: list[str]
    lists: list[ListRules]
    badges: Badges
    people: list[Bearer] | None


class SnapshotDelta(Struct, frozen=True, kw_only=True, tag_field="kind", tag="delta"):
    """What has changed since a cursor."""

    cursor: str
    synced_at: datetime
    passed: list[Passed]
    """Oldest first; of what they say of one badge and list the last holds."""
    void: list[int]
    """Badges that were revoked."""
    lists: list[ListRules] | None
    """All lists anew, where one of them or the programme of a room has changed: they hold whatever `passed` says."""


async def snapshot_since(
    db: Database, event: EventRow, door: Door, device: DeviceRow, cursor: str | None
) -> Snapshot | SnapshotDelta:
    """The delta for a cursor of ours if there is one, else the whole. Raises `InvalidRequest` for a cursor that is not ours."""
    place = _place(cursor)
    synced_at = datetime.now(UTC)
    if place is not None and place[0] == door.epoch and 0 <= place[1] <= door.seq:
        async with db.read() as connection:
            events = await feed_queries.list_events_after(
                connection, event.event_id, channel=CHECKIN, after=place[1], limit=MAX_EVENTS + 1
            )
        # The log may have grown while it was read: a cursor must not pass what the rules and badges told with it have not seen.
        known = [one for one in events if one.seq <= door.seq]
        if len(events) <= MAX_EVENTS and not any(one.kind in NEEDS_ALL for one in known):
            return _delta(door, known, place, synced_at)
    async with db.read() as connection:
        keys = [public(key) for key in await badge_queries.list_valid_keys(connection, event.event_id)]
    return Snapshot(
        cursor=_cursor(door, door.seq),
        synced_at=synced_at,
        event_id=event.event_id,
        badge_keys=keys,
        tickets=door.tickets,
        lists=_rules(door),
        badges=_badges(door),
        people=_people(door) if may(device.profile, "personal_data") else None,
    )


def _place(cursor: str | None) -> tuple[str, int, int] | None:
    parts = decode_cursor(cursor, parts=3)
    if parts is None:
        return None
    try:
        return parts[0], int(parts[1]), int(parts[2])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None


def _cursor(door: Door, seq: int) -> str:
    return encode_cursor(door.epoch, str(seq), str(door.schedule_seq))


def _delta(
    door: Door, events: Sequence[FeedEventRow], place: tuple[str, int, int], synced_at: datetime
) -> SnapshotDelta:
    revoked = [msgspec.json.decode(one.data, type=BadgeRevoked) for one in events if one.kind == "badge.revoked"]
    changed = any(one.kind == "lists.changed" for one in events) or place[2] != door.schedule_seq
    return SnapshotDelta(
        cursor=_cursor(door, events[-1].seq if events else place[1]),
        synced_at=synced_at,
        passed=[msgspec.json.decode(one.data, type=Passed) for one in events if one.kind == PASSED],
        void=[one.number for one in revoked],
        lists=_rules(door) if changed else None,
    )


def _rules(door: Door) -> list[ListRules]:
    now = datetime.now(UTC)
    return [_rules_of(door, checkin_list, now) for checkin_list in door.lists.values()]


def _rules_of(door: Door, checkin_list: CheckinListRow, now: datetime) -> ListRules:
    sessions = door.sessions.get(checkin_list.room_id, []) if checkin_list.room_id else []
    session = door.session_at(checkin_list, now)
    session_id = session.session_id if session else None
    inside = door.inside.get(checkin_list.list_id, {})
    came_for: defaultdict[UUID | None, list[UUID]] = defaultdict(list)
    for attendee_id, presence in inside.items() if sessions else ():
        came_for[presence.session_id].append(attendee_id)
    return ListRules(
        key=checkin_list.key,
        kind=checkin_list.kind,
        tickets=checkin_list.tickets,
        opens_at=checkin_list.opens_at,
        closes_at=checkin_list.closes_at,
        capacity=checkin_list.capacity,
        reentry=checkin_list.reentry,
        early_minutes=checkin_list.early_minutes,
        sessions=[
            SessionWindow(
                one.session_id,
                one.starts_at,
                one.ends_at,
                _bitmap(door, came_for[one.session_id]) if one.session_id in came_for else "",
            )
            for one in sessions
        ],
        session_id=session_id,
        inside_count=door.occupancy(checkin_list, session_id),
        inside=_bitmap(door, inside),
        been=_bitmap(door, door.been.get(checkin_list.list_id, ())),
    )


def _bitmap(door: Door, attendees: Iterable[UUID]) -> str:
    bits = bytearray((door.last_number + 7) // 8)
    for attendee_id in attendees:
        for number in door.numbers_of(attendee_id):
            bits[(number - 1) >> 3] |= 1 << ((number - 1) & 7)
    return base64.b64encode(bits).decode()


def _badges(door: Door) -> Badges:
    place_of = {ticket: place for place, ticket in enumerate(door.tickets)}
    tickets = bytearray(b"\xff" * door.last_number)
    digests = bytearray(DIGEST_BYTES * door.last_number)
    void = []
    for number, badge in door.badges.items():
        tickets[number - 1] = place_of.get(badge.ticket, 255)
        digests[(number - 1) * DIGEST_BYTES : number * DIGEST_BYTES] = short_code_digest(badge.short_code)
        if badge.is_void:
            void.append(number)
    return Badges(
        count=door.last_number,
        tickets=base64.b64encode(tickets).decode(),
        short_codes=base64.b64encode(digests).decode(),
        void=sorted(void),
    )


def short_code_digest(short_code: str) -> bytes:
    """How a snapshot names a short code."""
    return hashlib.sha256(short_code.encode()).digest()[:DIGEST_BYTES]


def _people(door: Door) -> list[Bearer]:
    return [Bearer(number, badge.name, badge.company, badge.language) for number, badge in door.badges.items()]
