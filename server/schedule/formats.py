"""The formats in which the programme is read: one line each. The routes, the short way and the cache follow this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from server.event.reader import Reader
from server.event.types import EventRow
from server.interchange.frab import json_v1_writer, json_v2_writer, xml_writer
from server.interchange.ical import writer as ical_writer
from server.interchange.programme import Publication
from server.interchange.sheet import csv_files, xlsx_writer
from server.schedule.edition import Edition
from server.schedule.types import Schedule
from server.schedule.views import group_by_day, kind_view, room_view, session_view, speaker_view, track_view
from server.texts import ALL, choose_language

Languages = Literal["negotiated", "one", "one_or_all", "all"]
"""`negotiated`: the language that `?lang=` or `Accept-Language` asks for, `*` for all of them. `one`: what `?lang=` asks for,
else the event's default, so that an address says the same to everybody. `one_or_all`: without a `?lang=` all of them. `all`:
always all of them."""

PartSubject = Literal["track", "session"]


class Part(Struct, frozen=True):
    """What of the programme a file holds: what is in one track, or one session."""

    subject: PartSubject
    id: UUID


class Format(Struct, frozen=True, kw_only=True):
    name: str
    """What the file is called, and the last part of its path."""
    media_type: str
    languages: Languages
    write: Callable[[Edition, str, Part | None], bytes]
    """Language (`*` for all), part. Runs in a thread; raises nothing that a client could have caused."""
    summary: str
    """For the API's document."""
    compressed: bool = False
    """It is packed already: gzip would gain nothing."""
    download: bool = False
    """A browser saves it and does not show it."""
    of_parts: bool = False
    """There is one of each track and each session too."""


def _write_app(edition: Edition, language: str, _part: Part | None) -> bytes:
    """The app's own document."""
    event, state = edition.event, edition.state
    reader = Reader(language, event.default_language)
    sessions = state.session.values()
    return msgspec.json.encode(
        Schedule(
            version=edition.version.version,
            updated_at=edition.version.updated_at,
            feed=edition.position,
            timezone=event.timezone,
            day_begins=event.day_begins.isoformat("minutes"),
            days=group_by_day(state.day.values(), sessions, event, reader),
            rooms=[room_view(room, reader) for room in state.room.values()],
            tracks=[track_view(track, reader) for track in state.track.values()],
            kinds=[kind_view(kind, reader) for kind in state.kind.values()],
            speakers=[speaker_view(speaker, reader) for speaker in state.speaker.values()],
            sessions=[session_view(session, reader) for session in sessions],
        )
    )


APP = Format(
    name="schedule",
    media_type="application/json",
    languages="negotiated",
    write=_write_app,
    summary="The whole programme in the reader's language. Ask again with `If-None-Match` and get 304 while it is the same.",
)


def _published(edition: Edition, name: str, part: Part | None) -> Publication:
    """With the address of the file that is written."""
    publication = edition.publication
    folder = "" if part is None else f"/{part.subject}s/{part.id}"
    return msgspec.structs.replace(publication, url=f"{publication.base_url}{folder}/{name}")


def _write_ics(edition: Edition, language: str, part: Part | None) -> bytes:
    publication = _published(edition, "schedule.ics", part)
    if part is None:
        return ical_writer.write(publication, language=language)
    state, text = edition.state, Reader(language, edition.event.default_language).text
    if part.subject == "session":
        session = state.session[part.id]
        return ical_writer.write(publication, language=language, session_keys={session.key}, name=text(session.title))
    within = {one.key for one in state.session.values() if one.track_id == part.id}
    name = f"{text(edition.event.name)}: {text(state.track[part.id].name)}"
    return ical_writer.write(publication, language=language, session_keys=within, name=name)


def _write_xml(edition: Edition, language: str, part: Part | None) -> bytes:
    return xml_writer.write(_published(edition, "schedule.xml", part), language=language)


def _write_v1(edition: Edition, language: str, part: Part | None) -> bytes:
    return json_v1_writer.write(_published(edition, "schedule.json", part), language=language)


def _write_v2(edition: Edition, _language: str, part: Part | None) -> bytes:
    return json_v2_writer.write(_published(edition, "schedule.v2.json", part))


def _write_csv(edition: Edition, language: str, part: Part | None) -> bytes:
    publication = _published(edition, "schedule.csv", part)
    return csv_files.write(publication, language=None if language == ALL else language)


def _write_xlsx(edition: Edition, _language: str, part: Part | None) -> bytes:
    return xlsx_writer.write(_published(edition, "schedule.xlsx", part))


XML = Format(
    name="schedule.xml",
    media_type="application/xml; charset=utf-8",
    languages="one",
    write=_write_xml,
    summary="The programme as frab's schedule.xml, which EventFahrplan, Giggity and the FOSDEM companion read.",
)

V1 = Format(
    name="schedule.json",
    media_type="application/json",
    languages="one",
    write=_write_v1,
    summary="The programme as frab's schedule.json, version 1.",
)

V2 = Format(
    name="schedule.v2.json",
    media_type="application/json",
    languages="all",
    write=_write_v2,
    summary="The programme as frab's schedule.json, version 2: in all languages, with what is cancelled and delayed.",
)

ICS = Format(
    name="schedule.ics",
    media_type="text/calendar; charset=utf-8",
    languages="one",
    write=_write_ics,
    summary="The programme as iCalendar, for every calendar to subscribe to.",
    of_parts=True,
)

CSV = Format(
    name="schedule.csv",
    media_type="text/csv; charset=utf-8",
    languages="one_or_all",
    write=_write_csv,
    summary="The sessions as a table, a column for each language; with `lang` in that one alone.",
    download=True,
)

XLSX = Format(
    name="schedule.xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    languages="all",
    write=_write_xlsx,
    summary="The whole programme as a workbook, which can be changed and imported again.",
    compressed=True,
    download=True,
)

FORMATS: dict[str, Format] = {one.name: one for one in (APP, XML, V1, V2, ICS, CSV, XLSX)}
"""By name."""


def language_of(wanted: Format, lang: str | None, accept_language: str | None, event: EventRow) -> str:
    """The language in which a reader gets a format, `*` for all of them."""
    if wanted.languages == "all" or (wanted.languages == "one_or_all" and not lang):
        return ALL
    accepted = accept_language if wanted.languages == "negotiated" else None
    chosen = choose_language(lang, accepted, event.languages, event.default_language)
    return event.default_language if chosen == ALL and wanted.languages == "one" else chosen
