"""The backend of a conference's companion app: programme, check-in, exhibitors' leads, live feed."""

import sys

__version__ = "0.1.0"

# An older Python is to be refused politely, not to stumble here.
if sys.version_info >= (3, 11):  # noqa: UP036
    from server.zones import use_newest

    use_newest()
