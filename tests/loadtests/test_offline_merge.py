"""The order in which offline scans arrive changes nothing: the scenario in short, and its broken variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from loadtests.merging import DEVICES
from loadtests.offline_merge import Place, prove_day
from loadtests.scanner_network import Wifi
from server.config import Settings
from tests.conftest import Demo, running_api
from tests.loadtests.addresses import address_of

PERMUTATIONS = 2


@pytest.fixture
async def place(settings: Settings, database_url: str, demo: Demo) -> AsyncIterator[Place]:
    """Two API processes' worth of server on one database."""
    ticket = Counter(person["ticket"] for person in demo.attendees).most_common(1)[0][0]
    codes = [person["badge_code"] for person in demo.attendees if person["ticket"] == ticket]
    async with running_api(settings) as one, running_api(settings) as other:
        wifis = [Wifi(address_of(url)) for url in (one, other)]
        devices = [device.token for device in demo.file.devices[:DEVICES]]
        database = await asyncpg.connect(database_url)
        yield Place(wifis, urlsplit(one).path, demo.file.organizer_token, devices, codes, ticket, database)
        await database.close()
        for wifi in wifis:
            wifi.close()


async def differences(place: Place, seed: int, *, broken: bool = False) -> list[tuple[str, str]]:
    """What differs from the reference: the part, and how."""
    found = await prove_day(place, seed, PERMUTATIONS, scans=120, broken=broken)
    return [(part, how) for part, _, how in (violation.partition(": ") for violation in found)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_day_comes_out_the_same_however_it_arrives(place: Place, seed: int) -> None:
    assert await differences(place, seed) == []


async def test_a_server_that_goes_by_the_arrival_is_caught(place: Place) -> None:
    parts = {part for part, _ in await differences(place, 1, broken=True)}
    assert parts >= {"inside", "conflicts"}
