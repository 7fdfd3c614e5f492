"""What goes out and comes in again changes nothing, and a file says nothing of what its format or its languages do not know."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from server.db import Database
from server.demo.programme import load_programme
from server.event.types import EventRow
from server.interchange.detect import read_schedule
from server.interchange.programme import Programme
from server.schedule import merging
from server.schedule.edition import read_edition
from server.schedule.formats import FORMATS
from tests.schedule.programmes import bring, new_event, state_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
WHOLE = ("schedule.v2.json", "schedule.xlsx")
"""Files in all languages, which lose nothing."""
REAL = (
    "debconf23.xml",
    "voc_pretalx-democon.json",
    "pyconfr_2025_pretalx_api.json",
    "scottish_summit_2026_sessionize_all.json",
)


async def exported(db: Database, event: EventRow, name: str) -> Programme:
    edition = await read_edition(db, event, base_url=f"https://example.org/v1/events/{event.slug}", with_extra=True)
    wanted = FORMATS[name]
    data = wanted.write(edition, "*" if wanted.languages in ("all", "one_or_all") else event.default_language, None)
    return read_schedule(data, filename=name, timezone=event.timezone)


async def event_of(db: Database, programme: Programme) -> EventRow:
    event = await new_event(db, f"round-trip-{len(programme.sessions)}")
    await bring(db, event, programme)
    return event


@pytest.fixture
async def sample(db: Database) -> EventRow:
    """The sample event's programme, in three languages, under keys that are no UUIDs."""
    programme = load_programme(date(2026, 12, 18))
    return await event_of(db, replace(programme, version="sample"))


@pytest.mark.parametrize("name", [*WHOLE, "schedule.json", "schedule.xml"])
async def test_an_export_changes_nothing_when_it_comes_in_again(db: Database, sample: EventRow, name: str) -> None:
    done = await bring(db, sample, await exported(db, sample, name))
    assert [(one.subject, one.title, one.changed) for one in done.changes] == []
    assert done.version is None


@pytest.mark.parametrize("file", REAL)
async def test_a_real_programme_goes_out_and_comes_in_again(db: Database, file: str) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no real schedules in {DATA}")
    event = await event_of(db, read_schedule((DATA / file).read_bytes(), filename=file, timezone="Europe/Paris"))
    for name in (*WHOLE, "schedule.json"):  # which says nothing in other languages
        done = await bring(db, event, await exported(db, event, name), dry_run=True)
        assert [(one.subject, one.title, one.changed) for one in done.changes] == [], name


async def test_a_calendar_takes_no_biography_away(db: Database, sample: EventRow) -> None:
    """iCalendar knows none; the report says that those which are known were kept."""
    before = (await state_of(db, sample)).speaker
    done = await bring(db, sample, await exported(db, sample, "schedule.ics"))
    after = (await state_of(db, sample)).speaker
    assert [one.bio for one in after.values()] == [one.bio for one in before.values()] != []
    assert any("no `bio` in the whole file" in repair.what for repair in done.repairs)


async def test_a_file_in_french_takes_no_arabic_away(db: Database, sample: EventRow) -> None:
    file = await exported(db, sample, "schedule.xml")
    first, *others = file.sessions
    await bring(db, sample, replace(file, sessions=(replace(first, title={"fr": "Un autre titre"}), *others)))
    sessions = (await state_of(db, sample)).session.values()
    (renamed,) = [one for one in sessions if one.title["fr"] == "Un autre titre"]
    assert renamed.title.keys() == {"fr", "ar", "en"}
    assert all(one.status != "cancelled" for one in sessions)


@pytest.mark.parametrize("broken", ["_texts", "_under_known_keys"])
async def test_an_import_without_these_rules_is_caught(
    db: Database, sample: EventRow, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def as_the_file_says(_self: Any, _now: Any, said: Any, _before: Any) -> Any:
        return said

    def as_the_file_calls_them(_self: Any, _subject: Any, items: Any, _known: Any) -> Any:
        return dict(items)

    without = {"_texts": as_the_file_says, "_under_known_keys": as_the_file_calls_them}
    monkeypatch.setattr(merging._Merge, broken, without[broken])
    done = await bring(db, sample, await exported(db, sample, "schedule.xml"))
    assert done.changes != []
