"""The reference page and its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from server.conditional import is_unchanged

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "img-src data:; "  # the page's empty icon, without which browsers ask for /favicon.ico
    "form-action 'none'; "  # a form that the browser itself sends would put its fields into the URL
    "require-trusted-types-for 'script'; trusted-types 'none'"  # makes the browser refuse innerHTML and its relatives
)
_HEADERS = {
    "Cache-Control": "no-cache",  # may be kept, must be asked about: a new release shows at once
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class StaticFile(Struct, frozen=True):
    """One of the page's files, as it is sent."""

    content: bytes
    media_type: str
    """Without a charset: the framework adds it to text."""
    etag: str


def _read(name: str, media_type: str) -> StaticFile:
    content = Path(__file__).with_name(name).read_bytes()
    return StaticFile(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


PAGE = _read("page.html", "text/html")
FILES = {"page.js": _read("page.js", "text/javascript"), "page.css": _read("page.css", "text/css")}


@get("/docs", include_in_schema=False)
async def get_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    return _send(request, PAGE)


@get("/docs/{name:str}", include_in_schema=False)
async def get_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """The page's script and its style."""
    file = FILES.get(name)
    if file is None:
        raise NotFoundException
    return _send(request, file)


def _send(request: Request[Any, Any, Any], file: StaticFile) -> Response[bytes]:
    headers = {**_HEADERS, "ETag": file.etag}
    if is_unchanged(request.headers.get("if-none-match"), file.etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


router = Router(path="/", route_handlers=[get_page, get_file])
