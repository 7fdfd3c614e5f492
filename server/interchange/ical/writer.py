"""A publication as iCalendar (RFC 5545, RFC 7986): the file that calendars subscribe to, in one language.

Nothing in it comes from a clock, so one publication is one sequence of bytes. An event's UID never changes, its SEQUENCE
grows with every change: a calendar that has it moves it. Speakers stand in DESCRIPTION, for ATTENDEE would invite them
and is forbidden in a calendar that is published (RFC 5546 section 3.2.1).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from server.interchange.ical.lines import address, escaped, folded, written
from server.interchange.ical.marks import (
    PROGRAMME,
    SESSION,
    Marked,
    MarkedRoom,
    MarkedSpeaker,
    ProgrammeMark,
    SessionMark,
    cast,
    line_of,
)
from server.interchange.ical.vtimezone import vtimezone
from server.interchange.plain_text import plain
from server.interchange.programme import SPEAKER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from server.interchange.programme import (
        Kind,
        Link,
        Programme,
        Publication,
        Room,
        Session,
        Speaker,
        Texts,
        Track,
    )

REFRESH = "PT1H"
"""How often a subscriber should ask again. Google asks once or twice a day whatever is written."""

_UNDETERMINED = "und"


class _Desk(NamedTuple):
    """What the events of one file share."""

    publication: Publication
    language: str
    zone: ZoneInfo
    rooms: Mapping[str, Room]
    tracks: Mapping[str, Track]
    kinds: Mapping[str, Kind]
    speakers: Mapping[str, Speaker]

    def one(self, texts: Texts) -> Texts:
        """The text a reader of this file gets, with its language: theirs, the event's, English, any."""
        for tag in (self.language, self.publication.default_language, "en"):
            if tag in texts:
                return {tag: texts[tag]}
        return dict([next(iter(texts.items()))]) if texts else {}


def write(
    publication: Publication, *, language: str, session_keys: Collection[str] | None = None, name: str | None = None
) -> bytes:
    """All sessions or those of `session_keys`, in the programme's order; `name` instead of the event's title.

    Texts are plain: HTML and Markdown are taken off. Subtitle, abstract and description are one DESCRIPTION. Raises `KeyError`
    for a session without one of the publication's `ids`.
    """
    programme = publication.programme
    desk = _Desk(
        publication=publication,
        language=language,
        zone=ZoneInfo(programme.timezone),
        rooms={room.key: room for room in programme.rooms},
        tracks={track.key: track for track in programme.tracks},
        kinds={kind.key: kind for kind in programme.kinds},
        speakers={speaker.key: speaker for speaker in programme.speakers},
    )
    wanted = programme.sessions
    if session_keys is not None:
        chosen = frozenset(session_keys)
        wanted = tuple(session for session in wanted if session.key in chosen)
    lines = _calendar(desk, wanted, {_UNDETERMINED: name} if name else desk.one(programme.title))
    return b"".join(folded(line) for line in lines)


def _calendar(desk: _Desk, sessions: Collection[Session], title: Texts) -> Iterator[str]:
    publication, programme = desk.publication, desk.publication.programme
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//Digital Now//Programme//EN"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield from _text("NAME", title)
    yield f"X-WR-CALNAME:{escaped(_shown(title))}"
    yield f"X-WR-TIMEZONE:{programme.timezone}"
    yield f"LAST-MODIFIED:{_utc(publication.updated_at)}"
    yield f"SOURCE;VALUE=URI:{address(publication.url)}"
    yield f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}"
    yield f"X-PUBLISHED-TTL:{REFRESH}"
    yield line_of(PROGRAMME, ProgrammeMark(day_begins=programme.day_begins, version=programme.version or None))
    if sessions and not _is_utc(desk.zone):
        yield from vtimezone(desk.zone, *_bounds(programme))
    for session in sessions:
        yield from _event(desk, session)
    yield "END:VCALENDAR"


def _bounds(programme: Programme) -> tuple[datetime, datetime]:
    """Of the whole programme: the zone is the same in the file of one session."""
    return (
        min(session.starts_at for session in programme.sessions),
        max(session.ends_at for session in programme.sessions),
    )


