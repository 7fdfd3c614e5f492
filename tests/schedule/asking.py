"""Requests for the programme as bytes, and the answers as bytes: what a client of any kind sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

PATIENCE = 20.0


class Answer(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes
    """All of it but the date."""


async def ask(
    base: str, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", times: int = 1
) -> Answer:
    """The last of so many answers to the same request over one connection. `base` is an event's URL."""
    url = urlsplit(base)
    lines = [f"{method} {url.path}{path} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1")
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(times):
                writer.write(request)
                answer = await _read(reader, method)
    finally:
        writer.close()
    return answer


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split()[1])
    length = 0 if method == "HEAD" or status == 304 else int(headers.get("content-length", "0"))
    body = await reader.readexactly(length)
    undated = "\r\n".join([first, *(line for line in lines if not line.lower().startswith("date:"))])
    return Answer(status, headers, body, undated.encode("latin-1") + b"\r\n\r\n" + body)
