"""Entries are in step with the programme, whatever is changed and in whatever order: they equal those made from nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from server.badge import queries as badge_queries
from server.badge.actions import replace_badge
from server.db import Database, Tx
from server.demo.load import SLUG
from server.event.queries import get_event_by_slug
from server.event.types import EventRow
from server.schedule import commands, searched, storing as programme_storing
from server.schedule.actions import add_thing, change_thing, remove_thing
from server.schedule.errors import StillInUse
from server.schedule.rows import Subject, id_of
from server.search import queries, storing
from server.search.storing import renew
from server.search.types import Touched
from tests.conftest import Demo
from tests.search.conftest import Planner, Visitor
from tests.waiting import until_answered

STEPS, SEEDS = 120, 4
ENTRIES = "SELECT about, id, head::text, whole::text FROM search_entry WHERE event_id = $1 ORDER BY about, id"
SPELLINGS = "SELECT spelling, word FROM search_spelling WHERE event_id = $1 ORDER BY spelling, word"
ALL_IDS = """
    SELECT ARRAY(SELECT session_id FROM session WHERE event_id = $1) AS sessions,
           ARRAY(SELECT speaker_id FROM speaker WHERE event_id = $1) AS speakers,
           ARRAY(SELECT exhibitor_id FROM exhibitor WHERE event_id = $1) AS exhibitors
"""
EMPTY = ("DELETE FROM search_entry WHERE event_id = $1", "DELETE FROM search_spelling WHERE event_id = $1")
RENAME = "UPDATE speaker SET name = $3 WHERE event_id = $1 AND speaker_id = $2"
SOMEBODY_WAITS = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
STARTS = datetime(2026, 12, 18, 5, tzinfo=UTC)
COMMANDS: dict[Subject, tuple[type[Struct], type[Struct]]] = {
    "room": (commands.AddRoom, commands.ChangeRoom),
    "track": (commands.AddTrack, commands.ChangeTrack),
    "kind": (commands.AddKind, commands.ChangeKind),
    "speaker": (commands.AddSpeaker, commands.ChangeSpeaker),
    "session": (commands.AddSession, commands.ChangeSession),
}


class Hand:
    """Changes whatever can be changed, in an order that only its seed knows."""

    def __init__(self, db: Database, event: EventRow, seed: int) -> None:
        self._db, self._event = db, event
        self._source = random.Random(seed)
        self._things: dict[Subject, list[UUID]] = {subject: [] for subject in COMMANDS}

    async def act(self) -> None:
        subject: Subject = self._source.choice([*COMMANDS, "session", "session", "speaker"])
        known = self._things[subject]
        chosen = self._source.random()
        add, change = COMMANDS[subject]
        if chosen < 0.35 or not known:
            fields = self._fields(subject)
            known.append(id_of(await add_thing(self._db, self._event, subject, add(**fields))))
        elif chosen < 0.85:
            fields = self._fields(subject)
            some = {
                name: fields[name]
                for name in self._source.sample(list(fields), self._source.randint(1, min(3, len(fields))))
                if name != "ends_at"
            }
            await change_thing(self._db, self._event, subject, self._source.choice(known), change(**some))
        else:
            await self._remove(subject, self._source.choice(known))

    async def _remove(self, subject: Subject, thing: UUID) -> None:
        try:
            await remove_thing(self._db, self._event, subject, thing)
        except StillInUse:
            return
        self._things[subject].remove(thing)

    def _fields(self, subject: Subject) -> dict[str, Any]:
        if subject == "session":
            starts_at = STARTS + timedelta(minutes=self._source.randrange(600))
            return {
                "title": self._text(),
                "subtitle": self._maybe(),
                "abstract": self._maybe(),
                "description": self._maybe(),
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(minutes=20),
                "room_id": self._one_of("room"),
                "track_id": self._one_of("track"),
                "kind_id": self._one_of("kind"),
                "speaker_ids": self._source.sample(self._things["speaker"], min(2, len(self._things["speaker"]))),
                "shares_room": True,
            }
        if subject == "speaker":
            return {"name": self._text(), "organisation": self._maybe(), "tagline": self._maybe(), "bio": self._maybe()}
        return {"name": self._text(), **({"description": self._maybe()} if subject != "kind" else {})}

    def _one_of(self, subject: Subject) -> UUID | None:
        return self._source.choice([None, *self._things[subject]])

    def _maybe(self) -> dict[str, str]:
        return self._source.choice([{}, self._text()])

    def _text(self) -> dict[str, str]:
        rare = "".join(self._source.choices("abcdé", k=5))
        words = ("hibou", "école", "ecole", "البيت", "بيت", "كِتاب", "R", "2026", "l’œuf", "<b>owls</b>", rare, rare)
        languages = self._source.sample(["fr", "ar", "en"], 2)
        return {language: " ".join(self._source.choices(words, k=self._source.randint(1, 3))) for language in languages}


@pytest.fixture
async def event(db: Database) -> EventRow:
    async with db.read() as connection:
        found = await get_event_by_slug(connection, SLUG)
    assert found is not None
    return found


async def everything(db: Database, event_id: UUID) -> tuple[list[Any], list[Any]]:
    async with db.snapshot() as tx:
        return await tx.fetch(ENTRIES, event_id), await tx.fetch(SPELLINGS, event_id)


async def rebuild(tx: Tx, event_id: UUID) -> None:
    """Makes all entries of an event from nothing."""
    for statement in EMPTY:
        await tx.execute(statement, event_id)
    await renew(tx, event_id, Touched(**await tx.fetchrow(ALL_IDS, event_id)))


async def check_that_entries_are_in_step(db: Database, event: EventRow, seed: int) -> None:
    hand = Hand(db, event, seed)
    for _ in range(STEPS):
        await hand.act()
    kept = await everything(db, event.event_id)
    async with db.tx() as tx:
        await rebuild(tx, event.event_id)
    assert kept == await everything(db, event.event_id)


async def check_all_seeds(db: Database, event: EventRow) -> None:
    for seed in range(SEEDS):
        await check_that_entries_are_in_step(db, event, seed)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_entries_are_in_step_with_the_programme(
    db: Database, event: EventRow, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for portion in ("AT_ONCE", "WORDS_AT_ONCE"):
        monkeypatch.setattr(storing, portion, 2)
    await check_that_entries_are_in_step(db, event, seed)


def without_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A speaker who is renamed stays in their sessions under the former name."""
    monkeypatch.setattr(searched, "_NAMED_BY", {})


