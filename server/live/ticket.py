"""A pass for the websocket: who somebody is, for 60 seconds, signed so that a gateway needs no query to believe it.

`base64url(JSON).base64url(HMAC-SHA-256)`. It goes into the first frame, never into a URL, where logs would keep it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from server.auth import Kind, Principal
from server.ids import new_id

LIFETIME_SECONDS = 60
MAX_LENGTH = 1024


class TicketInvalid(Exception):
    """Not a ticket of ours."""


class TicketExpired(Exception):
    """It was one, until its time ran out."""


class Pass(Struct, frozen=True):
    """A ticket that was found good."""

    principal: Principal
    ticket_id: UUID
    """Tells it from every other: it opens one connection."""
    expires_at: int
    """When it ends; seconds since 1970."""


class _Claims(Struct, frozen=True, array_like=True):
    event_id: UUID
    kind: Kind
    subject_id: UUID
    booth_id: UUID | None
    ticket_id: UUID
    expires_at: int
    since: datetime | None
    ticket: str | None
    speaker_id: UUID | None


def issue(key: bytes, principal: Principal, *, now: float | None = None) -> str:
    """A ticket for this principal, valid for 60 s."""
    expires_at = int(time.time() if now is None else now) + LIFETIME_SECONDS
    claims = _Claims(
        principal.event_id,
        principal.kind,
        principal.subject_id,
        principal.booth_id,
        new_id(),
        expires_at,
        principal.since,
        principal.ticket,
        principal.speaker_id,
    )
    body = _encode(msgspec.json.encode(claims))
    return f"{body}.{_encode(_sign(key, body))}"


def verify(key: bytes, ticket: str, *, now: float | None = None) -> Pass:
    """Whose ticket it is, without name and profile. Raises `TicketInvalid` or `TicketExpired`."""
    body, _, signature = ticket.partition(".")
    if (
        len(ticket) > MAX_LENGTH
        or not ticket.isascii()
        or not hmac.compare_digest(_encode(_sign(key, body)), signature)
    ):
        raise TicketInvalid
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
    except (msgspec.DecodeError, binascii.Error) as error:
        raise TicketInvalid from error
    if claims.expires_at <= (time.time() if now is None else now):
        raise TicketExpired
    principal = Principal(
        claims.kind,
        claims.event_id,
        claims.subject_id,
        "",
        claims.booth_id,
        since=claims.since,
        ticket=claims.ticket,
        speaker_id=claims.speaker_id,
    )
    return Pass(principal, claims.ticket_id, claims.expires_at)


def _sign(key: bytes, body: str) -> bytes:
    return hmac.new(key, b"digitalnow live ticket v1:" + body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
