"""What the feed says of changes of the programme: the shape of each event, all its languages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from uuid import UUID

from msgspec import Struct

from server.event.reader import EVERY_LANGUAGE, Reader
from server.event.types import EventRow
from server.schedule.policy import Names, kinds_of, shown, with_names
from server.schedule.rows import (
    ROWS,
    DayRow,
    Edit,
    KindRow,
    RoomRow,
    Row,
    SessionRow,
    SpeakerRow,
    State,
    TrackRow,
    VersionRow,
)
from server.schedule.sentences import sentences
from server.schedule.types import (
    Change,
    ChangeKind,
    DayChanged,
    FieldChange,
    KindChanged,
    RoomChanged,
    SessionChanged,
    SessionRemoved,
    SpeakerChanged,
    TrackChanged,
)
from server.schedule.views import (
    day_head,
    in_all_languages,
    kind_view,
    links_view,
    room_view,
    session_detail,
    speaker_view,
    track_view,
)
from server.texts import Texts

_BEHIND = {"session": 1}
_OF_MANY_LANGUAGES = {"name", "description", "title", "subtitle", "abstract", "organisation", "tagline", "bio"}


class Around(Struct, frozen=True, dict=True):
    """What the changed sessions refer to, before and after."""

    before: State
    after: State

    @cached_property
    def names(self) -> Names:
        """Made once for all that is told of one change."""
        return Names(
            rooms=_names(self.before.room, self.after.room),
            tracks=_names(self.before.track, self.after.track),
            speakers=_names(self.before.speaker, self.after.speaker),
            kinds=_names(self.before.kind, self.after.kind),
        )


def with_edits(before: State, edits: Iterable[Edit]) -> State:
    """The programme after these changes."""
    things = {subject: dict(before.of(subject)) for subject in ROWS}
    for one in edits:
        if one.after is None:
            things[one.subject].pop(one.id, None)
        else:
            things[one.subject][one.id] = one.after
    return State(**things)  # type: ignore[arg-type]  # each under its own subject


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """So that nothing refers to what its hearer does not know: sessions come behind what is added,
    before what is removed."""
    return sorted(
        edits, key=lambda one: (one.after is None, _BEHIND.get(one.subject, 0) * (-1 if one.after is None else 1))
    )


def told(edit: Edit, now: VersionRow, around: Around, event: EventRow) -> tuple[str, Struct]:
    """What happened to it, which its event's kind ends with, and the event's data."""
    what = "added" if edit.before is None else "removed" if edit.after is None else "changed"
    data = _of_session(edit, now, around, event) if edit.subject == "session" else _of_thing(edit, now)
    return what, data


def change_view(edit: Edit, names: Names, event: EventRow, reader: Reader) -> Change:
    """The same for somebody who asks what has changed between two versions."""
    row: Any = edit.after or edit.before
    before, after = edit.before, edit.after
    of_session = isinstance(row, SessionRow)
    changed = with_names(_changed(before, after), names)
    kinds: list[ChangeKind] = kinds_of(before, after) if of_session or before is None or after is None else ["details"]  # type: ignore[arg-type]
    return Change(
        subject=edit.subject,
        id=edit.id,
        title=reader.text(row.title if of_session else row.name),
        kinds=kinds,
        changed={field: _read(field, change, reader) for field, change in changed.items()},
        sentence=reader.text(sentences(before, after, names, event) if of_session else {}),  # type: ignore[arg-type]
        day=day_head(after, reader) if isinstance(after, DayRow) else None,
        room=room_view(after, reader) if isinstance(after, RoomRow) else None,
        track=track_view(after, reader) if isinstance(after, TrackRow) else None,
        kind=kind_view(after, reader) if isinstance(after, KindRow) else None,
        speaker=speaker_view(after, reader) if isinstance(after, SpeakerRow) else None,
        session=session_detail(after, reader) if isinstance(after, SessionRow) else None,
    )


def _of_session(edit: Edit, now: VersionRow, around: Around, event: EventRow) -> Struct:
    names, before, after = around.names, edit.before, edit.after
    assert isinstance(before, SessionRow | None)  # noqa: S101 - for the type checker
    assert isinstance(after, SessionRow | None)  # noqa: S101 - the same
    common = {
        "version": now.version,
        "updated_at": now.updated_at,
        "kinds": kinds_of(before, after),
        "sentence": sentences(before, after, names, event),
    }
    if after is None:
        assert before is not None  # noqa: S101 - one of them is there
        return SessionRemoved(id=edit.id, title=before.title, **common)  # type: ignore[arg-type]
    there = around.after
    return SessionChanged(
        session=in_all_languages(after),
        speakers=[speaker_view(there.speaker[one], EVERY_LANGUAGE) for one in after.speaker_ids],
        room=room_view(there.room[after.room_id], EVERY_LANGUAGE) if after.room_id else None,
        track=track_view(there.track[after.track_id], EVERY_LANGUAGE) if after.track_id else None,
        kind=kind_view(there.kind[after.kind_id], EVERY_LANGUAGE) if after.kind_id else None,
        changed=with_names(_changed(before, after), names),
        **common,  # type: ignore[arg-type]
    )


def _of_thing(edit: Edit, now: VersionRow) -> Struct:
    row = edit.after or edit.before
    head: dict[str, Any] = {
        "version": now.version,
        "updated_at": now.updated_at,
        "id": edit.id,
        "changed": _changed(edit.before, edit.after),
    }
    gone, everyone = edit.after is None, EVERY_LANGUAGE
    if isinstance(row, DayRow):
        return DayChanged(day=None if gone else day_head(row, everyone), **head)
    if isinstance(row, RoomRow):
        return RoomChanged(room=None if gone else room_view(row, everyone), **head)
    if isinstance(row, TrackRow):
        return TrackChanged(track=None if gone else track_view(row, everyone), **head)
    if isinstance(row, KindRow):
        return KindChanged(kind=None if gone else kind_view(row, everyone), **head)
    assert isinstance(row, SpeakerRow)  # noqa: S101 - the only one left
    return SpeakerChanged(speaker=None if gone else speaker_view(row, everyone), **head)


def _changed(before: Row | None, after: Row | None) -> dict[str, FieldChange]:
    return {} if before is None or after is None else shown(before, after)


def _read(field: str, change: FieldChange, reader: Reader) -> FieldChange:
    """Old and new in the reader's language."""
    if field == "links":
        return FieldChange(links_view(change.old, reader), links_view(change.new, reader))
    if field not in _OF_MANY_LANGUAGES:
        return change
    return FieldChange(reader.text(change.old), reader.text(change.new))


def _names(*sides: Mapping[UUID, Any]) -> dict[UUID, Texts]:
    return {one: row.name for side in sides for one, row in side.items()}
