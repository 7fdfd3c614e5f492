"""A pairing code: worth one token, for ten minutes, at one event, and to nobody who guesses."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from server.attendee.codes import ALPHABET, new_short_code
from server.config import Settings
from server.db import Database, row
from server.demo import load
from server.demo.credentials import Options
from server.device import actions, guesses as guessing, queries
from server.device.guesses import Guesses
from server.device.types import PairedRow
from tests.conftest import Demo, bearer, running_api
from tests.device.conftest import Organizer, pair, paired, said

OTHER = "other-event"


async def test_the_qr_says_where_and_holds_the_code(organizer: Organizer, settings: Settings) -> None:
    pairing = (await organizer.add())["pairing"]
    base = str(organizer.api.base_url).partition("/v1")[0]
    assert json.loads(pairing["qr"]) == {"v": 1, "url": base, "event": "digital-now", "code": pairing["code"]}
    left = datetime.fromisoformat(pairing["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9, seconds=30) < left <= timedelta(minutes=10)


async def test_the_qr_names_the_address_that_phones_know(settings: Settings, demo: Demo) -> None:
    known = replace(settings, public_url="https://api.example.org/")
    async with running_api(known) as base, httpx.AsyncClient(base_url=base) as api:
        made = await Organizer(api, demo.file.organizer_token).add()
        assert json.loads(made["pairing"]["qr"])["url"] == "https://api.example.org"


async def test_a_code_is_understood_as_people_type_it(organizer: Organizer) -> None:
    def spellings(code: str) -> Iterator[str]:
        yield f" {code[:4].lower()}-{code[4:].lower()}\n"
        yield " ".join(code)
        yield code.translate({ord("0"): "O", ord("1"): "l"})
        yield "".join(chr(ord(sign) + 0xFEE0) for sign in code)  # full width, as some keyboards send
        yield f"]Q1{code}"

    for place in range(5):
        code = (await organizer.add())["pairing"]["code"]
        spelling = list(spellings(code))[place]
        assert (await pair(organizer.api, spelling)).status_code == 200, spelling


async def test_a_typing_error_is_told_from_a_wrong_code(organizer: Organizer) -> None:
    code = (await organizer.add())["pairing"]["code"]
    for place in range(8):
        other = ALPHABET[(ALPHABET.index(code[place]) + 1) % 32]
        assert said(await pair(organizer.api, code[:place] + other + code[place + 1 :])) == (
            422, "device.pairing_mistyped",
        )  # fmt: skip
    for junk in (code[:-1], code + "0", "é" * 8, "\x00", "        ", "-", "U" * 8, "x" * 100, "٠١٢٣٤٥٦٧٨"):
        assert said(await pair(organizer.api, junk)) == (422, "device.pairing_mistyped"), junk
    for invalid in ("", "x" * 101, None, 5, ["x"]):
        assert said(await pair(organizer.api, invalid)) == (422, "request.invalid"), invalid
    assert said(await pair(organizer.api, new_short_code())) == (404, "device.pairing_unknown")
    assert (await pair(organizer.api, code)).status_code == 200, "none of them counted against the right one"


async def test_a_code_is_worth_nothing_after_its_time(organizer: Organizer, db: Database) -> None:
    made = await organizer.add()
    async with db.tx() as tx:
        await tx.execute(
            "UPDATE device SET pairing_expires_at = now() WHERE device_id = $1", UUID(made["device"]["id"])
        )
    assert said(await pair(organizer.api, made["pairing"]["code"])) == (410, "device.pairing_expired")
    fresh = await organizer.ask("POST", f"/devices/{made['device']['id']}/pairing")
    assert (await pair(organizer.api, fresh.json()["code"])).status_code == 200


async def test_a_newer_code_takes_the_place_of_an_older_one(organizer: Organizer) -> None:
    made = await organizer.add()
    newer = (await organizer.ask("POST", f"/devices/{made['device']['id']}/pairing")).json()
    assert said(await pair(organizer.api, made["pairing"]["code"])) == (404, "device.pairing_unknown")
    assert (await pair(organizer.api, newer["code"])).status_code == 200


async def one_wins(organizer: Organizer) -> None:
    """Fails unless of 50 phones with one code exactly one gets a token, and that one works."""
    code = (await organizer.add())["pairing"]["code"]
    answers = await asyncio.gather(*(pair(organizer.api, code) for _ in range(50)))
    tokens = [answer.json()["token"] for answer in answers if answer.status_code == 200]
    assert len(tokens) == 1, f"{len(tokens)} phones got a token"
    refused = {said(answer) for answer in answers if answer.status_code != 200}
    assert refused <= {(404, "device.pairing_unknown"), (429, "request.too_many")}
    assert (await organizer.api.get("/devices/me", headers=bearer(tokens[0]))).status_code == 200


async def test_of_fifty_phones_with_one_code_one_wins(organizer: Organizer) -> None:
    await one_wins(organizer)


LOOK = "SELECT device_id FROM device WHERE event_id = $1 AND pairing_hash = $2 AND pairing_expires_at > now()"
TAKE = """
    UPDATE device SET token_hash = $3, pairing_hash = NULL, pairing_expires_at = NULL, paired_at = clock_timestamp()
    FROM gate
    WHERE device.event_id = $1 AND device.device_id = $2 AND gate.event_id = $1 AND gate.gate_id = device.gate_id
    RETURNING device.device_id, device.name, gate.name AS gate, device.profile, device.paired_at
