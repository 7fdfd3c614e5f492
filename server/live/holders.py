"""Who holds the connections that came with a ticket: how many each may have, and when it loses them. No socket, no database."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from server.auth import Principal
from server.feed.types import AttendeeCancelled, FeedEventRow, TokenReplaced, TokenRevoked
from server.live.allowance import Allowance
from server.live.protocol import Close
from server.live.session import Closing, Session, now

MOST_CONNECTIONS = {"device": 1}
"""Of one token at a time; a newer one takes the place of the oldest. A scanner is one phone."""
MOST_OTHERS = 3
HELLO_BURST = 10
"""Connections a token may open at once; then one every `HELLO_SECONDS_EACH`."""
HELLO_SECONDS_EACH = 3.0
TOKEN_FRAME_BURST = 60
TOKEN_FRAME_SECONDS = 1.0
BELIEVED_SECONDS = 4 * 3600.0
"""For about so long a connection needs no fresh ticket."""
SPREAD = 0.2

Key = tuple[UUID, UUID]
"""Event and subject."""


class Holders:
    """All principals of one gateway process."""

    def __init__(self) -> None:
        self._connections: dict[Key, list[Session]] = {}
        self._hellos: dict[Key, Allowance] = {}
        self._frames: dict[Key, Allowance] = {}
        self._used: dict[UUID, float] = {}
        """Tickets that have opened a connection, and until when they would open another."""
        self._revoked: set[UUID] = set()
        """Whose tokens were taken out of use: a ticket lives on for up to 60 seconds."""
        self._cancelled: dict[UUID, datetime] = {}
        """Whose registration was taken back, and when: a newer ticket says that it stands again."""
        self._renewed: dict[UUID, datetime] = {}
        """Who got a new token, and when: tickets of the old one live on as well, and those of the new one are welcome."""

    def admit(self, session: Session) -> list[Session]:
        """Counts a connection with a ticket; returns those whose place it takes. Raises `Closing`."""
        ticket = session.ticket
        assert ticket is not None, "called for those who have one"  # noqa: S101 - for the type checker
        principal, key = ticket.principal, (ticket.principal.event_id, ticket.principal.subject_id)
        if code := self.void_code(principal):
            raise Closing(code)
        if ticket.ticket_id in self._used:
            raise Closing(Close.TICKET_EXPIRED)
        moment = now()
        if not self._hellos.setdefault(key, Allowance(HELLO_BURST, HELLO_SECONDS_EACH, moment)).take(moment):
            raise Closing(Close.RATE_LIMITED)
        self._used[ticket.ticket_id] = ticket.expires_at
        together = self._frames.setdefault(key, Allowance(TOKEN_FRAME_BURST, TOKEN_FRAME_SECONDS, moment))
        session.frames = (*session.frames, together)
        session.ends_at = moment + BELIEVED_SECONDS * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no herd, no secret
        held = self._connections.setdefault(key, [])
        held.append(session)
        surplus = len(held) - MOST_CONNECTIONS.get(principal.kind, MOST_OTHERS)
        replaced, held[:] = held[: max(0, surplus)], held[max(0, surplus) :]
        return replaced

    def forget(self, session: Session) -> None:
        """Says that a connection has ended."""
        if session.principal is None:
            return
        key = (session.place.event_id, session.principal.subject_id)
        held = self._connections.get(key, [])
        if session in held:
            held.remove(session)
            if not held:
                del self._connections[key]

    def tidy(self, unix_time: float) -> None:
        """Forgets what makes no difference any more."""
        moment = now()
        for allowances in (self._hellos, self._frames):
            for key in [
                key for key, one in allowances.items() if key not in self._connections and one.is_whole(moment)
            ]:
                del allowances[key]
        for ticket_id in [ticket_id for ticket_id, ends in self._used.items() if ends < unix_time]:
            del self._used[ticket_id]

    def hear(self, event_id: UUID, rows: Iterable[FeedEventRow]) -> list[tuple[Session, int]]:
        """Takes note of what channel `checkin` says about tokens; returns the connections that are void by it, and the codes."""
        concerned: dict[UUID, None] = {}
        for row in rows:
            if row.kind in TokenRevoked.KINDS:
                subject_id = msgspec.json.decode(row.data, type=TokenRevoked).subject_id
                self._revoked.add(subject_id)
            elif row.kind in TokenReplaced.KINDS:
                replaced = msgspec.json.decode(row.data, type=TokenReplaced)
                subject_id = replaced.subject_id
                self._renewed[subject_id] = replaced.since
            elif row.kind in AttendeeCancelled.KINDS:
                changed = msgspec.json.decode(row.data, type=AttendeeCancelled)
                subject_id = changed.attendee_id
                if changed.cancelled:
                    self._cancelled[subject_id] = row.at
                else:
                    self._cancelled.pop(subject_id, None)
            else:
                continue
            concerned[subject_id] = None
        return [
            (session, code)
            for subject_id in concerned
            for session in self._connections.get((event_id, subject_id), ())
            if session.principal and (code := self.void_code(session.principal))
        ]

    def void_code(self, principal: Principal) -> int | None:
        """With which code somebody is sent away whose token was revoked or replaced, or whose rights are others now.

        A newer token than those heard of here is good.
        """
        subject_id, since = principal.subject_id, principal.since
        if subject_id in self._revoked:
            return Close.REVOKED
        cancelled = self._cancelled.get(subject_id)
        if cancelled is not None and (since is None or since < cancelled):
            return Close.REVOKED
        renewed = self._renewed.get(subject_id)
        if renewed is None or (since is not None and since >= renewed):
            return None
        return Close.TICKET_EXPIRED if principal.kind == "attendee" else Close.REVOKED
