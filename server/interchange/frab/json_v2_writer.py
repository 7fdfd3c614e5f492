"""schedule.json version 2 in all languages, strictly after its JSON Schema (https://c3voc.de/schedule/schema2.json, alpha-3).

The one format of the three that says that a session is cancelled. What the schema takes in one language only (titles,
names) is in the event's own there; the others, and what it has no place for, are in `schedule.additions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from server.interchange.frab.columns import NO_TRACK, NOWHERE, slug_of, slug_of_session
from server.interchange.frab.export import best, in_all_languages
from server.interchange.frab.json_writing import Object, beyond, encoded, file_of, link, time_zone, track
from server.interchange.frab.kept import (
    PERSON,
    V2_CONFERENCE,
    V2_EVENT,
    V2_KINDS,
    V2_LINK_TYPES,
    V2_ROLES,
    V2_ROOM,
    V2_SERVICES,
    fitting,
    is_language_map,
)
from server.interchange.frab.layout import NOWHERE_NAME, days_of, on_clocks
from server.interchange.frab.wording import acronym, meta_word

if TYPE_CHECKING:
    from datetime import datetime

    from server.interchange.programme import Link, Programme, Publication, Room, Session, Speaker, Status, Texts

SCHEMA = "https://c3voc.de/schedule/schema2.json"

_STATES: dict[Status, str] = {
    "scheduled": "CONFIRMED",
    "moved": "CONFIRMED",
    "delayed": "DELAYED",
    "cancelled": "CANCELED",
}
_LETTERS_OF_LANGUAGE = 2


def write(publication: Publication) -> bytes:
    """The same bytes for the same publication."""
    programme = in_all_languages(publication)
    return encoded(file_of(SCHEMA, publication, None, _Schedule(publication, programme).whole()), programme)


class _Schedule:
    def __init__(self, publication: Publication, programme: Programme) -> None:
        self._publication = publication
        self._programme = programme
        self._zone = ZoneInfo(programme.timezone)
        self._rooms = {room.key: room for room in programme.rooms}
        self._speakers = {speaker.key: speaker for speaker in programme.speakers}

    def whole(self) -> Object:
        return {
            "conference": self._conference(),
            "events": [self._event(session) for session in self._programme.sessions],
            "persons": [self._person(speaker) for speaker in self._programme.speakers],
        }

    def _conference(self) -> Object:
        days = days_of(self._programme, self._publication.updated_at)
        return {
            "acronym": acronym(self._publication),
            "title": self._text(self._programme.title),
            "start": days[0].starts_at.isoformat(),
            "end": days[-1].ends_at.isoformat(),
            **time_zone(self._programme),
            "languages": self._languages(),
            "defaults": {"language": self._default_language()},
            **fitting(self._programme.extra, V2_CONFERENCE),
            "tracks": [track(each, self._text) for each in self._programme.tracks],
            "rooms": [self._room(room) for room in self._programme.rooms],
            "days": [
                {
                    "index": index,
                    "date": day.date.isoformat(),
                    "start": day.starts_at.isoformat(),
                    "end": day.ends_at.isoformat(),
                }
                for index, day in enumerate(days, start=1)
            ],
        }

    def _languages(self) -> list[str]:
        """Those of the titles, the event's own first; the schema takes two letters only."""
        titles = {tag for session in self._programme.sessions for tag in session.title}
        known = {tag.partition("-")[0] for tag in titles}
        own = self._default_language()
        return [own, *sorted(tag for tag in known if len(tag) == _LETTERS_OF_LANGUAGE and tag != own)]

    def _default_language(self) -> str:
        own = self._publication.default_language.partition("-")[0]
        return own if len(own) == _LETTERS_OF_LANGUAGE else "en"

    def _room(self, room: Room) -> Object:
        return {
            "name": self._text(room.name),
            "guid": room.key,
            **({"description": self._texts(room.description)} if room.description else {}),
            **({} if room.capacity is None else {"capacity": room.capacity}),
            **fitting(room.extra, V2_ROOM),
        }

    def _event(self, session: Session) -> Object:
        """A break is a meta event, of which the schema takes little: not if there is more to say."""
        more = (session.speakers, session.links, session.abstract, session.description, session.track, session.url)
        if session.service and not any(more) and session.status in {"scheduled", "moved"}:
            return self._meta_event(session)
        return {
            "guid": session.key,
            "type": self._type(session),
            **self._times(session),
            "room": self._place(session.room) or {"guid": NOWHERE, "name": NOWHERE_NAME},
            "slug": slug_of_session(session.key),
            "url": session.url or f"{self._publication.base_url}/#session-{session.key}",
            "title": self._text(session.title),
            "subtitle": self._text(session.subtitle) or None,
            "language": self._language(session),
            "track": {"slug": NO_TRACK if session.track is None else slug_of(session.track)},
            "abstract": self._texts(session.abstract),
            "description": self._texts(session.description),
            "logo": None if session.logo_url is None else {"url": session.logo_url},
            "participants": [self._participant(session, key) for key in session.speakers],
            "links": [self._link(each, session) for each in session.links if each.kind != "file"],
            "attachments": [self._link(each, session) for each in session.links if each.kind == "file"],
            "state": _STATES[session.status],
            **fitting(session.extra, V2_EVENT),
        }

    def _meta_event(self, session: Session) -> Object:
        place = self._place(session.room)
        return {
            "guid": session.key,
            "type": meta_word(session),
            **self._times(session),
            **({"room": place} if place else {}),
            "title": self._text(session.title),
            **({"subtitle": self._text(session.subtitle)} if session.subtitle else {}),
        }

    def _times(self, session: Session) -> Object:
        def written(moment: datetime) -> str:
            return on_clocks(moment, self._zone).isoformat()

        return {"start": written(session.starts_at), "end": written(session.ends_at)}

    def _type(self, session: Session) -> str:
        """The schema's word for the kind, where the kind's key is one."""
        word = (session.kind or "").upper().replace(" ", "_")
        return word if word in V2_KINDS else "OTHER"

    def _place(self, key: str | None) -> Object:
        return {} if key is None else {"guid": key, "name": self._text(self._rooms[key].name)}

    def _language(self, session: Session) -> str:
        main = session.languages[0].partition("-")[0] if session.languages else ""
        return main if len(main) == _LETTERS_OF_LANGUAGE else self._default_language()

    def _participant(self, session: Session, key: str) -> Object:
        role = session.roles.get(key, "").upper()
        return {
            "guid": key,
            "name": self._text(self._speakers[key].name),
            "role": role if role in V2_ROLES else "SPEAKER",
        }

    def _person(self, speaker: Speaker) -> Object:
        """The schema says nothing of this list, so every text is in all its languages."""
        texts = {"organisation": speaker.organisation, "tagline": speaker.tagline, "biography": speaker.bio}
        return {
            "guid": speaker.key,
            "name": _all(speaker.name),
            **{field: _all(value) for field, value in texts.items() if value},
            **({} if speaker.photo_url is None else {"avatar": {"url": speaker.photo_url}}),
            **({"links": [self._plain_link(each) for each in speaker.links]} if speaker.links else {}),
            **fitting(speaker.extra, PERSON),
        }

    def _link(self, each: Link, session: Session) -> Object:
        kept = session.extra.get("attachments" if each.kind == "file" else "links")
        more = {"type": "FEEDBACK"} if each.kind == "feedback" else beyond(each, kept, V2_LINK_TYPES, V2_SERVICES)
        return link(each, self._text, more)

    def _plain_link(self, each: Link) -> Object:
        return link(each, self._text, {})

    def _text(self, texts: Texts) -> str:
        return best(texts, self._publication.default_language)

    def _texts(self, texts: Texts) -> Any:
        return _all(texts) if is_language_map(texts) else self._text(texts)


def _all(texts: Texts) -> Any:
    return texts["und"] if set(texts) == {"und"} else texts
