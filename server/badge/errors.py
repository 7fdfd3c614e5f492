"""Why a key is not made or retired, or a badge not issued."""

from __future__ import annotations

from server.errors import AppError


class UnknownBadgeKey(AppError):
    """This event has no badge key with that id."""

    status = 404
    code = "badge_key.unknown"


class NewestBadgeKey(AppError):
    """This key signs the badges that are issued now. Make a new one first, then retire it."""

    status = 409
    code = "badge_key.newest"


class BadgeKeysUsedUp(AppError):
    """A badge's code has room for 16 keys in an event's life, and this event has made them all."""

    status = 409
    code = "badge_key.used_up"
