"""What can be wrong with a request about the programme."""

from __future__ import annotations

from server.db import Refusals
from server.errors import AppError


class UnknownSession(AppError):
    """There is no such session in this event."""

    status = 404
    code = "schedule.unknown_session"


class UnknownRoom(AppError):
    """There is no such room in this event."""

    status = 422
    code = "schedule.unknown_room"


class UnknownTrack(AppError):
    """There is no such track in this event."""

    status = 422
    code = "schedule.unknown_track"


class UnknownSpeaker(AppError):
    """There is no such speaker in this event. Add them first."""

    status = 422
    code = "schedule.unknown_speaker"


class NoSuchSpeaker(AppError):
    """There is no speaker with that id in this event."""

    status = 404
    code = "schedule.no_such_speaker"


BY_CONSTRAINT: Refusals = {
    "session_room": UnknownRoom,
    "session_track": UnknownTrack,
    "session_speaker_speaker": UnknownSpeaker,
}
