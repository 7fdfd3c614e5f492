"""OpenAPI 3.1.0 (https://spec.openapis.org/oas/v3.1.0) as a JSON Schema: the objects and their members, none besides."""

from __future__ import annotations

from typing import Any

STRING: dict[str, Any] = {"type": "string"}
BOOLEAN: dict[str, Any] = {"type": "boolean"}
STRINGS: dict[str, Any] = {"type": "array", "items": STRING}
# §4.8.24: a schema is JSON Schema of draft 2020-12.
SCHEMA: dict[str, Any] = {"$ref": "https://json-schema.org/draft/2020-12/schema"}


def thing(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": thing(name)}


def named(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


def members(*required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these members, with extensions (§4.9), and with no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "patternProperties": {"^x-": True},
        "additionalProperties": False,
    }


_SHOWN: dict[str, Any] = {"example": {}, "examples": named({})}
_VALUE: dict[str, Any] = {
    "description": STRING, "required": BOOLEAN, "deprecated": BOOLEAN, "allowEmptyValue": BOOLEAN, "style": STRING,
    "explode": BOOLEAN, "allowReserved": BOOLEAN, "schema": SCHEMA, "content": named(thing("media")), **_SHOWN,
}  # fmt: skip

DEFINITIONS: dict[str, Any] = {
    "info": members(
        "title", "version", title=STRING, version=STRING, summary=STRING, description=STRING, termsOfService=STRING,
        contact=members(name=STRING, url=STRING, email=STRING),
        # §4.8.4: a licence is named by its SPDX identifier or by its address, not by both.
        license=members("name", name=STRING, identifier=STRING, url=STRING) | {"not": {"required": ["identifier", "url"]}},
    ),
    "server": members("url", url=STRING, description=STRING, variables=named({"type": "object"})),
    "documentation": members("url", url=STRING, description=STRING),
    "tag": members("name", name=STRING, description=STRING, externalDocs=thing("documentation")),
    "security": named(STRINGS),
    "path": members(
        summary=STRING, description=STRING, servers=many("server"), parameters=many("parameter"),
        **{method: thing("operation") for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace")},
    ),
    "operation": members(
        tags=STRINGS, summary=STRING, description=STRING, externalDocs=thing("documentation"), operationId=STRING,
        parameters=many("parameter"), requestBody=thing("body"), responses=thing("responses"),
        callbacks=named({"type": "object"}), deprecated=BOOLEAN, security=many("security"), servers=many("server"),
    ),
    # §4.8.12: a path's parameter is always required; a value is described by a schema or by a media type.
    "parameter": members("name", "in", name=STRING, **{"in": {"enum": ["query", "header", "path", "cookie"]}}, **_VALUE) | {
        "oneOf": [{"required": ["schema"]}, {"required": ["content"]}],
        "if": {"properties": {"in": {"const": "path"}}},
        "then": {"required": ["required"], "properties": {"required": {"const": True}}},
    },
    "header": members(**_VALUE),
    "body": members("content", description=STRING, required=BOOLEAN, content=named(thing("media"))),
    "media": members(schema=SCHEMA, encoding=named({"type": "object"}), **_SHOWN),
    "responses": {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {"^([1-5][0-9][0-9]|[1-5]XX|default)$": thing("response"), "^x-": True},
        "additionalProperties": False,
    },
    "response": members(
        "description", description=STRING, headers=named(thing("header")), content=named(thing("media")),
        links=named({"type": "object"}),
    ),
    "scheme": members(
        "type", description=STRING, name=STRING, scheme=STRING, bearerFormat=STRING, openIdConnectUrl=STRING,
        flows={"type": "object"},
        **{"type": {"enum": ["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"]}, "in": STRING},
    ) | {"if": {"properties": {"type": {"const": "http"}}}, "then": {"required": ["scheme"]}},
    "components": members(
        schemas={"type": "object", "propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"}, "additionalProperties": SCHEMA},
        responses=named(thing("response")), parameters=named(thing("parameter")), examples=named({}),
        requestBodies=named(thing("body")), headers=named(thing("header")), securitySchemes=named(thing("scheme")),
        links=named({}), callbacks=named({}), pathItems=named(thing("path")),
    ),
}  # fmt: skip

STANDARD: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": DEFINITIONS,
    **members(
        "openapi", "info", "paths",
        openapi={"type": "string", "pattern": r"^3\.1\.\d+$"}, info=thing("info"), jsonSchemaDialect=STRING,
        servers=many("server"), components=thing("components"), security=many("security"), tags=many("tag"),
        externalDocs=thing("documentation"), webhooks=named(thing("path")),
        paths={"type": "object", "patternProperties": {"^/": thing("path"), "^x-": True}, "additionalProperties": False},
    ),
}  # fmt: skip
