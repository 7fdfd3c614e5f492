"""A request's JSON body as a Struct: decoded strictly and in one step, with the place named where it is wrong.

The framework would first make plain values of it and then convert those leniently: `5` would pass for a time and `"true"` for a
yes. `describe` tells the OpenAPI document what the framework then cannot see.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from server.errors import InvalidRequest, UnreadableBody

T = TypeVar("T")

COMMAND = "command"
"""The handler's `opt` that holds the Struct its body is read as."""


OPTIONAL = "optional_command"
"""Set where the handler does without a body too."""


def describe(command: type[msgspec.Struct], *, required: bool = True) -> dict[str, Any]:
    """For a handler's `opt=`: what its body is."""
    return {COMMAND: command} if required else {COMMAND: command, OPTIONAL: True}


async def read_body(request: Request[Any, Any, Any], command: type[T]) -> T:
    """The request's body. Raises `UnreadableBody`, `InvalidRequest`, and what the framework raises for one that is too large."""
    return decode_body(await request.body(), msgspec.json.Decoder(command))


def decode_body(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A body as what the decoder makes of it. Raises `UnreadableBody` (no JSON) or `InvalidRequest` (other JSON)."""
    if not body:
        raise UnreadableBody("This path takes a JSON body, and there is none.")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBody(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise UnreadableBody("The body is nested too deeply.") from error