"""


async def test_pairing_by_looking_first_is_noticed(organizer: Organizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: whoever looks before the other has taken takes too."""
    looked: list[UUID | None] = []
    two_have_looked = asyncio.Event()

    async def look_then_take(
        tx: Any, event_id: UUID, *, pairing_hash: bytes, token_hash: bytes, **_: object
    ) -> PairedRow | None:
        device_id = await tx.fetchval(LOOK, event_id, pairing_hash)
        looked.append(device_id)
        if len(looked) > 1:
            two_have_looked.set()
        await two_have_looked.wait()
        return device_id and await row(tx, PairedRow, TAKE, event_id, device_id, token_hash)

    monkeypatch.setattr(queries, "pair_device", look_then_take)
    with pytest.raises(AssertionError, match="phones got a token"):
        await one_wins(organizer)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by which wrong codes are counted."""
    now = [1000.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    monkeypatch.setattr(guessing, "time", Clock)
    return now


async def is_bounded(api: httpx.AsyncClient) -> None:
    """Fails unless a burst of wrong codes is cut off."""
    answers = await asyncio.gather(*(pair(api, new_short_code()) for _ in range(60)))
    tried = [answer for answer in answers if answer.status_code == 404]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert guessing.WRONG_A_MINUTE <= len(tried) < guessing.WRONG_A_MINUTE + guessing.AT_ONCE, f"{len(tried)} guesses"
    assert len(tried) + len(refused) == 60
    assert {answer.headers["retry-after"] for answer in refused} == {"60"}


async def test_guessing_is_bounded_and_a_minute_later_the_right_code_works(
    organizer: Organizer, clock: list[float]
) -> None:
    code = (await organizer.add())["pairing"]["code"]
    await is_bounded(organizer.api)
    clock[0] += guessing.WINDOW_SECONDS - 1
    assert said(await pair(organizer.api, code)) == (429, "request.too_many")
    clock[0] += 1  # what was refused meanwhile did not begin another minute
    assert (await pair(organizer.api, code)).status_code == 200


async def test_guessing_that_nobody_counts_is_noticed(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guesses, "count_wrong", lambda _self, _event_id: None)
    with pytest.raises(AssertionError, match="60 guesses"):
        await is_bounded(api)


async def test_many_phones_may_pair_at_once(organizer: Organizer) -> None:
    """The morning of the event: none of these is a guess."""
    made = await asyncio.gather(*(organizer.add(f"Matin {number}") for number in range(40)))
    tokens = await asyncio.gather(*(paired(organizer.api, one["pairing"]["code"]) for one in made))
    assert len(set(tokens)) == 40


async def test_no_answer_and_no_event_holds_a_secret(organizer: Organizer, db: Database) -> None:
    made = await organizer.add()
    token = await paired(organizer.api, made["pairing"]["code"])
    offered = (await organizer.ask("POST", f"/devices/{made['device']['id']}/pairing")).json()
    async with db.read() as connection:
        stored = await connection.fetch("SELECT token_hash, pairing_hash, device::text FROM device")
        told = str(await connection.fetch("SELECT data FROM feed_event"))
    listed = (await organizer.ask("GET", "/devices?limit=500")).text
    for secret in (token, made["pairing"]["code"], offered["code"]):
        assert secret not in listed + told + "".join(line for *_, line in stored)
    hashes = [value.hex() for *both, _ in stored for value in both if value]
    assert len(hashes) == 22
    assert not [value for value in hashes if value in listed + told]
    plain = hashlib.sha256(offered["code"].encode()).hexdigest()
    assert plain not in hashes, "35 bits are no secret as SHA-256"


@pytest.fixture
async def stranger(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: httpx.AsyncClient) -> Any:
    """The organizer of a second event in the same database."""
    monkeypatch.setattr(load, "SLUG", OTHER)
    options = Options(attendees=5, exhibitors=3, seed=9, starts_on=date(2026, 12, 18))
    file = await load.load_demo(db, options, None, lambda _event_id: tmp_path / "other", lambda _done, _of: None)
    base = str(api.base_url).replace("digital-now", OTHER)
    async with httpx.AsyncClient(base_url=base) as elsewhere:
        yield Organizer(elsewhere, file.organizer_token)


async def only_there(organizer: Organizer, stranger: Organizer) -> None:
    """Fails unless one event's code is worth nothing at the other."""
    code = (await stranger.add())["pairing"]["code"]
    assert said(await pair(organizer.api, code)) == (404, "device.pairing_unknown")
    assert (await pair(stranger.api, code)).json()["event"] == OTHER


