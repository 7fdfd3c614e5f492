"""Devices and gates over HTTP: an organizer's lists and changes, a phone's pairing, and what a scanner knows of itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, get, patch, post
from litestar.params import FromPath

from server.auth import Principal, require
from server.body import describe, read_body
from server.device import queries
from server.device.actions import (
    add_device,
    add_gate,
    change_device,
    offer_pairing,
    pair_device,
    remove_gate,
    rename_gate,
    revoke_device,
)
from server.device.codes import qr_content
from server.device.policy import RIGHTS
from server.device.seen import as_app
from server.device.types import (
    AddDevice,
    ChangeDevice,
    Device,
    DevicePage,
    DeviceSelf,
    Gate,
    GatePage,
    Invitation,
    NameGate,
    NewDevice,
    PairDevice,
    Paired,
    Pairing,
)
from server.errors import NotAuthenticated
from server.event.types import EventRow
from server.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, encode_cursor


@get("/gates", guards=[require("organizer")])
async def list_gates(
    request: Request[Any, Any, Any], event: FromPath[str], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> GatePage:
    """The event's gates."""
    found: EventRow = await request.app.state.events.get(event)
    after = decode_id_cursor(cursor)
    async with request.app.state.db.read() as connection:
        gates = await queries.list_gates_after(connection, found.event_id, gate_id=after, limit=limit + 1)
    page = gates[:limit]
    return GatePage(gates=page, next_cursor=encode_cursor(str(page[-1].id)) if len(gates) > limit else None)


@post("/gates", guards=[require("organizer")], opt=describe(NameGate))
async def post_gate(request: Request[Any, Any, Any], event: FromPath[str]) -> Gate:
    """A new gate."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, NameGate)
    return await add_gate(request.app.state.db, found.event_id, name=command.name)


@patch("/gates/{gate_id:uuid}", guards=[require("organizer")], opt=describe(NameGate))
async def patch_gate(request: Request[Any, Any, Any], event: FromPath[str], gate_id: FromPath[UUID]) -> Gate:
    """Renames a gate. The door's answers say the new name within a second, those about earlier scans too."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, NameGate)
    return await rename_gate(request.app.state.db, found.event_id, gate_id, name=command.name)


@delete("/gates/{gate_id:uuid}", guards=[require("organizer")])
async def delete_gate(request: Request[Any, Any, Any], event: FromPath[str], gate_id: FromPath[UUID]) -> None:
    """Deletes a gate, unless a device stands there or was revoked there, or somebody was scanned there (409)."""
    found: EventRow = await request.app.state.events.get(event)
    await remove_gate(request.app.state.db, found.event_id, gate_id)


@get("/devices", guards=[require("organizer")])
async def list_devices(
    request: Request[Any, Any, Any], event: FromPath[str], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> DevicePage:
    """The event's devices: where each stands, what it may do, whether it is paired, when it was last heard of."""
    found: EventRow = await request.app.state.events.get(event)
    after = decode_id_cursor(cursor)
    async with request.app.state.db.read() as connection:
        devices = await queries.list_devices_after(connection, found.event_id, device_id=after, limit=limit + 1)
    page = devices[:limit]
    return DevicePage(devices=page, next_cursor=encode_cursor(str(page[-1].id)) if len(devices) > limit else None)


@post("/devices", guards=[require("organizer")], opt=describe(AddDevice))
async def post_device(request: Request[Any, Any, Any], event: FromPath[str]) -> NewDevice:
    """A new device, and the code by which a phone becomes it: once, and within ten minutes."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, AddDevice)
    invitation = await add_device(request.app.state.db, found.event_id, command)
    return NewDevice(device=invitation.device, pairing=_pairing(request, found, invitation))


@post("/devices/{device_id:uuid}/pairing", guards=[require("organizer")])
async def post_pairing(request: Request[Any, Any, Any], event: FromPath[str], device_id: FromPath[UUID]) -> Pairing:
    """A new code for a device whose code ran out, or whose place another phone shall take.

    The phone that has the place keeps it until the other one brings the code; then its token is worth nothing."""
    found: EventRow = await request.app.state.events.get(event)
    return _pairing(request, found, await offer_pairing(request.app.state.db, found.event_id, device_id))


@patch("/devices/{device_id:uuid}", guards=[require("organizer")], opt=describe(ChangeDevice))
async def patch_device(request: Request[Any, Any, Any], event: FromPath[str], device_id: FromPath[UUID]) -> Device:
    """Renames a device, moves it to another gate or gives it another profile. It holds within a second."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, ChangeDevice)
    return await change_device(request.app.state.db, found.event_id, device_id, command)


@delete("/devices/{device_id:uuid}", guards=[require("organizer")])
async def delete_device(request: Request[Any, Any, Any], event: FromPath[str], device_id: FromPath[UUID]) -> None:
    """Revokes a device for ever: within a second its token and its connections are worth nothing. It stays in the list."""
    found: EventRow = await request.app.state.events.get(event)
    await revoke_device(request.app.state.db, found.event_id, device_id)


@post("/devices/pair", status_code=200, opt=describe(PairDevice))
async def post_pair(request: Request[Any, Any, Any], event: FromPath[str]) -> Paired:
    """Makes a phone the device that waits for this code, and gives it its token. A code works once."""
    found: EventRow = await request.app.state.events.get(event)
    command = await read_body(request, PairDevice)
    state = request.app.state
    user_agent = as_app(request.headers.get("user-agent"))
    return await pair_device(state.db, state.guesses, found, command, user_agent=user_agent)


@get("/devices/me", guards=[require("device")])
async def get_device_me(request: Request[Principal, Any, Any], event: FromPath[str]) -> DeviceSelf:
    """What a scanner shows of itself: its name, its gate, what it may do."""
    found: EventRow = await request.app.state.events.get(event)
    async with request.app.state.db.read() as connection:
        device = await queries.get_self(connection, found.event_id, request.user.subject_id)
    if device is None:  # deleted with its event since the guard looked
        raise NotAuthenticated
    return DeviceSelf(
        device_id=device.device_id,
        name=device.name,
        gate=device.gate,
        profile=device.profile,
        rights=sorted(RIGHTS[device.profile]),
        event=found.slug,
    )


def _pairing(request: Request[Any, Any, Any], event: EventRow, invitation: Invitation) -> Pairing:
    base = request.app.state.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    code = invitation.code
    return Pairing(code=code, expires_at=invitation.expires_at, qr=qr_content(base, event.slug, code))


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[
        list_gates,
        post_gate,
        patch_gate,
        delete_gate,
        list_devices,
        post_device,
        post_pairing,
        patch_device,
        delete_device,
        post_pair,
        get_device_me,
    ],
    tags=["device"],
)
