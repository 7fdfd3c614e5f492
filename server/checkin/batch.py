"""A batch of scans as it arrives: each item is read by itself, so that a bad one costs only itself. Pure."""

from __future__ import annotations

import re
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from server.body import decode_body
from server.checkin.errors import TooManyScans
from server.checkin.types import Admission, Answer, CheckIn, Clock, Outcome, Person, Reason
from server.errors import AppError, InvalidRequest, Problem, UnreadableBody, problem_of

MAX_SCANS = 500


class CheckInBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scans that a scanner made while it was offline."""

    scans: Annotated[list[CheckIn], Meta(max_length=MAX_SCANS)]


class BatchResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one scan of a batch, as a single check-in gets it; or `error`, and then all but `scan_id` is empty."""

    scan_id: str | None
    """Null where not even that could be read."""
    outcome: Outcome | None
    reason: Reason | None
    attendee: Person | None
    admission: Admission | None
    conflict: bool
    clock: Clock | None
    error: Problem | None = None
    """Why this scan was not stored. Present only then."""


class BatchAnswer(Struct, frozen=True, kw_only=True):
    results: list[BatchResult]
    """In the order of the scans."""
    stored: int
    """How many of them are in the log now; those with an error are not."""
    mark: int | None
    """All of the device's scans up to this `number` are stored; null where the batch has no numbers."""


class _RawBatch(Struct, frozen=True, forbid_unknown_fields=True):
    scans: list[Raw]


class _Named(Struct, frozen=True):
    scan_id: str


_whole = msgspec.json.Decoder(CheckInBatch)
_raw = msgspec.json.Decoder(_RawBatch)
_one = msgspec.json.Decoder(CheckIn)
_named = msgspec.json.Decoder(_Named)

_BEGIN = re.compile(rb'\s*\{\s*"scans"\s*:\s*\[')
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{},]', re.DOTALL)
_END = re.compile(rb"\s*\}\s*")
_SCAN_ID = re.compile(rb'"scan_id"\s*:\s*"([A-Za-z0-9._:\-]{1,64})"')
MAX_TOKENS = 100_000
"""Looked at in a body that is no JSON, about 20 ms; 500 scans with all their fields have 20,000."""

Item = CheckIn | BatchResult


def read_batch(body: bytes) -> list[Item]:
    """The scans of a batch, with an error in the place of each that cannot be read.

    Raises `UnreadableBody` or `InvalidRequest` where the batch itself cannot be, `TooManyScans`.
    """
    try:
        return list(_whole.decode(body).scans)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raws = _items_of(body)  # something is wrong somewhere: read it item by item
    if len(raws) > MAX_SCANS:
        raise TooManyScans(f"A batch is at most {MAX_SCANS} scans, and this one has {len(raws):,}; send several.")
    return [_read_one(raw) for raw in raws]


def _items_of(body: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in decode_body(body, _raw).scans]
    except UnreadableBody:
        # An item that is no JSON, with half a surrogate pair where a text was cut, must not hold up its queue for ever.
        items = _cut(body)
        if items is None:
            raise
        return items


def _cut(body: bytes) -> list[bytes] | None:
    """The items by their brackets, commas and quotes alone; None where that makes no batch."""
    begin = _BEGIN.match(body)
    if begin is None:
        return None
    items, start, depth = [], begin.end(), 0
    for token in islice(_TOKEN.finditer(body, begin.end()), MAX_TOKENS):
        mark = token[0]
        if depth == 0 and mark in (b",", b"]"):
            items.append(body[start : token.start()])
            start = token.end()
            if mark == b"]":
                return items if _END.fullmatch(body, start) and all(map(bytes.strip, items)) else None
        elif mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
    return None


def _read_one(raw: bytes) -> Item:
    try:
        return decode_body(raw, _one)
    except (InvalidRequest, UnreadableBody) as error:
        return _failed(_name_of(raw), error)


def _name_of(raw: bytes) -> str | None:
    """The item's scan id if that much can be read."""
    try:
        return _named.decode(raw).scan_id[:64]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _SCAN_ID.search(raw)  # in what is no JSON
        return found[1].decode() if found else None


def as_result(item: CheckIn, result: Answer | AppError) -> BatchResult:
    """What became of a scan."""
    if isinstance(result, AppError):
        return _failed(item.scan_id, result)
    return BatchResult(
        scan_id=result.scan_id,
        outcome=result.outcome,
        reason=result.reason,
        attendee=result.attendee,
        admission=result.admission,
        conflict=result.conflict,
        clock=result.clock,
    )


def _failed(scan_id: str | None, error: AppError) -> BatchResult:
    return BatchResult(
        scan_id=scan_id,
        outcome=None,
        reason=None,
        attendee=None,
        admission=None,
        conflict=False,
        clock=None,
        error=problem_of(error),
    )
