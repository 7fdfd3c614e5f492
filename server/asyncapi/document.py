"""The document as a whole: servers, the two ways to listen, what is said on them."""

from __future__ import annotations

from functools import cache
from typing import Any

from server import __version__
from server.asyncapi import closing
from server.asyncapi.channels import CHANNELS, FeedChannel
from server.asyncapi.messages import FROM_CLIENT, from_server, messages, reference, schemas
from server.live.protocol import HEARTBEAT_SECONDS, HELLO_SECONDS, MAX_CHANNELS, MAX_FRAME_BYTES
from server.live.ticket import LIFETIME_SECONDS

STANDARD = "3.0.0"
MEDIA_TYPE = f"application/vnd.aai.asyncapi+json;version={STANDARD}"
_OPEN = "open"
"""The message that a stream's request is."""

_DESCRIPTION = """\
Whatever changes at an event is told here. Actions are the server's: it *receives* what a client says and *sends* what it hears.

A channel of the feed is a log: `seq` begins at 1 and has no gaps, and `epoch` is another one when the log may have lost
something. A client keeps, channel by channel, the epoch and the last `seq` it has applied, names them when it comes, and gets
everything after them (`resumed`), or the reason why not and the path to `catch_up` by HTTP. An event whose `seq` it has applied
already is dropped; one that leaves a gap is a reason to subscribe anew from its position. A state channel keeps only the latest
value of each key. Members, kinds and frames that a client does not know are ignored.

For other than public channels, `POST /v1/events/{event}/live/ticket` gives a ticket for a token, so that no token is sent here.
The HTTP side (tickets, catching up, present states) is described in `/openapi.json`.

## When the server closes

"""


@cache
def feed_document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": STANDARD,
        "info": {
            "title": "Digital Now companion: live feed",
            "version": __version__,
            "description": _DESCRIPTION + closing.described(),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {"live": _socket(), "stream": _stream()},
        "operations": _operations(),
        "components": {
            "schemas": schemas(),
            "messages": messages() | {_OPEN: _request()},
            "parameters": {
                "event": {"description": "The event's slug, as in all its paths.", "examples": ["digital-now"]}
            },
            "serverVariables": {
                "host": {
                    "description": "Host and port of the event's `live_url`, which `GET /v1/events/{event}` answers.",
                    "default": "127.0.0.1:8001",
                }
            },
        },
        "x-feed-channels": [_feed_channel(channel) for channel in CHANNELS],
        "x-close-codes": closing.close_codes(),
        "x-limits": {
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "hello_seconds": HELLO_SECONDS,
            "max_channels": MAX_CHANNELS,
            "max_frame_bytes": MAX_FRAME_BYTES,
            "ticket_seconds": LIFETIME_SECONDS,
        },
    }


def _servers() -> dict[str, Any]:
    sentences = {
        "ws": "The live port of a server on one's own machine.",
        "wss": "The live port behind a proxy that speaks TLS, as at every real event.",
        "http": "As `ws`, for the stream.",
        "https": "As `wss`, for the stream.",
    }
    return {
        protocol: {
            "host": "{host}",
            "protocol": protocol,
            "description": sentence,
            "variables": {"host": {"$ref": "#/components/serverVariables/host"}},
        }
        for protocol, sentence in sentences.items()
    }


def _channel(address: str, servers: tuple[str, ...], names: list[str], **more: Any) -> dict[str, Any]:
    return {
        "address": address,
        "servers": [{"$ref": f"#/servers/{name}"} for name in servers],
        "parameters": {"event": {"$ref": "#/components/parameters/event"}},
        "messages": {name: reference(name) for name in names},
        **more,
    }


