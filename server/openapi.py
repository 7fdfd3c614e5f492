"""The OpenAPI document the server publishes, and what the framework does not know to say in it."""

from __future__ import annotations

from functools import cache
from typing import Any

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

from server import __version__
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
    """The framework's part; its own pages are left out, since they load their scripts from elsewhere."""
    return OpenAPIConfig(
        title="Digital Now companion",
        version=__version__,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: _camel_case(handler.handler_name),
        path="/_openapi",
        render_plugins=[],
    )


@cache
def document_of(app: Litestar) -> dict[str, Any]:
    """The whole document: the framework's, with the errors and the token that each operation takes."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "dn_…"}}
    problem = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    protected = _protected_operations(app)
    for path in document["paths"].values():
        for operation in (value for value in path.values() if isinstance(value, dict)):
            responses = operation["responses"]
            responses.pop("400", None)  # the framework's own form of a validation error, which is never sent
            responses["default"] = {"description": "Why it was not done", "content": problem}
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


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
