"""Those who ask the check-in API in these tests: phones at the doors, and an organizer."""

from __future__ import annotations

import itertools
from typing import Any

import httpx

from tests.conftest import Demo, bearer

_numbers = itertools.count(1)


def scan(code: str, **more: object) -> dict[str, Any]:
    """A scan's body, with an id of its own."""
    return {"scan_id": f"s-{next(_numbers)}", "list": "main", "code": code, **more}


def said(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and field of an error."""
    problem = response.json()
    return response.status_code, problem["code"], problem.get("field", "")


def told(answer: dict[str, Any]) -> str:
    """What the person hears: the reason of a refusal, else the outcome."""
    return str(answer["reason"] or answer["outcome"])


class Caller:
    """Somebody with a token; `""` is nobody."""

    def __init__(self, api: httpx.AsyncClient, token: str) -> None:
        self.api = api
        self.headers = bearer(token) if token else {}

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return await self.api.request(method, path, json=body, params=query or None, headers=self.headers)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return _fine(await self.ask("GET", f"/checkins/{path}", None, **query))


class Phone(Caller):
    """A scanner."""

    async def scan(self, code: str, **more: object) -> dict[str, Any]:
        """Asks with a scan of its own and returns the answer."""
        return await self.send(scan(code, **more))

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return _fine(await self.ask("POST", "/checkins", body))

    async def upload(self, *scans: Any) -> dict[str, Any]:
        return _fine(await self.ask("POST", "/checkins/batch", {"scans": scans}))

    async def upload_raw(self, body: bytes) -> httpx.Response:
        return await self.api.post("/checkins/batch", content=body, headers=self.headers)

    async def undo(self, scan_id: str, body: Any = None) -> httpx.Response:
        return await self.ask("POST", f"/checkins/{scan_id}/undo", body)


class Organizer(Caller):
    """Somebody who may change the event."""

    async def add_list(self, key: str, **more: Any) -> dict[str, Any]:
        return _fine(await self.ask("POST", "/checkins/lists", {"key": key, "name": {"en": key}, **more}), 201)

    async def change_list(self, key: str, **changes: Any) -> dict[str, Any]:
        return _fine(await self.ask("PATCH", f"/checkins/lists/{key}", changes))

    async def lists(self) -> dict[str, dict[str, Any]]:
        """By key."""
        return {one["key"]: one for one in (await self.get("lists"))["lists"]}


def phone_of(api: httpx.AsyncClient, demo: Demo, profile: str, number: int = 0) -> Phone:
    """One of the sample event's devices of this profile."""
    devices = [device for device in demo.file.devices if device.profile == profile]
    return Phone(api, devices[number].token)


def organizer_of(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return Organizer(api, demo.file.organizer_token)


def _fine(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer
