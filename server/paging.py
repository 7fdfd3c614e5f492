"""Pages by cursor: `limit` and `cursor` in, `next_cursor` out. A cursor is the last row's key: rows may come and go."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from server.errors import InvalidRequest

DEFAULT_LIMIT = 100
MAX_LIMIT = 500

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(max_length=400)]

NOT_OURS = "The cursor is not one this list gave out - at `$.cursor`"
_SEPARATOR = "\x1f"


def encode_cursor(*key: str) -> str:
    """Opaque to clients; not a secret."""
    return base64.urlsafe_b64encode(_SEPARATOR.join(key).encode()).decode().rstrip("=")


def decode_id_cursor(cursor: str | None) -> UUID:
    """The id a cursor stands for; for the first page one that comes before all. Raises `InvalidRequest`."""
    key = decode_cursor(cursor, parts=1)
    if key is None:
        return UUID(int=0)
    try:
        return UUID(key[0])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None


def decode_number_cursor(cursor: str) -> int:
    """The number a cursor stands for. Raises `InvalidRequest`."""
    key = decode_cursor(cursor, parts=1)
    if key is None or not key[0].isdecimal() or len(key[0]) > 18:
        raise InvalidRequest(NOT_OURS)
    return int(key[0])


def decode_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """The key a cursor stands for, None for the first page. Raises `InvalidRequest` for one that we did not give out."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(_SEPARATOR)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        key = []
    if len(key) != parts or any("\x00" in part for part in key):
        raise InvalidRequest(NOT_OURS)
    return key
