"""What a device may do, by its profile. Pure, and the only place that says it."""

from __future__ import annotations

from typing import get_args

from server.device.errors import ProfileForbids
from server.device.types import Profile, Right

_SCAN: frozenset[Right] = frozenset({"check_in", "check_out", "check_in_batch", "read_lists", "snapshot", "undo_own"})

RIGHTS: dict[Profile, frozenset[Right]] = {
    # A helper at a door. What it may keep for offline use says who is entitled, and names nobody.
    "scan": _SCAN,
    # A help desk: it finds people who have lost their badges.
    "scan+search": _SCAN | {"search", "personal_data"},
    # Stands by itself where anybody can touch it: it lets people in, and can take nothing back.
    "kiosk": frozenset({"check_in", "read_lists"}),
    "supervisor": frozenset(get_args(Right)),
}


def may(profile: str | None, right: Right) -> bool:
    """Whether a device of this profile has a right. A profile nobody knows has none."""
    return any(right in rights for known, rights in RIGHTS.items() if known == profile)


def check_right(profile: str | None, right: Right) -> None:
    """Raises `ProfileForbids` where the profile lacks the right."""
    if not may(profile, right):
        raise ProfileForbids(f"This device's profile `{profile}` does not have the right `{right}`.")
