"""Any files, one after the other: in the end the programme says what the last one does, and the feed has told every step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from server.db import Database
from server.event.types import EventRow
from server.interchange.programme import Programme
from server.schedule import import_actions, merging
from server.schedule.merging import Merged
from server.schedule.rows import ROWS, State
from tests.schedule.applying import apply_all
from tests.schedule.organizers import read_at, read_events, read_programme
from tests.schedule.programmes import Files, bring, new_event, said_by, state_of

FILES = 7


@pytest.fixture
async def event(db: Database) -> EventRow:
    return await new_event(db)


@pytest.fixture
async def reader(api: httpx.AsyncClient, event: EventRow) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who reads this event."""
    base = str(api.base_url).replace("digital-now", event.slug)
    async with httpx.AsyncClient(base_url=base) as client:
        yield client


async def follow(db: Database, event: EventRow, reader: httpx.AsyncClient, seed: int) -> None:
    """A chain of files. Fails where a reader of events, or an event that begins with the last file, would differ."""
    files = Files(seed)
    told = await read_programme(reader)
    for number in range(FILES):
        programme = files.next() if number else files.programme
        looked = await bring(db, event, programme, dry_run=True)
        done = await bring(db, event, programme)
        assert [kinds(one) for one in looked.changes] == [kinds(one) for one in done.changes]
        assert done.overruled == [], "nobody but files has changed anything"
        again = await bring(db, event, programme)
        assert (again.version, [(one.title, one.changed) for one in again.changes]) == (None, []), (
            "the same again is nothing"
        )
        events = await read_events(reader, told)
        told = apply_all(told, events)
        assert told == await read_at(reader, told["feed"]["seq"])
        assert (done.version is None) == (events == [])
        await equals_the_last(db, event, programme, f"fish-{seed}-{number}")


async def equals_the_last(db: Database, event: EventRow, programme: Programme, slug: str) -> None:
    fresh = await new_event(db, slug)
    await bring(db, fresh, programme)
    # Of a language in which the file says nothing at all, it does not say that there is nothing.
    spoken = merging._languages_of(programme)
    ours = said_by(only_in(spoken, await state_of(db, event)))
    expected = said_by(only_in(spoken, await state_of(db, fresh)))
    assert ours["session"] == expected["session"]
    for subject in ("day", "room", "track", "kind", "speaker"):
        there = {key: said for key, said in ours[subject].items() if key in expected[subject]}
        assert there == expected[subject]
        assert list(there) == list(expected[subject]) or subject in ("kind", "speaker"), "in the order of the file"
        left = ours[subject].keys() - expected[subject].keys()
        assert left <= await named_by_cancelled(db, event), "what is left over is there for a cancelled session"


def only_in(languages: set[str], state: State) -> State:
    def spoken(row: Any) -> Any:
        texts = {name: getattr(row, name) for name in merging.TEXTS & set(row.__struct_fields__)}
        return replace(
            row, **{name: {tag: said[tag] for tag in said if tag in languages} for name, said in texts.items()}
        )

    rows = {subject: {one: spoken(row) for one, row in state.of(subject).items()} for subject in ROWS}
    return State(**rows)  # type: ignore[arg-type]  # each under its own subject


async def named_by_cancelled(db: Database, event: EventRow) -> set[str]:
    state = await state_of(db, event)
    named: set[Any] = set()
    for one in state.session.values():
        if one.status == "cancelled":
            named |= {one.room_id, one.track_id, one.kind_id, *one.speaker_ids}
    things = [*state.room.values(), *state.track.values(), *state.kind.values(), *state.speaker.values()]
    return {one.key for one in things if {getattr(one, one.__struct_fields__[0])} & named}


def kinds(change: Any) -> tuple[str, Any, list[str]]:
    return change.subject, change.title, change.kinds


@pytest.mark.parametrize("seed", range(4))
async def test_any_chain_of_files(db: Database, event: EventRow, reader: httpx.AsyncClient, seed: int) -> None:
    await follow(db, event, reader, seed)


async def test_an_import_that_forgets_what_a_file_no_longer_has_is_caught(
    db: Database, event: EventRow, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging._Merge, "_miss", lambda *_arguments: None)
    with pytest.raises(AssertionError):
        await follow(db, event, reader, seed=1)


async def test_an_import_that_remembers_no_file_is_caught(
    db: Database, event: EventRow, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_arguments: Any) -> None:
        return None

    monkeypatch.setattr(import_actions.history_queries, "write_sources", nothing)
    with pytest.raises(AssertionError):
        await follow(db, event, reader, seed=1)


async def test_an_import_that_leaves_a_change_out_is_caught(
    db: Database, event: EventRow, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = merging.merge

    def merge_less(*arguments: Any, **more: Any) -> Merged:
        merged = merge(*arguments, **more)
        kept = [one for one in merged.edits if one.before is None or one.subject != "session"]
        return Merged(kept, merged.sources, merged.repairs, merged.overruled)

    monkeypatch.setattr(import_actions, "merge", merge_less)
    with pytest.raises(AssertionError):
        await follow(db, event, reader, seed=1)
