"""Among thousands of sessions every question is answered by an index, also right after they came in and before PostgreSQL has
had a look at them: a look at the plan, not at a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.search import queries
from tests.conftest import Demo
from tests.plans import crowded_event, generic_plan, read_whole, taken_back

MANY = 5000
BIG = ("session", "speaker", "exhibitor", "search_entry", "search_spelling", "session_speaker")

CROWD = f"""
    SET gin_pending_list_limit = '64kB';  -- as whoever writes entries leaves it

    INSERT INTO speaker (event_id, speaker_id, key, name)
    SELECT event_id, gen_random_uuid(), 'crowd-' || number, '{{}}' FROM event, generate_series(1, {MANY}) AS number;

    INSERT INTO session (event_id, session_id, key, number, title, starts_at, ends_at)
    SELECT event_id, gen_random_uuid(), 'crowd-' || number, 1000 + number, '{{}}', now(), now() + interval '1 hour'
    FROM event, generate_series(1, {MANY}) AS number;

    INSERT INTO session_speaker (event_id, session_id, speaker_id, position)
    SELECT session.event_id, session.session_id, speaker.speaker_id, 0
    FROM session JOIN speaker USING (event_id, key);

    INSERT INTO exhibitor (event_id, exhibitor_id, key, name, booth)
    SELECT event_id, gen_random_uuid(), 'crowd-' || number, '', 'X' || number FROM event, generate_series(1, {MANY}) AS number;

    INSERT INTO search_entry (event_id, about, id, head, whole)
    SELECT session.event_id, about, gen_random_uuid(), string_agg(word || ':1A', ' ')::tsvector, string_agg(word, ' ')::tsvector
    FROM session, unnest(ARRAY['session', 'speaker']) AS about, generate_series(1, 5) AS place,
         LATERAL (SELECT '''' || right(session.event_id::text, 4) || 'mot' || (number * place) % 997 || '''' AS word) AS made
    GROUP BY session.event_id, about, session.session_id;

    INSERT INTO search_spelling (event_id, spelling, word)
    SELECT event_id, 'mot' || number, 'mot' || number FROM event, generate_series(1, {MANY}) AS number;
"""  # noqa: S608 - a number of our own

SEARCHED = ("LIST_UNUSED", "SEARCH_HEADS", "SEARCH_WHOLES", "LIST_ALIKE", "LIST_UNKNOWN")
"""What a visitor waits for: the planner may choose nothing else for it whatever it knows."""
ASKED = (
    *SEARCHED,
    "LIST_NAMING",
    "LIST_SESSION_SOURCES",
    "LIST_SPEAKER_SOURCES",
    "LIST_EXHIBITOR_SOURCES",
    "LIST_HEAD_LEXEMES",
    "WRITE_ENTRIES",
    "REMOVE_ENTRIES",
    "WRITE_SPELLINGS",
    "REMOVE_SPELLINGS",
    "LIST_SESSIONS_SHOWN",
    "LIST_SPEAKERS_SHOWN",
    "LIST_EXHIBITORS_SHOWN",
)


@pytest.fixture(scope="module", params=["just loaded", "analyzed"])
async def crowded(postgres: str, template: Demo, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    analyze = "ANALYZE;" if request.param == "analyzed" else ""
    async with crowded_event(postgres, CROWD + analyze) as connection:
        yield connection


async def plans_of(connection: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: await generic_plan(connection, getattr(queries, name)) for name in names}


@pytest.mark.timeout(180)
async def test_searching_and_keeping_in_step_use_an_index(crowded: Any, request: pytest.FixtureRequest) -> None:
    just_loaded = "just loaded" in request.node.name
    plans = await plans_of(crowded, SEARCHED if just_loaded else ASKED)
    assert {name: plan for name, plan in plans.items() if read_whole(plan, BIG)} == {}


@pytest.mark.timeout(180)
async def test_without_its_index_a_search_is_noticed(crowded: Any) -> None:
    async with taken_back(crowded, "DROP INDEX search_entry_by_head, search_entry_by_whole"):
        plans = await plans_of(crowded, ("SEARCH_HEADS", "SEARCH_WHOLES", "LIST_UNUSED", "LIST_UNKNOWN"))
        assert all(read_whole(plan, BIG) for plan in plans.values()), plans
