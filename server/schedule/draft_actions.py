"""The draft: an organizer edits freely, looks at what would change, and releases it all as one version."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from server.db import Database, Tx
from server.event.reader import Reader
from server.event.types import EventRow
from server.schedule import history_queries, policy, queries
from server.schedule.actions import change_programme, new_row
from server.schedule.commands import ReleaseDraft
from server.schedule.draft_merging import Field, merge_draft
from server.schedule.errors import (
    BY_CONSTRAINT,
    NO_SUCH,
    REMOVING,
    ChangedMeanwhile,
    DraftDangles,
    DraftDisagrees,
    NothingDrafted,
    NotInDraft,
    UnknownKind,
    UnknownRoom,
    UnknownSpeaker,
    UnknownTrack,
)
from server.schedule.policy import Names, changed_row, crowded, dangling
from server.schedule.rows import Edit, Row, SessionRow, State, Subject, id_of, restored
from server.schedule.telling import Around, change_view, in_order, with_edits
from server.schedule.things import get_thing, next_position
from server.schedule.types import Clash, Dangling, Disagreement, Draft, Version
from server.texts import Texts

NEWEST = 2**62
"""Beyond every version."""


async def draft_new(db: Database, event: EventRow, subject: Subject, command: Struct) -> Row:
    """Adds a thing to the draft. Raises `InvalidRequest`, `UnknownRoom` and its like."""
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.lock_version(tx, event.event_id)
        row = new_row(subject, command, position=await _next_position(tx, event.event_id, subject))
        await _check_references(tx, event.event_id, row)
        revision = await history_queries.write_draft(tx, event.event_id, subject, id_of(row), base=None, state=row)
    return replace(row, revision=revision)


async def draft_change(
    db: Database, event: EventRow, subject: Subject, thing_id: UUID, change: Struct, *, expected: int | None = None
) -> Row:
    """Changes a thing in the draft, as the draft has it. `expected` is the draft's revision that the organizer has seen, 0
    for one that the draft has not touched. Raises as `draft_new`, `ChangedMeanwhile`, `UnknownSession` or its like."""
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.lock_version(tx, event.event_id)
        live, drafted = await _there(tx, event.event_id, subject, thing_id, expected)
        if drafted is None:
            raise NO_SUCH[subject]
        row = changed_row(drafted, change)
        await _check_references(tx, event.event_id, row)
        revision = await history_queries.write_draft(tx, event.event_id, subject, thing_id, base=live, state=row)
    return replace(row, revision=revision)


async def draft_removal(
    db: Database, event: EventRow, subject: Subject, thing_id: UUID, *, expected: int | None = None
) -> None:
    """Takes a thing out of the draft's programme. Raises as `draft_change`."""
    async with db.tx() as tx:
        await queries.lock_version(tx, event.event_id)
        live, drafted = await _there(tx, event.event_id, subject, thing_id, expected)
        if drafted is None:
            raise NO_SUCH[subject]
        if live is None:
            await history_queries.forget_draft_of(tx, event.event_id, thing_id)
        else:
            await history_queries.write_draft(tx, event.event_id, subject, thing_id, base=live, state=None)


async def forget_edit(db: Database, event: EventRow, thing_id: UUID) -> None:
    """Lets the draft leave this thing as it is. Raises `NotInDraft`."""
    async with db.tx() as tx:
        await queries.lock_version(tx, event.event_id)  # a release that is under way has read it already
        if not await history_queries.forget_draft_of(tx, event.event_id, thing_id):
            raise NotInDraft


async def discard(db: Database, event: EventRow) -> None:
    """Forgets the whole draft; none is no error."""
    async with db.tx() as tx:
        await queries.lock_version(tx, event.event_id)
        await history_queries.forget_draft(tx, event.event_id)


async def drafted_state(tx: Tx, event: EventRow) -> tuple[State, list[Edit], list[Field]]:
    """The programme as it is, what the draft changes of it, and where both want something else."""
    state = await queries.read_state(tx, event.event_id)
    edits, fields = merge_draft(await history_queries.list_draft(tx, event.event_id), state)
    return state, edits, fields