def _event(desk: _Desk, session: Session) -> Iterator[str]:
    publication = desk.publication
    stamp = publication.stamps.get(session.key)
    mark = _mark(desk, session)
    yield "BEGIN:VEVENT"
    yield f"UID:{publication.ids[f'session:{session.key}']}@{publication.slug}"
    yield f"DTSTAMP:{_utc(publication.updated_at)}"
    yield f"SEQUENCE:{stamp.sequence if stamp else 0}"
    if stamp is not None:
        yield f"LAST-MODIFIED:{_utc(stamp.at)}"
    yield f"STATUS:{'CANCELLED' if session.status == 'cancelled' else 'CONFIRMED'}"
    yield _time("DTSTART", session.starts_at, desk.zone)
    yield _time("DTEND", session.ends_at, desk.zone)
    yield from _text("SUMMARY", desk.one(session.title))
    if mark.room is not None:
        yield from _text("LOCATION", mark.room.name, mark.room.location())
    yield from _description(desk, session, mark)
    if mark.categories():
        names = ",".join(escaped(name) for name in mark.categories())
        tags = {_tag(each.name) for each in (mark.track, mark.kind) if each}
        yield written("CATEGORIES", names, LANGUAGE=tags.pop() if len(tags) == 1 else None)
    if session.url:
        yield f"URL:{address(session.url)}"
    if session.logo_url:
        yield f"IMAGE;VALUE=URI;DISPLAY=BADGE:{address(session.logo_url)}"
    for link in session.links:
        yield _link(desk, link)
    yield line_of(SESSION, mark)
    yield "END:VEVENT"


def _mark(desk: _Desk, session: Session) -> SessionMark:
    room = desk.rooms.get(session.room or "")
    track, kind = desk.tracks.get(session.track or ""), desk.kinds.get(session.kind or "")
    speakers = (desk.speakers[key] for key in session.speakers if key in desk.speakers)
    return SessionMark(
        key=session.key,
        number=session.number,
        room=MarkedRoom(key=room.key, name=desk.one(room.name), floor=room.floor) if room else None,
        track=Marked(key=track.key, name=desk.one(track.name)) if track else None,
        kind=Marked(key=kind.key, name=desk.one(kind.name)) if kind else None,
        speakers=tuple(
            MarkedSpeaker(
                key=speaker.key,
                name=desk.one(speaker.name),
                organisation=desk.one(speaker.organisation),
                role=session.roles.get(speaker.key, SPEAKER),
            )
            for speaker in speakers
        ),
        languages=session.languages,
        service=session.service,
        status=session.status,
    )


def _description(desk: _Desk, session: Session, mark: SessionMark) -> Iterator[str]:
    """Who speaks, then what is said of it; an abstract that the description begins with is written once."""
    written_texts = [desk.one(texts) for texts in (session.subtitle, session.abstract, session.description)]
    words = [text for texts in written_texts if (text := plain(_shown(texts)))]
    said = [text for at, text in enumerate(words) if not any(other.startswith(text) for other in words[at + 1 :])]
    language = next((texts for texts in reversed(written_texts) if texts), {_UNDETERMINED: ""})
    yield from _text("DESCRIPTION", language, "\n\n".join(filter(None, (cast(mark.speakers), *said))))


def _link(desk: _Desk, link: Link) -> str:
    title = desk.one(link.title)
    tag = _tag(title)
    if link.kind == "stream":
        return written("CONFERENCE", address(link.url), VALUE="URI", LABEL=_shown(title), LANGUAGE=tag)
    own = None if link.kind == "file" else link.kind
    return written("ATTACH", address(link.url), FILENAME=_shown(title), LANGUAGE=tag, X_DIGITALNOW_KIND=own)


def _text(name: str, texts: Texts, shown: str | None = None) -> Iterator[str]:
    """A property in the language of its text, none where there is nothing to say."""
    text = escaped(_shown(texts) if shown is None else shown)
    if text:
        yield written(name, text, LANGUAGE=_tag(texts))


def _shown(texts: Texts) -> str:
    return next(iter(texts.values()), "")


def _tag(texts: Texts) -> str | None:
    tag = next(iter(texts), _UNDETERMINED)
    return None if tag == _UNDETERMINED else tag


def _time(name: str, at: datetime, zone: ZoneInfo) -> str:
    """On the zone's clock; in UTC for the hour that clock shows a second time, which no local time can name."""
    local = at.astimezone(zone)
    if local.fold or _is_utc(zone):
        return f"{name}:{_utc(at)}"
    return written(name, f"{local:%Y%m%dT%H%M%S}", TZID=zone.key)


def _is_utc(zone: ZoneInfo) -> bool:
    return zone.key in {"UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal"}


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
