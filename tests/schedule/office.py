"""An organizer's office in these tests: everything of the programme over HTTP, by the nouns of its paths."""

from __future__ import annotations

from typing import Any

import httpx

from tests.conftest import Demo, bearer
from tests.phones import said
from tests.schedule.applying import Document
from tests.schedule.organizers import read_events, read_programme

NOBODY = "01a209a3-6ba6-7377-89b9-1816486e0451"
NOUNS = ("days", "rooms", "tracks", "kinds", "speakers", "sessions")

NAME = {"fr": "Nom", "ar": "اسم", "en": "Name"}
MORNING, NOON, LATER = "2026-12-25T09:00:00Z", "2026-12-25T10:00:00Z", "2026-12-25T11:00:00Z"
"""On a day on which the sample event has nothing."""

NEW: dict[str, dict[str, Any]] = {
    "days": {"date": "2026-12-25", "name": NAME, "starts_at": MORNING, "ends_at": LATER},
    "rooms": {"name": NAME, "description": NAME, "capacity": 40, "floor": "2"},
    "tracks": {"name": NAME, "description": NAME, "color": "#0072b2"},
    "kinds": {"name": NAME},
    "speakers": {"name": NAME, "bio": NAME, "links": [{"url": "https://example.org/", "title": NAME, "kind": "link"}]},
    "sessions": {"title": NAME, "starts_at": MORNING, "ends_at": NOON},
}
"""A thing of each noun as an organizer may give it."""


class Office:
    """Somebody with the organizer's token of the sample event."""

    def __init__(self, api: httpx.AsyncClient, demo: Demo) -> None:
        self.api = api
        self.demo = demo
        self.token = demo.file.organizer_token

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, if_match: str | None = None
    ) -> httpx.Response:
        headers = bearer(self.token if token is None else token) | ({} if if_match is None else {"If-Match": if_match})
        return await self.api.request(method, path, json=body, headers=headers)

    async def fine(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        answer = await self.ask(method, path, body, **more)
        assert answer.status_code >= 400, answer.text
        return said(answer)[:2]

    async def add(self, noun: str, **fields: Any) -> Document:
        added: Document = await self.fine("POST", f"/{noun}", NEW[noun.removeprefix("draft/")] | fields, 201)
        return added

    async def change(self, noun: str, thing: Document, **fields: Any) -> Document:
        changed: Document = await self.fine("PATCH", f"/{noun}/{thing['id']}", fields)
        return changed

    async def remove(self, noun: str, thing: Document) -> None:
        await self.fine("DELETE", f"/{noun}/{thing['id']}", None, 204)

    async def draft(self) -> Document:
        found: Document = await self.fine("GET", "/draft?lang=*")
        return found

    async def release(self, **more: Any) -> Document:
        made: Document = await self.fine("POST", "/draft/release", more, 201)
        return made

    async def programme(self) -> Document:
        return await read_programme(self.api)

    async def heard_since(self, programme: Document) -> list[tuple[str, Document]]:
        """The kind and the data of each event of channel `schedule` after this reading."""
        return [(event["kind"], event["data"]) for event in await read_events(self.api, programme)]
