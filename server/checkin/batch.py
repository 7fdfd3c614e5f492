"""A batch of scans as it arrives: each item is read by itself, so that a bad one costs only itself. Pure."""

from __future__ import annotations

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

Item = CheckIn | BatchResult


def read_batch(body: bytes) -> list[Item]:
    """The scans of a batch, with an error in the place of each that cannot be read.

    Raises `UnreadableBody` or `InvalidRequest` where the batch itself cannot be, `TooManyScans`.
    """
    try:
        return list(_whole.decode(body).scans)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raws = decode_body(body, _raw).scans  # something is wrong somewhere: read it item by item
    if len(raws) > MAX_SCANS:
        raise TooManyScans(f"A batch is at most {MAX_SCANS} scans, and this one has {len(raws):,}; send several.")
    return [_read_one(bytes(raw)) for raw in raws]


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
        return None


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
