"""Rows as a reader sees them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from server.event.reader import EVERY_LANGUAGE, Reader
from server.event.types import EventRow
from server.schedule.rows import DayRow, KindRow, Link, RoomRow, Row, SessionRow, SpeakerRow, TrackRow
from server.schedule.types import Day, DayHead, Kind, LinkView, Room, Session, SessionDetail, Speaker, Track


def room_view(room: RoomRow, reader: Reader) -> Room:
    return Room(
        id=room.room_id,
        name=reader.text(room.name),
        description=reader.text(room.description),
        capacity=room.capacity,
        floor=room.floor,
        position=room.position,
    )


def track_view(track: TrackRow, reader: Reader) -> Track:
    return Track(
        id=track.track_id,
        name=reader.text(track.name),
        description=reader.text(track.description),
        color=track.color,
        position=track.position,
    )


def kind_view(kind: KindRow, reader: Reader) -> Kind:
    return Kind(id=kind.kind_id, name=reader.text(kind.name), position=kind.position)


def speaker_view(speaker: SpeakerRow, reader: Reader) -> Speaker:
    return Speaker(
        id=speaker.speaker_id,
        name=reader.text(speaker.name),
        organisation=reader.text(speaker.organisation),
        tagline=reader.text(speaker.tagline),
        bio=reader.text(speaker.bio),
        photo_url=speaker.photo_url,
        links=links_view(speaker.links, reader),
    )


def session_view(session: SessionRow, reader: Reader) -> Session:
    return Session(**_brief(session, reader))


def session_detail(session: SessionRow, reader: Reader) -> SessionDetail:
    return SessionDetail(description=reader.text(session.description), **_brief(session, reader))


def view_of(row: Row, reader: Reader) -> Struct:
    """A thing by itself; a session with its long text."""
    return _VIEWS[type(row)](row, reader)


def in_all_languages(session: SessionRow) -> SessionDetail:
    return session_detail(session, EVERY_LANGUAGE)


def day_head(day: DayRow, reader: Reader) -> DayHead:
    return DayHead(
        id=day.day_id,
        date=day.date.isoformat(),
        name=reader.text(day.name),
        starts_at=day.starts_at,
        ends_at=day.ends_at,
    )


def date_of(moment: datetime, zone: ZoneInfo, day_begins: time) -> date:
    """The day to which a moment belongs: what comes before `day_begins` on the clock is still the night before."""
    local = moment.astimezone(zone)
    return local.date() - timedelta(days=local.time() < day_begins)


def group_by_day(days: Iterable[DayRow], sessions: Iterable[SessionRow], event: EventRow, reader: Reader) -> list[Day]:
    """Days in order, each with its sessions; those that an organizer names also without any."""
    zone = ZoneInfo(event.timezone)
    known = {day.date: day for day in days}
    ids: dict[date, list[UUID]] = {day: [] for day in known}
    for session in sessions:
        ids.setdefault(date_of(session.starts_at, zone, event.day_begins), []).append(session.session_id)
    return [_day(day, known.get(day), ids[day], reader) for day in sorted(ids)]


def _day(day: date, row: DayRow | None, session_ids: list[UUID], reader: Reader) -> Day:
    return Day(
        id=row.day_id if row else None,
        date=day.isoformat(),
        name=reader.text(row.name if row else {}),
        starts_at=row.starts_at if row else None,
        ends_at=row.ends_at if row else None,
        session_ids=session_ids,
    )


def _brief(session: SessionRow, reader: Reader) -> dict[str, Any]:
    return {
        "id": session.session_id,
        "title": reader.text(session.title),
        "subtitle": reader.text(session.subtitle),
        "abstract": reader.text(session.abstract),
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "room_id": session.room_id,
        "track_id": session.track_id,
        "kind_id": session.kind_id,
        "speaker_ids": session.speaker_ids,
        "roles": session.roles,
        "language": next(iter(session.languages), None),
        "languages": session.languages,
        "service": session.service,
        "url": session.url,
        "logo_url": session.logo_url,
        "links": links_view(session.links, reader),
        "do_not_record": session.do_not_record,
        "status": session.status,
    }


def links_view(links: list[Link], reader: Reader) -> list[LinkView]:
    return [LinkView(url=one.url, title=reader.text(one.title), kind=one.kind) for one in links]


_VIEWS: dict[type[Row], Callable[[Any, Reader], Struct]] = {
    DayRow: day_head,
    RoomRow: room_view,
    TrackRow: track_view,
    KindRow: kind_view,
    SpeakerRow: speaker_view,
    SessionRow: session_detail,
}
