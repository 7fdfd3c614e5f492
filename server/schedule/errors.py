"""What can be wrong with a request about the programme."""

from __future__ import annotations

from server.db import Refusals
from server.errors import AppError
from server.schedule.rows import ClashRow
from server.texts import pick


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


class UnknownKind(AppError):
    """There is no such kind of session in this event."""

    status = 422
    code = "schedule.unknown_kind"


class NoSuchSpeaker(AppError):
    """There is no speaker with that id in this event."""

    status = 404
    code = "schedule.no_such_speaker"


class NoSuchRoom(AppError):
    """There is no room with that id in this event."""

    status = 404
    code = "schedule.no_such_room"


class NoSuchTrack(AppError):
    """There is no track with that id in this event."""

    status = 404
    code = "schedule.no_such_track"


class NoSuchKind(AppError):
    """There is no kind of session with that id in this event."""

    status = 404
    code = "schedule.no_such_kind"


class NoSuchDay(AppError):
    """There is no day with that id in this event."""

    status = 404
    code = "schedule.no_such_day"


class ChangedMeanwhile(AppError):
    """Somebody else has changed it since you read it. Read it again, and decide anew."""

    status = 412
    code = "schedule.changed_meanwhile"


class StillInUse(AppError):
    """Sessions, an attendee who speaks, a check-in list or an announcement still refer to it. Take it out there first."""

    status = 409
    code = "schedule.still_in_use"


class DayIsThere(AppError):
    """The event has that day already. Change it instead."""

    status = 409
    code = "schedule.day_is_there"


class NumberTaken(AppError):
    """Another session has that number."""

    status = 409
    code = "schedule.number_taken"


class RoomTaken(AppError):
    """Another session is in that room at the same time. Take another room or time, or say `shares_room`."""

    status = 409
    code = "schedule.room_taken"

    def __init__(self, clash: ClashRow | None = None) -> None:
        super().__init__(
            f"“{_name(clash.title)}” is in {_name(clash.room)} at the same time. "
            "Take another room or time, or say `shares_room`."
            if clash
            else ""
        )


class UnknownVersion(AppError):
    """The programme has no such version. Read it whole."""

    status = 404
    code = "schedule.unknown_version"


class NothingDrafted(AppError):
    """The draft is empty: there is nothing to release."""

    status = 409
    code = "schedule.nothing_drafted"


class NotInDraft(AppError):
    """The draft has not touched that thing."""

    status = 404
    code = "schedule.not_in_draft"


class DraftDisagrees(AppError):
    """Something was changed since the draft began, and the draft wants something else. Look at the draft, or say `force`."""

    status = 409
    code = "schedule.draft_disagrees"


class DraftDangles(AppError):
    """After the release a session would name what is no longer there. Look at the draft, and change the one or the other."""

    status = 409
    code = "schedule.draft_dangles"


def _name(texts: dict[str, str]) -> object:
    return pick(texts, "en", "fr")


NO_SUCH: dict[str, type[AppError]] = {
    "day": NoSuchDay,
    "room": NoSuchRoom,
    "track": NoSuchTrack,
    "kind": NoSuchKind,
    "speaker": NoSuchSpeaker,
    "session": UnknownSession,
}
"""By subject."""

BY_CONSTRAINT: Refusals = {
    "session_room": UnknownRoom,
    "session_track": UnknownTrack,
    "session_kind": UnknownKind,
    "session_speaker_speaker": UnknownSpeaker,
    "session_room_is_free": RoomTaken,
    "session_number": NumberTaken,
    "day_is_one": DayIsThere,
}
REMOVING: Refusals = {
    **BY_CONSTRAINT,
    **dict.fromkeys(
        (
            "session_room",
            "session_track",
            "session_kind",
            "session_speaker_speaker",
            "attendee_speaker",
            "checkin_list_room",
        ),
        StillInUse,
    ),
}
"""The same keys say something else to whoever takes away what they point at."""
