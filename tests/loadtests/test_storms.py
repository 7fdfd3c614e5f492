"""Storms at the door in short, over two API processes' worth of server on one database; and their broken variants."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec import Struct

from loadtests import capacity, database, duplicate_storm, seats
from loadtests.organizer import KNOWN_SECONDS
from loadtests.volley import Volley
from loadtests.witness import Venue
from server.config import Settings
from tests.conftest import Demo, bearer, running_api
from tests.loadtests.addresses import address_of

CONNECTIONS = 80
SEATS = 5


class Ground(Struct):
    volley: Volley
    venue: Venue
    urls: list[str]

    async def spoil(self, *statements: str) -> None:
        await asyncio.to_thread(database.execute, self.venue.dsn, statements)


@pytest.fixture
async def ground(settings: Settings, database_url: str, demo: Demo) -> AsyncIterator[Ground]:
    devices = {device.name: device.token for device in demo.file.devices if device.profile != "kiosk"}
    codes = [person["badge_code"] for person in demo.attendees]
    async with running_api(settings) as one, running_api(settings) as other:
        volley = Volley(*(address_of(url) for url in (one, other)))
        await volley.open(CONNECTIONS)
        venue = Venue(urlsplit(one).path, demo.file.organizer_token, devices, codes, database_url)
        yield Ground(volley, venue, [one, other])
        volley.close()


async def storm(ground: Ground) -> set[str]:
    """The kinds of promises that a storm of duplicates found broken."""
    codes = ground.venue.codes[:4]
    witness = await duplicate_storm.storm(ground.volley, ground.venue, codes, CONNECTIONS, random.Random(1))
    assert len(witness.record.told) == len(witness.asked)
    rows = await asyncio.to_thread(database.log_of, ground.venue.dsn)
    return {one.kind for one in duplicate_storm.check(witness.record.told, codes, rows)}


async def test_a_badge_that_is_asked_for_many_times_at_once_is_admitted_once(ground: Ground) -> None:
    assert await storm(ground) == set()


async def test_without_its_index_the_log_lets_somebody_in_twice(ground: Ground) -> None:
    await ground.spoil(*duplicate_storm.BREAK)
    assert await storm(ground) >= {"not_once", "broken_turns"}


async def fill(ground: Ground, seconds: float = 1.0) -> set[str]:
    """The kinds of promises that people at a list of few seats found broken."""
    await ground.spoil(*seats.NUMBER_ROWS)
    async with httpx.AsyncClient(headers=bearer(ground.venue.organizer)) as http:
        new = {"key": "few", "name": {"en": "Few"}, "capacity": SEATS}
        assert (await http.post(f"{ground.urls[0]}/checkins/lists", json=new)).status_code == 201
    await asyncio.sleep(KNOWN_SECONDS)
    witness, found = await capacity.prove(ground.volley, ground.venue, "few", SEATS, seconds, random.Random(1))
    assert witness.unhelpful == []
    return {one.kind for one in found}


async def test_a_list_of_few_seats_is_never_over_and_never_under(ground: Ground) -> None:
    assert await fill(ground) == set()


async def test_without_its_check_a_list_lets_too_many_in(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.screens.SETTLE_SECONDS", 1.0)
    await ground.spoil(*capacity.BREAK)
    assert await fill(ground, 4.0) >= {"over"}  # it takes two processes that meet at the last seat
