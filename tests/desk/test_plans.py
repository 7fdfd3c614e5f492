"""What the desk asks among 100,000 people, it finds by an index: a look at the plan, not at a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.desk import queries
from tests.conftest import Demo
from tests.plans import crowded_event, generic_plan, read_whole, taken_back

MANY = 100_000
BIG = ("attendee", "attendee_word", "scan", "checkin_tally", "checkin_conflict")

CROWD = f"""
    INSERT INTO attendee (event_id, attendee_id, name, email, language, ticket, token_hash)
    SELECT event_id, gen_random_uuid(), 'Person ' || number, '', 'fr', 'visitor', sha256(number::text::bytea)
    FROM event, generate_series(1, {MANY}) AS number;

    INSERT INTO attendee_word (event_id, word, attendee_id)
    SELECT event_id, word, attendee_id
    FROM attendee, unnest(ARRAY['person', substr(md5(name), 1, 6), 'company']) AS word
    WHERE name LIKE 'Person %';

    INSERT INTO scan (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, code, direction, outcome,
                      reason, turn, received_at)
    SELECT attendee.event_id, device.device_id, 'crowd-' || attendee_id, list_id, list_id, device.gate_id, attendee_id,
           'CROWD', 'entry', CASE WHEN is_refused THEN 'refused' ELSE 'admitted' END,
           CASE WHEN is_refused THEN 'not_open' END, CASE WHEN NOT is_refused THEN 1 END,
           now() - make_interval(secs => hashtext(attendee.name) % 100000)
    FROM attendee
    CROSS JOIN LATERAL (SELECT hashtext(attendee.name) % 5 = 0) AS drawn (is_refused)
    JOIN checkin_list ON checkin_list.key = 'main'
    JOIN device ON device.name = 'Scanner ' || lpad((1 + abs(hashtext(attendee.name)) % 20)::text, 2, '0')
    WHERE attendee.name LIKE 'Person %';

    INSERT INTO checkin_tally (event_id, list_id, bucket, gate_id, ticket, outcome, reason, scans)
    SELECT event_id, list_id, date_bin('5 minutes', received_at, 'epoch'), gate_id, 'visitor', outcome,
           COALESCE(reason, ''), count(*)
    FROM scan
    GROUP BY 1, 2, 3, 4, 6, 7;

    INSERT INTO checkin_conflict (event_id, conflict_id, kind, list_id, attendee_id, device_id, scan_id, resolved_at)
    SELECT event_id, gen_random_uuid(), 'not_entitled', list_id, attendee_id, device_id, scan_id,
           CASE WHEN hashtext(scan_id) % 50 <> 0 THEN now() END
    FROM scan
    WHERE outcome = 'refused';

    ANALYZE;
"""  # noqa: S608 - a number of our own

ASKED = (
    "LIST_ARRIVALS",
    "LIST_TICKET_COUNTS",
    "LIST_REASON_COUNTS",
    "LIST_CONFLICTS",
    "LIST_REFUSALS",
    "LIST_HOLDER",
    "COUNT_WORDS",
    "SEARCH_ATTENDEES",
    "LIST_NEWS_SCANS",
    "COUNT_CONFLICTS",
)


@pytest.fixture(scope="module")
async def crowded(postgres: str, template: Demo) -> AsyncIterator[Any]:
    async with crowded_event(postgres, CROWD) as connection:
        yield connection


@pytest.mark.timeout(180)
async def test_the_desk_s_questions_use_an_index(crowded: Any) -> None:
    plans = {name: await generic_plan(crowded, getattr(queries, name)) for name in ASKED}
    assert {name: plan for name, plan in plans.items() if read_whole(plan, BIG)} == {}


@pytest.mark.timeout(180)
async def test_without_its_index_a_question_is_noticed(crowded: Any) -> None:
    without = "DROP INDEX scan_refused, checkin_conflict_standing; ALTER TABLE checkin_tally DROP CONSTRAINT checkin_tally_pkey"
    async with taken_back(crowded, without):
        for name in ("LIST_REFUSALS", "COUNT_CONFLICTS", "LIST_ARRIVALS"):
            assert read_whole(await generic_plan(crowded, getattr(queries, name)), BIG), name
