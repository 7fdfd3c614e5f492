"""The programme over HTTP in every format: its own address each, for ever, as a document that is not sent twice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from server.conditional import accepts_gzip
from server.direct import Reply
from server.event.types import EventRow
from server.schedule.documents import Documents
from server.schedule.errors import NO_SUCH
from server.schedule.formats import APP, FORMATS, Format, Part, PartSubject, language_of
from server.schedule.representation import answer, conditions
from server.schedule.types import Schedule

PARTS: dict[str, PartSubject] = {"tracks": "track", "sessions": "session"}
"""The folder in the path, and what lies in it."""


async def respond(
    request: Request[Any, Any, Any], wanted: Format, event: str, lang: str | None, part: Part | None
) -> Response[bytes]:
    """The answer to a GET or a HEAD. Raises `UnknownEvent`, `UnknownTrack`, `UnknownSession`."""
    found: EventRow = await request.app.state.events.get(event)
    documents: Documents = request.app.state.documents
    headers = request.headers
    language = language_of(wanted, lang, headers.get("accept-language"), found)
    document = documents.ready(found, wanted, language, part)
    if document is None:
        edition = await documents.edition(found)
        if part is not None and part.id not in edition.state.of(part.subject):
            raise NO_SUCH[part.subject]
        document = await documents.write(edition, wanted, language, part)
    asked = conditions(
        ", ".join(headers.getall("if-none-match", [])),
        headers.get("if-modified-since"),
        takes_gzip=accepts_gzip(headers.get("accept-encoding")),
        negotiated=wanted.languages == "negotiated" and not lang,
    )
    return _response(answer(document, asked), with_body=request.method != HttpMethod.HEAD)


def _response(reply: Reply, *, with_body: bool) -> Response[bytes]:
    """In the words of the short way."""
    headers = reply.headers
    if reply.has_content:
        headers = {"Content-Type": reply.media_type, "Content-Length": str(len(reply.body)), **headers}
    return Response(
        reply.body if with_body else b"", status_code=reply.status, headers=headers, media_type=reply.media_type
    )


def _whole(wanted: Format) -> list[HTTPRouteHandler]:
    async def read(
        request: Request[Any, Any, Any], event: FromPath[str], lang: FromQuery[str | None] = None
    ) -> Response[bytes]:
        return await respond(request, wanted, event, lang, None)

    name = wanted.name.replace(".", "_")
    return _handlers(read, f"/{wanted.name}", name if wanted is APP else f"{name}_file", wanted.summary, wanted)


def _of_parts(wanted: Format, folder: str) -> list[HTTPRouteHandler]:
    subject = PARTS[folder]

    async def read(
        request: Request[Any, Any, Any],
        event: FromPath[str],
        thing_id: FromPath[UUID],
        lang: FromQuery[str | None] = None,
    ) -> Response[bytes]:
        return await respond(request, wanted, event, lang, Part(subject, thing_id))

    name = f"{wanted.name.replace('.', '_')}_of_{subject}"
    path = f"/{folder}/{{thing_id:uuid}}/{wanted.name}"
    return _handlers(read, path, name, f"{wanted.summary} This one holds what is in one {subject}.", wanted)


def _handlers(read: Any, path: str, name: str, summary: str, wanted: Format) -> list[HTTPRouteHandler]:
    """For GET, and for HEAD, which the document of the API leaves to HTTP."""
    read.__name__, read.__doc__ = f"get_{name}", summary
    shape: Any = Schedule if wanted is APP else bytes
    if wanted is not APP and wanted.media_type == "application/json":
        shape = dict[str, Any]
    responses = {
        200: ResponseSpec(
            shape,
            media_type=wanted.media_type.partition(";")[0],
            generate_examples=False,
            description="The programme",
        ),
        304: ResponseSpec(None, generate_examples=False, description="Unchanged"),
    }

    return [
        get(path, responses=responses)(read),
        route(path, http_method=[HttpMethod.HEAD], include_in_schema=False)(read),
    ]


handlers = [
    *(handler for one in FORMATS.values() for handler in _whole(one)),
    *(handler for one in FORMATS.values() if one.of_parts for folder in PARTS for handler in _of_parts(one, folder)),
]
