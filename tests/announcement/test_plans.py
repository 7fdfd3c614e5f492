"""However much was announced, each question is answered from an index: a look at the plan, not at a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.announcement import queries
from tests.conftest import Demo
from tests.plans import crowded_event, generic_plan, read_whole, taken_back

CROWD = """
    INSERT INTO announcement (event_id, announcement_id, channel, title, urgent, content, publish_at, published_at, seq,
                              expires_at, withdrawn_at, changed_at)
    SELECT event_id, gen_random_uuid(), channel, '{"fr": "Annonce"}', number % 10 = 0, '', moment,
           CASE WHEN number % 20 > 0 THEN moment END, CASE WHEN number % 20 > 0 THEN number END,
           CASE WHEN number % 7 = 0 THEN now() + make_interval(mins => number) END,
           CASE WHEN number % 9 = 0 THEN now() END, moment
    FROM feed_channel, generate_series(1, 2000) AS number,
         LATERAL (SELECT now() - make_interval(mins => number)) AS drawn (moment)
    WHERE channel LIKE 'announcements%';

    ANALYZE announcement;
"""

ASKED = (
    "HAS_CONTENT",
    "GET_ANNOUNCEMENT",
    "LOCK_ANNOUNCEMENT",
    "LOCK_DUE",
    "UPDATE_ANNOUNCEMENT",
    "LIST_DUE",
    "LIST_NEWEST",
    "LIST_CHANGED",
)
BIG = ("announcement",)


@pytest.fixture(scope="module")
async def crowded(postgres: str, template: Demo) -> AsyncIterator[Any]:
    async with crowded_event(postgres, CROWD) as connection:
        yield connection


@pytest.mark.timeout(180)
async def test_every_question_uses_an_index(crowded: Any) -> None:
    assert await crowded.fetchval("SELECT count(*) FROM announcement") > 20_000
    plans = {name: await generic_plan(crowded, getattr(queries, name)) for name in ASKED}
    assert {name: plan for name, plan in plans.items() if read_whole(plan, BIG)} == {}
    assert "announcement_newest" in plans["LIST_NEWEST"]
    assert "announcement_changes" in plans["LIST_CHANGED"]
    assert "announcement_due" in plans["LIST_DUE"]
    for name in ("LIST_NEWEST", "LIST_CHANGED"):
        (_, _, inner) = plans[name].partition("Nested Loop")
        assert "Sort" not in inner, "the index brings them in the order of the answer"


@pytest.mark.timeout(180)
async def test_without_its_index_a_question_is_noticed(crowded: Any) -> None:
    async with taken_back(crowded, "DROP INDEX announcement_newest, announcement_changes, announcement_due"):
        for name in ("LIST_NEWEST", "LIST_CHANGED", "LIST_DUE"):
            assert read_whole(await generic_plan(crowded, getattr(queries, name)), BIG), name
