"""The guard of what only some devices may do."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from server.auth import Kind, accepting, require
from server.device.policy import check_right
from server.device.types import Right


def require_right(right: Right, *others: Kind) -> Guard:
    """A guard that lets devices pass whose profile has this right, and tokens of the `others`, organizers' say, whatever it is.

    The handler finds its `Principal` in `request.user`.
    """
    identified = require("device", *others)

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        await identified(connection, handler)  # type: ignore[misc]
        principal = connection.scope["user"]
        if principal.kind == "device":
            check_right(principal.profile, right)

    return accepting(guard, "device", *others)
