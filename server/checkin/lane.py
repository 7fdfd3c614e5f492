"""The express lane: `POST …/checkins` past the framework.

At the busiest moment of the day this one path is all the server does, and the framework's routing, decoding and encoding cost
more than the rest of a scan together; so does a task for each. The lane is asked by the HTTP protocol itself (`direct`) and
does the same in the same words: same guard, same Structs, same errors, same counters; a test sends everything both ways and
compares. What it passes, the typed handler in `routes` answers: an event or a door that is not in memory, a token that is no
device's, and whatever is unusual about the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec

from server.auth import bearer, hash_token
from server.body import decode_body
from server.checkin.actions import check_in_soon
from server.checkin.types import Answer, CheckIn, LoggedScan
from server.direct import OK, Reply
from server.errors import (
    PROBLEM_JSON,
    AppError,
    NotAuthenticated,
    last_resort,
    problem_of,
)
from server.metrics import REGISTRY

if TYPE_CHECKING:
    import asyncio

    from litestar.datastructures import State

    from server.checkin.door import Door
    from server.checkin.doors import Doors
    from server.checkin.writers import Writers
    from server.device.seen import Seen
    from server.device.types import DeviceRow
    from server.event.directory import Events

PATH = re.compile(rb"/v1/events/([A-Za-z0-9._~-]+)/checkins")
"""Only as it is usually written: with a query or an escape the framework reads it."""

_decoder = msgspec.json.Decoder(CheckIn)
_encode = msgspec.json.Encoder().encode

Asked = tuple[str, bytes, str | None]
"""The event as the path calls it, the hash of the token, and which app it is."""
Opened = tuple["Door", "DeviceRow", str | None]
ReplyTo = Callable[[Reply], None]


class Lane:
    """A `direct.Direct`."""

    def __init__(self, state: State) -> None:
        """`state` is the application's, filled before the first request comes."""
        self._state = state

    @cached_property
    def _events(self) -> Events:
        return self._state.events  # type: ignore[no-any-return]

    @cached_property
    def _doors(self) -> Doors:
        return self._state.doors  # type: ignore[no-any-return]

    @cached_property
    def _writers(self) -> Writers:
        return self._state.writers  # type: ignore[no-any-return]

    @cached_property
    def _seen(self) -> Seen:
        return self._state.seen  # type: ignore[no-any-return]

    def recognise(self, target: bytes, headers: Mapping[bytes, bytes]) -> Asked | None:
        match = PATH.fullmatch(target)
        if match is None:
            return None
        try:
            token = bearer(headers.get(b"authorization", b"").decode("latin-1"))
        except NotAuthenticated:
            return None
        user_agent = headers.get(b"user-agent")
        return match[1].decode(), hash_token(token), None if user_agent is None else user_agent.decode("latin-1")

    def open(self, asked: Asked) -> Opened | None:
        event, token_hash, user_agent = asked
        found = self._events.known(event)
        door = found and self._doors.known(found.event_id)
        device = door and door.device_of(token_hash)
        return (door, device, user_agent) if door and device else None

    def answer(self, opened: Opened, body: bytes, reply: ReplyTo) -> None:
        door, device, user_agent = opened
        self._seen.note(door.event_id, device.device_id, user_agent)
        try:
            logged, finish = check_in_soon(door, self._writers, device, decode_body(body, _decoder))
        except Exception as error:  # noqa: BLE001 - see `_refusal`
            reply(_refusal(error, door))
        else:
            logged.add_done_callback(partial(_send_answer, door, finish, reply))


def _send_answer(
    door: Door, finish: Callable[[LoggedScan], Answer], reply: ReplyTo, logged: asyncio.Future[LoggedScan]
) -> None:
    try:
        answer = finish(logged.result())
    except Exception as error:  # noqa: BLE001 - see `_refusal`
        reply(_refusal(error, door))
    else:
        REGISTRY.count_checkin(answer.outcome)
        reply(Reply(OK, "application/json", _encode(answer)))


def _refusal(error: Exception, door: Door) -> Reply:
    """The answer to an error. The lane is the last one to see it: what nobody foresaw is logged whole and told as an id."""
    if isinstance(error, AppError):
        problem, headers = problem_of(error), error.headers
    else:
        problem, headers = last_resort("POST", f"/v1/events/{door.event_id}/checkins", error)
    return Reply(problem.status, PROBLEM_JSON, msgspec.json.encode(problem), headers)
