"""Who may read which channel. The only place that decides it."""

from __future__ import annotations

from server.auth import Principal
from server.feed.types import CHECKIN, PUBLIC_CHANNELS, STATE_CHANNELS


def may_read(principal: Principal | None, channel: str) -> bool:
    """Whether this principal (None: somebody without a ticket) may read a channel of the event it belongs to."""
    if channel in PUBLIC_CHANNELS or channel in STATE_CHANNELS:
        return True
    if principal is None:
        return False
    return channel == CHECKIN and principal.kind in ("device", "organizer")
