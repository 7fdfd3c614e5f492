"""An event's door in memory: who may scan, what is scanned, which lists there are, and who is inside.

Looking a badge up in SQL would halve the rate at which scans are written, so each process keeps the event's badges and
devices and follows channel `checkin`, on which every change to them is announced; a room's list also follows `schedule`. The
database stays the judge of what only one may win: nothing here decides who was first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from server.attendee.codes import read_short_code
from server.attendee.types import BadgeRow
from server.checkin.history import Standing
from server.checkin.policy import clean_code, running
from server.checkin.types import CheckinListRow, SessionRow, TicketRow
from server.device.types import DeviceRow, Gate


class Presence(Struct, frozen=True, gc=False):
    """Since when and by whom somebody is inside a list."""

    session_id: UUID | None
    at: datetime
    gate: str
    device: str


class Door:
    """What one event's scans are checked against."""

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        self.changing = asyncio.Lock()
        """Held by whoever applies what the channel says: in its order, each event once."""
        self.epoch = ""
        self.seq = 0
        """Up to where channel `checkin` is reflected here."""
        self.schedule_seq = 0
        """The same for channel `schedule`."""
        self.lists: dict[str, CheckinListRow] = {}
        self.lists_by_id: dict[UUID, CheckinListRow] = {}
        self.devices: dict[UUID, DeviceRow] = {}
        self.gates: dict[UUID, str] = {}
        """Names of the event's gates, and of those deleted since the door was loaded."""
        self.sessions: dict[UUID, list[SessionRow]] = {}
        """By room."""
        self.badges: dict[int, BadgeRow] = {}
        """By number."""
        self.last_number = 0
        """The highest number of a badge."""
        self.tickets: list[str] = []
        """The event's ticket types by position, which is how a signed code names one; empty where there is a gap."""
        self.marks: dict[tuple[UUID, bytes | None], int] = {}
        """Up to which number the scans of each device, with this token, are known to be stored: it never goes back."""
        self.inside: dict[UUID, dict[UUID, Presence]] = {}
        """List → attendee → since when."""
        self.been: dict[UUID, set[UUID]] = {}
        """List → who has been inside and is not now."""
        self._by_token: dict[bytes, DeviceRow] = {}
        self._badges: dict[str, BadgeRow] = {}
        self._numbers: dict[UUID, tuple[int, ...]] = {}

    # What is asked.

    def device_of(self, token_hash: bytes) -> DeviceRow | None:
        """The device that holds this token and has not been revoked."""
        return self._by_token.get(token_hash)

    def badge_of(self, code: str) -> BadgeRow | None:
        """The badge with this code or short code, as scanned or typed."""
        exact = self._badges.get(code)
        if exact is not None:
            return exact
        cleaned = clean_code(code)
        return self._badges.get(cleaned) or self._badges.get(read_short_code(cleaned) or "")

    def numbers_of(self, attendee_id: UUID) -> tuple[int, ...]:
        """The numbers of the attendee's badges, revoked ones too."""
        return self._numbers.get(attendee_id, ())

    def holds(self, attendee_id: UUID) -> tuple[tuple[int, ...], str]:
        """The numbers of the attendee's badges, and the ticket; empty for somebody who is not known yet."""
        numbers = self._numbers.get(attendee_id)
        return (numbers, self.badges[numbers[0]].ticket) if numbers else ((), "")

    def badge_to_show(self, attendee_id: UUID) -> BadgeRow | None:
        """The attendee's valid badge, or a revoked one where there is no other."""
        badges = [self.badges[number] for number in self.numbers_of(attendee_id)]
        return min(badges, key=lambda badge: (badge.revoked_at is not None, -badge.number), default=None)

    def session_at(self, checkin_list: CheckinListRow, at: datetime) -> SessionRow | None:
        """What a room's list is open for at this moment."""
        if checkin_list.room_id is None:
            return None
        return running(self.sessions.get(checkin_list.room_id, ()), at, checkin_list.early_minutes)

    def area_of(self, list_id: UUID) -> UUID:
        """All rooms of an event are one area: whoever enters one has left the others. Any other list is one of its own."""
        checkin_list = self.lists_by_id.get(list_id)
        return list_id if checkin_list is None or checkin_list.room_id is None else self.event_id

    def has_seen(self, list_id: UUID, attendee_id: UUID) -> bool:
        """Whether the person is known to be, or to have been, inside a list. Who is not may have been a moment ago."""
        return attendee_id in self.inside.get(list_id, ()) or attendee_id in self.been.get(list_id, ())

    def occupancy(self, checkin_list: CheckinListRow, session_id: UUID | None) -> int:
        """How many are inside a list, of a room those who came for this session."""
        people = self.inside.get(checkin_list.list_id, {})
        if checkin_list.room_id is None:
            return len(people)
        return sum(presence.session_id == session_id for presence in people.values())

    def device_name(self, device_id: UUID) -> str:
        """What the device is called; empty for one that nobody knows any more."""
        device = self.devices.get(device_id)
        return device.name if device else ""

    def gate_name(self, gate_id: UUID) -> str:
        """What the gate is called; empty for one that nobody knows any more."""
        return self.gates.get(gate_id, "")

    def presence_of(self, device_id: UUID, gate_id: UUID, at: datetime, session_id: UUID | None = None) -> Presence:
        """Of somebody whom this device let in at this gate."""
        return Presence(session_id, at, self.gate_name(gate_id), self.device_name(device_id))

    def reentry(self) -> dict[UUID, str]:
        """The lists' rules."""
        return {list_id: row.reentry for list_id, row in self.lists_by_id.items()}

    # What is heard.

    def revoke_badge(self, code: str, at: datetime) -> None:
        badge = self._badges.get(code)
        if badge is not None:
            self._keep(msgspec.structs.replace(badge, revoked_at=at))

    def cancel_attendee(self, attendee_id: UUID, at: datetime | None) -> None:
        """`at` None: the registration stands again."""
        for number in self.numbers_of(attendee_id):
            self._keep(msgspec.structs.replace(self.badges[number], cancelled_at=at))

    def set_devices(self, devices: list[DeviceRow]) -> None:
        self.devices = {device.device_id: device for device in devices}
        self._by_token = {device.token_hash: device for device in devices if device.token_hash is not None}

    def set_gates(self, gates: list[Gate]) -> None:
        self.gates |= {gate.id: gate.name for gate in gates}

    def set_lists(self, lists: list[CheckinListRow]) -> None:
        self.lists = {checkin_list.key: checkin_list for checkin_list in lists}
        self.lists_by_id = {checkin_list.list_id: checkin_list for checkin_list in lists}

    def set_tickets(self, tickets: list[TicketRow]) -> None:
        self.tickets = [""] * (tickets[-1].position + 1 if tickets else 0)
        for row in tickets:
            self.tickets[row.position] = row.ticket

    def set_sessions(self, sessions: Iterable[SessionRow]) -> None:
        self.sessions = {}
        for session in sessions:
            self.sessions.setdefault(session.room_id, []).append(session)

    def add_badges(self, badges: list[BadgeRow]) -> None:
        for badge in badges:
            self._keep(badge)
            self.last_number = max(self.last_number, badge.number)
            if badge.number not in (known := self.numbers_of(badge.attendee_id)):
                self._numbers[badge.attendee_id] = (*known, badge.number)

    def place(self, attendee_id: UUID, lists: Iterable[UUID], standing: Standing) -> None:
        """Notes where a person is of all these lists, which are those of one area that ever saw them."""
        since = standing.since
        for list_id in lists:
            if since is not None and since.list_id == list_id:
                presence = self.presence_of(since.device_id, since.gate_id, since.at, since.session_id)
                self.enter(list_id, attendee_id, presence)
            else:
                been = any(place[0] == list_id for place in standing.visited)
                self.leave(list_id, attendee_id, been=been)

    def enter(self, list_id: UUID, attendee_id: UUID, presence: Presence) -> None:
        inside = self.inside.get(list_id)
        if inside is None:
            inside = self.inside[list_id] = {}
        inside[attendee_id] = presence
        been = self.been.get(list_id)
        if been:
            been.discard(attendee_id)

    def leave(self, list_id: UUID, attendee_id: UUID, *, been: bool) -> None:
        """`been=False`: whatever had let them in was undone."""
        self.inside.get(list_id, {}).pop(attendee_id, None)
        left = self.been.setdefault(list_id, set())
        if been:
            left.add(attendee_id)
        else:
            left.discard(attendee_id)

    def _keep(self, badge: BadgeRow) -> None:
        self._badges[badge.code] = self._badges[badge.short_code] = self.badges[badge.number] = badge
