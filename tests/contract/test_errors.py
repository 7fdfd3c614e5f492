"""Whatever is sent, the answer is a problem (RFC 9457) that a program can tell apart and a person can read; what goes wrong
on our side is told by nothing but an id."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from server.config import Settings
from server.errors import PROBLEM_JSON
from tests.conftest import Demo, bearer, running_api
from tests.contract.problems import JSON, check, crash_faults, problem_faults
from tests.contract.published import (
    DOCUMENT,
    ITEM_BY_ITEM,
    METHODS,
    NOBODY,
    OPERATIONS,
    OPTIONAL_BODY,
    Operation,
    body_for,
    token_for,
    url_of,
)

MEBIBYTE = 2**20
ONCE = [operation for operation in OPERATIONS if "/draft/" not in operation.path or operation.id.endswith("Session")]
"""Without the draft's twins of what is changed at once, which read the same bodies by the same code; one of them is there."""
WITH_BODY = [operation for operation in ONCE if operation.takes_body]


def test_what_is_no_problem_is_noticed() -> None:
    def response(status: int, content: dict[str, Any] | bytes, media_type: str = PROBLEM_JSON) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        request = httpx.Request("GET", "http://server/")
        return httpx.Response(status, headers={"Content-Type": media_type}, content=body, request=request)

    good = {"type": "urn:digitalnow:x.y", "title": "Not Found", "status": 404, "detail": "No.", "code": "x.y"}
    assert problem_faults(response(404, good), 404) == []
    assert problem_faults(response(404, good), 405)
    assert problem_faults(response(404, good, "application/json"), 404)
    assert problem_faults(response(404, good | {"status": 400}), 404)
    assert problem_faults(response(404, good | {"type": "about:blank"}), 404)
    assert problem_faults(response(404, good | {"detail": ""}), 404)
    assert problem_faults(response(404, good | {"traceback": "File …"}), 404)
    assert problem_faults(response(404, {"status_code": 404, "detail": "Not Found"}), 404)
    assert crash_faults(response(500, good | {"status": 500}))
    assert crash_faults(response(400, b"Bad Request", "text/plain"))


async def test_a_method_that_a_path_does_not_take(api: httpx.AsyncClient) -> None:
    faults = []
    for path, item in DOCUMENT["paths"].items():
        for method in set(METHODS) - item.keys():
            response = await api.request(method, url_of(api, path))
            faults += problem_faults(response, 405)
            allowed = {word.strip().lower() for word in response.headers.get("allow", "").split(",")}
            if not item.keys() <= allowed:
                faults.append(f"{method} {path}: Allow names {allowed}, not {list(item)} (RFC 9110 §15.5.6)")
    check(faults)


NOTHING = (
    "/nothing",
    "/v1",
    "/v1/events",
    "/v1/events/digital-now/nothing",
    "/v1/events/digital-now/live/",
    "/v1/events/digital-now/../../../etc/passwd",
    "/docs/../server.py",
    "/_openapi",
    "/_openapi/openapi.json",
    "/_openapi/openapi.yaml",
    "/schema",
)


async def test_a_path_that_does_not_exist(api: httpx.AsyncClient) -> None:
    faults = []
    for path in NOTHING:
        for method in METHODS:
            faults += problem_faults(await api.request(method, url_of(api, path)), 404)
    check(faults)


