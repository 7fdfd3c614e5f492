"""What a scanner knows of an event's doors, and what it decides by that when nobody answers. Pure.

It is the server's own answer as long as nothing has happened since the snapshot. Where a snapshot cannot tell it:

- `revoked` and `cancelled` are one thing, void, and both are called `revoked`;
- a code signed by a retired key is `unknown_code`, although the server may know the badge;
- which badges belong to one person is unknown until the server has said so of somebody who passed; what this scanner does
  with one of them says nothing of the others;
- for which session somebody has left a room: whom it has let in before is not held against them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.attendee import signed_codes
from server.checkin.events import Passed
from server.checkin.history import ALWAYS, NEVER
from server.checkin.policy import clean_code, running
from server.checkin.snapshot import DIGEST_BYTES, ListRules, Snapshot, SnapshotDelta, short_code_digest
from server.checkin.types import CheckIn, Decided, Direction, Outcome, Reason, SessionRow

NOBODYS = 255
"""The ticket of a number that no badge has."""
NOWHERE = UUID(int=0)


class Decision(Struct, frozen=True):
    """What the scanner tells the person."""

    outcome: Outcome
    reason: Reason | None = None
    badge: int | None = None
    session_id: UUID | None = None
    """Of a room: what they came for."""

    @property
    def decided(self) -> Decided:
        """How the server calls it: whoever is inside already is not let in again."""
        return self.outcome if self.outcome in ("admitted", "exited") else "refused"


class KnownList:
    """A check-in list, and who is inside."""

    def __init__(self, rules: ListRules) -> None:
        self.rules = rules
        self.sessions = [SessionRow(one.id, NOWHERE, one.starts_at, one.ends_at) for one in rules.sessions]
        self.counted_for = rules.session_id
        """The session that `count` is of; None where the list follows no programme."""
        self.inside: dict[int, UUID | None] = dict.fromkeys(numbers_of(rules.inside))
        """Badge → what they came for."""
        for session in rules.sessions:
            self.inside |= dict.fromkeys(numbers_of(session.inside), session.id)
        self.been: set[tuple[int, UUID | None]] = set()
        if not self.is_room:
            self.been = {(number, None) for number in numbers_of(rules.been)}
        self.count = rules.inside_count

    @property
    def is_room(self) -> bool:
        return self.rules.kind == "room"

    def session_at(self, at: datetime) -> UUID | None:
        session = running(self.sessions, at, self.rules.early_minutes) if self.is_room else None
        return session.session_id if session else None

    def is_open(self, at: datetime) -> bool:
        opens_at, closes_at = self.rules.opens_at, self.rules.closes_at
        return (opens_at is None or opens_at <= at) and (closes_at is None or at < closes_at)

    def occupancy(self, session_id: UUID | None) -> int:
        if session_id == self.counted_for:
            return self.count
        return sum(place == session_id for place in self.inside.values())

    def enter(self, badge: int, session_id: UUID | None) -> None:
        if self.inside.get(badge, NOWHERE) != session_id:
            self.leave(badge)
            self.count += session_id == self.counted_for
        self.inside[badge] = session_id

    def leave(self, badge: int, *, been: bool = True) -> None:
        """`been=False`: it is as if the person had never been there."""
        if badge in self.inside:
            session_id = self.inside.pop(badge)
            self.count -= session_id == self.counted_for
            self.been.add((badge, session_id))
        if not been:
            self.been = {place for place in self.been if place[0] != badge}


class Knowledge:
    """Everything a scanner needs to decide by itself."""

    def __init__(self) -> None:
        self.synced_at: datetime | None = None
        self.lists: dict[str, KnownList] = {}
        self.void: set[int] = set()
        self._event_id = NOWHERE
        self._keys: dict[int, bytes] = {}
        self._tickets: list[str] = []
        self._ticket_of = b""
        self._short_codes: dict[bytes, int] = {}

    # What it hears.

    def load(self, snapshot: Snapshot) -> None:
        """Takes a whole snapshot in the place of everything it knew."""
        self.synced_at = snapshot.synced_at
        self._event_id = snapshot.event_id
        self._keys = {key.id: base64.urlsafe_b64decode(key.public_key + "=") for key in snapshot.badge_keys}
        self._tickets = snapshot.tickets
        self._ticket_of = base64.b64decode(snapshot.badges.tickets)
        digests = base64.b64decode(snapshot.badges.short_codes)
        self._short_codes = {
            digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]: place + 1
            for place, ticket in enumerate(self._ticket_of)
            if ticket != NOBODYS
        }
        self.void = set(snapshot.badges.void)
        self._set_lists(snapshot.lists)

    def apply(self, delta: SnapshotDelta) -> None:
        """Takes what has changed since."""
        self.synced_at = delta.synced_at
        self.void.update(delta.void)
        for passed in delta.passed:
            self.hear(passed)
        if delta.lists is not None:
            self._set_lists(delta.lists)

    def hear(self, passed: Passed) -> None:
        """Takes what the server says of one list. Hearing it twice changes nothing."""
        known = self.lists.get(passed.list)
        if known is None:
            return
        for entered in passed.entered:
            for badge in entered.badges:
                known.enter(badge, entered.session_id)
        for badge in passed.left:
            known.leave(badge)
            if not known.is_room:
                known.been.add((badge, None))
        for badge in passed.undone:
            known.leave(badge, been=False)
        if not known.is_room:  # of a room it is the number of a session that the message does not name
            known.count = passed.inside

    def _set_lists(self, lists: Iterable[ListRules]) -> None:
        self.lists = {rules.key: KnownList(rules) for rules in lists}

    # What it decides.

    def decide(self, key: str, code: str, direction: Direction, at: datetime) -> Decision:
        """What to tell whoever shows this code at this moment. Raises `KeyError` for a list it does not know."""
        known = self.lists[key]
        badge, ticket = self._read(code)
        if badge is None:
            return Decision("refused", "unknown_code")
        if direction == "exit":
            inside = badge in known.inside
            return Decision("exited", None, badge) if inside else Decision("refused", "not_inside", badge)
        session_id = known.session_at(at)
        reason = self._refusal(known, badge, ticket, at, session_id)
        if reason is not None:
            return Decision("refused", reason, badge)
        is_inside = known.inside.get(badge, NOWHERE) == session_id
        if known.rules.reentry != ALWAYS and is_inside:
            return Decision("already_admitted", None, badge, session_id)
        if known.rules.reentry == NEVER and (badge, session_id) in known.been:
            return Decision("already_admitted", None, badge, session_id)
        capacity = known.rules.capacity
        if capacity is not None and not is_inside and known.occupancy(session_id) >= capacity:
            return Decision("refused", "list_full", badge)
        return Decision("admitted", None, badge, session_id)

    def note(self, key: str, decision: Decision) -> None:
        """Somebody was told this and has passed, if it let them. Who enters a room has left the others."""
        if decision.badge is None or key not in self.lists:
            return
        known = self.lists[key]
        if decision.outcome == "exited":
            known.leave(decision.badge)
        elif decision.outcome == "admitted":
            known.enter(decision.badge, decision.session_id)
            for other in self.lists.values():
                if other is not known and known.is_room and other.is_room:
                    other.leave(decision.badge)

    def badge_of(self, code: str) -> int | None:
        """The number of the badge with this code, if it is one of the event."""
        return self._read(code)[0]

    def replay(self, scan: CheckIn, outcome: Outcome) -> None:
        """Notes what came of a scan: the server's answer, or once more what the server has not counted yet."""
        known = self.lists.get(scan.list)
        if known is not None and outcome in ("admitted", "exited") and scan.scanned_at is not None:
            session_id = known.session_at(scan.scanned_at)
            self.note(scan.list, Decision(outcome, None, self.badge_of(scan.code), session_id))

    def _refusal(
        self, known: KnownList, badge: int, ticket: str, at: datetime, session_id: UUID | None
    ) -> Reason | None:
        if badge in self.void:
            return "revoked"
        if ticket not in known.rules.tickets:
            return "wrong_ticket"
        if not known.is_open(at) or (known.is_room and session_id is None):
            return "not_open"
        return None

    def _read(self, code: str) -> tuple[int | None, str]:
        """The badge's number, None where this is no badge of the event, and its ticket."""
        cleaned = clean_code(code)
        try:
            signed = signed_codes.verify(self._keys, self._event_id, cleaned)
        except signed_codes.NotABadgeOfTheEvent:
            number = self._short_codes.get(short_code_digest(cleaned))
            return number, self._ticket(self._ticket_of[number - 1]) if number is not None else ""
        if signed.number > len(self._ticket_of):  # printed since: the signature says that it is good, and for what
            return signed.number, self._ticket(signed.ticket_index)
        ticket = self._ticket_of[signed.number - 1]
        return (None, "") if ticket == NOBODYS else (signed.number, self._ticket(ticket))

    def _ticket(self, index: int) -> str:
        return self._tickets[index] if index < len(self._tickets) else ""


def numbers_of(bitmap: str) -> list[int]:
    """The badges whose bit is set, least significant first; the first bit is of number 1."""
    packed = base64.b64decode(bitmap)
    return [byte * 8 + bit + 1 for byte, bits in enumerate(packed) for bit in range(8) if bits >> bit & 1]
