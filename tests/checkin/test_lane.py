"""The express lane and the framework's way give the same answers to the same requests.

What HTTP's own details do to the lane stands in `test_http_protocol`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from server.checkin import queries
from server.checkin.door import Door
from server.checkin.lane import Lane, Opened
from server.checkin.writer import Writer
from server.direct import Reply
from server.errors import Overloaded
from server.metrics import REGISTRY
from tests.conftest import Demo, bearer
from tests.waiting import until

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


@pytest.fixture
async def lane(api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that the lane answers, from the first: event and door are in memory."""
    taken: list[bytes] = []

    def answer(self: Lane, opened: Opened, body: bytes, reply: Callable[[Reply], None]) -> None:
        taken.append(body)
        original(self, opened, body, reply)

    original = Lane.answer
    monkeypatch.setattr(Lane, "answer", answer)
    warm = {**GOOD, "scan_id": "warm"}
    assert (await api.post("/checkins/", json=warm, headers=bearer(demo.device()))).status_code == 200
    return taken


async def both_ways(api: httpx.AsyncClient, **request: Any) -> tuple[httpx.Response, httpx.Response]:
    """The express lane's answer and the framework's, which answers with a trailing slash."""
    return await api.post("/checkins", **request), await api.post("/checkins/", **request)


def visible(response: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = response.json()
    return (
        {**content, "detail": None} if response.status_code == 400 else content
    )  # the decoders word a broken body differently


async def test_same_answers_to_the_same_bodies(api: httpx.AsyncClient, demo: Demo, lane: list[bytes]) -> None:
    for name, body in BODIES.items():
        body = body.replace(b'"?"', f'"{demo.badge()}"'.encode())
        express, framework = await both_ways(api, content=body, headers=bearer(demo.device()))
        assert express.status_code == STATUS.get(name, 422), (name, express.text)
        assert framework.status_code == express.status_code, (name, framework.text)
        assert visible(express) == visible(framework), name
        assert express.headers.keys() == framework.headers.keys(), name
        assert express.headers["content-type"] == framework.headers["content-type"], name
    assert len(lane) == len(BODIES)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer dn_dev_" + "0" * 49, "Bearer \xff"]
)
@pytest.mark.usefixtures("lane")
async def test_same_refusal_of_the_same_strangers(api: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    express, framework = await both_ways(api, content=BODIES["good"], headers=headers)
    assert (express.status_code, express.json()) == (framework.status_code, framework.json())
    assert express.status_code == 401
    assert express.headers["www-authenticate"] == framework.headers["www-authenticate"] == "Bearer"


@pytest.mark.usefixtures("lane")
async def test_other_kinds_of_token_are_forbidden(api: httpx.AsyncClient, demo: Demo) -> None:
    for token in (demo.file.organizer_token, demo.attendees[0]["token"], demo.file.exhibitors[0].token):
        express, framework = await both_ways(api, content=BODIES["good"], headers=bearer(token))
        assert (express.status_code, express.json()["code"]) == (403, "auth.forbidden")
        assert framework.json() == express.json()


@pytest.mark.usefixtures("lane")
async def test_too_large_a_body_is_refused(api: httpx.AsyncClient, demo: Demo) -> None:
    express, framework = await both_ways(api, content=b"x" * 2_000_000, headers=bearer(demo.device()))
    assert express.status_code == framework.status_code == 413
    assert express.json()["code"] == framework.json()["code"] == "request.too_large"


@pytest.mark.usefixtures("lane")
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


async def test_what_is_not_in_memory_is_read_first(api: httpx.AsyncClient, demo: Demo) -> None:
    """The first scan of the day finds no door yet, the next one does."""
    for number in range(3):
        scan = {**GOOD, "scan_id": f"first-{number}", "code": demo.badge(number)}
        response = await api.post("/checkins", json=scan, headers=bearer(demo.device()))
        assert response.json()["outcome"] == "admitted"


async def test_a_revoked_device_is_refused_at_once(
    api: httpx.AsyncClient, demo: Demo, lane: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the head it sends has been let in before."""
    doors: list[Door] = []
    original = Door.device_of
    monkeypatch.setattr(Door, "device_of", lambda door, found: doors.append(door) or original(door, found))
    for number in range(3):
        scan = {**GOOD, "scan_id": f"b-{number}"}
        assert (await api.post("/checkins", json=scan, headers=bearer(demo.device()))).status_code == 200
    assert len(lane) == 3
    doors[-1].set_devices([])
    response = await api.post("/checkins", json={**GOOD, "scan_id": "b-3"}, headers=bearer(demo.device()))
    assert (response.status_code, response.json()["code"]) == (401, "auth.required")
    assert len(lane) == 3


@pytest.mark.parametrize("error", [Overloaded(), RuntimeError("swordfish"), ConnectionResetError("swordfish")])
async def test_same_words_for_what_goes_wrong(
    api: httpx.AsyncClient, demo: Demo, lane: list[bytes], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """At once, or while the scan waits for the log."""

    def refuse(*_: object) -> None:
        raise error

    def fail(*_: object) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        return future

    for broken in (refuse, fail):
        monkeypatch.setattr(Writer, "submit", broken)
        express, framework = await both_ways(api, json=GOOD, headers=bearer(demo.device()))
        assert express.status_code == framework.status_code == (500 if isinstance(error, RuntimeError) else 503)
        assert {**express.json(), "error_id": ""} == {**framework.json(), "error_id": ""}
        assert express.headers.get("retry-after") == framework.headers.get("retry-after")
        assert "swordfish" not in express.text
    assert len(lane) == 2


async def test_a_scan_whose_sender_hung_up_is_logged_and_counted(
    api: httpx.AsyncClient, demo: Demo, lane: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = asyncio.Event()
    original = queries.log_scans

    async def slowly(*arguments: Any) -> list[queries.Logged]:
        await written.wait()
        return await original(*arguments)

    before = counted("admitted")
    monkeypatch.setattr(queries, "log_scans", slowly)
    body = json.dumps({**GOOD, "scan_id": "c-1", "code": demo.badge()}).encode()
    _, writer = await asyncio.open_connection(api.base_url.host, api.base_url.port)
    path = urlsplit(str(api.base_url)).path.rstrip("/")
    head = f"POST {path}/checkins HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {demo.device()}\r\n"
    writer.write(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await until(lambda: lane)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    written.set()
    again = await api.post("/checkins", content=body, headers=bearer(demo.device()))
    assert again.json()["outcome"] == "admitted"
    assert counted("admitted") == before + 2


def counted(outcome: str) -> float:
    """What GET /metrics says of an outcome, without a server's other figures."""
    REGISTRY.take_over_checkins()
    return REGISTRY.registry.get_sample_value("digitalnow_checkins_total", {"outcome": outcome}) or 0.0