async def test_an_event_that_does_not_exist(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in OPERATIONS:
        if "{event}" in operation.path:
            for event in ("nobody", "00000000-0000-7000-8000-000000000000", "%00", "%FF%FE", "é" * 36, "x" * 5000):
                response = await api.request(
                    operation.method,
                    url_of(api, operation.path, event=event),
                    json=body_for(operation),
                    headers=token_for(operation, demo),
                )
                faults += problem_faults(response, 404)
                faults += [] if response.json()["code"] == "event.unknown" else [f"{operation.id}: {response.text}"]
    check(faults)


UNREADABLE = {
    "empty": b"",
    "blank": b"  \n",
    "junk": b"{{{ not json",
    "truncated": b'{"title": {"fr": "Mid',
    "trailing": b"{} {}",
    "invalid UTF-8": b'{"title": {"fr": "\xff\xfe"}}',
    "overlong UTF-8": b'{"title": {"fr": "\xc0\x80"}}',
    "UTF-16": '{"title": {"fr": "x"}}'.encode("utf-16"),
    "not a number": b'{"title": NaN}',
    "lone surrogate": b'{"title": {"fr": "\\ud800"}}',
    "raw control character": b'{"title": {"fr": "a\x00b"}}',
    "a form": b"title=x&body=y",
    "opened fifty thousand times": b"[" * 50_000,
}

NO_OBJECT = {
    "array": b"[]",
    "array of the right thing": b'[{"title": {"fr": "x"}}]',
    "null": b"null",
    "text": b'"text"',
    "number": b"1",
}


async def send(
    api: httpx.AsyncClient,
    operation: Operation,
    demo: Demo,
    content: bytes | AsyncIterator[bytes],
    session: str = NOBODY,
) -> httpx.Response:
    """The operation with this body, by somebody who may ask for it."""
    url = url_of(api, operation.path, session_id=session)
    return await api.request(operation.method, url, content=content, headers=JSON | token_for(operation, demo))


async def some_session(api: httpx.AsyncClient) -> str:
    found: str = (await api.get("/schedule")).json()["sessions"][0]["id"]
    return found


async def test_a_body_that_cannot_be_read(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in WITH_BODY:
        for name, body in UNREADABLE.items():
            if operation.id in OPTIONAL_BODY and not body:
                continue
            response = await send(api, operation, demo, body)
            # A body is read from the front: 422 where an unknown field stands before the broken place.
            faults += [f"{operation.id}, {name}: {fault}" for fault in problem_faults(response, 400, 422)]
    check(faults)


async def test_a_body_that_is_no_object(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in WITH_BODY:
        for name, body in NO_OBJECT.items():
            response = await send(api, operation, demo, body)
            faults += [f"{operation.id}, {name}: {fault}" for fault in problem_faults(response, 422)]
    check(faults)


async def chunked(size: int) -> AsyncIterator[bytes]:
    """A body whose length nobody announces."""
    yield b'{"title": "'
    for _ in range(size // 10_000):
        yield b"a" * 10_000
    yield b'"}'


async def test_a_body_that_is_too_large(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in WITH_BODY:
        size = 17 * MEBIBYTE if operation.id == "postCheckinBatch" else 2 * MEBIBYTE
        announced = await send(api, operation, demo, b'{"title": "' + b"a" * size + b'"}')
        streamed = await send(api, operation, demo, chunked(size))
        faults += problem_faults(announced, 413) + problem_faults(streamed, 413)
        faults += [
            f"{operation.id}: {response.text}" for response in (announced, streamed) if "too_large" not in response.text
        ]
    check(faults)


def properties_of(operation: Operation) -> dict[str, Any]:
    """The members of its body with their schemas."""
    reference = operation.spec["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    properties: dict[str, Any] = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    return properties


def wrong_values(schema: dict[str, Any]) -> Iterator[object]:
    """Values that a member of this schema does not take, among them some that a lax reader would bend until they fit."""
    yield from ([[1]], 1.5, {"fr": {"fr": 1}})
    kinds = [schema, *schema.get("oneOf", ())]
    if any(kind.get("type") == "boolean" for kind in kinds):
        yield from (1, 0, "true", "yes", None)
    if any(kind.get("format") == "date-time" for kind in kinds):
        yield from (5, "5", "tomorrow", "2026-12-18", "2026-12-18T09:00:00", "18/12/2026 09:00")
    if any(kind.get("format") == "uuid" for kind in kinds):
        yield from (5, "", "x", "0" * 31)
    if any("enum" in kind for kind in kinds):
        yield from ("", "Scheduled", "nothing")


async def test_a_value_of_the_wrong_type_names_its_field(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    session = await some_session(api)
    for operation in WITH_BODY:
        for name, schema in properties_of(operation).items():
            for wrong in wrong_values(schema):
                if (operation.id, name) in ITEM_BY_ITEM and isinstance(wrong, list):
                    continue
                body = json.dumps((body_for(operation) or {}) | {name: wrong}).encode()
                response = await send(api, operation, demo, body, session)
                found = problem_faults(response, 422)
                if not found:
                    field = response.json().get("field", "")
                    if (
                        field.partition(".")[0].partition("[")[0] != name
                        or f"`{field}`" not in response.json()["detail"]
                    ):
                        found = [response.text]
                faults += [f"{operation.id} {name} = {wrong!r}: {fault}" for fault in found]
    check(faults)


async def test_a_missing_field_is_named(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in WITH_BODY:
        reference = operation.spec["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for name in DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["required"]:
            body = {key: value for key, value in (body_for(operation) or {}).items() if key != name}
            response = await send(api, operation, demo, json.dumps(body).encode())
            faults += problem_faults(response, 422)
            faults += [] if f"`{name}`" in response.json()["detail"] else [f"{operation.id}: {response.text}"]
    check(faults)


async def test_an_unknown_field_is_refused(api: httpx.AsyncClient, demo: Demo) -> None:
    """A misspelt `expires_at` that is ignored stays on every phone."""
    faults = []
    for operation in WITH_BODY:
        response = await send(api, operation, demo, json.dumps((body_for(operation) or {}) | {"titel": 1}).encode())
        faults += problem_faults(response, 422)
        faults += [] if "titel" in response.text else [f"{operation.id}: {response.text}"]
    check(faults)


def nasty_values() -> Iterator[bytes]:
    """JSON values by which parsers, drivers and databases have been brought down."""
    yield b'"\\u0000"'
    yield b'"a\\u0000b"'
    yield b'"\\ud800"'
    yield b'"\\udc00\\ud800"'
    yield b'"\\ufffe\\uffff"'
    yield b'"\\u202e\\u2066"'
    yield b'"' + b"x" * 10_000 + b'"'
    yield b'"' + "é".encode() * 5_000 + b'"'
    yield b"[" * 20_000 + b"]" * 20_000
    yield b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    yield b"1e400"
    yield b"-0.0"
    yield b"9" * 5_000
    yield b"18446744073709551616"
    yield b'"0000-00-00T00:00:00Z"'
    yield b'"0001-01-01T00:00:00Z"'
    yield b'"9999-12-31T23:00:00Z"'
    yield b'"0001-01-01T00:00:00+14:00"'
    yield b'"9999-12-31T23:59:59.999999-14:00"'
    yield b'"2026-12-18T25:61:61Z"'
    yield b'"2026-12-18T09:00:00.123456789123456789Z"'
    yield b'"00000000-0000-0000-0000-000000000000"'
    yield b'"\' OR 1=1; DROP TABLE scan; --"'
    yield b'{"fr": "\\u0000"}'
    yield b'{"\\u0000": "x"}'
    yield b'{"fr": "\\ud800"}'
    yield b'{"fr": "' + b"x" * 10_000 + b'"}'
    yield b'{"fr": "x", "' + b"y" * 10_000 + b'": "x"}'
    yield b"{" + b",".join(b'"l%d": "x"' % number for number in range(2_000)) + b"}"
    yield b"{}"
    yield b"null"


async def test_no_value_in_a_body_brings_the_server_down(settings: Settings, demo: Demo) -> None:
    faults = []
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base) as api:
        session = await some_session(api)
        for operation in WITH_BODY:
            for name in [*properties_of(operation), "\\u0000", "unknown"]:
                let_in = False
                for value in nasty_values():
                    response = await send(api, operation, demo, with_member(operation, name, value), session)
                    let_in |= response.is_success
                    faults += [f"{operation.id} {name} = {value[:50]!r}: {fault}" for fault in crash_faults(response)]
                if let_in:  # that must not break those who read it
                    found = crash_faults(await api.get("/schedule")) + crash_faults(await api.get("/announcements"))
                    faults += [f"{operation.id} {name}, read: {fault}" for fault in found]
    check(faults)


def with_member(operation: Operation, name: str, value: bytes) -> bytes:
    """A body that is right but for one member. Of two of one name the last counts."""
    rest = json.dumps(body_for(operation)).encode()
    return rest[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


async def test_no_parameter_brings_the_server_down(api: httpx.AsyncClient, demo: Demo) -> None:
    values = ("", "%00", "a%00b", "%FF", "%ED%A0%80", "x" * 10_000, "-1", "0", "1e400", "9" * 400, "9223372036854775807",
              "9223372036854775808", "-9223372036854775809", "null", "%E2%80%AE", "*", "AAAA", "7aCA", "%25", "a%26b=c",
              "MjAyNi0xMi0xOB8x", "Hx8fHw", "[]", "%7B%7D", "'%20OR%201=1")  # fmt: skip
    faults = []
    for operation in ONCE:
        for parameter in operation.query_parameters():
            for value in values:
                url = f"{url_of(api, operation.path)}?{parameter['name']}={value}"
                response = await api.request(operation.method, url, headers=token_for(operation, demo))
                faults += crash_faults(response)
    check(faults)


async def test_no_path_brings_the_server_down(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    for operation in ONCE:
        for parameter in operation.spec.get("parameters", ()):
            if parameter["in"] == "path":
                for value in (
                    "%00",
                    "%FF",
                    "%ED%A0%80",
                    "..%2F..",
                    "%2e%2e",
                    "x" * 10_000,
                    "'",
                    "%25s",
                    "-1",
                    "é",
                    "%0d%0a",
                ):
                    url = url_of(api, operation.path, **{parameter["name"]: value})
                    response = await api.request(
                        operation.method, url, json=body_for(operation), headers=token_for(operation, demo)
                    )
                    faults += problem_faults(response, 404)
    check(faults)


HEADERS = (
    "Authorization",
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "If-None-Match",
    "Content-Type",
    "Host",
    "Cookie",
)


@pytest.mark.parametrize("name", HEADERS)
async def test_no_header_brings_the_server_down(api: httpx.AsyncClient, demo: Demo, name: str) -> None:
    junk = (b"", b"\xff\xfe", b"x" * 20_000, b"*", b", ,,;;q=", b"a;q=nan, b;q=inf, c;q=-1", b"\"", b"W/", b"Bearer",
            b"Bearer \xc3\xa9", b"Bearer " + b"dn_dev_" * 8, b"Basic eDp5", b"gzip;q=", b"identity;q=0, *;q=0")  # fmt: skip
    faults = []
    for number, operation in enumerate(ONCE):
        body = json.dumps(body_for(operation)).encode() if operation.takes_body else b""
        for value in junk[number % 3 :: 3]:  # each gets some of it; heads are read before anybody knows the operation
            headers = {key.encode(): text.encode() for key, text in (JSON | token_for(operation, demo)).items()}
            headers = {key: text for key, text in headers.items() if key.lower() != name.lower().encode()}
            response = await api.request(
                operation.method,
                url_of(api, operation.path),
                content=body,
                headers=headers | {name.encode(): value},
            )
            faults += [f"{value[:40]!r}: {fault}" for fault in crash_faults(response)]
    check(faults)


async def test_a_token_that_cannot_be_one_is_refused_everywhere(api: httpx.AsyncClient, demo: Demo) -> None:
    faults = []
    broken = demo.device()[:-1] + ("A" if demo.device()[-1] != "A" else "B")
    for operation in ONCE:
        if operation.kinds:
            for token in ("x", broken, demo.device().lower(), demo.device() + "x"):
                response = await api.request(
                    operation.method, url_of(api, operation.path), json=body_for(operation), headers=bearer(token)
                )
                faults += problem_faults(response, 401)
    check(faults)
