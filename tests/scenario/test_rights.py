"""Who may ask what at the door: every path, every kind of token, from this event and from another one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.app import ROUTERS
from server.device import policy
from tests.conftest import Demo
from tests.phones import Caller, organizer_of, phone_of, scan

SCAN, SEARCH, SUPERVISOR, KIOSK, ORGANIZER = "scan", "scan+search", "supervisor", "kiosk", "organizer"
EVERY_DEVICE = {SCAN, SEARCH, SUPERVISOR, KIOSK}
NO_KIOSK = EVERY_DEVICE - {KIOSK}
MISSING = "00000000-0000-7000-8000-000000000000"

MATRIX: dict[tuple[str, str], tuple[set[str], Any]] = {
    ("POST", "/checkins"): (EVERY_DEVICE, {"list": "main", "code": "x"}),
    ("POST", "/checkins (exit)"): (NO_KIOSK, {"list": "main", "code": "x", "direction": "exit"}),
    ("POST", "/checkins (decided)"): (NO_KIOSK, {"list": "main", "code": "x", "decided": "admitted"}),
    ("POST", "/checkins/batch"): (NO_KIOSK, {"scans": []}),
    ("GET", "/checkins/mark"): (NO_KIOSK, None),
    ("GET", "/checkins/snapshot"): (NO_KIOSK, None),
    ("POST", "/checkins/none/undo"): (NO_KIOSK | {ORGANIZER}, {}),
    ("POST", "/checkins/none/undo (another's)"): (NO_KIOSK | {ORGANIZER}, {"device_id": MISSING}),
    ("GET", "/checkins/lists"): (EVERY_DEVICE | {ORGANIZER}, None),
    ("POST", "/checkins/lists"): ({ORGANIZER}, {}),
    ("GET", "/checkins/lists/none"): (EVERY_DEVICE | {ORGANIZER}, None),
    ("PATCH", "/checkins/lists/none"): ({ORGANIZER}, {}),
    ("DELETE", "/checkins/lists/none"): ({ORGANIZER}, None),
    ("GET", "/checkins/statistics"): ({SUPERVISOR, ORGANIZER}, None),
    ("GET", "/checkins/conflicts"): ({SUPERVISOR, ORGANIZER}, None),
    ("GET", "/checkins/refusals"): ({SUPERVISOR, ORGANIZER}, None),
    ("GET", "/checkins/search?q=ahmed"): ({SEARCH, SUPERVISOR, ORGANIZER}, None),
}
"""Method and path (in brackets what is special about the body) → who may, and the body."""


def callers(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> dict[str, Caller]:
    """Everybody who might ask; the revoked one is a device that the test revokes."""
    token = demo.device()
    return {
        **{profile: phone_of(api, demo, profile) for profile in sorted(EVERY_DEVICE)},
        ORGANIZER: organizer_of(api, demo),
        "nobody": Caller(api, ""),
        "revoked": phone_of(api, demo, SEARCH, 5),
        "booth": Caller(api, demo.file.exhibitors[0].token),
        "attendee": Caller(api, demo.attendees[0]["token"]),
        "other device": Caller(api, stranger.device()),
        "other organizer": Caller(api, stranger.file.organizer_token),
        "no token": Caller(api, "dn_dev_" + "0" * 49),
        "half a token": Caller(api, token[:-1]),
    }


STATUS = {
    "nobody": 401,
    "revoked": 401,
    "booth": 403,
    "attendee": 403,
    "other device": 401,
    "no token": 401,
    "half a token": 401,
}
"""What those get who may nothing here."""


async def asked(caller: Caller, method: str, path: str, body: Any) -> int:
    if path.startswith("/checkins") and method == "POST" and "code" in (body or ()):
        body = {**scan(""), **body}
    return (await caller.ask(method, path.split(" (")[0], body)).status_code


async def let_in(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> dict[tuple[str, str], set[str]]:
    """Who got past the guard of which path; those who should not are told so in the right way."""
    everybody = callers(api, demo, stranger)
    await revoke(everybody[ORGANIZER], everybody["revoked"], demo)
    found: dict[tuple[str, str], set[str]] = {}
    for (method, path), (_, body) in MATRIX.items():
        statuses = {who: await asked(caller, method, path, body) for who, caller in everybody.items()}
        assert {who: statuses[who] for who in STATUS} == STATUS, (method, path)
        # Where only devices may ask, the kind of a token is looked at before whose it is.
        assert statuses["other organizer"] in (401, 403)
        assert max(statuses.values()) < 500, (method, path)
        found[(method, path)] = {who for who, status in statuses.items() if status not in (401, 403)}
    return found


async def revoke(organizer: Caller, phone: Caller, demo: Demo) -> None:
    token = phone.headers["Authorization"].split()[1]
    name = next(device.name for device in demo.file.devices if device.token == token)
    devices = (await organizer.ask("GET", "/devices?limit=500")).json()["devices"]
    device_id = next(device["id"] for device in devices if device["name"] == name)
    assert (await organizer.ask("DELETE", f"/devices/{device_id}")).status_code == 204
    while (await phone.ask("POST", "/checkins", scan("x"))).status_code != 401:
        pass  # within a second


async def test_everybody_may_what_they_may(api: httpx.AsyncClient, demo: Demo, stranger: Demo) -> None:
    assert await let_in(api, demo, stranger) == {key: who for key, (who, _) in MATRIX.items()}


async def test_a_right_too_many_is_noticed(
    api: httpx.AsyncClient, demo: Demo, stranger: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy.RIGHTS, KIOSK, policy.RIGHTS[KIOSK] | {"search"})
    found = await let_in(api, demo, stranger)
    assert {key for key, (who, _) in MATRIX.items() if found[key] != who} == {("GET", "/checkins/search?q=ahmed")}


def test_no_path_of_the_door_is_left_out() -> None:
    served = {
        (method, "/" + path.path.removeprefix("/v1/events/{event:str}").strip("/"))
        for router in ROUTERS
        for path in router.routes
        if "/checkins" in path.path
        for method in getattr(path, "methods", ())
        if method != "OPTIONS"
    }
    tried = {
        (
            method,
            path.split(" (")[0].split("?")[0].replace("none/undo", "{scan_id:str}/undo").replace("none", "{key:str}"),
        )
        for method, path in MATRIX
    }
    assert served == tried


async def test_a_refusal_tells_no_secret(api: httpx.AsyncClient, demo: Demo, caplog: pytest.LogCaptureFixture) -> None:
    """Neither answers nor logs hold a token, whoever asks and however it goes wrong."""
    caplog.set_level("DEBUG")
    kiosk = phone_of(api, demo, KIOSK)
    token = kiosk.headers["Authorization"].split()[1]
    requests = [("GET", path) for path in ("search?q=ahmed", "statistics", "refusals", "snapshot", f"search?q={token}")]
    requests += [("POST", "batch"), ("DELETE", "lists/main"), ("POST", f"{token}/undo"), ("GET", token)]
    texts = [(await kiosk.ask(method, f"/checkins/{path}", {"scans": 5})).text for method, path in requests]
    # The client logs what it sends; the log of requests is off, and the fixture listens to it all the same.
    ours = [record for record in caplog.records if not record.name.startswith(("http", "uvicorn.access"))]
    logged = [record.getMessage() for record in ours]
    assert not [text for text in texts + logged if token in text or token[7:30] in text]
    assert len(logged) > 0
