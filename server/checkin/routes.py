"""The door over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.types import Guard

from server.auth import accepting, bearer, hash_token, kind_of
from server.body import decode_body, describe, read_body
from server.checkin.actions import check_in, mark_of, upload_batch
from server.checkin.batch import BatchAnswer, CheckInBatch, read_batch
from server.checkin.door import Door
from server.checkin.snapshot import Snapshot, SnapshotDelta, snapshot_since
from server.checkin.types import Answer, CheckIn, Mark
from server.checkin.undo import Undone, UndoScan, undo
from server.device.guard import require_right
from server.device.policy import check_right
from server.device.types import DeviceRow, Right
from server.errors import NotAllowed, NotAuthenticated
from server.event.types import EventRow
from server.metrics import REGISTRY
from server.paging import Cursor

MAX_BATCH_BYTES = 16 * 1024 * 1024
"""500 scans whose codes have all the characters that a QR holds, each of them escaped: what is too long must cost only itself."""

_undo_decoder = msgspec.json.Decoder(UndoScan)


def authenticate_device(door: Door, authorization: str | None) -> DeviceRow:
    """The scanner behind an Authorization header. Raises `NotAuthenticated`, `NotAllowed` (another kind of token)."""
    token = bearer(authorization)
    device = door.device_of(hash_token(token))
    if device is not None:
        return device
    if kind_of(token) in (None, "device"):
        raise NotAuthenticated
    raise NotAllowed("Only a device's token may check people in.")


def _device_with(*rights: Right) -> Guard:
    """A guard like `device.guard`, answered from the door in memory: the handler finds its `DeviceRow` in `request.user`."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        state = connection.app.state
        door: Door = await state.doors.get((await state.events.get(connection.path_params["event"])).event_id)
        device = authenticate_device(door, connection.headers.get("authorization"))
        state.seen.note(door.event_id, device.device_id, connection.headers.get("user-agent"))
        for right in rights:
            check_right(device.profile, right)
        connection.scope["user"] = device

    return accepting(guard, "device")


@post("/checkins", status_code=200, guards=[_device_with()], opt=describe(CheckIn))
async def post_checkin(request: Request[Any, Any, Any], event: FromPath[str]) -> Answer:
    """Answers one scan. A refusal is an answer too (200); an error means that the question was not answered.

    Send the same `scan_id` again after a lost connection: the answer is the same, and nobody is admitted twice.
    """
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    command = await read_body(request, CheckIn)
    answer = await check_in(door, request.app.state.writers, request.user, command)
    REGISTRY.count_checkin(answer.outcome)
    return answer


@post(
    "/checkins/batch",
    status_code=200,
    guards=[_device_with("check_in_batch")],
    request_max_body_size=MAX_BATCH_BYTES,
    opt=describe(CheckInBatch),
)
async def post_checkin_batch(request: Request[Any, Any, Any], event: FromPath[str]) -> BatchAnswer:
    """Stores scans that a scanner made while it was offline, in any order, and says what each turned out to be.

    A scan that cannot be stored gets its own error and the others go through. Send a batch again after a lost connection: what
    is stored already gets the answer it has.
    """
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    items = read_batch(await request.body())
    answer = await upload_batch(request.app.state.db, door, request.app.state.writers, request.user, items)
    for result in answer.results:
        REGISTRY.count_checkin(result.outcome or "error")
    return answer


@post(
    "/checkins/{scan_id:str}/undo",
    status_code=200,
    guards=[require_right("undo_own", "organizer")],
    opt=describe(UndoScan, required=False),
)
async def post_undo(request: Request[Any, Any, Any], event: FromPath[str], scan_id: FromPath[str]) -> Undone:
    """Takes a passing back: a scanner its own for 60 seconds, a supervisor or an organizer any at any time.

    The scan stays in the log, and so does the undo. An organizer names the device in the body: scan ids are each device's own.
    """
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    body = await request.body()
    command = decode_body(body, _undo_decoder) if body else UndoScan()
    return await undo(request.app.state.db, door, request.app.state.writers, request.user, scan_id, command)


@get("/checkins/mark", guards=[_device_with("check_in_batch")])
async def get_mark(request: Request[Any, Any, Any], event: FromPath[str]) -> Mark:
    """Up to where all scans of this device are stored, by its own `number`s."""
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    return Mark(await mark_of(request.app.state.db, door, request.user))


@get("/checkins/snapshot", guards=[_device_with("snapshot")])
async def get_snapshot(
    request: Request[Any, Any, Any], event: FromPath[str], cursor: Cursor = None
) -> Snapshot | SnapshotDelta:
    """What a scanner needs to decide by itself while it is offline: everything, or with `cursor` what has changed since."""
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    return await snapshot_since(request.app.state.db, found, door, request.user, cursor)


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[post_checkin, post_checkin_batch, post_undo, get_mark, get_snapshot],
    tags=["check-in"],
)
