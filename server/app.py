"""The HTTP application: the only file that knows every domain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar

from server import operations
from server.announcement import routes as announcement_routes
from server.announcement.clock import Clock
from server.attendee import routes as attendee_routes
from server.badge import routes as badge_routes
from server.checkin import routes as checkin_routes
from server.checkin.doors import Doors
from server.checkin.writers import Writers
from server.checkin_list import routes as list_routes
from server.config import Settings
from server.db import AT_THE_DOOR, connect, open_database
from server.desk import routes as desk_routes
from server.desk.projector import Projector
from server.device import routes as device_routes
from server.device.guesses import Guesses
from server.device.seen import Seen
from server.errors import EXCEPTION_HANDLERS
from server.event import routes as event_routes
from server.event.directory import Events
from server.exhibitor import routes as exhibitor_routes
from server.feed import Watch, routes as feed_routes
from server.feed.bus import open_bus
from server.feed.pages import Pages
from server.live import routes as live_routes
from server.migrate import ticket_key
from server.principals import Principals
from server.reference import routes as reference_routes
from server.schedule import routes as schedule_routes
from server.schedule.documents import Documents
from server.search import routes as search_routes

MAX_BODY_BYTES = 1024 * 1024

ROUTERS = (
    event_routes.router,
    schedule_routes.router,
    search_routes.router,
    announcement_routes.router,
    checkin_routes.router,
    list_routes.router,
    desk_routes.router,
    device_routes.router,
    exhibitor_routes.router,
    attendee_routes.router,
    badge_routes.router,
    feed_routes.router,
    live_routes.router,
    operations.router,
    reference_routes.router,
)


def create_app(settings: Settings) -> Litestar:
    """The application for one database; opens nothing until its lifespan begins."""

    @asynccontextmanager
    async def resources(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.update(settings=settings, routers=ROUTERS, **await _open(settings, stack))
            yield

    return Litestar(
        route_handlers=ROUTERS,
        lifespan=[resources],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,  # `operations` serves the document that `openapi` makes
        debug=False,
        logging_config=None,
    )


async def _open(settings: Settings, stack: AsyncExitStack) -> dict[str, Any]:
    """What lives as long as the application, by the names under which handlers find it in its state."""
    url = settings.database_url
    bus = await open_bus(settings.nats_url, stack, name="api")
    db = await stack.enter_async_context(
        open_database(
            url,
            size=settings.pool_size,
            name="api",
            patience=AT_THE_DOOR,
            on_told=bus.tell if bus is not None else None,
        )
    )
    watch = await stack.enter_async_context(Watch(url, name="api watch", bus=bus).run())
    doors = Doors(db, watch)
    projector = await stack.enter_async_context(Projector(db, doors).run())
    writers = Writers(lambda: connect(url, name="check-in writer"), count=settings.writers, on_written=projector.note)
    return {
        "db": db,
        "watch": watch,
        "doors": doors,
        "projector": projector,
        "clock": await stack.enter_async_context(Clock(db).run()),
        "writers": await stack.enter_async_context(writers.run()),
        "seen": await stack.enter_async_context(Seen(db).run()),
        "events": Events(db),
        "principals": Principals(db),
        "guesses": Guesses(),
        "documents": Documents(db, watch, address=settings.address),
        "pages": Pages(db),
        "ticket_key": await ticket_key(url),
    }
