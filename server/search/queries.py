"""Statements on what is found by words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from server.db import Tx, rows
from server.search.types import (
    About,
    Entry,
    ExhibitorShown,
    ExhibitorSource,
    HitRow,
    SessionShown,
    SessionSource,
    SpeakerShown,
    SpeakerSource,
    SpelledRow,
)

LIST_NAMING = """
    SELECT ARRAY(
        SELECT session_id FROM session WHERE event_id = $1 AND room_id = ANY($2::uuid[])
        UNION
        SELECT session_id FROM session WHERE event_id = $1 AND track_id = ANY($2::uuid[])
        UNION
        SELECT session_id FROM session WHERE event_id = $1 AND kind_id = ANY($2::uuid[])
        UNION
        SELECT session_id FROM session_speaker WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])
    )
"""

LIST_SESSION_SOURCES = """
    SELECT session.session_id, session.title, session.subtitle, session.abstract, session.description,
           room.name AS room, track.name AS track, kind.name AS kind,
           COALESCE(speaking.names, '{}'::jsonb) AS speakers,
           COALESCE(speaking.organisations, '{}'::jsonb) AS organisations
    FROM session
    LEFT JOIN room ON room.event_id = session.event_id AND room.room_id = session.room_id
    LEFT JOIN track ON track.event_id = session.event_id AND track.track_id = session.track_id
    LEFT JOIN kind ON kind.event_id = session.event_id AND kind.kind_id = session.kind_id
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(lpad(session_speaker.position::text, 9, '0'), speaker.name) AS names,
               jsonb_object_agg(lpad(session_speaker.position::text, 9, '0'), speaker.organisation) AS organisations
        FROM session_speaker
        JOIN speaker ON speaker.event_id = session_speaker.event_id AND speaker.speaker_id = session_speaker.speaker_id
        WHERE session_speaker.event_id = session.event_id AND session_speaker.session_id = session.session_id
    ) AS speaking ON true
    WHERE session.event_id = $1 AND session.session_id = ANY($2::uuid[])
"""

LIST_SPEAKER_SOURCES = """
    SELECT speaker_id, name, organisation, tagline, bio
    FROM speaker
    WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])
"""

LIST_EXHIBITOR_SOURCES = """
    SELECT exhibitor_id, name, booth, pavilion, sector, city, description
    FROM exhibitor
    WHERE event_id = $1 AND exhibitor_id = ANY($2::uuid[])
"""

LIST_HEAD_LEXEMES = """
    SELECT COALESCE(array_agg(DISTINCT lexeme), '{}')
    FROM search_entry, unnest(tsvector_to_array(head)) AS lexeme
    WHERE event_id = $1 AND about = $2 AND id = ANY($3::uuid[])
"""

# How much an index collects before it sorts it in: until the transaction ends, and for its own writing only.
LIMIT_PENDING = "SELECT set_config('gin_pending_list_limit', $1, true)"

WRITE_ENTRIES = """
    INSERT INTO search_entry (event_id, about, id, head, whole)
    SELECT $1, given.about, given.id, given.head::tsvector, given.whole::tsvector
    FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[]) AS given (about, id, head, whole)
    ON CONFLICT (event_id, about, id) DO UPDATE
    SET head = excluded.head, whole = excluded.whole
    WHERE (search_entry.head, search_entry.whole) IS DISTINCT FROM (excluded.head, excluded.whole)
"""

REMOVE_ENTRIES = "DELETE FROM search_entry WHERE event_id = $1 AND about = $2 AND id = ANY($3::uuid[])"

# About the statements that ask for words. Words have the event's tag, so their index finds the event's entries and no others.
# The planner cannot know how much a word finds, and reads all long texts of an event if it may think that this is quicker: so the
# event and what an entry is about are asked in forms that no other index serves, what is counted is counted whole, and the inner
# limit stands in the text, where the planner sees that it is no small one. That limit is because ranking takes up to 10 µs each,
# and the beginning of a word may be in every head.

# Which of these words no head has.
LIST_UNUSED = """
    SELECT COALESCE(array_agg(word), '{}')
    FROM unnest($2::text[], $3::text[]) AS asked (word, lexeme)
    WHERE (
        SELECT count(*)
        FROM search_entry
        WHERE head @@ asked.lexeme::tsquery AND event_id IS NOT DISTINCT FROM $1
    ) = 0
