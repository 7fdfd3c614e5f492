"""Just enough of PostgreSQL's protocol 3.0 to ask whether a server is ready and to create a database.

Source: "Frontend/Backend Protocol" in PostgreSQL's manual, sections on start-up and the simple query. Only for a Unix
socket with `trust`: any other demand of the server is refused. The application itself speaks through asyncpg.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
PORT = 5432
"""No TCP port: it is the number in the socket's name."""

_PROTOCOL = 3 << 16
_HEADER = struct.Struct("!cI")
_READY, _ERROR, _AUTHENTICATION, _COMPLETE = b"Z", b"E", b"R", b"C"


class ServerError(Exception):
    """The server's refusal: its SQLSTATE and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class Connection:
    """One connection, blocking, with a time limit on each read.

    Raises:
        OSError: nobody listens, or the connection broke.
        ServerError: the server listens and refuses.
    """

    def __init__(self, path: str, database: str, *, seconds: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(seconds)
            self._socket.connect(path)
            self._stream = self._socket.makefile("rb")
            words = f"user\0{USER}\0database\0{database}\0\0".encode()
            self._socket.sendall(struct.pack("!II", len(words) + 8, _PROTOCOL) + words)
            self._finish()
        except BaseException:
            self._socket.close()
            raise

    def execute(self, sql: str) -> str:
        """Runs one statement and drops its rows. Returns the command tag, such as `SELECT 1` for one row."""
        text = sql.encode() + b"\0"
        self._socket.sendall(_HEADER.pack(b"Q", len(text) + 4) + text)
        return self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def _finish(self) -> str:
        """Reads up to the server's readiness for the next statement. A refused connection ends before that."""
        refusal, tag = None, ""
        for kind, body in self._messages():
            if kind == _AUTHENTICATION and body != b"\0\0\0\0":
                raise ServerError("28000", "the server asks for a password")
            if kind == _COMPLETE:
                tag = body[:-1].decode("ascii")
            elif kind == _ERROR:
                refusal = _server_error(body)
            elif kind == _READY:
                break
        if refusal is not None:
            raise refusal
        return tag

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """The server's messages. Ends without an error when the server closes the connection after its refusal."""
        refused = False
        while True:
            header = self._stream.read(_HEADER.size)
            if refused and not header:
                return
            if len(header) != _HEADER.size:
                raise ConnectionResetError("the server closed the connection")
            kind, length = _HEADER.unpack(header)
            refused = kind == _ERROR
            yield kind, self._stream.read(length - 4)


def _server_error(body: bytes) -> ServerError:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return ServerError(fields.get(b"C", ""), fields.get(b"M", ""))
