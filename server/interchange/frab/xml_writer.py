"""schedule.xml in one language, strictly after the public XSD (https://c3voc.de/schedule/schema.xsd).

What apps make of it decides what it says: durations in hours and minutes and under a day, columns of rooms without
overlaps, every day with its bounds, no element within a link, and the outermost two elements within the first 1,024 bytes.
What the XSD has no place for is left out: biographies, roles, capacities, states. A session's number is its `id`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from server.interchange.frab.columns import slug_of
from server.interchange.frab.export import clean_text, in_one_language, numbers_of
from server.interchange.frab.kept import XML_CONFERENCE, XML_EVENT, fitting
from server.interchange.frab.layout import (
    Column,
    columns_of,
    date_of,
    days_of,
    hours_and_minutes,
    on_clocks,
    written_duration,
)
from server.interchange.frab.wording import acronym, address_of_file, beyond_link, kind_word, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.interchange.frab.layout import PublicDay
    from server.interchange.programme import Extra, Link, Programme, Publication, Session, Speaker

_LONGEST_ADDRESS = 200
_LONGEST_VERSION = 100
"""In letters: Giggity wants `conference` to begin within the first 1,024, and `&` is written as five."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def write(publication: Publication, *, language: str) -> bytes:
    """The same bytes for the same publication. `language` is one of the programme's; what it lacks is in the event's."""
    programme = in_one_language(publication, language)
    document = _Document(publication, programme, language)
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *document.lines(), "")).encode()


class _Document:
    def __init__(self, publication: Publication, programme: Programme, language: str) -> None:
        self._publication = publication
        self._programme = programme
        self._language = language
        self._zone = ZoneInfo(programme.timezone)
        self._numbers = numbers_of(programme.sessions)
        self._speakers = {speaker.key: speaker for speaker in programme.speakers}
        self._tracks = {track.key: track.name.get(language, track.key) for track in programme.tracks}
        self._met: dict[str, set[object]] = {"slug": set(), "code": set()}
        self._kinds = {kind.key: kind for kind in programme.kinds}

    def lines(self) -> Iterator[str]:
        yield "<schedule>"
        yield _tag("generator", name="Digital Now")
        address = address_of_file(self._publication, self._language)
        if len(address) <= _LONGEST_ADDRESS:
            yield _element("url", address)
        yield _element("version", version_of(self._publication)[:_LONGEST_VERSION])
        yield from self._conference()
        columns = columns_of(self._programme, self._language, cut=True)
        for index, day in enumerate(days := days_of(self._programme, self._publication.updated_at), start=1):
            yield from self._day(day, index, columns, first=day is days[0])
        yield "</schedule>"

    def _conference(self) -> Iterator[str]:
        days, extra = days_of(self._programme, self._publication.updated_at), self._programme.extra
        fields = fitting(extra, XML_CONFERENCE)
        yield "<conference>"
        yield _element("acronym", acronym(self._publication))
        yield _element("title", self._text(self._programme.title))
        yield _element("start", days[0].date.isoformat())
        yield _element("end", days[-1].date.isoformat())
        yield _element("days", str(len(days)))
        yield _element("timeslot_duration", fields.pop("timeslot_duration", "00:05"))
        yield _element("time_zone_name", self._programme.timezone)
        yield _element("base_url", f"{self._publication.base_url}/")
        if "color" in fields:
            yield _tag("color", **_shades(fields.pop("color")))
        yield from (_element(name, value) for name, value in fields.items())
        for track in self._programme.tracks:
            color = {} if track.color is None else {"color": track.color}
            yield _tag("track", name=self._tracks[track.key], slug=slug_of(track.key), **color)
        yield "</conference>"

    def _day(self, day: PublicDay, index: int, columns: list[Column], *, first: bool) -> Iterator[str]:
        """The first day has every column, with or without sessions: so the rooms keep their order in every app."""
        bounds = {"start": day.starts_at.isoformat(), "end": day.ends_at.isoformat()}
        yield _opening("day", index=str(index), date=day.date.isoformat(), **bounds)
        for column in columns:
            here = [session for session in column.sessions if date_of(session, self._programme) == day.date]
            if here or first:
                yield _opening("room", name=column.name, guid=column.guid)
                for session in here:
                    yield from self._event(session, column)
                yield "</room>"
        yield "</day>"

    def _event(self, session: Session, column: Column) -> Iterator[str]:
        start = on_clocks(session.starts_at, self._zone)
        fields = self._unique(fitting(session.extra, XML_EVENT))
        code = {"code": fields.pop("code")} if "code" in fields else {}
        yield _opening("event", guid=session.key, id=str(self._numbers[session.key]), **code)
        yield _element("date", start.isoformat())
        yield _element("start", f"{start:%H:%M}")
        yield _element("duration", hours_and_minutes(written_duration(session)))
        yield _element("room", column.name)
        yield _element("title", self._text(session.title))
        yield _element("subtitle", self._text(session.subtitle))
        yield _element("language", ", ".join(session.languages))
        yield _element("track", self._tracks.get(session.track or "", ""))
        yield _element("type", kind_word(session, self._kinds, self._language))
        yield _element("abstract", self._text(session.abstract))
        yield _element("description", self._text(session.description))
        yield from (_element(name, value) for name, value in fields.items())
        yield from self._addresses(session)
        yield "<persons>"
        yield from (self._person(self._speakers[key]) for key in session.speakers)
        yield "</persons>"
        if session.license or session.do_not_record:
            optout = str(session.do_not_record).lower()
            yield f"<recording>{_element('license', session.license)}{_element('optout', optout)}</recording>"
        yield from self._links(session)
        yield "</event>"

    def _unique(self, fields: Extra) -> Extra:
        """Without the slug or code that an event before has: the XSD wants both unique."""
        twice = {name for name, met in self._met.items() if name in fields and fields[name] in met}
        for name in self._met.keys() & fields.keys():
            self._met[name].add(fields[name])
        return {name: value for name, value in fields.items() if name not in twice}

    def _addresses(self, session: Session) -> Iterator[str]:
        for name, value in (("url", session.url), ("logo", session.logo_url)):
            if value is not None:
                yield _element(name, value)

    def _person(self, speaker: Speaker) -> str:
        number = str(speaker.extra.get("id", ""))
        own = {"id": number} if _WHOLE_NUMBER.fullmatch(number) else {}
        return _element("person", self._text(speaker.name), guid=speaker.key, **own)

    def _links(self, session: Session) -> Iterator[str]:
        """The first address for feedback and the first recording in elements of their own, which apps show better."""
        rest = list(session.links)
        for name, kind in (("feedback_url", "feedback"), ("video_download_url", "recording")):
            first = next((link for link in rest if link.kind == kind), None)
            if first is not None and not first.title:
                rest.remove(first)
                yield _element(name, first.url)
        links = [self._link("link", link, session.extra.get("links")) for link in rest if link.kind != "file"]
        files = [
            self._link("attachment", link, session.extra.get("attachments")) for link in rest if link.kind == "file"
        ]
        yield f"<links>{''.join(links)}</links>"
        if files:
            yield f"<attachments>{''.join(files)}</attachments>"

    def _link(self, name: str, link: Link, kept: object) -> str:
        """What sort of link it is in its `type`; the address for a title, as apps show nothing else."""
        more = {field: text for field, text in beyond_link(link, kept).items() if isinstance(text, str)}
        wanted = ("type", "service") if name == "link" else ("type",)
        attributes = {field: more[field] for field in wanted if field in more}
        if link.kind not in {"link", "file"}:
            attributes["type"] = link.kind
        return _element(name, self._text(link.title) or link.url, href=link.url, **attributes)

    def _text(self, texts: dict[str, str]) -> str:
        return texts.get(self._language, "")


def _shades(color: Extra) -> dict[str, str]:
    return {name: color[name] for name in ("primary", "background") if name in color}


def _element(tag: str, text: str, /, **attributes: str) -> str:
    inner = _escaped(text)
    return f"{_opening(tag, **attributes)}{inner}</{tag}>" if inner else _tag(tag, **attributes)


def _tag(tag: str, /, **attributes: str) -> str:
    return f"{_opening(tag, **attributes)[:-1]}/>"


def _opening(tag: str, /, **attributes: str) -> str:
    return f"<{tag}{''.join(f' {key}={_quoted(value)}' for key, value in attributes.items())}>"


def _escaped(text: str) -> str:
    """A carriage return by its number: parsers turn a bare one into a line feed."""
    plain = clean_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("\r", "&#13;")


def _quoted(text: str) -> str:
    """White space by its number: parsers turn it into blanks."""
    return f'"{_escaped(text).replace(chr(34), "&quot;").replace(chr(10), "&#10;").replace(chr(9), "&#9;")}"'
