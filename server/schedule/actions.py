"""Changing the programme. Whoever does locks its version first: so changes, their versions and their events have one order."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from server.db import Database, Tx
from server.event.reader import EVERY_LANGUAGE
from server.event.types import EventRow
from server.feed import emit, emit_to_each
from server.feed.types import SCHEDULE
from server.ids import new_id
from server.schedule import queries
from server.schedule.errors import BY_CONSTRAINT, NoSuchSpeaker, UnknownSession
from server.schedule.policy import Names, apply_change, change_speaker, differences, kinds_of, with_names
from server.schedule.sentences import sentences
from server.schedule.types import (
    AddSpeaker,
    ChangeSession,
    ChangeSpeaker,
    FieldChange,
    RoomRow,
    SessionChanged,
    SessionRow,
    SpeakerAdded,
    SpeakerChanged,
    SpeakerRow,
    TrackRow,
    VersionRow,
)
from server.schedule.views import in_all_languages, room_view, speaker_view, track_view
from server.texts import Texts

ADDED = "added:"
"""Begins the key of what an organizer added here and no source of the programme knows."""


async def change_session(db: Database, event: EventRow, session_id: UUID, change: ChangeSession) -> SessionRow:
    """Moves, delays, cancels or rewrites a session, gives it other speakers, and tells everybody on channel `schedule` and those
    whom it concerns on their own; a change that changes nothing tells nobody.

    Raises `UnknownSession`, `UnknownRoom`, `UnknownTrack`, `UnknownSpeaker`, `InvalidRequest`.
    """
    async with db.tx(BY_CONSTRAINT) as tx:
        await queries.lock_version(tx, event.event_id)
        before = await queries.get_session(tx, event.event_id, session_id)
        if before is None:
            raise UnknownSession

        after = apply_change(before, change)
        changed = differences(before, after)
        if not changed:
            return before

        await queries.update_session(tx, event.event_id, session=after)
        if "speaker_ids" in changed:
            await queries.name_speakers(tx, event.event_id, session_id, speaker_ids=after.speaker_ids)
        data = await _describe(tx, event, before, after, changed)
        concerned = await queries.list_concerned(tx, event.event_id, session_id, speaker_ids=before.speaker_ids)

        await emit(tx, event.event_id, channel=SCHEDULE, kind="session.changed", data=data)
        await emit_to_each(tx, event.event_id, concerned, kind="session.changed", data=data)
        return after


async def add_speaker(db: Database, event_id: UUID, command: AddSpeaker) -> SpeakerRow:
    """Adds a speaker, whom sessions can name from now on, and tells channel `schedule`."""
    speaker = SpeakerRow(new_id(), command.name, command.organisation, command.bio)
    async with db.tx() as tx:
        await queries.lock_version(tx, event_id)
        await queries.insert_speaker(tx, event_id, key=f"{ADDED}{speaker.speaker_id}", speaker=speaker)
        now = await _advance(tx, event_id)
        data = SpeakerAdded(
            version=now.version, updated_at=now.updated_at, speaker=speaker_view(speaker, EVERY_LANGUAGE)
        )
        await emit(tx, event_id, channel=SCHEDULE, kind="speaker.added", data=data)
    return speaker


async def edit_speaker(db: Database, event_id: UUID, speaker_id: UUID, change: ChangeSpeaker) -> SpeakerRow:
    """Changes what is said of a speaker and tells channel `schedule`, unless it changes nothing. Raises `NoSuchSpeaker`."""
    async with db.tx() as tx:
        await queries.lock_version(tx, event_id)
        before = await queries.get_speaker(tx, event_id, speaker_id)
        if before is None:
            raise NoSuchSpeaker
        after = change_speaker(before, change)
        changed = differences(before, after)
        if not changed:
            return before
        await queries.update_speaker(tx, event_id, speaker=after)
        now = await _advance(tx, event_id)
        data = SpeakerChanged(
            version=now.version,
            updated_at=now.updated_at,
            speaker=speaker_view(after, EVERY_LANGUAGE),
            changed=changed,
        )
        await emit(tx, event_id, channel=SCHEDULE, kind="speaker.changed", data=data)
    return after


async def _describe(
    tx: Tx, event: EventRow, before: SessionRow, after: SessionRow, changed: dict[str, FieldChange]
) -> SessionChanged:
    """The next version, with everything in it that a phone shows of the session."""
    rooms = {room.room_id: room for room in await queries.list_rooms(tx, event.event_id)}
    tracks = {track.track_id: track for track in await queries.list_tracks(tx, event.event_id)}
    named = {*before.speaker_ids, *after.speaker_ids}
    speakers = {one.speaker_id: one for one in await queries.list_speakers_named(tx, event.event_id, speaker_ids=named)}
    names = Names(_names(rooms), _names(tracks), _names(speakers))
    now = await _advance(tx, event.event_id)
    return SessionChanged(
        version=now.version,
        updated_at=now.updated_at,
        session=in_all_languages(after),
        speakers=[speaker_view(speakers[one], EVERY_LANGUAGE) for one in after.speaker_ids],
        room=room_view(rooms[after.room_id], EVERY_LANGUAGE) if after.room_id else None,
        track=track_view(tracks[after.track_id], EVERY_LANGUAGE) if after.track_id else None,
        changed=with_names(changed, names),
        kinds=kinds_of(before, after),
        sentence=sentences(before, after, names, event),
    )


async def _advance(tx: Tx, event_id: UUID) -> VersionRow:
    now = await queries.advance_version(tx, event_id)
    assert now is not None, "INSERT … RETURNING one row"  # noqa: S101 - for the type checker
    return now


def _names(rows: Mapping[UUID, RoomRow | TrackRow | SpeakerRow]) -> dict[UUID, Texts]:
    return {one: row.name for one, row in rows.items()}
