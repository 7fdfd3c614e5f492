"""The whole server, as a person starts it, and what it still knows after somebody pulled the plug."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import bearer
from tests.scenario.whole_server import Server, running_demo

CLIENTS = 12

Acknowledged = dict[str, tuple[dict[str, Any], dict[str, Any]]]
"""Scan id → what was sent and what was answered."""


async def storm(server: Server, acknowledged: Acknowledged, until: Callable[[], bool], seed: int) -> None:
    """Checks people in from many clients at once until told to stop, and keeps what was answered."""
    draw = random.Random(seed)
    bodies = [
        {"scan_id": str(uuid.UUID(int=draw.getrandbits(128))), "list": "main", "code": draw.choice(server.badges)}
        for _ in range(20_000)
    ]

    async def client() -> None:
        async with httpx.AsyncClient(headers=bearer(server.device), timeout=2) as http:
            while bodies and not until():
                body = bodies.pop()
                try:
                    response = await http.post(f"{server.api_url}/checkins", json=body)
                except httpx.HTTPError:
                    continue  # not answered: nothing was promised
                if response.status_code == 200:
                    acknowledged[body["scan_id"]] = (body, response.json())
                else:
                    assert response.status_code == 503, response.text

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())


async def forgotten(server: Server, acknowledged: Acknowledged) -> list[str]:
    """The scans whose answer is another one when asked again."""
    wrong = []
    async with httpx.AsyncClient(headers=bearer(server.device), timeout=10) as http:
        for scan_id, (body, answer) in acknowledged.items():
            response = await http.post(f"{server.api_url}/checkins", json=body)
            if response.json() != answer:
                wrong.append(scan_id)
    return wrong


def admitted_twice(acknowledged: Acknowledged) -> list[str]:
    codes = [body["code"] for body, answer in acknowledged.values() if answer["outcome"] == "admitted"]
    return sorted({code for code in codes if codes.count(code) > 1})


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the server's processes in /proc")


@pytest.mark.timeout(120)
async def test_what_was_answered_survives_every_kill(tmp_path: Path) -> None:
    """The API process, PostgreSQL and the whole server are killed while people are let in; then it is started again."""
    acknowledged: Acknowledged = {}
    stop = False
    with running_demo(tmp_path) as server:
        storming = asyncio.create_task(storm(server, acknowledged, lambda: stop, seed=1))
        for name in ("server.api", "postgres", None):
            before = len(acknowledged)
            while len(acknowledged) < before + 150:
                assert not storming.done(), storming
                await asyncio.sleep(0.01)
            for pid in server.children(name) if name else [server.process.pid]:
                kill(pid)
        stop = True
        await storming

    with running_demo(tmp_path) as again:
        assert await forgotten(again, acknowledged) == []
        assert admitted_twice(acknowledged) == []
        corrupted = dict(acknowledged)
        scan_id, (body, answer) = next(iter(acknowledged.items()))
        corrupted[scan_id] = (body, {**answer, "outcome": "exited"})
        assert await forgotten(again, corrupted) == [scan_id], "the check notices an answer that was lost"
