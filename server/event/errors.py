"""What can be wrong with an event itself."""

from __future__ import annotations

from server.errors import AppError


class SlugTaken(AppError):
    """There is an event of that name already."""

    status = 409
    code = "event.slug_taken"