"""

WRITE_SPELLINGS = """
    INSERT INTO search_spelling (event_id, spelling, word)
    SELECT $1, given.spelling, given.word
    FROM unnest($2::text[], $3::text[]) AS given (spelling, word)
    ON CONFLICT DO NOTHING
"""

REMOVE_SPELLINGS = """
    DELETE FROM search_spelling
    USING unnest($2::text[], $3::text[]) AS given (spelling, word)
    WHERE search_spelling.event_id = $1 AND search_spelling.spelling = given.spelling AND search_spelling.word = given.word
"""

SEARCH_HEADS = """
    SELECT about, id
    FROM (
        SELECT about, id, head
        FROM search_entry
        WHERE head @@ $2::text::tsquery AND event_id IS NOT DISTINCT FROM $1 AND NOT head @@ $3::text::tsquery
          AND array_position($4::text[], about) IS NOT NULL
        LIMIT 250
    ) AS found
    ORDER BY ts_rank(head, $2::text::tsquery, 1) DESC, id
    LIMIT $5
"""

# What has some of the words in its head comes first.
SEARCH_WHOLES = """
    SELECT about, id
    FROM (
        SELECT about, id, head
        FROM search_entry
        WHERE whole @@ $2::text::tsquery AND event_id IS NOT DISTINCT FROM $1 AND NOT head @@ $2::text::tsquery
          AND array_position($4::text[], about) IS NOT NULL
        LIMIT 250
    ) AS found
    ORDER BY ts_rank(head, $3::text::tsquery, 1) DESC, id
    LIMIT $5
"""

LIST_ALIKE = """
    SELECT spelling, word
    FROM search_spelling
    WHERE event_id = $1 AND spelling = ANY($2::text[])
"""

# Which of these words nothing in the event has.
LIST_UNKNOWN = """
    SELECT COALESCE(array_agg(word), '{}')
    FROM unnest($2::text[], $3::text[]) AS asked (word, lexeme)
    WHERE (
        SELECT count(*)
        FROM search_entry
        WHERE whole @@ asked.lexeme::tsquery AND event_id IS NOT DISTINCT FROM $1
    ) = 0