def _socket() -> dict[str, Any]:
    return _channel(
        "/v1/events/{event}/live",
        ("ws", "wss"),
        [*FROM_CLIENT, *from_server()],
        title="Websocket",
        description="JSON text frames, both ways. The first is the client's hello, the second the server's ready.",
        bindings={"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    )


def _stream() -> dict[str, Any]:
    return _channel(
        "/v1/events/{event}/live/stream",
        ("http", "https"),
        [_OPEN, *from_server()],
        title="Server-Sent Events",
        description=(
            "For clients and networks without websockets: the same frames, one way. The request takes the place of hello, and "
            "what it cannot be let in with is answered by a status (401: fetch another ticket; 429, 503: wait for "
            "`Retry-After`). A stream ends with `bye`, whose `code` is a close code."
        ),
        **{"x-server-sent-events": _fields()},
    )


_POSITIONS = r"^([^=,]+=[^=,:]+:[0-9]+(,[^=,]+=[^=,:]+:[0-9]+)*)?$"
"""`announcements=EPOCH:SEQ,schedule=EPOCH:SEQ`, names quoted as in a URL; empty without a log channel."""


def _fields() -> dict[str, Any]:
    """A message of the stream, field by field."""
    return {
        "type": "object",
        "anyOf": [{"required": ["event", "data"]}, {"required": ["retry"], "maxProperties": 1}],
        "properties": {
            "retry": {
                "type": "string",
                "pattern": "^[0-9]+$",
                "description": "Alone, at the beginning: milliseconds after which a browser comes back by itself.",
            },
            "event": {
                "type": "string",
                "enum": ["ready", "event", "state", "heartbeat", "bye"],
                "description": "The frame's type.",
            },
            "id": {
                "type": "string",
                "pattern": _POSITIONS,
                "description": "After `ready` and after each event: how far every log has been read. To come back with.",
            },
            "data": {"type": "string", "description": "The frame, as on the websocket."},
        },
        "additionalProperties": False,
    }


def _request() -> dict[str, Any]:
    return {
        "name": _OPEN,
        "title": "request for a stream",
        "summary": "Takes the place of hello.",
        "headers": {
            "type": "object",
            "properties": {
                "Authorization": {
                    "type": "string",
                    "pattern": "^Bearer .+$",
                    "description": "`Bearer TICKET`, for other than public channels: a ticket, never a token.",
                },
                "Last-Event-ID": {
                    "type": "string",
                    "pattern": _POSITIONS,
                    "description": "The `id` of the last message: each channel goes on from there, others at their present end.",
                },
            },
        },
    }


def _operations() -> dict[str, Any]:
    sent = from_server()
    heard = {
        f"receive{name.capitalize()}": _operation("receive", "live", [name], summary)
        | ({"reply": _reply("live")} if name in ("hello", "subscribe") else {})
        for name, (_, summary) in FROM_CLIENT.items()
    }
    return heard | {
        "sendFrames": _operation("send", "live", sent, "What a client hears over the websocket."),
        "openStream": _operation("receive", "stream", [_OPEN], "Opens a stream.")
        | {"reply": _reply("stream"), "bindings": {"http": _query()}},
        "sendStream": _operation("send", "stream", sent, "What a client hears over the stream."),
    }


def _operation(action: str, channel: str, names: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _reply(channel: str) -> dict[str, Any]:
    return {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/ready"}],
    }


def _query() -> dict[str, Any]:
    return {
        "method": "GET",
        "query": {
            "type": "object",
            "properties": {
                "channels": {
                    "type": "string",
                    "default": "announcements,schedule",
                    "description": "The channels, with commas between them.",
                },
                "last_event_id": {
                    "type": "string",
                    "pattern": _POSITIONS,
                    "description": "As the header `Last-Event-ID`, which browsers do not set when they first come.",
                },
            },
            "additionalProperties": False,
        },
        "bindingVersion": "0.3.0",
    }


def _feed_channel(channel: FeedChannel) -> dict[str, Any]:
    if channel.states:
        values = {
            f"{key}*": {"$ref": f"#/components/schemas/{value.__name__}"} for key, value in channel.states.items()
        }
        said: dict[str, Any] = {"type": "state", "states": values, "read": "/v1/events/{event}/states/{channel}"}
    else:
        events = {kind: reference(kind) for kind in channel.events}
        said = {"type": "log", "events": events, "read": "/v1/events/{event}/feed/{channel}"}
    return {"name": channel.name, "description": channel.description, "readers": channel.readers, **said}
