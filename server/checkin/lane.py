"""The express lane: `POST …/checkins` past the framework.

At the busiest moment of the day this one path is all the server does, and the framework's routing, decoding and encoding cost
more than the rest of a scan together. The lane does the same in the same words: same guard, same Structs, same errors, same
counters; a test sends everything both ways and compares. The typed handler in `routes` describes the path in the OpenAPI
document and answers it where the lane does not stand (with a trailing slash, for instance).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from server.body import decode_body
from server.checkin.actions import check_in
from server.checkin.routes import authenticate_device
from server.checkin.types import Answer, CheckIn
from server.errors import (
    PROBLEM_JSON,
    AppError,
    BodyTooLarge,
    Problem,
    last_resort,
    problem_of,
)
from server.metrics import REGISTRY

if TYPE_CHECKING:
    from litestar.datastructures import State
    from litestar.types import ASGIApp, Receive, Scope, Send

PREFIX = "/v1/events/"
SUFFIX = "/checkins"
MAX_BODY_BYTES = 64 * 1024
"""A scan of the longest code there is, every character escaped, is below 30 KB."""

_decoder = msgspec.json.Decoder(CheckIn)
_encode = msgspec.json.Encoder().encode


class Lane:
    """An ASGI application before the application."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Any = scope
        if request["type"] == "http" and request["method"] == "POST":
            path = request["path"]
            if path.endswith(SUFFIX) and path.startswith(PREFIX):
                event = path[len(PREFIX) : -len(SUFFIX)]
                if event and "/" not in event:
                    await self._answer(event, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _answer(self, event: str, scope: Any, receive: Receive, send: Send) -> None:
        try:
            answer = await self._check_in(event, scope["headers"], receive)
        except AppError as error:
            await _send_problem(send, problem_of(error), error.headers)
        except Exception as error:  # noqa: BLE001 - the last one to see it: logged whole, told as an id
            await _send_problem(send, *last_resort("POST", scope["path"], error))
        else:
            REGISTRY.count_checkin(answer.outcome)
            await _send(send, HTTPStatus.OK, _encode(answer), "application/json", {})

    async def _check_in(self, event: str, headers: Any, receive: Receive) -> Answer:
        state = self._state
        found = await state.events.get(event)
        door = state.doors.known(found.event_id) or await state.doors.get(found.event_id)
        device = authenticate_device(door, _authorization(headers))
        command = decode_body(await _read(receive), _decoder)
        return await check_in(door, state.writers, device, command)


def _authorization(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            return value.decode("latin-1")
    return None


async def _read(receive: Receive) -> bytes:
    """The request's body. Raises `BodyTooLarge`."""
    message: Any = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > MAX_BODY_BYTES:
            break
        message = await receive()
        body += message.get("body", b"")
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"A check-in is at most {MAX_BODY_BYTES:,} bytes.")
    return body


async def _send_problem(send: Send, problem: Problem, headers: dict[str, str]) -> None:
    await _send(send, problem.status, msgspec.json.encode(problem), PROBLEM_JSON, headers)


async def _send(send: Send, status: int, body: bytes, media_type: str, headers: dict[str, str]) -> None:
    raw = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    raw += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
