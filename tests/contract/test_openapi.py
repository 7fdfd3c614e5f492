"""The document at /openapi.json: well formed, the same every time, and true of the server that publishes it."""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from server.errors import PROBLEM_JSON
from tests.conftest import Demo, bearer
from tests.contract.documents import assert_as_reviewed, broken_variant, closed, differences, normalised, references
from tests.contract.openapi_standard import STANDARD
from tests.contract.published import (
    DOCUMENT,
    OPERATIONS,
    QUERY_VALUES,
    Operation,
    body_for,
    make_document,
    operations_of,
    token_for,
    tokens_of,
    url_of,
)

SNAPSHOT = Path(__file__).with_name("openapi.snapshot.json")

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


def standard_faults(document: dict[str, Any]) -> list[str]:
    """Where a document is not OpenAPI 3.1."""
    return [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(STANDARD).iter_errors(document)
    ]


def dangling(document: dict[str, Any]) -> list[str]:
    """References to nothing, and components that nothing refers to."""
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    return sorted(named ^ set(references(document)))


def test_document_is_openapi() -> None:
    Draft202012Validator.check_schema(STANDARD)
    assert standard_faults(DOCUMENT) == []
    assert dangling(DOCUMENT) == []


def test_a_broken_document_is_noticed() -> None:
    broken = partial(broken_variant, DOCUMENT)
    schemas = ("components", "schemas", "Problem")
    assert standard_faults(broken("openapi", value="2.0"))
    assert standard_faults(broken("info", value={"title": "without a version"}))
    assert standard_faults(broken("paths", value={"no-slash": {}}))
    assert standard_faults(broken("paths", "/health/live", "get", "responses", value={"20": {"description": "short"}}))
    assert standard_faults(broken("paths", "/health/live", "get", "parameter", value=[]))
    assert standard_faults(
        broken("paths", "/health/live", "get", "parameters", value=[{"name": "x", "in": "path", "schema": {}}])
    )
    assert standard_faults(broken(*schemas, value={"type": "text"}))
    assert dangling(broken(*schemas, value={"$ref": "#/components/schemas/Nothing"}))
    assert dangling(broken("components", "schemas", "Forgotten", value={"type": "string"})) == [
        "#/components/schemas/Forgotten"
    ]


def test_operations_have_names_of_their_own() -> None:
    """Generated clients name their functions after them."""
    assert [name for name, count in Counter(operation.id for operation in OPERATIONS).items() if count > 1] == []
    assert len(OPERATIONS) >= 15


@each_operation
def test_operation_says_what_it_does(operation: Operation) -> None:
    description = operation.spec.get("description", "")
    assert description.strip().endswith("."), f"{operation.id} has no sentence: {description!r}"
    assert operation.spec["tags"]


