"""Gates, and the list of devices."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from server.db import Database
from tests.conftest import Demo, bearer, running_api
from tests.device.conftest import Organizer, paired, said, scan


async def test_gates_are_made_renamed_and_deleted(organizer: Organizer) -> None:
    gate = (await organizer.ask("POST", "/gates", {"name": "Porte Nord"})).json()
    assert said(await organizer.ask("POST", "/gates", {"name": "Porte Nord"})) == (409, "device.gate_name_taken")
    path = f"/gates/{gate['id']}"
    assert said(await organizer.ask("PATCH", path, {"name": "Porte Océan"})) == (409, "device.gate_name_taken")
    assert (await organizer.ask("PATCH", path, {"name": "Porte Sud"})).json() == {"id": gate["id"], "name": "Porte Sud"}
    assert gate["id"] in {one["id"] for one in (await organizer.ask("GET", "/gates")).json()["gates"]}
    assert (await organizer.ask("DELETE", path)).status_code == 204
    assert said(await organizer.ask("DELETE", path)) == (404, "device.unknown_gate")
    assert said(await organizer.ask("PATCH", path, {"name": "Revenante"})) == (404, "device.unknown_gate")
    body = {"name": "Perdu", "gate": "Porte Sud"}
    assert said(await organizer.ask("POST", "/devices", body)) == (404, "device.unknown_gate")


async def test_a_gate_in_use_stays(organizer: Organizer) -> None:
    gate = (await organizer.ask("POST", "/gates", {"name": "Porte Nord"})).json()
    made = await organizer.add(gate=gate["id"])
    path = f"/gates/{gate['id']}"
    assert said(await organizer.ask("DELETE", path)) == (409, "device.gate_in_use")
    await organizer.ask("PATCH", f"/devices/{made['device']['id']}", {"gate": "Porte Océan"})
    assert (await organizer.ask("DELETE", path)).status_code == 204


async def test_a_new_name_is_on_the_next_answer(organizer: Organizer, demo: Demo) -> None:
    api = organizer.api
    await scan(api, demo.device(0), demo.badge(0))
    gates = (await organizer.ask("GET", "/gates")).json()["gates"]
    gate = next(one for one in gates if one["name"] == demo.file.devices[0].gate)
    await organizer.ask("PATCH", f"/gates/{gate['id']}", {"name": "Porte Atlantique"})
    answer = (await scan(api, demo.device(0), demo.badge(0))).json()
    while answer["admission"]["gate"] != "Porte Atlantique":
        answer = (await scan(api, demo.device(0), demo.badge(0))).json()


async def test_a_process_that_starts_later_knows_where_a_device_stood(
    organizer: Organizer, settings: Any, demo: Demo
) -> None:
    """Even where none stands any more."""
    gate = (await organizer.ask("POST", "/gates", {"name": "Porte Nord"})).json()
    made = await organizer.add(gate="Porte Nord")
    token = await paired(organizer.api, made["pairing"]["code"])
    while (await scan(organizer.api, token, demo.badge(0))).status_code == 401:
        pass
    await organizer.ask("PATCH", f"/devices/{made['device']['id']}", {"gate": "Porte Océan"})
    async with running_api(settings) as base, httpx.AsyncClient(base_url=base) as later:
        answer = (await scan(later, token, demo.badge(0))).json()
    assert (answer["outcome"], answer["admission"]["gate"]) == ("already_admitted", gate["name"])


async def test_the_pages_of_devices_and_gates_are_the_whole(organizer: Organizer) -> None:
    for noun, least in (("devices", 20), ("gates", 4)):
        whole = (await organizer.ask("GET", f"/{noun}")).json()[noun]
        assert len(whole) >= least
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = (await organizer.ask("GET", f"/{noun}?limit=3{more}")).json()
            assert len(page[noun]) <= 3
            found += page[noun]
            cursor = page["next_cursor"]
        assert found == whole


async def test_only_organizers_see_and_change_devices(api: httpx.AsyncClient, demo: Demo) -> None:
    for token in (demo.device(0), demo.file.exhibitors[0].token, demo.attendees[0]["token"]):
        for method, path in (("GET", "/devices"), ("GET", "/gates"), ("POST", "/devices"), ("POST", "/gates")):
            assert said(await api.request(method, path, headers=bearer(token))) == (403, "auth.forbidden")


ILLEGAL = {
    "device_profile_is_known": "profile = 'king'",
    "device_pairing_ends": "pairing_hash = 'x'",
    "device_token_has_a_date": "paired_at = NULL",
    "device_holds_nothing_when_revoked": "revoked_at = now()",
    "device_app_is_short": "app = repeat('x', 201)",
    "device_platform_is_short": "platform = repeat('x', 201)",
}


async def refused_by(db: Database, change: str) -> str | None:
    """The constraint that keeps a paired device from becoming this, or None."""
    try:
        async with db.tx() as tx:
            await tx.execute(f"UPDATE device SET {change} WHERE name = 'Scanner 01'")  # noqa: S608 - our own
    except asyncpg.CheckViolationError as error:
        return str(error.constraint_name)
    return None


async def test_a_device_is_in_one_state(db: Database) -> None:
    for constraint, change in ILLEGAL.items():
        assert await refused_by(db, change) == constraint
    nothing = "token_hash = NULL"
    assert await refused_by(db, nothing) == "device_holds_nothing_when_revoked"


@pytest.mark.parametrize("constraint", ILLEGAL)
async def test_a_constraint_that_is_missing_is_noticed(db: Database, constraint: str) -> None:
    async with db.tx() as tx:
        await tx.execute(f"ALTER TABLE device DROP CONSTRAINT {constraint}")
    assert await refused_by(db, ILLEGAL[constraint]) is None
