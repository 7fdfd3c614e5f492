"""Why an announcement was not made or changed."""

from __future__ import annotations

from functools import partial

from server.db import Refusals
from server.errors import AppError, InvalidRequest


class UnknownAnnouncement(AppError):
    """There is no such announcement in this event."""

    status = 404
    code = "announcement.unknown"


class UnknownAudience(AppError):
    """This event has no such audience: attendees, exhibitors, speakers, staff, or a track or ticket type it has."""

    status = 422
    code = "announcement.unknown_audience"


class AnnouncementIdReused(AppError):
    """There is an announcement of this id already, with other content: change that one, or send this one with its own id."""

    status = 422
    code = "announcement.id_reused"


class AlreadyPublished(AppError):
    """It has gone out, so its audience and its time stay; withdraw it and send another one instead."""

    status = 409
    code = "announcement.published"


class AlreadyEnded(AppError):
    """It was withdrawn or has expired, so it stays as it is; send another one instead."""

    status = 409
    code = "announcement.ended"


BY_CONSTRAINT: Refusals = {
    "announcement_expires_after_publication": partial(
        InvalidRequest, "The announcement would expire before it is published - at `$.expires_at`"
    ),
}