@each_operation
def test_operation_says_no_with_a_problem(operation: Operation) -> None:
    content = operation.spec["responses"]["default"]["content"]
    assert content == {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert operation.spec["responses"].keys() <= {"200", "201", "204", "304", "503", "default"}


def test_a_renewed_document_is_the_same() -> None:
    """A document with random examples in it says nothing true twice, and no cache and no snapshot can hold it."""
    assert differences(normalised(DOCUMENT), normalised(make_document())) == []


async def test_the_served_document_is_that_document(api: httpx.AsyncClient) -> None:
    response = await api.get(url_of(api, "/openapi.json"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert differences(normalised(DOCUMENT), normalised(response.json())) == []


def test_document_is_as_reviewed() -> None:
    assert_as_reviewed(DOCUMENT, SNAPSHOT, "tests/contract/test_openapi.py")


async def test_a_token_is_asked_for_exactly_where_the_document_says(api: httpx.AsyncClient) -> None:
    wrong = []
    for operation in OPERATIONS:
        response = await api.request(operation.method, url_of(api, operation.path), json=body_for(operation))
        if (response.status_code == 401) != bool(operation.kinds):
            wrong.append(
                f"{operation.id}: {response.status_code} without a token, the document names {operation.kinds}"
            )
        if response.status_code == 401 and not response.headers.get("www-authenticate", "").startswith("Bearer"):
            wrong.append(f"{operation.id}: 401 does not say which token (RFC 9110 §11.6.1)")
    assert wrong == []


async def test_exactly_the_tokens_the_document_names_are_taken(api: httpx.AsyncClient, demo: Demo) -> None:
    wrong = []
    for operation in (operation for operation in OPERATIONS if operation.kinds):
        for kind, token in tokens_of(demo).items():
            response = await api.request(
                operation.method, url_of(api, operation.path), json=body_for(operation), headers=bearer(token)
            )
            if (response.status_code == 403) == (kind in operation.kinds) or response.status_code == 401:
                wrong.append(f"{operation.id}: {response.status_code} for {kind}, the document names {operation.kinds}")
    assert wrong == []


def answer_faults(operation: Operation, response: httpx.Response) -> list[str]:
    """Where a response is not what the document says of it."""
    described = operation.spec["responses"].get(str(response.status_code))
    where = f"{operation.id} {response.request.url} {response.status_code}"
    if described is None:
        return [f"{where} is not described: {response.text[:200]}"]
    if "content" not in described or not response.content:
        return [f"{where} has a body"] if response.content else []
    media_type = response.headers["content-type"].partition(";")[0]
    if media_type not in described["content"]:
        return [f"{where} is {media_type}, described as {list(described['content'])}"]
    if not media_type.endswith("json"):
        return [] if described["content"][media_type]["schema"] == {"type": "string"} else [f"{where} is no file"]
    schema = closed({**described["content"][media_type]["schema"], "components": DOCUMENT["components"]})
    error = best_match(
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(response.json())
    )
    return [f"{where} {error.json_path}: {error.message[:200]}"] if error else []


async def add_device(api: httpx.AsyncClient, demo: Demo) -> dict[str, Any]:
    body = {"name": f"Contract {uuid.uuid4()}", "gate": "Porte Océan"}
    found: dict[str, Any] = (await api.post("/devices", json=body, headers=bearer(demo.file.organizer_token))).json()
    return found


async def announce(api: httpx.AsyncClient, demo: Demo) -> str:
    body = {"title": {"fr": "Ouverture", "ar": "افتتاح"}, "expires_at": "2199-01-01T00:00:00Z"}
    found: str = (await api.post("/announcements", json=body, headers=bearer(demo.file.organizer_token))).json()["id"]
    return found


async def own_gate_device_and_list(api: httpx.AsyncClient, demo: Demo) -> dict[str, str]:
    """Ids of ones that may be changed and deleted."""
    body = {"name": f"Contract {uuid.uuid4()}"}
    gate = await api.post("/gates", json=body, headers=bearer(demo.file.organizer_token))
    device = await add_device(api, demo)
    own_list = {"key": f"own-{uuid.uuid4()}", "name": {"fr": "Atelier"}}
    await api.post("/checkins/lists", json=own_list, headers=bearer(demo.file.organizer_token))
    return {"gate_id": gate.json()["id"], "device_id": device["device"]["id"], "key": own_list["key"]}


async def own_things(api: httpx.AsyncClient, demo: Demo) -> dict[str, str]:
    """Ids of a room, a session and the like that may be changed and deleted, by the path that leads to such."""
    found = {}
    for operation in OPERATIONS:
        noun = operation.path.rpartition("/")[2]
        if (
            operation.method == "post"
            and f"{noun}/{{thing_id}}" in str(DOCUMENT["paths"].keys())
            and "draft" not in operation.path
        ):
            made = await api.post(f"/{noun}", json=body_for(operation), headers=token_for(operation, demo))
            found[noun] = made.json()["id"]
    return found


async def test_real_answers_are_as_described(api: httpx.AsyncClient, demo: Demo) -> None:
    """Every operation is asked once for real, readers' in one language and in all."""
    things = await own_things(api, demo)
    values = {"attendee_id": demo.attendees[1]["id"], "scan_id": "contract-0"}
    values |= await own_gate_device_and_list(api, demo)
    passing = {"scan_id": "contract-0", "list": "main", "code": demo.badge()}
    await api.post("/checkins", json=passing, headers=bearer(demo.device()))
    values |= {"announcement_id": await announce(api, demo)}
    code = (await add_device(api, demo))["pairing"]["code"]
    faults = []
    # Writes first, deletions last, the draft's before the others.
    for operation in sorted(OPERATIONS, key=lambda one: (one.method, "/draft" in one.path), reverse=True):
        noun = operation.path.rpartition("/{thing_id}")[0].rpartition("/")[2]
        values["thing_id"] = things.get(noun, things["sessions"])
        if operation.id in ("postRelease", "deleteDraftEdit"):  # there must be one
            drafted = {"title": {"fr": f"Un titre de {operation.id}"}}
            await api.patch(f"/draft/sessions/{things['sessions']}", json=drafted, headers=token_for(operation, demo))
        queries: list[dict[str, str]] = [{}]
        if any(parameter["name"] == "lang" for parameter in operation.query_parameters()):
            queries += [{"lang": "ar"}, {"lang": "*"}]
        for query in queries:
            response = await api.request(
                operation.method,
                url_of(api, operation.path, **values),
                params=QUERY_VALUES.get(operation.id, {}) | query,
                json={"code": code} if operation.id == "postPair" else body_for(operation),
                headers=token_for(operation, demo),
            )
            faults += answer_faults(operation, response)
    assert faults == []


async def test_an_unchanged_answer_is_as_described(api: httpx.AsyncClient) -> None:
    schedule = next(operation for operation in OPERATIONS if operation.id == "getSchedule")
    etag = (await api.get("/schedule")).headers["etag"]
    response = await api.get("/schedule", headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert answer_faults(schedule, response) == []


async def test_an_answer_that_is_not_as_described_is_noticed(api: httpx.AsyncClient) -> None:
    response = await api.get(url_of(api, "/health/live"))
    wrong = copy.deepcopy(DOCUMENT)
    wrong["paths"]["/health/live"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": {"state": {"type": "string"}},
    }
    operation = next(operation for operation in operations_of(wrong) if operation.path == "/health/live")
    assert "status" in answer_faults(operation, response)[0]
    assert answer_faults(operation._replace(spec={"operationId": "x", "responses": {"201": {}}}), response)
