"""An organizer's and a phone's requests, each a line in the tests."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from tests.conftest import Demo, bearer

_numbers = itertools.count()


class Organizer:
    """Somebody who may change the event."""

    def __init__(self, api: httpx.AsyncClient, token: str) -> None:
        self.api = api
        self.headers = bearer(token)

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.api.request(method, path, json=body, headers=self.headers)

    async def add(self, name: str = "", **more: str) -> dict[str, Any]:
        """A new device with its pairing."""
        body = {"name": name or f"Phone {next(_numbers)}", "gate": "Porte Océan", "profile": "scan", **more}
        response = await self.ask("POST", "/devices", body)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    async def device(self, device_id: str) -> dict[str, Any]:
        """The device as the list has it."""
        devices = (await self.ask("GET", "/devices?limit=500")).json()["devices"]
        found: dict[str, Any] = next(device for device in devices if device["id"] == device_id)
        return found


async def pair(api: httpx.AsyncClient, code: object, **more: Any) -> httpx.Response:
    return await api.post("/devices/pair", json={"code": code, **more})


async def paired(api: httpx.AsyncClient, code: str) -> str:
    """The token that the code is worth."""
    response = await pair(api, code)
    assert response.status_code == 200, response.text
    token: str = response.json()["token"]
    return token


async def scan(api: httpx.AsyncClient, token: str, badge: str) -> httpx.Response:
    body = {"scan_id": f"scan-{next(_numbers)}", "list": "main", "code": badge}
    return await api.post("/checkins", json=body, headers=bearer(token))


def said(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return response.status_code, response.json()["code"]


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return Organizer(api, demo.file.organizer_token)
