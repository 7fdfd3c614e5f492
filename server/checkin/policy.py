"""The rules of the door. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from server.attendee.types import BadgeRow
from server.checkin.history import ALWAYS, NEVER, Role, Standing
from server.checkin.types import CheckinListRow, Clock, Reason, Scan, SessionRow

DOUBLE_TRIGGER = timedelta(seconds=5)
UNSYNCED = timedelta(days=1)
"""How far back the clock of a device is believed that does not say when it last synced."""
AFTERWARDS = "+"
"""Begins the id of a row that says what a scanner did when the server's own answer, a refusal, had not reached it. No scanner
can choose such an id."""
STORED_CODE_LENGTH = 120
_DIGEST_LENGTH = 32


def clean_code(code: str) -> str:
    """What was meant by what a scanner or keyboard sent.

    Takes away the symbology prefix some scanners add (ISO/IEC 15424, `]Q1`), control, bidirectional and white-space
    characters, and turns any script's digits and full-width letters into ASCII, in upper case.
    """
    kept = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character.upper()
        for character in unicodedata.normalize("NFKC", code)
        if unicodedata.category(character)[0] not in "CZ"
    )
    # Only now: some scanners put a control character before the prefix.
    return kept[3:] if kept[:1] == "]" and len(kept) > 3 and kept[1:3].isalnum() else kept


def code_for_log(code: str) -> str:
    """The code as the log keeps it: whole up to 120 characters, beyond that its beginning and a digest of the whole.

    NUL, which no database text holds, becomes U+FFFD; the digest still tells the two apart.
    """
    if len(code) <= STORED_CODE_LENGTH and "\x00" not in code:
        return code
    digest = hashlib.sha256(code.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{code[: STORED_CODE_LENGTH - _DIGEST_LENGTH - 1]}…{digest}".replace("\x00", "�")


def refusal(
    badge: BadgeRow | None,
    checkin_list: CheckinListRow,
    at: datetime | None,
    session: SessionRow | None,
    *,
    happened_at: datetime | None = None,
) -> Reason | None:
    """Why this badge is not let in by this list, or None. Holds for entries; somebody may always leave.

    `at` is needed by a list with an opening time, `session` (what its room is open for) by a room's list. `happened_at` is for
    what an offline scanner did: a revocation or cancellation that came later does not concern it.
    """
    if badge is None:
        return "unknown_code"
    if _holds(badge.revoked_at, happened_at):
        return "revoked"
    if _holds(badge.cancelled_at, happened_at):
        return "cancelled"
    if badge.ticket not in checkin_list.tickets:
        return "wrong_ticket"
    if at is not None and not is_open(checkin_list, at):
        return "not_open"
    if checkin_list.room_id is not None and session is None:
        return "not_open"
    return None


def _holds(since: datetime | None, at: datetime | None) -> bool:
    """Whether what began `since` holds at a moment; None: now, whatever the clocks of two machines say."""
    return since is not None and (at is None or since <= at)


def is_open(checkin_list: CheckinListRow, at: datetime) -> bool:
    """Whether the list's own opening times include this moment."""
    after_opening = checkin_list.opens_at is None or checkin_list.opens_at <= at
    return after_opening and (checkin_list.closes_at is None or at < checkin_list.closes_at)


def running(sessions: Sequence[SessionRow], at: datetime, early_minutes: int) -> SessionRow | None:
    """The session a room is open for: of those that go on, or begin within so many minutes, the one that begins last.

    While one ends and the next is about to begin, people at the door come for the next.
    """
    early = timedelta(minutes=early_minutes)
    open_for = [one for one in sessions if one.starts_at - early <= at < one.ends_at]
    return max(open_for, key=lambda one: (one.starts_at, one.session_id), default=None)


def believed(
    scanned_at: datetime | None, synced_at: datetime | None, received_at: datetime
) -> tuple[datetime, Clock | None]:
    """When an offline scan counts as having happened, and how its device's clock was wrong if it was.

    A device's clock is believed between its last sync and the arrival; outside, the nearer of the two stands. A device that
    does not say when it last synced is believed for a day.
    """
    earliest = min(synced_at or received_at - UNSYNCED, received_at)
    if scanned_at is None or scanned_at > received_at:
        return received_at, None if scanned_at is None else "ahead"
    return (earliest, "behind") if scanned_at < earliest else (scanned_at, None)


def decide(scan: Scan, standing: Standing, turn: int, inside: int) -> Scan:
    """The scan with its answer, for somebody who stands so, has taken `turn` turns, while `inside` are where they want to be.

    An offline scan has happened already: it is told apart by `settle`.
    """
    if scan.outcome == "refused":
        return scan
    change = msgspec.structs.replace
    place = (scan.list_id, scan.session_id)
    if scan.direction == "exit":
        if standing.since is not None and standing.since.list_id == scan.list_id:
            return change(scan, outcome="exited", reason=None, turn=turn + 1, session_id=standing.since.session_id)
        return change(scan, outcome="refused", reason="not_inside", turn=None)
    if scan.reentry != ALWAYS:
        before = standing.since if standing.place == place else None
        if before is None and scan.reentry == NEVER:
            before = standing.visited.get(place)
        if before is not None:
            return change(scan, outcome="already_admitted", reason=None, turn=None, against=before.turn)
    if scan.capacity is not None and standing.place != place and inside >= scan.capacity:
        return change(scan, outcome="refused", reason="list_full", turn=None)
    return change(scan, outcome="admitted", reason=None, turn=turn + 1)


def settle(scan: Scan, role: Role, turn: int, *, conflict: bool) -> Scan:
    """An offline scan by which somebody passed, with its answer: what it turned out to be among the person's other scans."""
    change = msgspec.structs.replace
    if role.kind == "nothing":
        return change(scan, outcome="refused", reason="not_inside", turn=turn + 1)
    if role.kind == "ends":
        return change(scan, outcome="exited", reason=None, turn=turn + 1)
    if role.kind == "repeats" and role.before is not None and scan.reentry != ALWAYS:
        return change(
            scan,
            outcome="already_admitted",
            reason=None,
            turn=turn + 1,
            against=role.before.turn,
            conflict=conflict,
        )
    return change(scan, outcome="admitted", reason=None, turn=turn + 1, conflict=conflict)
