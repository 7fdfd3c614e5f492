"""Why the door did not answer. (A refusal is an answer.)"""

from __future__ import annotations

from server.errors import AppError


class UnknownList(AppError):
    """There is no check-in list of that name in this event."""

    status = 404
    code = "checkin.unknown_list"


class ScanIdReused(AppError):
    """This device has sent another scan under the same scan_id; every scan needs an id of its own."""

    status = 422
    code = "checkin.scan_id_reused"


class NotRecorded(AppError):
    """This scan could not be recorded; the others were. Report it with the scan_id."""

    status = 500
    code = "checkin.not_recorded"