def without_the_track(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that changes its track is not looked at."""
    fields = [name for name in searched._FOUND_BY["session"] if name != "track_id"]
    monkeypatch.setitem(searched._FOUND_BY, "session", tuple(fields))


def without_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that nobody has any longer are still offered."""

    async def forget_nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(storing, "_forget", forget_nothing)


def forgetting_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that one title loses is forgotten though another has it."""

    async def all_of_them(*_: object, words: list[str], **__: object) -> list[str]:
        return words

    monkeypatch.setattr(queries, "list_unused", all_of_them)


def without_removing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone can still be found."""

    async def remove_nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(queries, "remove_entries", remove_nothing)


@pytest.mark.parametrize(
    "broken", [without_the_names, without_the_track, without_forgetting, forgetting_too_much, without_removing]
)
async def test_entries_out_of_step_are_noticed(
    db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None]
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        await check_all_seeds(db, event)


async def test_a_loaded_event_can_be_searched_at_once(db: Database, event: EventRow) -> None:
    kept = await everything(db, event.event_id)
    assert {row["about"] for row in kept[0]} == {"session", "speaker", "exhibitor"}
    async with db.tx() as tx:
        await rebuild(tx, event.event_id)
    assert kept == await everything(db, event.event_id)


async def test_a_renamed_speaker_s_sessions_are_found_by_the_new_name(visitor: Visitor, planner: Planner) -> None:
    speaker = await planner.add("speakers", name={"fr": "Zineb Xylandre"})
    await planner.add_session({"fr": "La séance"}, speaker_ids=[speaker])
    assert await visitor.titles("xylandre") == ["Zineb Xylandre", "La séance"]
    await planner.change("speakers", speaker, name={"fr": "Zineb Quessanbi"})
    assert await visitor.titles("xylandre") == []
    assert await visitor.titles("quessanbi") == ["Zineb Quessanbi", "La séance"]
    assert await visitor.titles("quesanbi") == ["Zineb Quessanbi", "La séance"]


async def test_what_is_removed_is_not_found(visitor: Visitor, planner: Planner) -> None:
    session = await planner.add_session({"fr": "Zibeline"})
    assert await visitor.titles("zibeline") == ["Zibeline"]
    await planner.remove("sessions", session)
    assert await visitor.search("zibbeline") == {"results": [], "words": ["zibbeline"], "corrected": False}


async def test_a_move_writes_no_entry(db: Database, planner: Planner, event: EventRow) -> None:
    session = await planner.add_session({"fr": "Zibeline"})
    written = "SELECT ctid::text, xmin::text FROM search_entry WHERE event_id = $1 ORDER BY about, id"
    async with db.read() as connection:
        before = await connection.fetch(written, event.event_id)
        await planner.change("sessions", session, starts_at="2026-12-18T07:00:00Z", status="delayed")
        assert await connection.fetch(written, event.event_id) == before


async def test_a_refused_change_leaves_the_entries(
    db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to the transaction of the change."""
    kept = await everything(db, event.event_id)

    async def renew_and_fail(*arguments: Any) -> None:
        await renew(*arguments)
        raise ConnectionError

    monkeypatch.setattr(programme_storing, "renew", renew_and_fail)
    with pytest.raises(ConnectionError):
        await add_thing(db, event, "speaker", commands.AddSpeaker(name={"fr": "Zineb"}))
    assert kept == await everything(db, event.event_id)


async def one_word_comes_as_it_goes(db: Database, event: EventRow) -> bool:
    """Whether a word is known after one transaction took its last use away while another, of other things, brought it back."""
    first = id_of(await add_thing(db, event, "speaker", commands.AddSpeaker(name={"fr": "Zibeline"})))
    second = id_of(await add_thing(db, event, "speaker", commands.AddSpeaker(name={"fr": "Autre"})))

    async def rename(tx: Tx, speaker: UUID, name: str) -> None:
        await tx.execute(RENAME, event.event_id, speaker, {"fr": name})
        await renew(tx, event.event_id, Touched(speakers=[speaker]))

    async def take_away() -> None:
        async with db.tx() as tx:
            await rename(tx, first, "Personne")

    async def waits_or_is_done() -> bool:
        return going.done() or bool(await observer.fetchval(SOMEBODY_WAITS))

    async with db.read() as observer:
        async with db.tx() as coming:
            await rename(coming, second, "Zibeline")
            going = asyncio.create_task(take_away())
            await until_answered(waits_or_is_done, True)  # noqa: FBT003 - the answer waited for
        await going
    return any(row["word"] == "zibeline" for row in (await everything(db, event.event_id))[1])


async def test_a_word_that_comes_as_it_goes_is_known(db: Database, event: EventRow) -> None:
    assert await one_word_comes_as_it_goes(db, event)


async def test_without_the_lock_a_word_is_lost(db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lock_nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(storing, "lock_version", lock_nothing)
    assert not await one_word_comes_as_it_goes(db, event)


async def a_badge_is_handed_out_meanwhile(db: Database, event: EventRow, attendee_id: UUID) -> bool:
    """Whether that waits for no change of the programme under way."""

    async def waits_or_is_done() -> bool:
        return handing.done() or bool(await observer.fetchval(SOMEBODY_WAITS))

    async with db.read() as observer:
        async with db.tx() as tx:
            await renew(tx, event.event_id, Touched())
            handing = asyncio.create_task(replace_badge(db, event.event_id, attendee_id))
            await until_answered(waits_or_is_done, True)  # noqa: FBT003 - the answer waited for
            handed = handing.done()
        await handing
    return handed


async def test_badges_do_not_wait_for_the_programme(db: Database, event: EventRow, demo: Demo) -> None:
    assert await a_badge_is_handed_out_meanwhile(db, event, UUID(demo.attendees[0]["id"]))


async def test_badges_that_wait_are_noticed(
    db: Database, event: EventRow, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "lock_version", badge_queries.lock_event)
    assert not await a_badge_is_handed_out_meanwhile(db, event, UUID(demo.attendees[0]["id"]))


async def test_much_that_is_written_leaves_little_to_read(db: Database, event: EventRow) -> None:
    """What an index has collected and not sorted in yet is read by every search, and counts for the planner."""
    assert await pages_pending(db, event) <= 64 / 8


async def test_much_that_is_left_is_noticed(db: Database, event: EventRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "FEW_PENDING", storing.MANY_PENDING)
    assert await pages_pending(db, event) > 64 / 8


async def pages_pending(db: Database, event: EventRow) -> int:
    clean = "SELECT gin_clean_pending_list('search_entry_by_whole')"
    async with db.tx() as tx:
        await tx.execute(clean)
        await rebuild(tx, event.event_id)
        pages: int = await tx.fetchval(clean)
    return pages
