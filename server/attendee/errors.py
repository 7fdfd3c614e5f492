"""What is wrong with a request about attendees."""

from __future__ import annotations

from server.db import Refusals
from server.errors import AppError
from server.schedule.errors import UnknownSpeaker


class UnknownAttendee(AppError):
    """This event has no attendee with that id."""

    status = 404
    code = "attendee.unknown"


class SpeakerTaken(AppError):
    """Another attendee of this event is that speaker. Take it from them first, with `speaker_id` null."""

    status = 409
    code = "attendee.speaker_taken"


BY_CONSTRAINT: Refusals = {
    "attendee_speaker": UnknownSpeaker,
    "attendee_is_one_speaker": SpeakerTaken,
}
