"""Who searches in these tests, and the organizer who changes what is found."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Demo
from tests.phones import Caller


class Visitor(Caller):
    """Anybody: searching takes no token."""

    async def search(self, q: str, **more: Any) -> dict[str, Any]:
        answer = await self.ask("GET", "/search", q=q, **{"lang": "fr", **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def titles(self, q: str, **more: Any) -> list[str]:
        return [one["title"] for one in (await self.search(q, **more))["results"]]


class Planner(Caller):
    """An organizer who plans the programme."""

    async def add(self, what: str, **fields: Any) -> str:
        """Returns its id."""
        answer = await self.ask("POST", f"/{what}", fields)
        assert answer.status_code == 201, answer.text
        thing: str = answer.json()["id"]
        return thing

    async def add_session(self, title: dict[str, str], **more: Any) -> str:
        times = {"starts_at": "2026-12-18T06:00:00Z", "ends_at": "2026-12-18T06:30:00Z"}
        return await self.add("sessions", title=title, **{**times, **more})

    async def change(self, what: str, thing: str, **fields: Any) -> None:
        answer = await self.ask("PATCH", f"/{what}/{thing}", fields)
        assert answer.status_code == 200, answer.text

    async def remove(self, what: str, thing: str) -> None:
        answer = await self.ask("DELETE", f"/{what}/{thing}")
        assert answer.status_code == 204, answer.text


@pytest.fixture
def visitor(api: httpx.AsyncClient) -> Visitor:
    return Visitor(api, "")


@pytest.fixture
def planner(api: httpx.AsyncClient, demo: Demo) -> Planner:
    return Planner(api, demo.file.organizer_token)
