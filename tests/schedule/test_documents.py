"""The documents in memory: written once, kept while they are true, dropped when there is no room."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from hypothesis import given, strategies as st

from server.conditional import accepts_gzip, http_date, last_modified, read_http_date
from server.db import Database
from server.event.queries import get_event
from server.event.types import EventRow
from server.feed import Watch
from server.schedule import documents as module
from server.schedule.documents import Documents
from server.schedule.edition import Edition, read_edition
from server.schedule.formats import FORMATS, Format, Part
from server.schedule.representation import conditions
from server.schedule.types import Schedule
from tests.conftest import Demo, bearer
from tests.schedule.office import Office
from tests.waiting import until

APP = FORMATS["schedule"]


class Written:
    """A format that notes how often it was written, and when told waits in the middle."""

    def __init__(self, *, size: int = 10, says_version: bool = True) -> None:
        self.count = 0
        self.going_on = threading.Event()
        self.going_on.set()
        self._size = size
        self._says_version = says_version
        self.format = Format(
            name="written", media_type="text/plain", languages="one", write=self._write, summary="", of_parts=True
        )

    def _write(self, edition: Edition, language: str, part: Part | None) -> bytes:
        self.count += 1
        assert threading.current_thread() is not threading.main_thread(), "a long file must not hold up the door"
        assert self.going_on.wait(20)
        version = edition.version.version if self._says_version else ""
        return f"{version} {language} {part}".encode().ljust(self._size)


@pytest.fixture
async def documents(db: Database, database_url: str) -> AsyncIterator[Documents]:
    async with Watch(database_url, name="test watch").run() as watch:
        yield Documents(db, watch, address="https://api.example.org")


@pytest.fixture
async def event(db: Database, event_id: UUID) -> EventRow:
    async with db.read() as connection:
        found = await get_event(connection, event_id)
    assert found is not None
    return found


async def cancel_something(api: httpx.AsyncClient, demo: Demo, number: int = 0) -> None:
    session = (await api.get("/schedule")).json()["sessions"][number]
    answer = await api.patch(
        f"/sessions/{session['id']}", json={"status": "cancelled"}, headers=bearer(demo.file.organizer_token)
    )
    assert answer.status_code == 200, answer.text


async def test_a_document_is_written_once_however_many_ask(documents: Documents, event: EventRow) -> None:
    written = Written()
    written.going_on.clear()
    asking = [asyncio.create_task(documents.get(event, written.format, "fr")) for _ in range(50)]
    await until(lambda: written.count > 0)
    asking[0].cancel()
    written.going_on.set()
    found = await asyncio.gather(*asking[1:])
    assert len({id(document) for document in found}) == 1
    assert (await documents.get(event, written.format, "fr")) is found[0]
    assert written.count == 1
    await documents.get(event, written.format, "ar")
    assert written.count == 2, "another language is another document"


async def test_what_has_not_changed_keeps_its_etag_and_its_date(
    documents: Documents, event: EventRow, api: httpx.AsyncClient, demo: Demo
) -> None:
    """A file in which a change does not show is the file it was."""
    kept, moving = Written(says_version=False), Written()
    first = [await documents.get(event, one.format, "fr") for one in (kept,)]
    other = await documents.get(event, msgspec.structs.replace(moving.format, name="moving"), "fr")
    await cancel_something(api, demo)
    await until(lambda: documents.ready(event, kept.format, "fr") is None)
    again = await documents.get(event, kept.format, "fr")
    assert (again.etag, again.modified, again.headers) == (first[0].etag, first[0].modified, first[0].headers)
    assert kept.count == 2, "its bytes were compared"
    later = await documents.get(event, msgspec.structs.replace(moving.format, name="moving"), "fr")
    assert later.etag != other.etag
    assert later.modified > other.modified


async def test_a_file_that_is_written_during_a_change_is_not_kept(
    documents: Documents, event: EventRow, api: httpx.AsyncClient, demo: Demo
) -> None:
    """And whoever was given it is told right by its date, though the newer one comes in the same second."""
    written = Written()
    written.going_on.clear()
    asking = asyncio.create_task(documents.get(event, written.format, "fr"))
    await until(lambda: written.count == 1)
    old = (await documents.edition(event)).version.version
    await cancel_something(api, demo)
    await until(lambda: not documents._editions)
    newer = asyncio.create_task(documents.get(event, written.format, "fr"))
    await until(lambda: written.count == 2)
    written.going_on.set()
    assert (await newer).body.startswith(b"%d " % (old + 1))
    first = await asking
    assert first is await newer or (first.body.startswith(b"%d " % old) and first.modified < (await newer).modified)
    assert (await documents.get(event, written.format, "fr")) is await newer


async def test_a_change_is_in_every_file(
    documents: Documents, event: EventRow, api: httpx.AsyncClient, demo: Demo
) -> None:
    written = Written()
    before = await documents.get(event, written.format, "fr")
    await cancel_something(api, demo)
    await until(lambda: not documents._editions)
    after = await documents.get(event, written.format, "fr")
    assert after.body != before.body
    await documents.get(event, written.format, "ar")
    assert (await documents.get(event, written.format, "fr")) is after


async def test_a_draft_costs_its_readers_nothing(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever prepares one for an hour does not have the programme read anew each time; who changes it does."""
    read: list[EventRow] = []

    async def count(db: Database, event: EventRow, **more: Any) -> Edition:
        read.append(event)
        return await read_edition(db, event, **more)

    office = Office(api, demo)
    await office.programme()
    monkeypatch.setattr(module, "read_edition", count)
    room = await office.add("draft/rooms")
    await office.change("draft/rooms", room, floor="1")
    await office.remove("draft/rooms", room)
    await office.programme()
    assert read == []
    await office.add("rooms")
    await office.programme()
    assert len(read) == 1


