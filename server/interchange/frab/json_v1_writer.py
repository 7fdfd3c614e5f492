"""schedule.json version 1 in one language, strictly after its JSON Schema (https://c3voc.de/schedule/schema.json).

The twin of schedule.xml: days, in them columns, in them events. Beside `duration`, which is under a day, `end` says the
true end. What the schema has no place for is in `schedule.additions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from server.interchange.frab.columns import slug_of_session
from server.interchange.frab.export import in_one_language, numbers_of
from server.interchange.frab.json_writing import Object, beyond, encoded, file_of, link, time_zone, track
from server.interchange.frab.kept import PERSON, V1_CONFERENCE, V1_EVENT, V1_LINK_TYPES, V1_ROOM, fitting
from server.interchange.frab.layout import (
    Column,
    columns_of,
    date_of,
    days_of,
    hours_and_minutes,
    on_clocks,
    written_duration,
)
from server.interchange.frab.wording import acronym, kind_word

if TYPE_CHECKING:
    from server.interchange.frab.layout import PublicDay
    from server.interchange.programme import Programme, Publication, Session, Speaker, Texts

SCHEMA = "https://c3voc.de/schedule/schema.json"


def write(publication: Publication, *, language: str) -> bytes:
    """The same bytes for the same publication. `language` is one of the programme's; what it lacks is in the event's."""
    programme = in_one_language(publication, language)
    schedule = _Schedule(publication, programme, language)
    return encoded(file_of(SCHEMA, publication, language, schedule.whole()), programme)


class _Schedule:
    def __init__(self, publication: Publication, programme: Programme, language: str) -> None:
        self._publication = publication
        self._programme = programme
        self._language = language
        self._zone = ZoneInfo(programme.timezone)
        self._numbers = numbers_of(programme.sessions)
        self._speakers = {speaker.key: speaker for speaker in programme.speakers}
        self._tracks = {track.key: self._text(track.name) for track in programme.tracks}
        self._kinds = {kind.key: kind for kind in programme.kinds}
        self._columns = columns_of(programme, language, cut=False)

    def whole(self) -> Object:
        """Persons without a session are in a list of their own; the others are with their sessions."""
        busy = {key for session in self._programme.sessions for key in session.speakers}
        idle = [self._person(speaker) for speaker in self._programme.speakers if speaker.key not in busy]
        return {"conference": self._conference(), **({"persons": idle} if idle else {})}

    def _conference(self) -> Object:
        days = days_of(self._programme, self._publication.updated_at)
        return {
            "acronym": acronym(self._publication),
            "title": self._text(self._programme.title),
            "start": days[0].date.isoformat(),
            "end": days[-1].date.isoformat(),
            "daysCount": len(days),
            "timeslot_duration": "00:05",
            **time_zone(self._programme),
            **fitting(self._programme.extra, V1_CONFERENCE),
            "tracks": [track(each, self._text) for each in self._programme.tracks],
            "rooms": self._rooms(),
            "days": [self._day(day, index) for index, day in enumerate(days, start=1)],
        }

    def _rooms(self) -> list[Object]:
        particulars = {
            room.key: {
                **({"description": self._text(room.description)} if room.description else {}),
                **({} if room.capacity is None else {"capacity": room.capacity}),
                **fitting(room.extra, V1_ROOM),
            }
            for room in self._programme.rooms
        }
        return [
            {"name": column.name, "guid": column.guid, **particulars.get(column.guid, {})} for column in self._columns
        ]

    def _day(self, day: PublicDay, index: int) -> Object:
        rooms = {
            column.name: [
                self._event(session, column)
                for session in column.sessions
                if date_of(session, self._programme) == day.date
            ]
            for column in self._columns
        }
        return {
            "index": index,
            "date": day.date.isoformat(),
            "day_start": day.starts_at.isoformat(),
            "day_end": day.ends_at.isoformat(),
            "rooms": {name: events for name, events in rooms.items() if events},
        }

    def _event(self, session: Session, column: Column) -> Object:
        start, end = (on_clocks(moment, self._zone) for moment in (session.starts_at, session.ends_at))
        return {
            "id": self._numbers[session.key],
            "guid": session.key,
            "date": start.isoformat(),
            "start": f"{start:%H:%M}",
            "end": end.isoformat(),
            "duration": hours_and_minutes(written_duration(session)),
            "room": column.name,
            "slug": slug_of_session(session.key),
            "url": session.url or f"{self._publication.base_url}/#session-{session.key}",
            "title": self._text(session.title),
            "subtitle": self._text(session.subtitle),
            "track": self._tracks.get(session.track or ""),
            "type": kind_word(session, self._kinds, self._language),
            "language": ", ".join(session.languages) or None,
            "abstract": self._text(session.abstract),
            "description": self._text(session.description),
            **({} if session.logo_url is None else {"logo": session.logo_url}),
            "recording_license": session.license,
            "do_not_record": session.do_not_record,
            "persons": [self._participant(session, key) for key in session.speakers],
            **self._links(session),
            **fitting(session.extra, V1_EVENT),
        }

    def _participant(self, session: Session, key: str) -> Object:
        role = {"role": session.roles[key]} if key in session.roles else {}
        return {**self._person(self._speakers[key]), **role}

    def _person(self, speaker: Speaker) -> Object:
        texts = {"organisation": speaker.organisation, "tagline": speaker.tagline, "biography": speaker.bio}
        return {
            "guid": speaker.key,
            "name": self._text(speaker.name),
            **{field: self._text(value) for field, value in texts.items() if value},
            **({} if speaker.photo_url is None else {"avatar": speaker.photo_url}),
            **({"links": [link(each, self._text, {}) for each in speaker.links]} if speaker.links else {}),
            **fitting(speaker.extra, PERSON),
        }

    def _links(self, session: Session) -> Object:
        """The first address for feedback has a field of its own, which apps show better."""
        rest, own = list(session.links), {}
        feedback = next((each for each in rest if each.kind == "feedback"), None)
        if feedback is not None and not feedback.title:
            rest.remove(feedback)
            own = {"feedback_url": feedback.url}
        extra = session.extra
        links, files = (
            [
                link(each, self._text, beyond(each, extra.get(field), V1_LINK_TYPES))
                for each in rest
                if (each.kind == "file") is (field == "attachments")
            ]
            for field in ("links", "attachments")
        )
        return {"links": links, **({"attachments": files} if files else {}), **own}

    def _text(self, texts: Texts) -> str:
        return texts.get(self._language, "")
