"""What a change of the programme means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from server.errors import InvalidRequest
from server.instants import FIRST_YEAR, LAST_YEAR, check_instant, in_utc
from server.schedule.commands import LAST_NUMBER, GivenLink
from server.schedule.rows import DayRow, Edit, Link, Row, SessionRow, State, Status, Subject
from server.schedule.types import ChangeKind, FieldChange, Reference
from server.texts import Texts

T = TypeVar("T", bound=Row)

TIMES = ("starts_at", "ends_at")

_SHOWN_BY_KIND = {"starts_at", "ends_at", "room_id", "speaker_ids", "roles", "title", "status"}
"""Fields whose change has a kind of its own."""

_UNSEEN = {"revision"}
"""What differs without anything having changed."""

_UNTOLD = {"key", "extra"}
"""What only files say, and no reader is shown."""

_NAMED_BY: dict[Reference, Subject] = {
    "room_id": "room",
    "track_id": "track",
    "kind_id": "kind",
    "speaker_ids": "speaker",
}


class Dangling(Struct, frozen=True):
    """A session that names what is not there."""

    session: SessionRow
    field: Reference
    subject: Subject
    id: UUID


class Names(Struct, frozen=True):
    """How the things are called that a session refers to, before a change or after it."""

    rooms: dict[UUID, Texts] = {}
    tracks: dict[UUID, Texts] = {}
    speakers: dict[UUID, Texts] = {}
    kinds: dict[UUID, Texts] = {}


def changed_row(row: T, change: Struct) -> T:
    """A thing after what is given of it. Raises `InvalidRequest` if a session or a day would end before it starts, or a session
    name a speaker twice or give a role to somebody else."""
    given = _given(change)
    if isinstance(row, SessionRow):
        return _changed_session(row, given)  # type: ignore[return-value]  # T is a session's row then
    given |= {name: in_utc(given[name], name) for name in TIMES if name in given}
    after = msgspec.structs.replace(row, **given)
    if isinstance(after, DayRow) and not FIRST_YEAR <= after.date.year <= LAST_YEAR:
        raise InvalidRequest(f"The day lies outside {FIRST_YEAR} to {LAST_YEAR} - at `$.date`")
    if ends_too_early(after):
        raise InvalidRequest("The day would end before it starts - at `$.ends_at`")
    return after


def _changed_session(session: SessionRow, given: dict[str, Any]) -> SessionRow:
    status = given.pop("status", None)
    speaker_ids = given.get("speaker_ids", session.speaker_ids)
    if len(set(speaker_ids)) < len(speaker_ids):
        raise InvalidRequest("A session names each of its speakers once - at `$.speaker_ids`")
    if "roles" in given and not set(given["roles"]) <= {str(one) for one in speaker_ids}:
        raise InvalidRequest("A role is for one of the session's speakers - at `$.roles`")
    given |= {name: in_utc(given[name], name) for name in TIMES if name in given}
    if "starts_at" in given and "ends_at" not in given:
        given["ends_at"] = given["starts_at"] + (session.ends_at - session.starts_at)
    changed = with_roles_of_speakers(msgspec.structs.replace(session, **given))
    check_instant(changed.ends_at, "ends_at")
    if ends_too_early(changed):
        raise InvalidRequest("The session would end before it starts - at `$.ends_at`")
    return msgspec.structs.replace(changed, status=status or status_after(session, changed))


def status_after(old: SessionRow, new: SessionRow) -> Status:
    """What a session is when its time or its room have changed and nobody says more."""
    if old.status == "cancelled":
        return "cancelled"
    if new.room_id != old.room_id or new.starts_at < old.starts_at:
        return "moved"
    if new.starts_at > old.starts_at:
        return "moved" if old.status == "moved" else "delayed"
    return old.status


def with_roles_of_speakers(session: SessionRow) -> SessionRow:
    """Whoever does not speak there has no role there."""
    named = {str(one) for one in session.speaker_ids}
    if session.roles.keys() <= named:
        return session
    return msgspec.structs.replace(session, roles={one: role for one, role in session.roles.items() if one in named})


def ends_too_early(row: Row) -> bool:
    if not isinstance(row, DayRow | SessionRow) or row.starts_at is None or row.ends_at is None:
        return False
    return row.ends_at <= row.starts_at


def difference(subject: Subject, thing_id: UUID, before: Row | None, after: Row | None) -> Edit | None:
    """None where both are the same."""
    if before is not None and after is not None and not differences(before, after):
        return None
    return None if before is None and after is None else Edit(subject, thing_id, before, after)


def differences(old: Struct, new: Struct) -> dict[str, FieldChange]:
    """The fields in which two rows of one kind differ."""
    return {
        name: FieldChange(getattr(old, name), getattr(new, name))
        for name in old.__struct_fields__
        if name not in _UNSEEN and getattr(old, name) != getattr(new, name)
    }


def shown(old: Struct, new: Struct) -> dict[str, FieldChange]:
    """Those of the differences that a reader is told; none where only a file's own matters have changed."""
    return {name: change for name, change in differences(old, new).items() if name not in _UNTOLD}


