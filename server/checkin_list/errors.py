"""Why a list was not made or changed."""

from __future__ import annotations

from functools import partial

from server.db import Refusals
from server.errors import AppError, InvalidRequest


class UnknownList(AppError):
    """There is no check-in list of that name in this event."""

    status = 404
    code = "checkin.unknown_list"


class ListTaken(AppError):
    """There is a check-in list of that key already: choose another key, or change that one."""

    status = 409
    code = "checkin.list_taken"


class ListInUse(AppError):
    """People have been scanned at this list, so it stays; close it instead, with `closes_at`."""

    status = 409
    code = "checkin.list_in_use"


BY_CONSTRAINT: Refusals = {
    "checkin_list_key": ListTaken,
    "checkin_list_room": partial(InvalidRequest, "There is no such room in this event - at `$.room_id`"),
    "checkin_list_of_a_room": partial(InvalidRequest, "A room's list, and only that, names a room - at `$.room_id`"),
    "checkin_list_closes_after_opening": partial(InvalidRequest, "It would close before it opens - at `$.closes_at`"),
    "checkin_list_ticket_ticket": partial(
        InvalidRequest, "There is no such ticket type in this event - at `$.tickets`"
    ),
}
