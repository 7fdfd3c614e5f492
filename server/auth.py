"""Who is asking: tokens, what they stand for, and the guard that every protected path passes.

A token is `dn_KIND_` + 43 characters of 256 random bits + 6 check characters (CRC-32), all base62. The check lets a typing
error be told from a wrong token without a query, and lets secret scanners recognise a leak. Only the SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard
from msgspec import Struct

from server.errors import NotAllowed, NotAuthenticated

Kind = Literal["organizer", "device", "exhibitor", "attendee"]

PREFIXES: dict[Kind, str] = {"organizer": "dn_org_", "device": "dn_dev_", "exhibitor": "dn_exh_", "attendee": "dn_att_"}
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIX_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 7, 43, 6
TOKEN_LENGTH = _PREFIX_LENGTH + _SECRET_LENGTH + _CHECK_LENGTH


class Principal(Struct, frozen=True):
    """Somebody whose token was accepted for one event."""

    kind: Kind
    event_id: UUID
    subject_id: UUID
    """The organizer's, device's, booth staff member's or attendee's id."""
    name: str
    booth_id: UUID | None = None
    """The exhibitor a booth staff member works for."""
    profile: str | None = None
    """What a device may do: `device.policy` says it."""
    since: datetime | None = None
    """When a device's token was given out: tells the phone that has its name now from the one that had it before. Of an attendee:
    when their rights last changed, if they did."""
    ticket: str | None = None
    """An attendee's type of ticket."""
    speaker_id: UUID | None = None
    """As whom an attendee speaks at this event."""
    cancelled: bool = False
    """An attendee's registration was taken back: it still shows itself, and hears nothing any more."""


def new_token(kind: Kind) -> str:
    """A fresh token; give it out once and store `hash_token` of it."""
    body = PREFIXES[kind] + _base62(int.from_bytes(secrets.token_bytes(32), "big"), _SECRET_LENGTH)
    return body + _check(body)


def hash_token(token: str) -> bytes:
    """What is stored of a token: 32 bytes. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def kind_of(token: str) -> Kind | None:
    """What a token claims to be, or None where it cannot be one of ours: wrong length, prefix or check characters."""
    if len(token) != TOKEN_LENGTH or not token.isascii() or token[-_CHECK_LENGTH:] != _check(token[:-_CHECK_LENGTH]):
        return None
    return _KINDS.get(token[:_PREFIX_LENGTH])


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises `NotAuthenticated`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated
    return token.strip()


async def identify(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """Whose token of the event in the path the request carries. Raises `NotAuthenticated`, `UnknownEvent`."""
    token = bearer(connection.headers.get("authorization"))
    kind = kind_of(token)
    if kind is None:
        raise NotAuthenticated
    event_id = (await connection.app.state.events.get(connection.path_params["event"])).event_id
    principal: Principal | None = await connection.app.state.principals.find(event_id, kind, token)
    if principal is None:
        raise NotAuthenticated
    if principal.kind == "device":
        connection.app.state.seen.note(event_id, principal.subject_id, connection.headers.get("user-agent"))
    return principal


def require(*kinds: Kind) -> Guard:
    """A guard that lets only tokens of these kinds, of the event in the path, pass; the handler finds `request.user`."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        principal = await identify(connection)
        if principal.kind not in kinds:
            raise NotAllowed(
                f"This needs a token of {_spoken(kinds)}; the one sent is of {_spoken((principal.kind,))}."
            )
        connection.scope["user"] = principal

    return accepting(guard, *kinds)


def accepting(guard: Guard, *kinds: Kind) -> Guard:
    """The guard, marked for the OpenAPI document with the kinds of token it accepts."""
    vars(guard)["kinds"] = kinds
    return guard


def _spoken(kinds: tuple[Kind, ...]) -> str:
    names = {"organizer": "an organizer", "device": "a device", "exhibitor": "booth staff", "attendee": "an attendee"}
    return " or ".join(names[kind] for kind in kinds)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_LENGTH)
