"""The API as its OpenAPI document describes it, and what each operation needs in order to be asked for real."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any, NamedTuple

import httpx
import msgspec

from server.app import ROUTERS
from server.openapi import document_of
from tests.conftest import Demo, bearer

METHODS = ("get", "put", "post", "patch", "delete")
NOBODY = "00000000-0000-7000-8000-000000000000"


class Operation(NamedTuple):
    method: str
    path: str
    """As in the document, with its parameters in braces."""
    spec: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.spec

    @property
    def kinds(self) -> list[str]:
        """Whose tokens it takes; none for an operation that anybody may ask for."""
        return [kind for requirement in self.spec.get("security", ()) for kind in requirement["token"]]

    def query_parameters(self) -> list[dict[str, Any]]:
        return [parameter for parameter in self.spec.get("parameters", ()) if parameter["in"] == "query"]


NEW_THINGS: dict[str, dict[str, Any]] = {
    "Day": {"date": "2026-12-24"},
    "Room": {"name": {"fr": "Salle Toubkal"}},
    "Track": {"name": {"fr": "Eau"}, "color": "#0072b2"},
    "Kind": {"name": {"fr": "Visite"}},
    "Speaker": {"name": {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}},
    "Session": {
        "title": {"fr": "Une session de plus"},
        "starts_at": "2026-12-18T20:00:00Z",
        "ends_at": "2026-12-18T21:00:00Z",
    },
}
CHANGES: dict[str, dict[str, Any]] = {
    "Day": {"name": {"fr": "Le premier jour"}},
    "Room": {"capacity": 40},
    "Track": {"color": "#0072b2"},
    "Kind": {"name": {"fr": "Visite"}},
    "Speaker": {"bio": {"fr": "Journaliste"}},
    "Session": {"title": {"fr": "Un autre titre"}},
}

BODIES: dict[str, dict[str, Any]] = {
    **{f"post{where}{noun}": body for where in ("", "Draft") for noun, body in NEW_THINGS.items()},
    **{f"patch{where}{noun}": body for where in ("", "Draft") for noun, body in CHANGES.items()},
    "postRelease": {"name": "1.1"},
    "postAnnouncement": {"title": {"fr": "Le déjeuner est servi"}, "body": {"fr": "Hall B"}},
    "patchAnnouncement": {"title": {"fr": "Le déjeuner est servi au hall C"}},
    "postCheckin": {"scan_id": "contract", "list": "main", "code": "no such badge"},
    "postCheckinBatch": {"scans": [{"scan_id": "contract-2", "list": "main", "code": "no such badge"}]},
    "postUndo": {},
    "patchAttendee": {"cancelled": False},
    "postCheckinList": {"key": "contract", "name": {"fr": "Atelier"}},
    "patchCheckinList": {"capacity": 40},
    "postGate": {"name": "Porte"},
    "patchGate": {"name": "Porte"},
    "postDevice": {"name": "Scanner", "gate": "Porte Océan", "profile": "scan"},
    "patchDevice": {"name": "Scanner"},
    "postPair": {"code": "0000 0000"},
}
"""A body that the operation accepts, for each that takes one."""

QUERY_VALUES = {"searchAttendees": {"q": "mohamed"}}
"""What an operation needs in its query."""

OPTIONAL_BODY = ("postUndo", "postRelease")
"""Operations that do without a body too."""

ITEM_BY_ITEM = (("postCheckinBatch", "scans"),)
"""Members whose items are judged one by one, each with an error of its own."""

NAMED = ("postGate", "patchGate", "postDevice", "patchDevice")
"""Operations whose `name` must be one that nobody has."""

PATH_VALUES = {
    "event": "digital-now",
    "channel": "announcements",
    "thing_id": NOBODY,
    "version": "1",
    "announcement_id": NOBODY,
    "attendee_id": NOBODY,
    "key_id": "0",
    "gate_id": NOBODY,
    "device_id": NOBODY,
    "scan_id": "contract",
    "key": "lounge",
}


def make_document() -> dict[str, Any]:
    """The document of a fresh application, as a reader gets it."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document_of(ROUTERS)))
    return document


def operations_of(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method, path, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


DOCUMENT = make_document()
OPERATIONS = operations_of(DOCUMENT)


def url_of(api: httpx.AsyncClient, path: str, **values: str) -> str:
    """Where a path of the document is on that server."""
    if "/states/" in path:
        values = {"channel": "occupancy"} | values
    for name, value in (PATH_VALUES | values).items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"tests/contract/published.py has no value for a parameter of {path}"
    return str(api.base_url.join(path))


def tokens_of(demo: Demo) -> dict[str, str]:
    """One of each kind."""
    return {
        "organizer": demo.file.organizer_token,
        "device": demo.device(),
        "exhibitor": demo.file.exhibitors[0].token,
        "attendee": demo.attendees[0]["token"],
    }


def token_for(operation: Operation, demo: Demo) -> dict[str, str]:
    """The header of somebody who may ask for it."""
    return bearer(tokens_of(demo)[operation.kinds[0]]) if operation.kinds else {}


def body_for(operation: Operation) -> dict[str, Any] | None:
    """A body that it accepts."""
    if not operation.takes_body:
        return None
    assert operation.id in BODIES, f"tests/contract/published.py needs a body for {operation.id}"
    body = BODIES[operation.id]
    if operation.id in ("postDay", "postDraftDay"):
        return body | {"date": str(date(2030, 1, 1) + timedelta(days=uuid.uuid4().int % 30_000))}
    if operation.id == "postCheckinList":
        return body | {"key": f"contract-{uuid.uuid4()}"}
    return body | {"name": f"{body['name']} {uuid.uuid4()}"} if operation.id in NAMED else body
