"""What makes an answer a problem (RFC 9457) of the server's."""

from __future__ import annotations

from http import HTTPStatus

import httpx
from jsonschema import Draft202012Validator

from server.errors import PROBLEM_JSON
from tests.contract.published import DOCUMENT

JSON = {"Content-Type": "application/json"}

PROBLEM = Draft202012Validator(DOCUMENT["components"]["schemas"]["Problem"] | {"additionalProperties": False})


def problem_faults(response: httpx.Response, *statuses: int) -> list[str]:
    """Where a response is not a problem of one of these statuses."""
    where = f"{response.request.method} {str(response.request.url)[:120]}"
    if response.status_code not in statuses:
        return [f"{where}: {response.status_code} {response.text[:200]}"]
    if response.headers.get("content-type") != PROBLEM_JSON:
        return [f"{where}: {response.status_code} is {response.headers.get('content-type')}"]
    problem = response.json()
    faults = [f"{where}: {error.message}" for error in PROBLEM.iter_errors(problem)]
    if problem.get("status") != response.status_code or problem.get("type") != f"urn:digitalnow:{problem.get('code')}":
        faults.append(f"{where}: {problem} contradicts itself or its status {response.status_code}")
    if not problem.get("detail"):
        faults.append(f"{where}: says nothing")
    return faults


def check(faults: list[str]) -> None:
    """Fails with the first of many."""
    assert not faults, "\n".join([f"{len(faults)} faults, among them:", *faults[:20]])


def crash_faults(response: httpx.Response) -> list[str]:
    """Where a response is our fault, or a refusal in another form."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        return []
    return problem_faults(response, *range(400, 500))
