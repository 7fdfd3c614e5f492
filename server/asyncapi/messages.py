"""The frames as AsyncAPI's messages, with schemas made from the Structs that they are encoded from."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from server.asyncapi.channels import CHANNELS, kinds
from server.asyncapi.examples import EXAMPLES
from server.feed.types import FeedEvent, State
from server.live.protocol import Ack, Bye, Heartbeat, Hello, Ready, Subscribe, Unsubscribe

FROM_CLIENT = {
    "hello": (Hello, "Begins the conversation, within five seconds. Nothing else may come first."),
    "subscribe": (Subscribe, "Enters further channels, or enters channels anew from another position."),
    "unsubscribe": (Unsubscribe, "Leaves channels. Their positions are ignored."),
    "ack": (Ack, "Says how far one has read. Nobody has to; whoever begins with it goes on at every heartbeat."),
}
"""Frame → Struct, and what it is for."""

FROM_SERVER = {
    "ready": (Ready, "Answers hello and subscribe: how each of the channels was entered."),
    "heartbeat": (Heartbeat, "Comes to everybody every `heartbeat_seconds`, and tells where each log ends."),
    "bye": (Bye, "Comes before the server closes, where that says when to come back. Always the last of a stream."),
}

_REFERENCE = "#/components/schemas/{name}"


def messages() -> dict[str, dict[str, Any]]:
    """Every frame by name; an event by its kind."""
    found = {
        name: _message(name, f"{name} frame", summary, struct.__name__)
        for name, (struct, summary) in (FROM_CLIENT | FROM_SERVER).items()
    }
    for kind, data in kinds().items():
        found[kind] = _message("event", kind, f"An event whose data is {data.__name__}.", _event_name(kind))
    summary = "A key of a state channel has a new value. Null data: the key is no more."
    found["state"] = _message("state", "state frame", summary, State.__name__)
    for name, payload in EXAMPLES.items():
        found[name]["examples"] = [{"payload": payload}]
    return found


def from_server() -> list[str]:
    """The names of what a server sends."""
    return [*FROM_SERVER, *kinds(), "state"]


def schemas() -> dict[str, Any]:
    """Every schema that a frame or its data refers to."""
    frames = [struct for struct, _ in (FROM_CLIENT | FROM_SERVER).values()]
    states = {key: value for channel in CHANNELS for key, value in channel.states.items()}
    structs = [*frames, FeedEvent, State, *dict.fromkeys(kinds().values()), *states.values()]
    _, generated = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    found: dict[str, Any] = {name: _draft_07(schema) for name, schema in generated.items()}
    envelope = found.pop(FeedEvent.__name__)
    for kind, data in kinds().items():
        found[_event_name(kind)] = _event(envelope, kind, data)
    found[State.__name__] = _state_of(found[State.__name__], states)
    return found


def reference(name: str) -> dict[str, str]:
    """To a message among the components."""
    return {"$ref": f"#/components/messages/{name}"}


def _message(name: str, title: str, summary: str, schema: str) -> dict[str, Any]:
    return {"name": name, "title": title, "summary": summary, "payload": {"$ref": _REFERENCE.format(name=schema)}}


def _event_name(kind: str) -> str:
    """`announcement.published` → `AnnouncementPublishedEvent`."""
    return "".join(word.capitalize() for word in re.split(r"\W|_", kind)) + "Event"


def _event(envelope: dict[str, Any], kind: str, data: type) -> dict[str, Any]:
    said_on = [channel.schema for channel in CHANNELS if kind in channel.events]
    return envelope | {
        "title": _event_name(kind),
        "properties": envelope["properties"]
        | {
            "channel": said_on[0] if len(said_on) == 1 else {"anyOf": said_on},
            "kind": {"type": "string", "enum": [kind]},
            "data": {"$ref": _REFERENCE.format(name=data.__name__)},
        },
    }


def _state_of(envelope: dict[str, Any], values: dict[str, type]) -> dict[str, Any]:
    said_on = [channel.schema for channel in CHANNELS if channel.states]
    value = [{"$ref": _REFERENCE.format(name=struct.__name__)} for struct in values.values()]
    return envelope | {
        "properties": envelope["properties"]
        | {
            "channel": said_on[0] if len(said_on) == 1 else {"anyOf": said_on},
            "key": {"type": "string", "pattern": f"^({'|'.join(map(re.escape, values))})"},
            "data": {"anyOf": [*value, {"type": "null"}]},
        }
    }


def _draft_07(schema: Any) -> Any:
    """A schema in the draft that AsyncAPI 3.0 is a superset of: a tuple's items stand in `items` there."""
    if isinstance(schema, list):
        return [_draft_07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _draft_07(value) for name, value in schema.items()}
    if "prefixItems" in found:
        found["items"] = found.pop("prefixItems")
        found["additionalItems"] = False
    if isinstance(found.get("description"), str):
        found["description"] = inspect.cleandoc(found["description"])
    return found