"""

# Long texts in the reader's language alone ($3; $4: the event's own), chosen as `server.texts.pick` does: all of them are a
# hundred times what is shown.
LIST_SESSIONS_SHOWN = """
    SELECT session.session_id, session.title,
           COALESCE(session.abstract ->> $3, session.abstract ->> $4, session.abstract ->> 'en',
                    jsonb_path_query_first(session.abstract, '$.*') #>> '{}', '') AS abstract,
           COALESCE(session.description ->> $3, session.description ->> $4, session.description ->> 'en',
                    jsonb_path_query_first(session.description, '$.*') #>> '{}', '') AS description,
           session.starts_at, session.ends_at, session.room_id, session.status,
           (SELECT COALESCE(jsonb_agg(speaker.name ORDER BY session_speaker.position), '[]'::jsonb)
            FROM session_speaker
            JOIN speaker ON speaker.event_id = session_speaker.event_id
                AND speaker.speaker_id = session_speaker.speaker_id
            WHERE session_speaker.event_id = session.event_id
              AND session_speaker.session_id = session.session_id) AS speakers
    FROM session
    WHERE session.event_id = $1 AND session.session_id = ANY($2::uuid[])
"""

LIST_SPEAKERS_SHOWN = """
    SELECT speaker_id, name, organisation,
           COALESCE(bio ->> $3, bio ->> $4, bio ->> 'en', jsonb_path_query_first(bio, '$.*') #>> '{}', '') AS bio
    FROM speaker
    WHERE event_id = $1 AND speaker_id = ANY($2::uuid[])
"""

LIST_EXHIBITORS_SHOWN = """
    SELECT exhibitor_id, name, booth,
           COALESCE(description ->> $3, description ->> $4, description ->> 'en',
                    jsonb_path_query_first(description, '$.*') #>> '{}', '') AS description
    FROM exhibitor
    WHERE event_id = $1 AND exhibitor_id = ANY($2::uuid[])
"""


async def list_naming(tx: Tx, event_id: UUID, *, ids: Sequence[UUID]) -> list[UUID]:
    """The sessions that name any of these rooms, tracks, kinds and speakers."""
    found: list[UUID] = await tx.fetchval(LIST_NAMING, event_id, ids)
    return found


async def list_session_sources(tx: Tx, event_id: UUID, *, ids: Sequence[UUID]) -> list[SessionSource]:
    return await rows(tx, SessionSource, LIST_SESSION_SOURCES, event_id, ids)


async def list_speaker_sources(tx: Tx, event_id: UUID, *, ids: Sequence[UUID]) -> list[SpeakerSource]:
    return await rows(tx, SpeakerSource, LIST_SPEAKER_SOURCES, event_id, ids)


async def list_exhibitor_sources(tx: Tx, event_id: UUID, *, ids: Sequence[UUID]) -> list[ExhibitorSource]:
    return await rows(tx, ExhibitorSource, LIST_EXHIBITOR_SOURCES, event_id, ids)


async def list_head_lexemes(tx: Tx, event_id: UUID, about: About, *, ids: Sequence[UUID]) -> list[str]:
    """The words by which these are found, as the index has them: behind the event's tag."""
    found: list[str] = await tx.fetchval(LIST_HEAD_LEXEMES, event_id, about, ids)
    return found


async def limit_pending(tx: Tx, limit: str) -> None:
    """`64kB`, say, for what this transaction writes from here on."""
    await tx.fetchval(LIMIT_PENDING, limit)


async def write_entries(tx: Tx, event_id: UUID, entries: Sequence[Entry]) -> None:
    await tx.execute(
        WRITE_ENTRIES,
        event_id,
        [one.about for one in entries],
        [one.id for one in entries],
        [one.head for one in entries],
        [one.whole for one in entries],
    )


async def remove_entries(tx: Tx, event_id: UUID, about: About, *, ids: Sequence[UUID]) -> None:
    await tx.execute(REMOVE_ENTRIES, event_id, about, ids)


async def list_unused(tx: Tx, event_id: UUID, *, words: Sequence[str], lexemes: Sequence[str]) -> list[str]:
    """Those of the words that no head has; `lexemes` are theirs."""
    found: list[str] = await tx.fetchval(LIST_UNUSED, event_id, words, lexemes)
    return found


async def write_spellings(tx: Tx, event_id: UUID, pairs: Collection[tuple[str, str]]) -> None:
    """Pairs of a spelling and its word."""
    await tx.execute(WRITE_SPELLINGS, event_id, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


async def remove_spellings(tx: Tx, event_id: UUID, pairs: Collection[tuple[str, str]]) -> None:
    await tx.execute(REMOVE_SPELLINGS, event_id, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


async def search_heads(
    tx: Tx, event_id: UUID, *, asked: str, without: str, abouts: Sequence[About], limit: int
) -> list[HitRow]:
    """What has this in its head and not that (tsqueries), the best first."""
    return await rows(tx, HitRow, SEARCH_HEADS, event_id, asked, without, abouts, limit)


async def search_wholes(
    tx: Tx, event_id: UUID, *, asked: str, ranked: str, abouts: Sequence[About], limit: int
) -> list[HitRow]:
    """What has this and not all of it in its head, ranked by that (tsqueries)."""
    return await rows(tx, HitRow, SEARCH_WHOLES, event_id, asked, ranked, abouts, limit)


async def list_alike(tx: Tx, event_id: UUID, *, spellings: Sequence[str]) -> list[SpelledRow]:
    """The event's words with one of these spellings, once for each."""
    return await rows(tx, SpelledRow, LIST_ALIKE, event_id, spellings)


async def list_unknown(tx: Tx, event_id: UUID, *, words: Sequence[str], lexemes: Sequence[str]) -> list[str]:
    """Those of the words that nothing has; `lexemes` are theirs, as tsqueries."""
    found: list[str] = await tx.fetchval(LIST_UNKNOWN, event_id, words, lexemes)
    return found


async def list_sessions_shown(
    tx: Tx, event_id: UUID, *, ids: Sequence[UUID], language: str, default: str
) -> list[SessionShown]:
    return await rows(tx, SessionShown, LIST_SESSIONS_SHOWN, event_id, ids, language, default)


async def list_speakers_shown(
    tx: Tx, event_id: UUID, *, ids: Sequence[UUID], language: str, default: str
) -> list[SpeakerShown]:
    return await rows(tx, SpeakerShown, LIST_SPEAKERS_SHOWN, event_id, ids, language, default)


async def list_exhibitors_shown(
    tx: Tx, event_id: UUID, *, ids: Sequence[UUID], language: str, default: str
) -> list[ExhibitorShown]:
    return await rows(tx, ExhibitorShown, LIST_EXHIBITORS_SHOWN, event_id, ids, language, default)
