"""The programme's rows as a `Publication`, which every file format is written from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec.structs import replace

from server.event.types import EventRow
from server.interchange import programme as shapes
from server.interchange.programme import Programme, Publication, Stamp
from server.schedule.rows import (
    DayRow,
    KindRow,
    Link,
    RoomRow,
    SessionRow,
    SpeakerRow,
    StampRow,
    State,
    TrackRow,
    VersionRow,
)

_Keys = Mapping[UUID, str]
"""What a source calls the rooms, tracks, kinds and speakers that a session names."""


def publication_of(
    event: EventRow, version: VersionRow, state: State, stamps: Iterable[StampRow], *, base_url: str
) -> Publication:
    """The programme under its sources' keys, at the address of its event; whoever writes a file fills in that file's `url`.

    `base_url` is the event's public address without a `/` at its end.
    """
    return Publication(
        programme=programme_of(event, version, state),
        ids=_ids(state),
        slug=event.slug,
        default_language=event.default_language,
        url=base_url,
        base_url=base_url,
        updated_at=version.updated_at,
        stamps={
            state.session[one.id].key: Stamp(one.sequence, one.at)
            for one in stamps
            if one.sequence and one.id in state.session
        },
    )


def without_extra(state: State) -> State:
    """What everybody may read: not what a source said that a programme has no place for, such as a speaker's answer to a form."""
    return State(
        day=state.day,
        room={one: replace(row, extra={}) for one, row in state.room.items()},
        track={one: replace(row, extra={}) for one, row in state.track.items()},
        kind=state.kind,
        speaker={one: replace(row, extra={}) for one, row in state.speaker.items()},
        session={one: replace(row, extra={}) for one, row in state.session.items()},
    )


def programme_of(event: EventRow, version: VersionRow, state: State) -> Programme:
    """The rows without their ids. Its `version` is the number that counts up, which no name of a release does."""
    keys = {
        row_id: row.key for rows in (state.room, state.track, state.kind, state.speaker) for row_id, row in rows.items()
    }
    return Programme(
        title=event.name,
        timezone=event.timezone,
        day_begins=event.day_begins.isoformat("minutes"),
        version=str(version.version),
        days=tuple(map(_day, state.day.values())),
        rooms=tuple(map(_room, state.room.values())),
        tracks=tuple(map(_track, state.track.values())),
        kinds=tuple(map(_kind, state.kind.values())),
        speakers=tuple(map(_speaker, state.speaker.values())),
        sessions=tuple(_session(session, keys) for session in state.session.values()),
    )


def _ids(state: State) -> dict[str, str]:
    return {
        **{f"room:{row.key}": str(row.room_id) for row in state.room.values()},
        **{f"track:{row.key}": str(row.track_id) for row in state.track.values()},
        **{f"speaker:{row.key}": str(row.speaker_id) for row in state.speaker.values()},
        **{f"session:{row.key}": str(row.session_id) for row in state.session.values()},
    }


def _day(row: DayRow) -> shapes.Day:
    return shapes.Day(date=row.date.isoformat(), name=row.name, starts_at=row.starts_at, ends_at=row.ends_at)


def _room(row: RoomRow) -> shapes.Room:
    return shapes.Room(
        key=row.key,
        name=row.name,
        description=row.description,
        capacity=row.capacity,
        floor=row.floor,
        extra=row.extra,
    )


def _track(row: TrackRow) -> shapes.Track:
    return shapes.Track(key=row.key, name=row.name, description=row.description, color=row.color, extra=row.extra)


def _kind(row: KindRow) -> shapes.Kind:
    return shapes.Kind(key=row.key, name=row.name)


def _speaker(row: SpeakerRow) -> shapes.Speaker:
    return shapes.Speaker(
        key=row.key,
        name=row.name,
        organisation=row.organisation,
        tagline=row.tagline,
        bio=row.bio,
        photo_url=row.photo_url,
        links=_links(row.links),
        extra=row.extra,
    )


def _session(row: SessionRow, keys: _Keys) -> shapes.Session:
    return shapes.Session(
        key=row.key,
        number=row.number,
        title=row.title,
        subtitle=row.subtitle,
        abstract=row.abstract,
        description=row.description,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        room=keys[row.room_id] if row.room_id else None,
        track=keys[row.track_id] if row.track_id else None,
        kind=keys[row.kind_id] if row.kind_id else None,
        speakers=tuple(keys[speaker] for speaker in row.speaker_ids),
        roles={keys[UUID(speaker)]: role for speaker, role in row.roles.items() if UUID(speaker) in keys},
        languages=tuple(row.languages),
        service=row.service,
        url=row.url,
        logo_url=row.logo_url,
        links=_links(row.links),
        license=row.license,
        do_not_record=row.do_not_record,
        status=row.status,
        extra=row.extra,
    )


def _links(links: Iterable[Link]) -> tuple[shapes.Link, ...]:
    return tuple(shapes.Link(url=one.url, title=one.title, kind=one.kind) for one in links)
