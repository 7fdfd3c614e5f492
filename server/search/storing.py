"""Entries kept in step with what they are made from, by whoever changes that and in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from server.db import Tx
from server.schedule.queries import lock_version
from server.search import queries
from server.search.entries import exhibitor_entry, session_entry, speaker_entry
from server.search.spelling import spellings
from server.search.types import About, Entry, Touched
from server.search.wording import lexeme, tag

T = TypeVar("T")

AT_ONCE = 25
"""Entries made at a time: nobody else is answered while their words are folded, a millisecond each for the longest texts."""
WORDS_AT_ONCE = 500
"""Learned or forgotten in one statement, each under up to eight spellings: all of a large programme's in one would outlast its
time limit on a busy machine."""
MANY_PENDING, FEW_PENDING = "2MB", "64kB"
"""What the indexes collect while much is written, which is ten times as quick; and what they may keep, which every search reads:
with the last part all that was collected is sorted in."""


async def renew(tx: Tx, event_id: UUID, touched: Touched) -> None:
    """Makes the entries of all that was touched as what they are made from is now; what is gone loses its own.

    To be called after the change, in its transaction. Changes of one event wait for each other until they commit: here, if not
    before, because whoever changes the programme has its lock already. (Not for the event's own: thousands of entries take half a
    minute, and badges are handed out under that one.)
    """
    await lock_version(tx, event_id)
    naming = await queries.list_naming(tx, event_id, ids=list(touched.renamed)) if touched.renamed else []
    before: set[str] = set()
    after: set[str] = set()
    parts = list(_in_parts(touched, naming))
    for number, (about, ids) in enumerate(parts, start=1):
        lexemes = await queries.list_head_lexemes(tx, event_id, about, ids=ids)
        before.update(word.removeprefix(tag(event_id)) for word in lexemes)
        entries = await _make(tx, event_id, about, ids)
        after.update(*(entry.words for entry in entries))
        await queries.limit_pending(tx, FEW_PENDING if number == len(parts) else MANY_PENDING)
        await queries.write_entries(tx, event_id, entries)
        gone = set(ids) - {entry.id for entry in entries}
        if gone:
            await queries.remove_entries(tx, event_id, about, ids=list(gone))
    for words in _portions(sorted(after - before), WORDS_AT_ONCE):
        await _learn(tx, event_id, words)
    for words in _portions(sorted(before - after), WORDS_AT_ONCE):
        await _forget(tx, event_id, words)


def _in_parts(touched: Touched, naming: Iterable[UUID]) -> Iterator[tuple[About, Sequence[UUID]]]:
    abouts: tuple[tuple[About, set[UUID]], ...] = (
        ("session", {*touched.sessions, *naming}),
        ("speaker", set(touched.speakers)),
        ("exhibitor", set(touched.exhibitors)),
    )
    for about, ids in abouts:
        for some in _portions(sorted(ids), AT_ONCE):
            yield about, some


def _portions(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


async def _make(tx: Tx, event_id: UUID, about: About, ids: Sequence[UUID]) -> list[Entry]:
    if about == "session":
        return [session_entry(event_id, one) for one in await queries.list_session_sources(tx, event_id, ids=ids)]
    if about == "speaker":
        return [speaker_entry(event_id, one) for one in await queries.list_speaker_sources(tx, event_id, ids=ids)]
    return [exhibitor_entry(event_id, one) for one in await queries.list_exhibitor_sources(tx, event_id, ids=ids)]


async def _learn(tx: Tx, event_id: UUID, words: Iterable[str]) -> None:
    pairs = _spelled(words)
    if pairs:
        await queries.write_spellings(tx, event_id, pairs)


async def _forget(tx: Tx, event_id: UUID, words: Iterable[str]) -> None:
    """Of these words those that no other entry has in its head."""
    asked = [word for word in words if spellings(word)]
    if asked:
        lexemes = [lexeme(event_id, word) for word in asked]
        pairs = _spelled(await queries.list_unused(tx, event_id, words=asked, lexemes=lexemes))
        await queries.remove_spellings(tx, event_id, pairs)


def _spelled(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(spelling, word) for word in words for spelling in spellings(word)]
