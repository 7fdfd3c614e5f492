"""The frames as the AsyncAPI document describes them."""

from __future__ import annotations

from typing import Any

import msgspec
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from server.asyncapi import feed_document
from tests.contract.documents import closed


def make_document() -> dict[str, Any]:
    """The document as a reader gets it."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(feed_document()))
    return document


DOCUMENT = make_document()
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
CLIENTS = ("hello", "subscribe", "unsubscribe", "ack")
FRAMES = ("ready", "state", "heartbeat", "bye")
KINDS = MESSAGES.keys() - {*CLIENTS, *FRAMES, "open"}


def channels_by_kind(document: dict[str, Any] = DOCUMENT) -> dict[str, set[str]]:
    """Kind → the channels it is described on, without their audiences."""
    found: dict[str, set[str]] = {}
    for channel in document["x-feed-channels"]:
        for kind in channel.get("events", ()):
            found.setdefault(kind, set()).add(channel["name"].partition(":")[0])
    return found


_validators = {
    name: Draft7Validator(
        closed({**message["payload"], "components": DOCUMENT["components"]}),
        format_checker=Draft7Validator.FORMAT_CHECKER,
    )
    for name, message in MESSAGES.items()
    if "payload" in message
}


def name_of(frame: dict[str, Any]) -> str:
    """The message that a frame is: by its type, an event by its kind."""
    return str(frame.get("kind") if frame.get("type") == "event" else frame.get("type"))


def faults(frame: dict[str, Any]) -> list[str]:
    """Where a frame is not what the document says of it, members that it does not name included."""
    name = name_of(frame)
    if name not in _validators:
        return [f"nothing describes {name}"]
    error = best_match(_validators[name].iter_errors(frame))
    return [f"{name} {error.json_path}: {error.message[:200]}"] if error else []