async def preview(db: Database, event: EventRow, reader: Reader) -> Draft:
    """What a release would change, and what is in its way."""
    async with db.snapshot() as tx:
        state, edits, fields = await drafted_state(tx, event)
        after = with_edits(state, edits)
        lost = dangling(after)
        names = await _with_lost_names(tx, event, Around(state, after).names, lost)
    return Draft(
        changes=[change_view(one, names, event, reader) for one in in_order(edits)],
        disagreements=[_disagreement(one, state, reader) for one in fields],
        clashes=[
            Clash(
                session_id=one.session_id,
                title=reader.text(one.title),
                with_session_id=there.session_id,
                with_title=reader.text(there.title),
                room_id=there.room_id,
            )
            for one, there in crowded(after.session.values())
            if there.room_id is not None
        ],
        dangling=[
            Dangling(
                session_id=one.session.session_id, title=reader.text(one.session.title), field=one.field, id=one.id
            )
            for one in lost
        ],
    )


async def release(db: Database, event: EventRow, command: ReleaseDraft) -> Version:
    """Makes the draft the programme: one version, told on the feed.

    Raises `NothingDrafted`, `DraftDisagrees` unless it is forced, `DraftDangles`, `RoomTaken`, and what a change raises.
    """
    async with db.tx(REMOVING) as tx:
        await queries.lock_version(tx, event.event_id)
        state, edits, fields = await drafted_state(tx, event)
        if fields and not command.force:
            raise DraftDisagrees
        if not edits:
            raise NothingDrafted
        if dangling(with_edits(state, edits)):
            raise DraftDangles
        await change_programme(tx, event, edits, around=state, origin="release", name=command.name, note=command.note)
        await history_queries.forget_draft(tx, event.event_id)
        (made,) = await history_queries.list_versions(tx, event.event_id, before=NEWEST, limit=1)
    return made


async def _next_position(tx: Tx, event_id: UUID, subject: Subject) -> int:
    """Behind all others, also those that the draft has added."""
    drafted = [one.state or {} for one in await history_queries.list_draft(tx, event_id) if one.subject == subject]
    behind = [int(one.get("position", 0)) + 1 for one in drafted]
    return max(await next_position(tx, event_id, subject), *behind, 0)


async def _there(
    tx: Tx, event_id: UUID, subject: Subject, thing_id: UUID, expected: int | None
) -> tuple[Row | None, Row | None]:
    """A thing as it is live, and as it is in the draft."""
    live = await get_thing(tx, event_id, subject, thing_id)
    draft = await history_queries.get_draft(tx, event_id, subject, thing_id)
    if expected is not None and expected != (draft.revision if draft else 0):
        raise ChangedMeanwhile
    return live, live if draft is None else restored(subject, draft.state)


async def _check_references(tx: Tx, event_id: UUID, row: Row) -> None:
    """That what a session names is there, live or in the draft."""
    if not isinstance(row, SessionRow):
        return
    drafted = {(one.subject, one.id): one.state for one in await history_queries.list_draft(tx, event_id)}
    one_each: list[tuple[Subject, UUID | None, type[Exception]]] = [
        ("room", row.room_id, UnknownRoom),
        ("track", row.track_id, UnknownTrack),
        ("kind", row.kind_id, UnknownKind),
    ]
    for subject, thing_id, unknown in one_each:
        if thing_id is None:
            continue
        live = None if (subject, thing_id) in drafted else await get_thing(tx, event_id, subject, thing_id)
        if not drafted.get((subject, thing_id), live):
            raise unknown
    known = {one.speaker_id for one in await queries.list_speakers_named(tx, event_id, speaker_ids=row.speaker_ids)}
    if not all(drafted.get(("speaker", one), one in known) for one in row.speaker_ids):
        raise UnknownSpeaker


async def _with_lost_names(tx: Tx, event: EventRow, names: Names, lost: list[policy.Dangling]) -> Names:
    """Also of what is gone, as it was last called; nothing for what never was more than drafted."""
    then: dict[str, dict[UUID, Texts]] = {
        subject: await history_queries.list_names_then(tx, event.event_id, subject, version=NEWEST)
        for subject in {one.subject for one in lost}
    }
    for one in lost:
        of: dict[UUID, Texts] = getattr(names, f"{one.subject}s")
        of.setdefault(one.id, then[one.subject].get(one.id, {}))
    return names


def _disagreement(field: Field, state: State, reader: Reader) -> Disagreement:
    row = state.of(field.subject).get(field.id) or field.draft or field.base
    texts = getattr(row, "title", None) or getattr(row, "name", {})
    return Disagreement(
        subject=field.subject,
        id=field.id,
        title=reader.text(texts),
        field=field.name,
        base=field.base,
        live=field.live,
        draft=field.draft,
    )
