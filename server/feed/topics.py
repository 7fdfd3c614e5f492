"""What the channels are called, and who may read which. The only place that decides it.

A client names a channel, the log behind it may be its own: `me` is `me:{its id}`, `leads` is `leads:{its booth}`. Nobody can name
another one's.
"""

from __future__ import annotations

import re
from uuid import UUID

from server.auth import Principal
from server.feed.types import ANNOUNCEMENTS, CHECKIN, LEADS, ME, PUBLIC_CHANNELS, SEPARATOR, STATE_CHANNELS

GROUPS = ("attendees", "exhibitors", "speakers", "staff")
"""Audiences that every event has; `staff` are scanners and organizers."""
TRACK, TICKET = "track:", "ticket:"
"""The other audiences: who follows a track, who holds a ticket of a type."""

EVENT_CHANNELS = (
    *PUBLIC_CHANNELS,
    *STATE_CHANNELS,
    CHECKIN,
    ME,  # counts for the personal logs, which are made when there is something to tell
    *(f"{ANNOUNCEMENTS}{SEPARATOR}{group}" for group in GROUPS),
)
"""What an event begins with. Whoever adds a track, a ticket type or a booth opens its channel too."""

_TRACK = re.compile(r"track:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def announcements_to(audience: str | None) -> str:
    """The channel on which an audience hears its announcements; None: everybody."""
    return ANNOUNCEMENTS if audience is None else f"{ANNOUNCEMENTS}{SEPARATOR}{audience}"


def audience_of(channel: str) -> str | None:
    """The audience of a channel of announcements; None for everybody's, and for a channel that is none."""
    name, _, audience = channel.partition(SEPARATOR)
    return audience or None if name == ANNOUNCEMENTS else None


def own(name: str, owner: UUID) -> str:
    """The log behind `me` or `leads`."""
    return f"{name}{SEPARATOR}{owner}"


def belongs(principal: Principal, audience: str) -> bool:
    """Whether somebody may listen to what an audience is told. Organizers hear everything."""
    kind = principal.kind
    if principal.cancelled:
        return False
    if kind == "organizer":
        return is_channel(announcements_to(audience))
    if kind == "device":
        return audience == "staff"
    if _TRACK.fullmatch(audience):
        return True  # whoever is there may follow a track
    if kind == "exhibitor":
        return audience == "exhibitors"
    if audience == "speakers":
        return principal.speaker_id is not None
    return audience == "attendees" or (principal.ticket is not None and audience == TICKET + principal.ticket)


def is_channel(name: str) -> bool:
    """Whether a name is that of a channel some reader may have, if not this one."""
    audience = audience_of(name)
    known = audience is not None and (
        audience in GROUPS or audience.startswith(TICKET) or bool(_TRACK.fullmatch(audience))
    )
    return known or name in (*PUBLIC_CHANNELS, *STATE_CHANNELS, CHECKIN, ME, LEADS)


def resolve(principal: Principal | None, name: str) -> str | None:
    """The log or state channel that a reader (None: somebody without a ticket) calls by this name; None: not for this one."""
    if name in PUBLIC_CHANNELS or name in STATE_CHANNELS:
        return name
    if principal is None:
        return None
    if name == ME:
        return own(ME, principal.subject_id)
    if name == LEADS:
        return own(LEADS, principal.booth_id) if principal.booth_id is not None else None
    if name == CHECKIN:
        return name if principal.kind in ("device", "organizer") else None
    audience = audience_of(name)
    return name if audience is not None and belongs(principal, audience) else None
