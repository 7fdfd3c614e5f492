"""The code by which a phone becomes a device: short enough to type, and worth nothing to whoever reads the database."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import msgspec

from server.attendee.codes import new_short_code, read_short_code
from server.checkin.policy import clean_code
from server.device.types import PairingContent

LIFETIME = timedelta(minutes=10)


def new_pairing_code() -> str:
    """Eight characters: 35 random bits and a check character."""
    return new_short_code()


def read_pairing_code(typed: str) -> str | None:
    """The code that was meant, or None for what cannot be one: another length or alphabet, or a wrong check character."""
    return read_short_code(clean_code(typed))


def qr_content(base: str, event: str, code: str) -> str:
    """The text of the QR code that a phone scans to pair. `base` is the API's URL without `/v1`."""
    return msgspec.json.encode(PairingContent(url=base.rstrip("/"), event=event, code=code)).decode()


def hash_pairing_code(event_id: UUID, code: str) -> bytes:
    """What is stored of a code: 32 bytes. Takes about 10 ms and 4 MB, so call it in a thread.

    Plain SHA-256 of 35 bits can be tried out in a minute by whoever reads the table; at this price it takes years of
    computing, and the code is worth something for ten minutes. The event is the salt: the code must be found by its hash.
    """
    return hashlib.scrypt(code.encode(), salt=event_id.bytes, n=2**12, r=8, p=1, dklen=32)
