"""The code in a badge's QR: signed, so that a scanner without a network can tell a badge of its event from anything else.

`DN` and 112 characters of Crockford's base 32 (the alphabet of `codes`), upper case: with the prefix, 114 characters of
the QR's alphanumeric mode, which fit version 5-M (37 modules). The characters are 70 bytes:

    1    version (high 4 bits, now 1) and key id (low 4 bits)
    4    badge number, big-endian, from 1
    1    ticket index: the position of the ticket type in the event, 255 where it has no room in a byte
    64   Ed25519 signature (RFC 8032) of  `digitalnow badge` NUL, the event's id (16 bytes), the six bytes above

70 bytes are exactly 112 characters: no bits are left over, so each badge has one spelling. Whoever verifies needs the event's
id and its public keys, both of which `GET /v1/events/{event}` tells. The signature proves what was printed, not what holds now:
a badge that was revoked since still verifies. Pure.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from uuid import UUID

from msgspec import Struct
from nacl import bindings
from nacl.exceptions import BadSignatureError

from server.attendee.codes import ALPHABET

VERSION: Final = 1
LENGTH: Final = 114
SEED_BYTES: Final = 32
KEY_IDS: Final = 16
"""An event has keys 0 to 15 in its life."""
MAX_NUMBER: Final = 2**31 - 1
"""What the database's column holds; the code has room for twice as many."""
UNTOLD_TICKET: Final = 255
"""Stands for every ticket type whose position is greater than 254: the scanner must ask the server which it is."""

_PREFIX = "DN"
_CONTEXT = b"digitalnow badge\x00"
_PAYLOAD_BYTES, _SIGNATURE_BYTES = 6, 64
_SHAPE = re.compile(rf"{_PREFIX}[{ALPHABET}]{{112}}")
_FROM_STANDARD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())
_TO_STANDARD = bytes.maketrans(ALPHABET.encode(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class NotABadgeOfTheEvent(Exception):
    """This is not a badge code that the event has signed with one of its valid keys."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class SignedBadge(Struct, frozen=True):
    """What a code says."""

    number: int
    """Unique in the event."""
    ticket_index: int
    """0 to 254, or `UNTOLD_TICKET`."""
    key_id: int


def new_seed() -> bytes:
    """A fresh private key: 32 random bytes. Whoever has them can make badges that offline scanners believe."""
    return secrets.token_bytes(SEED_BYTES)


def public_key_of(seed: bytes) -> bytes:
    """The 32 bytes that verify what `seed` signs."""
    return _keypair(seed)[0]


def ticket_index_of(position: int) -> int:
    """How a code names the ticket type at this position."""
    return position if 0 <= position < UNTOLD_TICKET else UNTOLD_TICKET


def sign(seed: bytes, event_id: UUID, key_id: int, number: int, ticket_index: int) -> str:
    """The code of a badge; about 25 µs. Raises `ValueError` for a number, index or key id out of range."""
    if not (0 <= key_id < KEY_IDS and 1 <= number <= MAX_NUMBER and 0 <= ticket_index <= UNTOLD_TICKET):
        raise ValueError(f"no code has room for key {key_id}, number {number}, ticket {ticket_index}")
    payload = bytes((VERSION << 4 | key_id,)) + number.to_bytes(4, "big") + bytes((ticket_index,))
    signature = bindings.crypto_sign(_message(event_id, payload), _keypair(seed)[1])[:_SIGNATURE_BYTES]
    return _PREFIX + base64.b32encode(payload + signature).translate(_FROM_STANDARD).decode()


def parse(code: str) -> SignedBadge:
    """What a code claims, unverified. Raises `NotABadgeOfTheEvent` for anything that has not the form of one."""
    return _claims(_payload_and_signature(code)[0])


def verify(keys: Mapping[int, bytes], event_id: UUID, code: str) -> SignedBadge:
    """What a code says, if the event signed it; about 50 µs. `code` is as `checkin.policy.clean_code` leaves it.

    `keys` are the event's public keys by their ids. Raises `NotABadgeOfTheEvent` for everything else.
    """
    payload, signature = _payload_and_signature(code)
    badge = _claims(payload)
    public_key = keys.get(badge.key_id)
    if public_key is None:
        raise NotABadgeOfTheEvent
    try:
        bindings.crypto_sign_open(signature + _message(event_id, payload), public_key)
    except BadSignatureError:
        raise NotABadgeOfTheEvent from None
    return badge


def _payload_and_signature(code: str) -> tuple[bytes, bytes]:
    if _SHAPE.fullmatch(code) is None:
        raise NotABadgeOfTheEvent
    content = base64.b32decode(code[len(_PREFIX) :].encode().translate(_TO_STANDARD))
    return content[:_PAYLOAD_BYTES], content[_PAYLOAD_BYTES:]


def _claims(payload: bytes) -> SignedBadge:
    version, key_id = divmod(payload[0], 1 << 4)
    number = int.from_bytes(payload[1:5], "big")
    if version != VERSION or not 1 <= number <= MAX_NUMBER:
        raise NotABadgeOfTheEvent
    return SignedBadge(number, payload[5], key_id)


def _message(event_id: UUID, payload: bytes) -> bytes:
    return _CONTEXT + event_id.bytes + payload


@lru_cache(maxsize=64)
def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    public_key, secret_key = bindings.crypto_sign_seed_keypair(seed)
    return public_key, secret_key
