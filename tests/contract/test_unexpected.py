"""What nobody foresaw is told as an id and logged whole; every refusal has a code of its own."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

import asyncpg
import httpx
import pytest
from litestar.exceptions import HTTPException

import server
from server.db import DATABASE_AWAY, connect, open_database
from server.errors import AppError
from server.event import queries as event_queries
from server.event.directory import Events
from server.exhibitor import queries as exhibitor_queries
from tests.conftest import Demo, bearer
from tests.contract.problems import check, problem_faults
from tests.contract.published import url_of


def raising(error: Exception) -> Callable[..., Awaitable[None]]:
    """A query that fails."""

    async def broken(*_: object, **__: object) -> None:
        raise error

    return broken


async def test_an_unexpected_error_is_told_as_an_id_and_logged_whole(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exhibitor_queries, "list_exhibitors_after", raising(RuntimeError("the password is swordfish")))
    response = await api.get("/exhibitors")

    assert problem_faults(response, 500) == []
    problem = response.json()
    assert problem["code"] == "server.error"
    assert not any(word in response.text for word in ("swordfish", "RuntimeError", "Traceback", ".py"))
    (record,) = [record for record in caplog.records if problem["error_id"] in record.getMessage()]
    assert record.levelno == logging.ERROR
    assert "/v1/events/digital-now/exhibitors" in record.getMessage()
    logged = logging.Formatter().format(record)
    assert "Traceback" in logged
    assert "swordfish" in logged


UNFORESEEN = (
    asyncpg.DataError("invalid input for query argument $2: 'swordfish'"),
    asyncpg.UniqueViolationError("duplicate key: Key (email)=(swordfish)"),
    asyncpg.QueryCanceledError("canceling statement"),
    AssertionError("swordfish"),
    KeyError("swordfish"),
    ValueError("swordfish"),
    RecursionError("swordfish"),
    HTTPException("swordfish", status_code=500),
)


async def test_an_error_of_any_kind_tells_nothing(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = []
    for error in UNFORESEEN:
        monkeypatch.setattr(exhibitor_queries, "list_exhibitors_after", raising(error))
        response = await api.get("/exhibitors")
        faults += [f"{error!r}: {fault}" for fault in problem_faults(response, 500)]
        if len(response.json().get("error_id", "")) != 16 or "swordfish" in response.text:
            faults.append(f"{error!r}: {response.text}")
    check(faults)


AWAY = (
    ConnectionRefusedError("swordfish"),
    TimeoutError("swordfish"),
    asyncpg.ConnectionDoesNotExistError("swordfish"),
    asyncpg.CannotConnectNowError("swordfish"),
)


async def test_a_database_that_is_away_is_no_refusal(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question was not answered: 503, decide for yourself and ask again; at the door as everywhere."""
    faults = []
    scan = {"scan_id": "away", "list": "main", "code": demo.badge()}
    for error in AWAY:
        monkeypatch.setattr(exhibitor_queries, "list_exhibitors_after", raising(error))
        monkeypatch.setattr(Events, "get", raising(error))
        for response in (
            await api.get("/exhibitors"),
            await api.post("/checkins", json=scan, headers=bearer(demo.device())),
            await api.post("/checkins/", json=scan, headers=bearer(demo.device())),
        ):
            faults += [f"{error!r}: {fault}" for fault in problem_faults(response, 503)]
            if response.headers.get("retry-after") != "1" or "swordfish" in response.text:
                faults.append(f"{error!r}: {response.headers} {response.text}")
    check(faults)


async def test_a_socket_that_is_gone_is_a_database_that_is_away(tmp_path: Path) -> None:
    """PostgreSQL removes it when it dies and makes it when it is back; a file of ours that is missing is another matter."""
    url = f"postgresql:///digitalnow?host={tmp_path}"
    with pytest.raises(DATABASE_AWAY):
        await connect(url, name="test")
    with pytest.raises(DATABASE_AWAY):
        async with open_database(url, size=1, name="test"):
            pass
    assert not isinstance(FileNotFoundError(), DATABASE_AWAY)


async def test_an_unexpected_error_at_the_door_is_told_as_an_id(
    api: httpx.AsyncClient, demo: Demo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The path that goes past the framework has its own last resort."""
    monkeypatch.setattr(event_queries, "get_event_by_slug", raising(RuntimeError("the password is swordfish")))
    body = {"scan_id": "a", "list": "main", "code": "x"}
    unheard_of = url_of(api, "/v1/events/{event}/checkins", event="not-asked-for-before")
    response = await api.post(unheard_of, json=body, headers=bearer(demo.device()))

    assert problem_faults(response, 500) == []
    assert "swordfish" not in response.text
    assert any(response.json()["error_id"] in record.getMessage() for record in caplog.records)


async def test_the_server_goes_on_after_an_error(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(exhibitor_queries, "list_exhibitors_after", raising(RuntimeError("for a while")))
        for _ in range(20):  # more than there are connections: none may stay borrowed
            assert (await api.get("/exhibitors")).status_code == 500
    assert (await api.get("/exhibitors")).status_code == 200


def all_errors() -> list[type[AppError]]:
    """Every class of refusal in the server."""
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [AppError]
    for error in found:
        found += error.__subclasses__()
    return [error for error in found[1:] if error.__module__.startswith("server.")]


def test_every_refusal_has_a_code_of_its_own() -> None:
    errors = all_errors()
    assert len(errors) > 10
    assert [code for code, count in Counter(error.code for error in errors).items() if count > 1] == []
    for error in errors:
        noun, _, reason = error.code.partition(".")
        assert noun.replace("_", "").isalpha(), error
        assert reason.replace("_", "").isalpha(), error
        assert HTTPStatus(error.status) >= HTTPStatus.BAD_REQUEST
        assert str(error()).endswith("."), f"{error.__name__} is no sentence: {error()}"
        assert "\n" not in str(error()), f"{error.__name__} is more than a sentence"


def test_the_documented_refusals_exist() -> None:
    """Codes that the contract names, and their statuses: clients compare with them."""
    found = {error.code: error.status for error in all_errors()}
    promised = {
        "auth.required": 401,
        "auth.forbidden": 403,
        "checkin.unknown_list": 404,
        "checkin.scan_id_reused": 422,
        "device.pairing_mistyped": 422,
        "device.pairing_unknown": 404,
        "device.pairing_expired": 410,
        "device.profile_forbids": 403,
        "request.too_many": 429,
        "feed.epoch": 410,
        "server.overloaded": 503,
    }
    assert {code: found.get(code) for code in promised} == promised
