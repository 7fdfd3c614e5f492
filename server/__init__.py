"""The backend of a conference's companion app: programme, check-in, exhibitors' leads, live feed."""

import sys

__version__ = "0.1.0"

if sys.version_info >= (3, 11):  # noqa: UP036 - an older one is to be refused politely, not to stumble here
    from server.zones import use_newest

    use_newest()
