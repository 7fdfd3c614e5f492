"""What a change of the programme means. Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from server.errors import InvalidRequest
from server.instants import check_instant, in_utc
from server.schedule.types import ChangeKind, ChangeSession, ChangeSpeaker, FieldChange, SessionRow, SpeakerRow, Status
from server.texts import Texts

_SHOWN_BY_KIND = {"starts_at", "ends_at", "room_id", "speaker_ids", "title", "status"}
"""Fields whose change has a kind of its own."""


class Names(Struct, frozen=True):
    """How the things are called that a session refers to, before a change or after it."""

    rooms: dict[UUID, Texts] = {}
    tracks: dict[UUID, Texts] = {}
    speakers: dict[UUID, Texts] = {}


def apply_change(session: SessionRow, change: ChangeSession) -> SessionRow:
    """The session after the change. Raises `InvalidRequest` if it would end before it starts or name a speaker twice."""
    given = _given(change)
    given.pop("status", None)
    speaker_ids = given.get("speaker_ids", [])
    if len(set(speaker_ids)) < len(speaker_ids):
        raise InvalidRequest("A session names each of its speakers once - at `$.speaker_ids`")
    for name in given.keys() & {"starts_at", "ends_at"}:
        given[name] = in_utc(given[name], name)
    if "starts_at" in given and "ends_at" not in given:
        given["ends_at"] = given["starts_at"] + (session.ends_at - session.starts_at)
    changed = msgspec.structs.replace(session, **given)
    check_instant(changed.ends_at, "ends_at")
    if changed.ends_at <= changed.starts_at:
        raise InvalidRequest("The session would end before it starts - at `$.ends_at`")
    status = _status_after(session, changed) if change.status is UNSET else change.status
    return msgspec.structs.replace(changed, status=status)


def change_speaker(speaker: SpeakerRow, change: ChangeSpeaker) -> SpeakerRow:
    """The speaker after the change."""
    return msgspec.structs.replace(speaker, **_given(change))


def differences(old: Struct, new: Struct) -> dict[str, FieldChange]:
    """The fields in which two rows of one kind differ."""
    return {
        name: FieldChange(getattr(old, name), getattr(new, name))
        for name in old.__struct_fields__
        if getattr(old, name) != getattr(new, name)
    }


def with_names(changed: dict[str, FieldChange], names: Names) -> dict[str, FieldChange]:
    """The same, where an id changed with what it stands for."""
    by_field = {"room_id": names.rooms, "track_id": names.tracks, "speaker_ids": names.speakers}
    return {
        field: _named(change, by_field[field]) if field in by_field else change for field, change in changed.items()
    }


def kinds_of(old: SessionRow, new: SessionRow) -> list[ChangeKind]:
    """What happened to the session, the most important first; `details` alone where nothing else did."""
    if old.status == new.status == "cancelled":
        return ["details"]
    same_start = new.starts_at == old.starts_at
    length, old_length = new.ends_at - new.starts_at, old.ends_at - old.starts_at
    happened: dict[ChangeKind, bool] = {
        "cancelled": new.status == "cancelled",
        "reinstated": old.status == "cancelled",
        "moved": new.room_id != old.room_id,
        "brought_forward": new.starts_at < old.starts_at,
        "delayed": new.starts_at > old.starts_at or (same_start and new.status == "delayed" != old.status),
        "on_schedule": same_start and (old.status, new.status) == ("delayed", "scheduled"),
        "shortened": length < old_length,
        "extended": length > old_length,
        "speakers": set(new.speaker_ids) != set(old.speaker_ids),
        "renamed": new.title != old.title,
        "details": bool(differences(old, new).keys() - _SHOWN_BY_KIND),
    }
    return [kind for kind, so in happened.items() if so] or ["details"]


def _given(change: Struct) -> dict[str, Any]:
    return {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}


def _named(change: FieldChange, names: dict[UUID, Texts]) -> FieldChange:
    old, new = ([names[one] for one in _ids(side)] for side in (change.old, change.new))
    return msgspec.structs.replace(change, old_names=old, new_names=new)


def _ids(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _status_after(old: SessionRow, new: SessionRow) -> Status:
    if old.status == "cancelled":
        return "cancelled"
    if new.room_id != old.room_id or new.starts_at < old.starts_at:
        return "moved"
    if new.starts_at > old.starts_at:
        return "moved" if old.status == "moved" else "delayed"
    return old.status
