"""What a change of a session means. Pure."""

from __future__ import annotations

from datetime import UTC

import msgspec
from msgspec import UNSET

from server.errors import InvalidRequest
from server.instants import check_instant
from server.schedule.types import ChangeSession, FieldChange, SessionRow, Status


def apply_change(session: SessionRow, change: ChangeSession) -> SessionRow:
    """The session after the change. Raises `InvalidRequest` if it would end before it starts."""
    given = {
        name: value
        for name in change.__struct_fields__
        if (value := getattr(change, name)) is not UNSET and name != "status"
    }
    for name in given.keys() & {"starts_at", "ends_at"}:
        check_instant(given[name], name)
        given[name] = given[name].astimezone(UTC)
    if "starts_at" in given and "ends_at" not in given:
        given["ends_at"] = given["starts_at"] + (session.ends_at - session.starts_at)
    changed = msgspec.structs.replace(session, **given)
    check_instant(changed.ends_at, "ends_at")
    if changed.ends_at <= changed.starts_at:
        raise InvalidRequest("The session would end before it starts - at `$.ends_at`")
    status = _status_after(session, changed) if change.status is UNSET else change.status
    return msgspec.structs.replace(changed, status=status)


def differences(old: SessionRow, new: SessionRow) -> dict[str, FieldChange]:
    """The fields in which the two differ."""
    return {
        name: FieldChange(getattr(old, name), getattr(new, name))
        for name in SessionRow.__struct_fields__
        if getattr(old, name) != getattr(new, name)
    }


def _status_after(old: SessionRow, new: SessionRow) -> Status:
    if old.status == "cancelled":
        return "cancelled"
    if new.room_id != old.room_id or new.starts_at < old.starts_at:
        return "moved"
    if new.starts_at > old.starts_at:
        return "moved" if old.status == "moved" else "delayed"
    return old.status
