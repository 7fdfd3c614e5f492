"""When a session is, once its file has been understood."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

DEFAULT_DURATION = timedelta(minutes=30)
"""For a session whose length the file does not tell."""


class Span(NamedTuple):
    starts_at: datetime
    """UTC."""
    ends_at: datetime
    """UTC, later than `starts_at`."""
