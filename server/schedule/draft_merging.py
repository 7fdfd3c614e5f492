"""What becomes of a programme when a draft is released. Pure.

It is compared with what was there when it began: only what it changed is changed, so whatever was changed meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from server.schedule.policy import TIMES, difference, differences, ends_too_early, status_after, with_roles_of_speakers
from server.schedule.rows import DayRow, DraftRow, Edit, Row, SessionRow, State, Subject, id_of, own_key, restored


class Field(Struct, frozen=True):
    """The draft and the present want something else of a field."""

    subject: Subject
    id: UUID
    name: str
    base: Any
    live: Any
    draft: Any


def merge_draft(draft: Sequence[DraftRow], state: State) -> tuple[list[Edit], list[Field]]:
    """What a draft changes of the programme as it is now, and where both want something else; there the draft is taken."""
    edits: list[Edit] = []
    fields: list[Field] = []
    for one in draft:
        live = state.of(one.subject).get(one.id)
        base, wanted = restored(one.subject, one.base), restored(one.subject, one.state)
        if wanted is None or base is None or live is None:
            if live is not wanted and _both_changed(base, live):
                fields.append(Field(one.subject, one.id, "*", base, live, wanted))
            if live is None and base is not None and wanted is not None:
                wanted = _beside(state.of(one.subject), wanted)
            edit = difference(one.subject, one.id, live, wanted)
        else:
            edit = difference(one.subject, one.id, live, _onto(one, base, live, wanted, fields))
        if edit is not None:
            edits.append(edit)
    return edits, fields


def _beside(there: Mapping[UUID, Row], row: Row) -> Row:
    """A thing that the draft brings back: what a file has made anew meanwhile keeps its key and its number."""
    if isinstance(row, DayRow) or all(getattr(one, "key") != row.key for one in there.values()):  # noqa: B009 - a union of rows
        return row
    row = replace(row, key=own_key(id_of(row)))
    taken = isinstance(row, SessionRow) and any(getattr(one, "number") == row.number for one in there.values())  # noqa: B009
    return replace(row, number=0) if taken else row


def _both_changed(base: Row | None, live: Row | None) -> bool:
    if base is None or live is None:
        return base is not live
    return bool(differences(base, live))


def _onto(one: DraftRow, base: Row, live: Row, wanted: Row, fields: list[Field]) -> Row:
    """The present with what the draft has changed."""
    changed = differences(base, wanted)
    after = replace(live, **{name: change.new for name, change in changed.items()})
    disputed = {name for name, change in changed.items() if getattr(live, name) not in (change.old, change.new)}
    if ends_too_early(after):  # one end is the draft's, the other was changed meanwhile: they do not go together
        after = replace(after, **{name: getattr(wanted, name) for name in TIMES})
        disputed |= {name for name in TIMES if getattr(live, name) != getattr(wanted, name)}
    if isinstance(after, SessionRow):
        after = with_roles_of_speakers(after)
        if "status" in disputed and _moves_alone(base, live) and _moves_alone(base, wanted):
            after = replace(after, status=status_after(live, after))  # type: ignore[arg-type]  # sessions all of them
            disputed.remove("status")
    fields += [
        Field(one.subject, one.id, name, getattr(base, name), getattr(live, name), getattr(wanted, name))
        for name in live.__struct_fields__
        if name in disputed
    ]
    return after


def _moves_alone(base: Any, row: Any) -> bool:
    """Whether its status is what follows from its time and room: then nobody has asked for it."""
    return bool(row.status == status_after(base, row))
