"""Websocket frames as a light client needs them (RFC 6455 §5.2): unmasked ones read, short masked ones written."""

from __future__ import annotations

import struct

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_NO_MASK = bytes(4)
"""A key of zeros leaves the payload as it is. Clients must mask so that proxies are not fooled; here there is none."""


class ProtocolBroken(Exception):
    """The server sent what this client does not read: a fragment, or a masked frame."""


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames at the beginning, as opcode and payload, and what is left. Raises `ProtocolBroken`."""
    found = []
    at, end = 0, len(data)
    while end - at >= 2:
        first, length = data[at], data[at + 1]
        if not first & _FINAL or length & _MASKED:
            raise ProtocolBroken(f"a frame that begins with {data[at : at + 2].hex()}")
        start = at + 2
        if length == 126:
            if end - at < 4:
                break
            start, length = at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
        elif length == 127:
            if end - at < 10:
                break
            start, length = at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
        if end - start < length:
            break
        found.append((first & 0x0F, data[start : start + length]))
        at = start + length
    return found, data[at:]


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame of at most 65,535 bytes."""
    if len(payload) < 126:
        return struct.pack("!BB", _FINAL | opcode, _MASKED | len(payload)) + _NO_MASK + payload
    return struct.pack("!BBH", _FINAL | opcode, _MASKED | 126, len(payload)) + _NO_MASK + payload


def sequence_of(payload: bytes) -> int | None:
    """An event's number in its channel; None for another kind of frame. The envelope's number comes before the data."""
    if not payload.startswith(b'{"type":"event"'):
        return None
    at = payload.find(b'"seq":') + 6
    return int(payload[at : payload.find(b",", at)])
