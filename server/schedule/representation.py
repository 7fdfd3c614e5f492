"""The programme in one format and one language as finished bytes, and the answers made of them. Pure."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime

from msgspec import Struct

from server.conditional import held_of, http_date, last_modified, read_http_date
from server.direct import Reply
from server.event.types import EventRow
from server.schedule.edition import Edition
from server.schedule.formats import Format
from server.texts import ALL


class Document(Struct, frozen=True):
    """One representation, ready to send."""

    body: bytes
    etag: str
    gzipped: bytes | None
    gzipped_etag: str
    """Of the compressed bytes: another representation needs another strong ETag (RFC 9110 §8.8.3)."""
    modified: datetime
    """When its bytes last became others, a whole second. UTC."""
    media_type: str
    headers: dict[str, str]
    """What every answer with it says, whichever way it is compressed."""

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + len(self.gzipped or b"") + 1024


class Conditions(Struct, frozen=True):
    """What a reader says of the copy they hold, and how they take another."""

    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    gzip: bool = False
    negotiated: bool = False
    """The language follows from `Accept-Language`."""


def conditions(
    if_none_match: str | None, if_modified_since: str | None, *, takes_gzip: bool, negotiated: bool
) -> Conditions:
    """From the headers of a request. `If-None-Match` takes precedence: beside it the date is not looked at (RFC 9110 §13.1.3)."""
    since = None if if_none_match else read_http_date(if_modified_since)
    return Conditions(if_none_match, since, takes_gzip, negotiated)


class Packed(Struct, frozen=True):
    """The bytes of a document, before it is known whether they are new."""

    body: bytes
    digest: str
    gzipped: bytes | None


def pack(body: bytes, written: Format) -> Packed:
    """Takes a while for a long one."""
    gzipped = None if written.compressed else gzip.compress(body, compresslevel=6, mtime=0)
    return Packed(body, hashlib.sha256(body).hexdigest()[:32], gzipped)


def document_of(packed: Packed, written: Format, language: str, edition: Edition, before: Document | None) -> Document:
    """`before` is the last one that anybody was given: where it has the same bytes, nothing has been modified since."""
    etag = f'"{packed.digest}"'
    if before is not None and before.etag == etag:
        modified = before.modified
    else:
        modified = last_modified(edition.version.updated_at, before.modified if before else None)
    return Document(
        body=packed.body,
        etag=etag,
        gzipped=packed.gzipped,
        gzipped_etag=f'"{packed.digest}-gzip"',
        modified=modified,
        media_type=written.media_type,
        headers=_headers(written, language, edition.event, modified),
    )


def _headers(written: Format, language: str, event: EventRow, modified: datetime) -> dict[str, str]:
    headers = {
        "Last-Modified": http_date(modified),
        "Cache-Control": "no-cache",  # keep it, but ask before using it: a room change must show at once
        "Content-Language": ", ".join(event.languages) if language == ALL else language,
    }
    if written.download:
        stem = event.slug if language == ALL else f"{event.slug}-{language}"
        headers["Content-Disposition"] = f'attachment; filename="{stem}.{written.name.partition(".")[2]}"'
    return headers


def answer(document: Document, asked: Conditions) -> Reply:
    """200 with the document, or 304 where the reader holds it."""
    zipped = asked.gzip and document.gzipped is not None
    etags = (document.etag, document.gzipped_etag)
    held = held_of(asked.if_none_match, *(reversed(etags) if zipped else etags))
    if held is None and asked.if_modified_since is not None and document.modified <= asked.if_modified_since:
        held = etags[zipped]
    headers = {"ETag": held or etags[zipped], **document.headers}
    if document.gzipped is not None:
        headers["Vary"] = "Accept-Encoding, Accept-Language" if asked.negotiated else "Accept-Encoding"
    if held is not None:
        return Reply(304, document.media_type, b"", headers)
    if not zipped:
        return Reply(200, document.media_type, document.body, headers)
    return Reply(200, document.media_type, document.gzipped or b"", headers | {"Content-Encoding": "gzip"})
