"""What organizers are shown of a list, against the log."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from loadtests import database
from loadtests.evidence import Violation
from loadtests.line import request_for
from loadtests.volley import Volley
from loadtests.witness import Venue

SETTLE_SECONDS = 10.0
"""Screens may be a second late; this machine is busy."""
LOOKS = 24
"""At the statistics, over other connections each time: enough to meet every process."""

LOGGED = """
    SELECT count(*) FILTER (WHERE outcome = 'admitted'), count(*) FILTER (WHERE outcome = 'exited'),
           count(*) FILTER (WHERE reason = 'list_full')
    FROM scan JOIN checkin_list USING (event_id, list_id) WHERE checkin_list.key = '{key}'
"""
COUNT = """
    SELECT granted + merged FROM checkin_count JOIN checkin_list USING (event_id, list_id)
    WHERE checkin_list.key = '{key}'
"""
STATE = "SELECT data::text FROM feed_state WHERE channel = 'occupancy' AND key = 'list:{key}'"


async def disagreements(volley: Volley, venue: Venue, key: str, capacity: int) -> list[Violation]:
    """Waits until everything shows what the log says; what still does not after a while."""
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while found := await _compare(volley, venue, key, capacity):
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.3)
    return found


async def _compare(volley: Volley, venue: Venue, key: str, capacity: int) -> list[Violation]:
    admitted, exited, full = (await _fetch(venue, LOGGED, key))[0]
    inside = admitted - exited
    counts = [row[0] for row in await _fetch(venue, COUNT, key)]
    found = [] if counts == [inside] else [Violation("count", f"{counts} are counted, {inside} are inside")]
    for (data,) in await _fetch(venue, STATE, key):
        state = msgspec.json.decode(data)
        if (state["inside"], state["free"]) != (inside, capacity - inside):
            found.append(Violation("occupancy", f"{data} is shown, {inside} are inside"))
    request = request_for("GET", f"{venue.path}/checkins/statistics?list={key}", venue.organizer)
    want = (inside, admitted, full)
    for heard in await volley.fire([request] * LOOKS):
        shown = _shown(heard.body) if heard.status == 200 else heard.status
        if shown != want:
            found.append(Violation("statistics", f"{shown} are shown, {want} are logged"))
    return found


def _shown(body: bytes) -> tuple[int, int, int]:
    """Who is inside, admissions, refusals because the list was full."""
    statistics = msgspec.json.decode(body)
    full = sum(each["scans"] for each in statistics["refusals"] if each["reason"] == "list_full")
    return statistics["inside"], statistics["admitted"], full


async def _fetch(venue: Venue, statement: str, key: str) -> list[tuple[Any, ...]]:
    return await asyncio.to_thread(database.fetch, venue.dsn, statement.format(key=key))
