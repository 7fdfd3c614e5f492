"""The express lane and the framework's way give the same answers to the same requests."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.conftest import Demo, bearer

GOOD = {"scan_id": "a-1", "list": "main", "code": "?"}

BODIES: dict[str, bytes] = {
    "good": json.dumps(GOOD).encode(),
    "exit": json.dumps({**GOOD, "scan_id": "a-2", "direction": "exit"}).encode(),
    "scanned_at": json.dumps({**GOOD, "scan_id": "a-3", "scanned_at": "2026-12-18T09:00:00+01:00"}).encode(),
    "empty": b"",
    "truncated": b'{"scan_id": "a',
    "array": b"[]",
    "number": b"3",
    "null": b"null",
    "not utf-8": b'{"scan_id": "a", "list": "main", "code": "\xff"}',
    "lone surrogate": b'{"scan_id": "a", "list": "main", "code": "\\ud800"}',
    "NUL": b'{"scan_id": "a-4", "list": "main", "code": "\\u0000"}',
    "missing": b'{"list": "main", "code": "x"}',
    "wrong type": b'{"scan_id": 1, "list": "main", "code": "x"}',
    "unknown field": b'{"scan_id": "a", "list": "main", "code": "x", "gate": "north"}',
    "unknown list": b'{"scan_id": "a", "list": "nowhere", "code": "x"}',
    "unknown direction": b'{"scan_id": "a", "list": "main", "code": "x", "direction": "up"}',
    "naive time": b'{"scan_id": "a", "list": "main", "code": "x", "scanned_at": "2026-12-18T09:00:00"}',
    "long ago": b'{"scan_id": "a", "list": "main", "code": "x", "scanned_at": "1805-12-18T09:00:00Z"}',
    "year one": b'{"scan_id": "a", "list": "main", "code": "x", "scanned_at": "0001-01-01T00:00:00+14:00"}',
    "empty code": b'{"scan_id": "a", "list": "main", "code": ""}',
    "longest code": json.dumps({"scan_id": "a-5", "list": "main", "code": "x" * 4296}).encode(),
    "too long a code": json.dumps({"scan_id": "a", "list": "main", "code": "x" * 4297}).encode(),
    "bad scan id": b'{"scan_id": "a b", "list": "main", "code": "x"}',
    "reused scan id": b'{"scan_id": "a-1", "list": "main", "code": "another"}',
}

STATUS = {
    "good": 200,
    "exit": 200,
    "scanned_at": 200,
    "NUL": 200,
    "longest code": 200,
    "unknown list": 404,
} | dict.fromkeys(("empty", "truncated", "not utf-8", "lone surrogate"), 400)


async def both_ways(api: httpx.AsyncClient, **request: Any) -> tuple[httpx.Response, httpx.Response]:
    """The express lane's answer and the framework's, which answers with a trailing slash."""
    return await api.post("/checkins", **request), await api.post("/checkins/", **request)


def visible(response: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = response.json()
    return (
        {**content, "detail": None} if response.status_code == 400 else content
    )  # the decoders word a broken body differently


async def test_same_answers_to_the_same_bodies(api: httpx.AsyncClient, demo: Demo) -> None:
    for name, body in BODIES.items():
        body = body.replace(b'"?"', f'"{demo.badge()}"'.encode())
        express, framework = await both_ways(api, content=body, headers=bearer(demo.device()))
        assert express.status_code == STATUS.get(name, 422), (name, express.text)
        assert framework.status_code == express.status_code, (name, framework.text)
        assert visible(express) == visible(framework), name
        assert express.headers["content-type"] == framework.headers["content-type"], name


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer dn_dev_" + "0" * 49, "Bearer \xff"]
)
async def test_same_refusal_of_the_same_strangers(api: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    express, framework = await both_ways(api, content=BODIES["good"], headers=headers)
    assert (express.status_code, express.json()) == (framework.status_code, framework.json())
    assert express.status_code == 401
    assert express.headers["www-authenticate"] == framework.headers["www-authenticate"] == "Bearer"


async def test_other_kinds_of_token_are_forbidden(api: httpx.AsyncClient, demo: Demo) -> None:
    for token in (demo.file.organizer_token, demo.attendees[0]["token"], demo.file.exhibitors[0].token):
        express, framework = await both_ways(api, content=BODIES["good"], headers=bearer(token))
        assert (express.status_code, express.json()["code"]) == (403, "auth.forbidden")
        assert framework.json() == express.json()


async def test_too_large_a_body_is_refused(api: httpx.AsyncClient, demo: Demo) -> None:
    express, framework = await both_ways(api, content=b"x" * 2_000_000, headers=bearer(demo.device()))
    assert express.status_code == framework.status_code == 413
    assert express.json()["code"] == framework.json()["code"] == "request.too_large"


async def test_unknown_events_are_unknown(api: httpx.AsyncClient, demo: Demo) -> None:
    root = str(api.base_url).rpartition("/v1/")[0]
    for path, status in (
        ("/v1/events/other/checkins", 404),
        ("/v1/events//checkins", 405),  # the path of an event of that name, which takes no POST
        ("/v1/events/a/b/checkins", 404),
    ):
        response = await api.post(root + path, content=BODIES["good"], headers=bearer(demo.device()))
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
