"""Which changes of the programme make a difference to those who search it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from server.schedule.rows import Edit, Row, Subject
from server.search.types import Touched

_FOUND_BY: dict[Subject, tuple[str, ...]] = {
    "session": ("title", "subtitle", "abstract", "description", "room_id", "track_id", "kind_id", "speaker_ids"),
    "speaker": ("name", "organisation", "tagline", "bio"),
}
_NAMED_BY: dict[Subject, tuple[str, ...]] = {
    "speaker": ("name", "organisation"),
    "room": ("name",),
    "track": ("name",),
    "kind": ("name",),
}
"""By what of it a session is found that refers to it."""


def touched(edits: Iterable[Edit]) -> Touched:
    """What these changes do to what one finds: most only move a session."""
    found: dict[Subject, list[UUID]] = {}
    renamed: list[UUID] = []
    for one in edits:
        if _differ(one, _FOUND_BY.get(one.subject, ())):
            found.setdefault(one.subject, []).append(one.id)
        # One that is new or gone is in the sessions' own fields: they come to name it, or no longer do.
        if one.before is not None and one.after is not None and _differ(one, _NAMED_BY.get(one.subject, ())):
            renamed.append(one.id)
    return Touched(found.get("session", ()), found.get("speaker", ()), (), renamed)


def _differ(edit: Edit, fields: Iterable[str]) -> bool:
    return any(_value(edit.before, field) != _value(edit.after, field) for field in fields)


def _value(row: Row | None, field: str) -> object:
    return None if row is None else getattr(row, field)
