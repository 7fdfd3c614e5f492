"""Rows as a reader sees them. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from server.event.reader import EVERY_LANGUAGE, Reader
from server.schedule.types import (
    Day,
    Room,
    RoomRow,
    Session,
    SessionDetail,
    SessionRow,
    Speaker,
    SpeakerRow,
    Track,
    TrackRow,
)


def room_view(room: RoomRow, reader: Reader) -> Room:
    return Room(id=room.room_id, name=reader.text(room.name), capacity=room.capacity, floor=room.floor)


def track_view(track: TrackRow, reader: Reader) -> Track:
    return Track(id=track.track_id, name=reader.text(track.name), color=track.color)


def speaker_view(speaker: SpeakerRow, reader: Reader) -> Speaker:
    return Speaker(
        id=speaker.speaker_id,
        name=reader.text(speaker.name),
        organisation=reader.text(speaker.organisation),
        bio=reader.text(speaker.bio),
    )


def session_view(session: SessionRow, reader: Reader) -> Session:
    return Session(
        id=session.session_id,
        title=reader.text(session.title),
        subtitle=reader.text(session.subtitle),
        abstract=reader.text(session.abstract),
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        room_id=session.room_id,
        track_id=session.track_id,
        speaker_ids=session.speaker_ids,
        kind=session.kind,
        language=session.language,
        url=session.url,
        status=session.status,
    )


def session_detail(session: SessionRow, reader: Reader) -> SessionDetail:
    brief = session_view(session, reader)
    fields = {name: getattr(brief, name) for name in Session.__struct_fields__}
    return SessionDetail(description=reader.text(session.description), **fields)


def in_all_languages(session: SessionRow) -> SessionDetail:
    return session_detail(session, EVERY_LANGUAGE)


def group_by_day(sessions: list[SessionRow], timezone: str) -> list[Day]:
    """Days in order, each with its sessions; a session after midnight belongs to the day on which it starts."""
    zone = ZoneInfo(timezone)
    days: dict[str, Day] = {}
    for session in sessions:
        date = session.starts_at.astimezone(zone).date().isoformat()
        days.setdefault(date, Day(date=date, session_ids=[])).session_ids.append(session.session_id)
    return [days[date] for date in sorted(days)]
