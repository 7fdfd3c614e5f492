"""One connection to a server that may be gone for a while, for clients that wait for each answer."""

from __future__ import annotations

import asyncio
from typing import Protocol

from loadtests.generator import parse_answer


class Place(Protocol):
    """Where a server is; after a restart it may be on another port."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Line:
    """A keep-alive connection to wherever the server is now. One request at a time."""

    def __init__(self, server: Place) -> None:
        self._server = server
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Status and body. Raises `OSError` or `EOFError` when no whole answer comes; then `close` before the next one."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._server.host, self._server.port)
        reader, writer = self._streams
        writer.write(request)
        data = b""
        while (answer := parse_answer(data)) is None:
            more = await reader.read(2**20)
            if not more:
                raise EOFError
            data += more
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def request_for(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A question as bytes. An empty token sends none."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body
