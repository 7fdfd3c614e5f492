"""From what somebody types to what has it: titles and names first, then long texts, then as it may have been meant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from msgspec import Struct

from server.db import Tx
from server.event.reader import Reader
from server.search import queries
from server.search.asking import NOTHING, Wanted, asked_words, question, sought
from server.search.snippets import pattern_of
from server.search.spelling import meant, spellings
from server.search.types import About, Hit, HitRow, Hits
from server.search.views import exhibitor_hit, session_hit, speaker_hit
from server.search.wording import bare
from server.texts import ALL


class Search(Struct, frozen=True):
    typed: str
    abouts: Sequence[About]
    limit: int


async def find(tx: Tx, event_id: UUID, search: Search, reader: Reader) -> Hits:
    """The best that has all the words that were typed; where nothing does, that has the words that may have been meant."""
    words = asked_words(search.typed)
    if not words:
        return Hits(results=[], words=[], corrected=False)
    wanted: Wanted = [[word] for word in words]
    found = await _look(tx, event_id, wanted, search)
    if not found:
        corrected = await _correct(tx, event_id, words)
        if corrected is not None:
            found = await _look(tx, event_id, corrected, search)
            wanted = corrected if found else wanted
    looked_for = [word for instead in wanted for word in instead]
    return Hits(
        results=await _show(tx, event_id, found, looked_for, reader) if found else [],
        words=looked_for,
        corrected=looked_for != words,
    )


async def _look(tx: Tx, event_id: UUID, wanted: Wanted, search: Search) -> list[HitRow]:
    asked = question(event_id, wanted)
    found: list[HitRow] = []
    for each, without in ((asked.named, NOTHING), (asked.begun, asked.named), (asked.beside, asked.begun)):
        more = search.limit - len(found)
        if more:
            found += await queries.search_heads(
                tx, event_id, asked=each, without=without, abouts=search.abouts, limit=more
            )
    more = search.limit - len(found)
    if more and not asked.heads_only:
        found += await queries.search_wholes(
            tx, event_id, asked=asked.beside, ranked=asked.any, abouts=search.abouts, limit=more
        )
    return found


async def _correct(tx: Tx, event_id: UUID, words: Sequence[str]) -> Wanted | None:
    """With what may have been meant by the words that nothing has; None where that is not known of each."""
    unknown = await queries.list_unknown(tx, event_id, words=words, lexemes=[sought(event_id, word) for word in words])
    spelled = {word: spellings(bare(word)) for word in unknown}
    if not all(spelled.values()) or not unknown:
        return None
    known: dict[str, list[str]] = {}
    for alike in await queries.list_alike(tx, event_id, spellings=sorted(set().union(*spelled.values()))):
        known.setdefault(alike.spelling, []).append(alike.word)
    corrected = [
        meant(bare(word), chain(*(known.get(one, ()) for one in spelled[word]))) if word in spelled else [word]
        for word in words
    ]
    return corrected if all(corrected) else None


async def _show(tx: Tx, event_id: UUID, found: Sequence[HitRow], words: Sequence[str], reader: Reader) -> list[Hit]:
    """In the same order; without what was removed a moment ago."""
    pattern = pattern_of(words)
    ids: dict[About, list[UUID]] = {}
    for one in found:
        ids.setdefault(one.about, []).append(one.id)
    language = {"language": reader.default if reader.language == ALL else reader.language, "default": reader.default}
    shown: dict[UUID, Hit] = {}
    if "session" in ids:
        sessions = await queries.list_sessions_shown(tx, event_id, ids=ids["session"], **language)
        shown |= {one.session_id: session_hit(one, reader, pattern) for one in sessions}
    if "speaker" in ids:
        speakers = await queries.list_speakers_shown(tx, event_id, ids=ids["speaker"], **language)
        shown |= {one.speaker_id: speaker_hit(one, reader, pattern) for one in speakers}
    if "exhibitor" in ids:
        exhibitors = await queries.list_exhibitors_shown(tx, event_id, ids=ids["exhibitor"], **language)
        shown |= {one.exhibitor_id: exhibitor_hit(one, reader, pattern) for one in exhibitors}
    return [shown[one.id] for one in found if one.id in shown]