async def test_a_code_is_worth_nothing_at_another_event(organizer: Organizer, stranger: Organizer) -> None:
    await only_there(organizer, stranger)


async def test_a_code_that_opens_every_event_is_noticed(
    organizer: Organizer, stranger: Organizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = queries.PAIR_DEVICE.replace("device.event_id = $1 AND", "$1::uuid IS NOT NULL AND")
    monkeypatch.setattr(queries, "PAIR_DEVICE", everywhere)
    monkeypatch.setattr(actions, "hash_pairing_code", lambda _event_id, code: hashlib.sha256(code.encode()).digest())
    with pytest.raises(KeyError, match="code"):  # it is no refusal
        await only_there(organizer, stranger)


async def test_the_devices_of_one_event_are_nothing_at_the_other(organizer: Organizer, stranger: Organizer) -> None:
    made = await organizer.add("Ici")
    path = f"/devices/{made['device']['id']}"
    for method, where, body in (
        ("PATCH", path, {"name": "Volé"}),
        ("POST", f"{path}/pairing", None),
        ("DELETE", path, None),
    ):
        assert said(await stranger.ask(method, where, body)) == (404, "device.unknown")
    gate = (await organizer.ask("GET", "/gates")).json()["gates"][0]["id"]
    for method, body in (("PATCH", {"name": "Volée"}), ("DELETE", None)):
        assert said(await stranger.ask(method, f"/gates/{gate}", body)) == (404, "device.unknown_gate")
    body = {"name": "Là", "gate": gate}
    assert said(await stranger.ask("POST", "/devices", body)) == (404, "device.unknown_gate")
    assert (await stranger.add("Ici"))["device"]["state"] == "waiting", "names are each event's own"
    ids = {device["id"] for device in (await stranger.ask("GET", "/devices")).json()["devices"]}
    assert made["device"]["id"] not in ids
    assert (await organizer.device(made["device"]["id"]))["name"] == "Ici"
