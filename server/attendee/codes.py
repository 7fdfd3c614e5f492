"""The codes on a badge: a long one for the QR and a short one for a human's fingers. Pure but for the random bits.

Both use Crockford's base 32 (no I, L, O, U): upper case keeps the QR small, and what people mistype is understood.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKED_BODY = 7
"""A short code is this many random characters and one check character: 32⁷ ≈ 34 billion codes."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_CODE_LENGTH = 26
_CODE_PREFIX = "DN"


def new_badge_code() -> str:
    """`DN` and 130 random bits: nobody guesses one."""
    return _CODE_PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(_CODE_LENGTH))


def new_short_code() -> str:
    """Eight characters, the last of which catches any single mistyped one and any two neighbours swapped."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(CHECKED_BODY))
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character that makes the whole a code word: a weighted sum over the field of 32 elements.

    Each place weighs twice its right neighbour (multiplication by x modulo x⁵ + x² + 1, a primitive polynomial), so all
    weights differ and neither one changed character nor two swapped neighbours can leave the sum as it was.
    """
    total = 0
    for character in body:
        total = _double(total ^ _VALUES[character])
    return ALPHABET[total]


def _double(element: int) -> int:
    doubled = element << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled
