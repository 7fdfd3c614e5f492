"""From a `Publication` to the sheets of a workbook: their heads, and each thing as a row of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from server.interchange.reading.texts import UNDETERMINED
from server.interchange.sheet.cell_lists import write_json, write_keys, write_links, write_mention, write_mentions
from server.interchange.sheet.cells import Sheet, table
from server.interchange.sheet.rows import whole, written
from server.interchange.sheet.things import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from server.interchange.programme import Programme, Publication, Session, Texts

_YES = "yes"


class _Columns(NamedTuple):
    """The columns of one sheet and the rows under them, the same way for texts in one language and in several."""

    heads: list[str]
    rows: list[list[str]]

    def add(self, head: str, cells: Iterable[str]) -> None:
        self.heads.append(head)
        for row, cell in zip(self.rows, cells, strict=True):
            row.append(cell)


def sheets_of(publication: Publication) -> list[Sheet]:
    """Everything: `sessions`, `speakers`, `rooms`, `tracks`, `kinds`, `days`, `about`; those of them that are not empty."""
    programme, first = publication.programme, publication.default_language
    filled = [
        _sessions(programme, first),
        _speakers(programme, first),
        _rooms(programme, first),
        _tracks(programme, first),
        _kinds(programme, first),
        _days(programme, first),
    ]
    return [*(sheet for sheet in filled if len(sheet.rows) > 1), _about(programme, first)]


def sessions_alone(publication: Publication, *, language: str | None) -> Sheet:
    """The sessions, with the names of what they refer to beside its keys, and the time zone."""
    programme, first = publication.programme, publication.default_language
    names = _names_by_key(programme)
    columns = _begin(programme.sessions)
    texts = _texts_in(language, first)
    _add_when(columns, programme)
    for field in ("title", "subtitle"):
        texts(columns, field, [getattr(session, field) for session in programme.sessions])
    for field in ("room", "track", "kind"):
        texts(columns, field, [names[field].get(getattr(session, field), {}) for session in programme.sessions])
    people = [[names["speaker"][key] for key in session.speakers] for session in programme.sessions]
    _add_people(columns, programme.sessions, people, language, first)
    _add_rest(columns, programme.sessions, texts)
    for field in ("room", "track", "kind"):
        columns.add(f"{field}_id", (getattr(session, field) or "" for session in programme.sessions))
    columns.add("speaker_ids", (write_keys(session.speakers) for session in programme.sessions))
    columns.add("timezone", (programme.timezone for _ in programme.sessions))
    return table("sessions", columns.heads, columns.rows)


def display(texts: Texts, first: str) -> str:
    """The text in the language wanted first, else in English, else in any."""
    return texts.get(first) or texts.get("en") or next((texts[tag] for tag in sorted(texts)), "")


def _begin(things: Sequence[object]) -> _Columns:
    return _Columns([], [[] for _ in things])


def _tags(texts: Iterable[Texts], first: str) -> list[str]:
    """The languages in which something is said: without one, the default one, then the others."""
    found = {tag for each in texts for tag in each}
    return sorted(found, key=lambda tag: (tag != UNDETERMINED, tag != first, tag))


def _head(field: str, tag: str) -> str:
    return field if tag == UNDETERMINED else f"{field}_{tag}"


def _add_texts(columns: _Columns, field: str, texts: Sequence[Texts], first: str) -> None:
    for tag in _tags(texts, first):
        columns.add(_head(field, tag), (each.get(tag, "") for each in texts))


def _texts_in(language: str | None, first: str) -> Callable[[_Columns, str, Sequence[Texts]], None]:
    def add(columns: _Columns, field: str, texts: Sequence[Texts]) -> None:
        if language is None:
            _add_texts(columns, field, texts, first)
        else:
            columns.add(field, (each.get(language) or display(each, first) for each in texts))

    return add


def _names_by_key(programme: Programme) -> dict[str, dict[str | None, Texts]]:
    return {
        "room": {room.key: room.name for room in programme.rooms},
        "track": {track.key: track.name for track in programme.tracks},
        "kind": {kind.key: kind.name for kind in programme.kinds},
        "speaker": {speaker.key: speaker.name for speaker in programme.speakers},
    }


def _add_when(columns: _Columns, programme: Programme) -> None:
    zone = ZoneInfo(programme.timezone)
    times = [written(session.starts_at, session.ends_at, zone) for session in programme.sessions]
    columns.add("id", (session.key for session in programme.sessions))
    columns.add("date", (at.date for at in times))
    columns.add("start", (at.start for at in times))
    columns.add("end", (at.end for at in times))


def _add_people(
    columns: _Columns, sessions: Sequence[Session], people: list[list[Texts]], language: str | None, first: str
) -> None:
    """The same speakers in the same order in every language's column; a place stays empty where a name is not known in it."""
    tags = [None] if language is not None else _tags((name for names in people for name in names), first)
    for tag in tags:
        cells = []
        for session, names in zip(sessions, people, strict=True):
            shown = [
                (name.get(language or "") or display(name, first)) if tag is None else name.get(tag, "")
                for name in names
            ]
            cells.append(
                write_mentions(
                    [
                        write_mention(name, session.roles.get(key)) if name else ""
                        for key, name in zip(session.speakers, shown, strict=True)
                    ]
                )
            )
        columns.add("speakers" if tag is None else _head("speakers", tag), cells)


def _add_rest(
    columns: _Columns, sessions: Sequence[Session], texts: Callable[[_Columns, str, Sequence[Texts]], None]
) -> None:
    columns.add("languages", (", ".join(session.languages) for session in sessions))
    columns.add("status", ("" if session.status == "scheduled" else session.status for session in sessions))
    columns.add("service", (_YES * session.service for session in sessions))
    for field in ("abstract", "description"):
        texts(columns, field, [getattr(session, field) for session in sessions])
    columns.add("url", (session.url or "" for session in sessions))
    columns.add("logo_url", (session.logo_url or "" for session in sessions))
    columns.add("links", (write_links(session.links) for session in sessions))
    columns.add("license", (session.license for session in sessions))
    columns.add("do_not_record", (_YES * session.do_not_record for session in sessions))
    columns.add("number", ("" if session.number is None else str(session.number) for session in sessions))
    columns.add("extra", (write_json(session.extra) for session in sessions))


def _sessions(programme: Programme, first: str) -> Sheet:
    """Rooms and the rest are named as the other sheets name them; by their key where a name would not mean them alone."""
    sessions = programme.sessions
    columns = _begin(sessions)
    texts = _texts_in(None, first)
    _add_when(columns, programme)
    for field in ("title", "subtitle"):
        texts(columns, field, [getattr(session, field) for session in sessions])
    by_key = _names_by_key(programme)
    refer = {field: _referring(names, first) for field, names in by_key.items()}
    for field in ("room", "track", "kind"):
        columns.add(field, (refer[field](getattr(session, field)) for session in sessions))
    speakers = (
        write_mentions([write_mention(refer["speaker"](key), session.roles.get(key)) for key in session.speakers])
        for session in sessions
    )
    columns.add("speakers", speakers)
    _add_rest(columns, sessions, texts)
    return table("sessions", columns.heads, columns.rows)


def _referring(names: dict[str | None, Texts], first: str) -> Callable[[str | None], str]:
    known = Names((key, name) for key, name in names.items() if key is not None)
    references = {key: known.reference(key, display(name, first)) for key, name in names.items() if key is not None}
    return lambda key: "" if key is None else references.get(key, key)


def _speakers(programme: Programme, first: str) -> Sheet:
    speakers = programme.speakers
    columns = _begin(speakers)
    columns.add("id", (speaker.key for speaker in speakers))
    for field in ("name", "organisation", "tagline", "bio"):
        _add_texts(columns, field, [getattr(speaker, field) for speaker in speakers], first)
    columns.add("photo_url", (speaker.photo_url or "" for speaker in speakers))
    columns.add("links", (write_links(speaker.links) for speaker in speakers))
    columns.add("extra", (write_json(speaker.extra) for speaker in speakers))
    return table("speakers", columns.heads, columns.rows)


def _rooms(programme: Programme, first: str) -> Sheet:
    columns = _begin(programme.rooms)
    columns.add("id", (room.key for room in programme.rooms))
    for field in ("name", "description"):
        _add_texts(columns, field, [getattr(room, field) for room in programme.rooms], first)
    columns.add("capacity", (str(room.capacity or "") for room in programme.rooms))
    columns.add("floor", (room.floor or "" for room in programme.rooms))
    columns.add("extra", (write_json(room.extra) for room in programme.rooms))
    return table("rooms", columns.heads, columns.rows)


def _tracks(programme: Programme, first: str) -> Sheet:
    columns = _begin(programme.tracks)
    columns.add("id", (track.key for track in programme.tracks))
    for field in ("name", "description"):
        _add_texts(columns, field, [getattr(track, field) for track in programme.tracks], first)
    columns.add("color", (track.color or "" for track in programme.tracks))
    columns.add("extra", (write_json(track.extra) for track in programme.tracks))
    return table("tracks", columns.heads, columns.rows)


def _kinds(programme: Programme, first: str) -> Sheet:
    columns = _begin(programme.kinds)
    columns.add("id", (kind.key for kind in programme.kinds))
    _add_texts(columns, "name", [kind.name for kind in programme.kinds], first)
    return table("kinds", columns.heads, columns.rows)


def _days(programme: Programme, first: str) -> Sheet:
    zone = ZoneInfo(programme.timezone)
    columns = _begin(programme.days)
    columns.add("date", (day.date for day in programme.days))
    _add_texts(columns, "name", [day.name for day in programme.days], first)
    columns.add("starts_at", (whole(day.starts_at, zone) if day.starts_at else "" for day in programme.days))
    columns.add("ends_at", (whole(day.ends_at, zone) if day.ends_at else "" for day in programme.days))
    return table("days", columns.heads, columns.rows)


def _about(programme: Programme, first: str) -> Sheet:
    """One row a field, as one reads it."""
    title = [(_head("title", tag), programme.title[tag]) for tag in _tags([programme.title], first)]
    rows = [
        *title,
        ("timezone", programme.timezone),
        ("day_begins", "" if programme.day_begins == "00:00" else programme.day_begins),
        ("version", programme.version),
        ("extra", write_json(programme.extra)),
    ]
    across = table("about", [head for head, _ in rows], [[text for _, text in rows]])
    pairs = list(zip(across.rows[0].cells, across.rows[1].cells, strict=True))
    return table("about", ["field", "value"], [[str(head), str(text)] for head, text in pairs])
