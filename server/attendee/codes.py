"""The short code on a badge, for a human's fingers, and the alphabet of all codes. Pure but for the random bits.

The alphabet is Crockford's base 32 (no I, L, O, U): upper case keeps the QR small, and no two characters look alike. The long
code, for the QR, is in `signed_codes`.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKED_BODY = 7
"""A short code is this many random characters and one check character: 32⁷ ≈ 34 billion codes."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LOOK_ALIKES = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None})


def new_short_code() -> str:
    """Eight characters, the last of which catches any single mistyped one and any two neighbours swapped."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(CHECKED_BODY))
    return body + check_character(body)


def read_short_code(typed: str) -> str | None:
    """The short code that was meant; None for what cannot be one. `typed` is as `checkin.policy.clean_code` leaves it.

    Letters that the alphabet lacks are the digits they look like, hyphens are left out. Of wrong texts of this length in this
    alphabet one in 32 passes, but none that is a code with one character mistyped or two neighbours swapped.
    """
    code = typed.translate(_LOOK_ALIKES)
    if len(code) != CHECKED_BODY + 1 or not all(character in _VALUES for character in code):
        return None
    return code if check_character(code[:-1]) == code[-1] else None


def in_groups(short_code: str) -> str:
    """As printed: two groups of four, which eyes and voices keep better than eight characters."""
    return f"{short_code[:4]} {short_code[4:]}"


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