def is_seen(edit: Edit) -> bool:
    """Whether there is anything to tell of it."""
    return edit.before is None or edit.after is None or bool(shown(edit.before, edit.after))


def with_names(changed: dict[str, FieldChange], names: Names) -> dict[str, FieldChange]:
    """The same, where an id changed with what it stands for."""
    by_field = {
        "room_id": names.rooms,
        "track_id": names.tracks,
        "kind_id": names.kinds,
        "speaker_ids": names.speakers,
    }
    return {
        field: _named(change, by_field[field]) if field in by_field else change for field, change in changed.items()
    }


def kinds_of(old: SessionRow | None, new: SessionRow | None) -> list[ChangeKind]:
    """What happened to the session, the most important first; `details` alone where nothing else did."""
    if old is None or new is None:
        return ["added" if old is None else "removed"]
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
        "speakers": set(new.speaker_ids) != set(old.speaker_ids) or new.roles != old.roles,
        "renamed": new.title != old.title,
        "details": bool(differences(old, new).keys() - _SHOWN_BY_KIND),
    }
    return [kind for kind, so in happened.items() if so] or ["details"]


def dangling(state: State) -> list[Dangling]:
    """What sessions name and the programme does not have."""
    return [
        Dangling(session, field, subject, one)
        for session in state.session.values()
        for field, subject in _NAMED_BY.items()
        for one in _ids(getattr(session, field))
        if one not in state.of(subject)
    ]


def crowded(sessions: Iterable[SessionRow]) -> list[tuple[SessionRow, SessionRow]]:
    """Sessions that are in one room at a time though neither shares it: each with the first that was there before it."""
    found: list[tuple[SessionRow, SessionRow]] = []
    until: dict[UUID, SessionRow] = {}
    for one in sorted(sessions, key=lambda session: (session.starts_at, session.session_id)):
        if one.room_id is None or one.status == "cancelled" or one.shares_room:
            continue
        there = until.get(one.room_id)
        if there is not None and there.ends_at > one.starts_at:
            found.append((one, there))
        if there is None or there.ends_at < one.ends_at:
            until[one.room_id] = one
    return found


def free_numbers(taken: set[int]) -> Iterator[int]:
    """Numbers for new sessions: behind all others, and where those reach the end, the gaps between them."""
    behind = range(max(taken, default=0) + 1, LAST_NUMBER + 1)
    return chain(behind, (number for number in range(1, LAST_NUMBER + 1) if number not in taken))


def _given(change: Struct) -> dict[str, Any]:
    found = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
    if "links" in found:
        found["links"] = [_link(one) for one in found["links"]]
    if "roles" in found:
        found["roles"] = {str(one): role for one, role in found["roles"].items() if role != "speaker"}
    return found


def _link(given: GivenLink) -> Link:
    return Link(given.url, given.title, given.kind)


def _named(change: FieldChange, names: dict[UUID, Texts]) -> FieldChange:
    old, new = ([names.get(one, {}) for one in _ids(side)] for side in (change.old, change.new))
    return msgspec.structs.replace(change, old_names=old, new_names=new)


def _ids(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