async def test_a_file_that_outlives_its_edition_is_caught(
    documents: Documents, event: EventRow, api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ready(self: Documents, event: EventRow, wanted: Format, language: str, part: Part | None = None) -> object:
        found = self._kept.get((event.event_id, wanted.name, language, part))
        return found and found[1]

    monkeypatch.setattr(Documents, "ready", ready)
    with pytest.raises(AssertionError):
        await test_a_change_is_in_every_file(documents, event, api, demo)


async def test_memory_is_bounded(documents: Documents, event: EventRow) -> None:
    """Who goes through all sessions' files pushes out the oldest of them, and none that is asked for all the time."""
    documents._max_bytes = 40_000
    written = Written(size=1000)
    whole = await documents.get(event, written.format, "fr")
    for _ in range(100):
        await documents.get(event, written.format, "fr", Part("session", uuid4()))
        assert documents.ready(event, written.format, "fr") is whole
    assert documents._size <= 40_000
    assert documents._size == sum(document.size for _, document in documents._kept.values())
    assert 10 < len(documents._kept) < 40


async def test_few_events_are_held(documents: Documents, event: EventRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVENTS", 2)
    others = [msgspec.structs.replace(event, event_id=uuid4()) for _ in range(3)]
    for one in (event, *others):
        await documents.edition(one)
    assert list(documents._editions) == [one.event_id for one in others[1:]]


async def test_an_event_that_is_another_has_another_programme(documents: Documents, event: EventRow) -> None:
    """Its zone, its languages and its names are in every file."""
    first = msgspec.json.decode((await documents.get(event, APP, "fr")).body, type=Schedule)
    moved = msgspec.structs.replace(event, timezone="Asia/Tokyo")
    assert documents.ready(moved, APP, "fr") is None
    second = msgspec.json.decode((await documents.get(moved, APP, "fr")).body, type=Schedule)
    assert (first.timezone, second.timezone) == ("Africa/Casablanca", "Asia/Tokyo")


async def test_an_event_without_a_programme_has_an_empty_one(documents: Documents, event: EventRow) -> None:
    nobody = msgspec.structs.replace(event, event_id=uuid4())
    for wanted in FORMATS.values():
        assert (await documents.get(nobody, wanted, "fr")).body


def test_a_date_is_a_whole_second_and_moves_on() -> None:
    moment = datetime(2020, 12, 18, 9, 0, 0, 900_000, UTC)
    whole = moment.replace(microsecond=0)
    assert last_modified(moment, None) == whole
    assert last_modified(moment, whole - timedelta(seconds=1)) == whole
    assert last_modified(moment, whole) == whole + timedelta(seconds=1)
    assert http_date(moment) == "Fri, 18 Dec 2020 09:00:00 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 18 Dec 2020 09:00:00 GMT",
        "Friday, 18-Dec-20 09:00:00 GMT",
        "Fri Dec 18 09:00:00 2020",
        "Fri, 18 Dec 2020 10:00:00 +0100",
    ],
)
def test_dates_are_read_in_all_their_forms(text: str) -> None:
    assert read_http_date(text) == datetime(2020, 12, 18, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "Fri, 31 Feb 2020 09:00:00 GMT", "0", "Fri, 18 Dec 99999999999 09:00"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_http_date(text) is None


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Feb) [0-9]{1,6} [0-9:]{5,9} [+A-Z0-9-]{2,6}")
)
def test_no_header_of_a_stranger_raises(text: str) -> None:
    """The short way reads it inside the parser."""
    found = conditions(text, text, takes_gzip=False, negotiated=False)
    assert found.if_modified_since is None or found.if_modified_since.tzinfo is UTC
    assert read_http_date(text) is None or read_http_date(text) <= datetime.max.replace(tzinfo=UTC)
    accepts_gzip(text)
