"""Check-ins as bytes, made before the clock runs."""

from __future__ import annotations

import random
import uuid

import msgspec

from loadtests.evidence import Asked
from loadtests.line import request_for
from loadtests.server_under_test import Server

ADMITTED = b'"outcome":"admitted"'


def requests_for(server: Server, source: random.Random) -> list[bytes]:
    """One check-in at the main door for every badge, in random order as people arrive, spread over all scanners."""
    credentials = server.credentials
    codes = server.badges()
    source.shuffle(codes)
    tokens = [device.token for device in credentials.devices]
    path = f"{server.path}/checkins"
    return [
        request_for("POST", path, tokens[place % len(tokens)], body(scan_id(source), code))
        for place, code in enumerate(codes)
    ]


def scan_id(source: random.Random) -> str:
    """An id as scanner apps make them: a random UUID."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def question(asked: Asked, checkin_list: str) -> bytes:
    """The same words each time."""
    return msgspec.json.encode(
        {"scan_id": asked.scan_id, "list": checkin_list, "code": asked.code, "direction": asked.direction}
    )


def body(identifier: str, code: str) -> bytes:
    """A check-in at the main door."""
    return f'{{"scan_id":"{identifier}","list":"main","code":"{code}"}}'.encode()
