"""What channel `checkin` says: to the scanners, and to every process that keeps a door in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

PASSED: Final = "checkin.passed"
LISTS_CHANGED: Final = "lists.changed"
ATTENDEES_CHANGED: Final = "attendees.changed"
"""Read everything anew."""
CONFLICTS_CHANGED: Final = "conflicts.changed"


Numbers = list[int]
"""Of badges."""
Ids = list[UUID]
Keys = list[str]
"""Of check-in lists."""


class BadgeRevoked(Struct, frozen=True):
    """The data of `badge.revoked`."""

    code: str
    number: int


class ListsChanged(Struct, frozen=True):
    """The data of `lists.changed`: these check-in lists were made, changed or removed."""

    lists: Keys


class AttendeesChanged(Struct, frozen=True):
    """The data of `attendees.changed`."""

    attendee_ids: Ids = []
    """Who has other badges than before; none: there may be anybody."""


class Entered(Struct, frozen=True, omit_defaults=True):
    """People whom one device let in within one second."""

    device: str
    gate: str
    at: datetime
    badges: Numbers
    """Their badges' numbers; somebody who holds several is named by each."""
    session_id: UUID | None = None


Arrivals = list[Entered]


class Passed(Struct, frozen=True):
    """The data of `checkin.passed`: how people stand at a list now, told at most ten times a second."""

    list: str
    inside: int
    """How many are inside, of a room for the session that it is open for."""
    entered: Arrivals
    """These are inside."""
    left: Numbers
    """These have been inside and are not now."""
    undone: Numbers
    """These are as if they had never been there."""


class Conflict(Struct, frozen=True, kw_only=True):
    """What offline scanners did that does not go together."""

    id: UUID
    kind: str
    """`double_admission`: two doors let the same person in. `not_entitled`: a door let in whom the server would have refused."""
    badges: Numbers
    """The person's, by number; none where nobody has the code."""
    at: datetime
    """When the scan happened that should not have let anybody in."""
    device: str
    gate: str
    first_at: datetime | None = None
    """When the admission happened that it contradicts."""
    first_device: str | None = None
    first_gate: str | None = None


Conflicts = list[Conflict]


class ConflictsChanged(Struct, frozen=True):
    """The data of `conflicts.changed`, of one list."""

    list: str
    detected: Conflicts
    resolved: Ids
    """A later upload explained them: the exit between two entries, or an undo."""


EVENTS: dict[str, type] = {
    PASSED: Passed,
    LISTS_CHANGED: ListsChanged,
    ATTENDEES_CHANGED: AttendeesChanged,
    CONFLICTS_CHANGED: ConflictsChanged,
    "badge.revoked": BadgeRevoked,
}
"""Kind → data of what the doors are told; `desk`, `checkin_list`, `badge` and `access` tell it."""
