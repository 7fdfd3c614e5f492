"""The OpenAPI document the server publishes, and what the framework does not know to say in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

from server import __version__
from server.body import COMMAND, OPTIONAL
from server.errors import PROBLEM_JSON

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and meant for programs; `detail` is a sentence for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["checkin.unknown_list"]},
        "field": {"type": "string", "description": "The place in the request, when its content was refused."},
        "error_id": {"type": "string", "description": "Names the entry in the server's log, when it is our fault."},
    },
}
_DESCRIPTION = (
    "Times are RFC 3339 and answered in UTC. Texts come in the language that `?lang=` or `Accept-Language` selects, or as "
    "maps with `?lang=*`. Protected paths take `Authorization: Bearer dn_…`. Errors are `application/problem+json`."
)


def openapi_config() -> OpenAPIConfig:
    """The framework's part. Its pages are not served: they load their scripts from elsewhere."""
    return OpenAPIConfig(
        title="Digital Now companion",
        version=__version__,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: _camel_case(handler.handler_name),
    )


@cache
def document_of(routers: tuple[Router, ...]) -> dict[str, Any]:
    """The whole document: the framework's, with the bodies, the errors and the tokens that each operation takes.

    The framework describes only an application of its own pages, so one is made for that and never served.
    """
    app = Litestar(routers, openapi_config=openapi_config(), logging_config=None)
    document: dict[str, Any] = app.openapi_schema.to_schema()
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    commands = _commands(app)
    components["schemas"] |= _schemas_of(commands.values())
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "dn_…"}}
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    protected = _protected_operations(app)
    optional = {name for name, options in _options(app) if OPTIONAL in options}
    for path in document["paths"].values():
        for operation in (value for value in path.values() if isinstance(value, dict)):
            responses = operation["responses"]
            responses.pop("400", None)  # the framework's own form of a validation error, which is never sent
            responses["default"] = {"description": "Why it was not done", "content": problem}
            command = commands.get(str(operation.get("operationId")))
            if command is not None:
                reference = {"$ref": f"#/components/schemas/{command.__name__}"}
                required = str(operation.get("operationId")) not in optional
                operation["requestBody"] = {
                    "required": required,
                    "content": {"application/json": {"schema": reference}},
                }
            if kinds := protected.get(str(operation.get("operationId"))):
                operation["security"] = [{"token": sorted(kinds)}]
    return document


def _protected_operations(app: Litestar) -> dict[str, set[str]]:
    """Operation → the kinds of token it accepts, as its guards say."""
    return {
        _camel_case(handler.handler_name): {kind for guard in handler.guards for kind in getattr(guard, "kinds", ())}
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.guards
    }


def _commands(app: Litestar) -> dict[str, type[msgspec.Struct]]:
    """Operation → the Struct its body is read as (`body.describe`)."""
    return {name: options[COMMAND] for name, options in _options(app) if COMMAND in options}


def _options(app: Litestar) -> list[tuple[str, dict[str, Any]]]:
    """Operations and what their handlers say in `opt=`."""
    return [
        (_camel_case(handler.handler_name), handler.opt)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
    ]


def _schemas_of(commands: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(commands, ref_template="#/components/schemas/{name}")
    return schemas


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
