"""What is wrong with a request about attendees."""

from __future__ import annotations

from server.errors import AppError


class UnknownAttendee(AppError):
    """This event has no attendee with that id."""

    status = 404
    code = "attendee.unknown"
