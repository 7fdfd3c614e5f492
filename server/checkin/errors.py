"""Why the door did not answer. (A refusal is an answer.)"""

from __future__ import annotations

from server.checkin_list.errors import UnknownList as UnknownList
from server.errors import AppError


class ScanIdReused(AppError):
    """This device has sent another scan under the same scan_id; every scan needs an id of its own."""

    status = 422
    code = "checkin.scan_id_reused"


class NotRecorded(AppError):
    """This scan could not be recorded; the others were. Report it with the scan_id."""

    status = 500
    code = "checkin.not_recorded"


class TooManyScans(AppError):
    """A batch is at most 500 scans; send the rest in another one."""

    status = 422
    code = "checkin.batch_too_long"


class UnknownScan(AppError):
    """There is no such scan; an organizer names its device too, because scan ids are each device's own."""

    status = 404
    code = "checkin.unknown_scan"


class NothingToUndo(AppError):
    """Nobody passed with this scan, so there is nothing to undo."""

    status = 409
    code = "checkin.nothing_to_undo"


class UndoTooLate(AppError):
    """A scanner may undo its own scan for 60 seconds; after that a supervisor or an organizer can."""

    status = 409
    code = "checkin.undo_too_late"
