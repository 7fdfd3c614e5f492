"""What operators and programs ask a server about itself: is it alive, is it ready, what does it measure, what can it do."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server import asyncapi
from server.db import LOST_CONNECTION
from server.metrics import REGISTRY
from server.openapi import document_of


class Health(Struct, frozen=True):
    status: str


@get("/health/live")
async def get_liveness() -> Health:
    """The process runs and answers. Restart it when this fails."""
    return Health("alive")


@get("/health/ready")
async def get_readiness(request: Request[Any, Any, Any]) -> Response[Health]:
    """The database answers and its changes are followed. Send no traffic while this says 503."""
    try:
        async with request.app.state.db.read() as connection:
            await connection.execute("SELECT")
    except LOST_CONNECTION:
        return Response(Health("the database does not answer"), status_code=503)
    if not request.app.state.watch.ready.is_set():
        return Response(Health("the database's changes are not followed"), status_code=503)
    return Response(Health("ready"))


@get("/metrics", include_in_schema=False)
async def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This process's figures in Prometheus' text format."""
    REGISTRY.take_over_checkins()
    REGISTRY.read_writers(request.app.state.writers)
    return Response(generate_latest(REGISTRY.registry), media_type=CONTENT_TYPE_LATEST)


@get("/openapi.json", include_in_schema=False)
async def get_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This server's API as an OpenAPI document."""
    return Response(
        msgspec.json.encode(document_of(request.app.state.routers)), media_type="application/vnd.oai.openapi+json"
    )


@get("/asyncapi.json", include_in_schema=False)
async def get_asyncapi() -> Response[bytes]:
    """This server's live feed as an AsyncAPI document."""
    return Response(msgspec.json.encode(asyncapi.feed_document()), media_type=asyncapi.MEDIA_TYPE)


router = Router(
    path="/",
    route_handlers=[get_liveness, get_readiness, get_metrics, get_openapi, get_asyncapi],
    tags=["operations"],
)
