"""The rules of the door. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import timedelta

import msgspec

from server.attendee.types import BadgeRow
from server.checkin.types import CheckinListRow, Outcome, Reason, Scan

DOUBLE_TRIGGER = timedelta(seconds=5)
STORED_CODE_LENGTH = 120
_DIGEST_LENGTH = 32


def clean_code(code: str) -> str:
    """What was meant by what a scanner or keyboard sent.

    Takes away the symbology prefix some scanners add (ISO/IEC 15424, `]Q1`), control, bidirectional and white-space
    characters, and turns any script's digits and full-width letters into ASCII, in upper case.
    """
    folded = unicodedata.normalize("NFKC", code)
    if folded[:1] == "]" and len(folded) > 3 and folded[1:3].isalnum():
        folded = folded[3:]
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character.upper()
        for character in folded
        if unicodedata.category(character)[0] not in "CZ"
    )


def code_for_log(code: str) -> str:
    """The code as the log keeps it: whole up to 120 characters, beyond that its beginning and a digest of the whole.

    NUL, which no database text holds, becomes U+FFFD; the digest still tells the two apart.
    """
    if len(code) <= STORED_CODE_LENGTH and "\x00" not in code:
        return code
    digest = hashlib.sha256(code.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{code[: STORED_CODE_LENGTH - _DIGEST_LENGTH - 1]}…{digest}".replace("\x00", "�")


def refusal(badge: BadgeRow | None, checkin_list: CheckinListRow) -> Reason | None:
    """Why this badge is not let in by this list, or None. Holds for entries; somebody may always leave."""
    if badge is None:
        return "unknown_code"
    if badge.revoked:
        return "revoked"
    if badge.ticket not in checkin_list.tickets:
        return "wrong_ticket"
    return None


def decide(scan: Scan, stay: int | None, state: Outcome | None) -> Scan:
    """The scan's answer for a person whose newest stay is `stay` and whose state is `admitted` or `exited` (None: never in)."""
    inside = state == "admitted"
    if scan.outcome == "refused":
        return scan
    if scan.direction == "exit":
        if inside:
            return msgspec.structs.replace(scan, outcome="exited", reason=None, stay=stay)
        return msgspec.structs.replace(scan, outcome="refused", reason="not_inside", stay=None)
    if inside:
        return msgspec.structs.replace(scan, outcome="already_admitted", reason=None, stay=stay)
    return msgspec.structs.replace(scan, outcome="admitted", reason=None, stay=(stay or 0) + 1)
