"""AsyncAPI 3.0.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0) as a JSON Schema: the objects that are used here
with their members, none besides. Bindings: https://github.com/asyncapi/bindings, websockets 0.1.0 and HTTP 0.3.0."""

from __future__ import annotations

from typing import Any

from tests.contract.openapi_standard import STRING, many, members, named, thing

# "Schema Object": a superset of JSON Schema's draft 07, whose references stand alone.
SCHEMA: dict[str, Any] = thing("schema")
KEY = {"type": "object", "propertyNames": {"pattern": r"^[a-zA-Z0-9._-]+$"}}
"""Components' names."""


def pointing(to: str) -> dict[str, Any]:
    """A Reference Object, alone, to something of this sort."""
    return {
        "type": "object",
        "required": ["$ref"],
        "properties": {"$ref": {"type": "string", "pattern": f"^#/{to}/[^/]+$"}},
        "additionalProperties": False,
    }


def either(name: str, place: str) -> dict[str, Any]:
    """The object itself, or a reference to it."""
    return {"if": {"required": ["$ref"]}, "then": pointing(place), "else": thing(name)}


def keyed(value: dict[str, Any]) -> dict[str, Any]:
    return KEY | {"additionalProperties": value}


_DRAFT_07: dict[str, Any] = {"$ref": "http://json-schema.org/draft-07/schema#"}

DEFINITIONS: dict[str, Any] = {
    "schema": {"allOf": [_DRAFT_07, thing("strict")]},
    # What draft 07 does not know it ignores, silently: a keyword of a later draft would describe nothing.
    "strict": {
        "if": {"type": "object"},
        "then": {
            "propertyNames": {
                "enum": [
                    "$ref", "title", "description", "type", "enum", "const", "default", "examples", "format", "pattern",
                    "minLength", "maxLength", "minimum", "maximum", "items", "additionalItems", "minItems", "maxItems",
                    "properties", "required", "additionalProperties", "anyOf",
                ],
            },
            "properties": {
                "properties": named(thing("strict")),
                "additionalProperties": thing("strict"),
                "additionalItems": thing("strict"),
                "items": {"if": {"type": "array"}, "then": many("strict"), "else": thing("strict")},
                "anyOf": many("strict"),
            },
            "if": {"required": ["$ref"]},
            "then": {"maxProperties": 1, "properties": {"$ref": {"pattern": "^#/components/schemas/[^/]+$"}}},
        },
    },
    "info": members(
        "title", "version", title=STRING, version=STRING, description=STRING, termsOfService=STRING,
        license=members("name", name=STRING, url={"type": "string", "format": "uri"}),
    ),
    "variable": members(enum={"type": "array"}, default=STRING, description=STRING, examples={"type": "array"}),
    "server": members(
        "host", "protocol", host=STRING, protocol={"enum": ["ws", "wss", "http", "https"]}, pathname=STRING, description=STRING,
        title=STRING, summary=STRING, variables=named(either("variable", "components/serverVariables")),
    ),
    # "Parameter Object": always a string; no schema any more.
    "parameter": members(description=STRING, default=STRING, enum={"type": "array"}, examples={"type": "array"}, location=STRING),
    "channel": members(
        address={"type": "string", "pattern": "^/"}, title=STRING, summary=STRING, description=STRING,
        messages=named(either("message", "components/messages")), servers={"type": "array", "items": pointing("servers")},
        parameters=named(either("parameter", "components/parameters")),
        bindings=members(ws=members(method={"enum": ["GET", "POST"]}, query=SCHEMA, bindingVersion={"const": "0.1.0"})),
    ),
    "operation": members(
        "action", "channel", action={"enum": ["send", "receive"]}, channel=pointing("channels"), title=STRING, summary=STRING,
        description=STRING, messages={"type": "array", "items": pointing("channels/[^/]+/messages")}, reply=thing("reply"),
        bindings=members(http=members(method=STRING, query=SCHEMA, bindingVersion={"const": "0.3.0"})),
    ),
    "reply": members(channel=pointing("channels"), messages={"type": "array", "items": pointing("channels/[^/]+/messages")}),
    "message": members(
        headers=SCHEMA, payload=SCHEMA, contentType=STRING, name=STRING, title=STRING, summary=STRING, description=STRING,
        examples={"type": "array", "items": members(name=STRING, summary=STRING, headers={"type": "object"}, payload={})},
    ),
    "components": members(
        schemas=keyed(SCHEMA), messages=keyed(thing("message")), parameters=keyed(thing("parameter")),
        serverVariables=keyed(thing("variable")),
    ),
}  # fmt: skip

STANDARD: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$defs": DEFINITIONS,
    **members(
        "asyncapi", "info",
        asyncapi={"const": "3.0.0"}, id=STRING, info=thing("info"), defaultContentType=STRING, servers=keyed(thing("server")),
        channels=keyed(thing("channel")), operations=keyed(thing("operation")), components=thing("components"),
    ),
}  # fmt: skip
