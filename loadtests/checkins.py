"""Check-ins as bytes, made before the clock runs."""

from __future__ import annotations

import random
import uuid

from loadtests.server_under_test import Server

ADMITTED = b'"outcome":"admitted"'


def requests_for(server: Server, source: random.Random) -> list[bytes]:
    """One check-in at the main door for every badge, in random order as people arrive, spread over all scanners."""
    credentials = server.credentials
    codes = server.badges()
    source.shuffle(codes)
    tokens = [device.token for device in credentials.devices]
    path = f"{server.path}/checkins"
    return [post(path, tokens[place % len(tokens)], body(scan_id(source), code)) for place, code in enumerate(codes)]


def scan_id(source: random.Random) -> str:
    """An id as scanner apps make them: a random UUID."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def post(path: str, token: str, body: bytes) -> bytes:
    """A POST of JSON as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def body(identifier: str, code: str) -> bytes:
    """A check-in at the main door."""
    return f'{{"scan_id":"{identifier}","list":"main","code":"{code}"}}'.encode()
