"""Which kind of programme a JSON file is, told by what is in it, and the reader of that kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.interchange.errors import UnreadableSchedule
from server.interchange.frab import json_reader as frab_json
from server.interchange.json_lists import pretalx, session_list, sessionize
from server.interchange.json_lists.mend import programme_of
from server.interchange.reading.json_values import cleaned, decoded
from server.interchange.reading.repairs import RepairLog

if TYPE_CHECKING:
    from server.interchange.programme import Programme

WANTED = "JSON: schedule.json, pretalx's, Sessionize's, or sessions with title and start"


def read(text: str, *, filename: str = "", timezone: str | None = None) -> Programme:
    """`timezone` is the event's, an IANA name `zoneinfo` knows, for files that say none.

    Raises `UnreadableSchedule` for what is no JSON, no programme, or without any session.
    """
    log = RepairLog()
    file = decoded(text, log)
    if frab_json.recognises(file):
        return frab_json.read(file, log, filename=filename)
    content = cleaned(file, log)
    for reader in (sessionize, pretalx, session_list):
        if reader.recognises(content):
            return programme_of(reader.draft_of(content, log), log, filename=filename, timezone=timezone)
    raise UnreadableSchedule(f"line 1: JSON, but no programme that is read here; give {WANTED}")
