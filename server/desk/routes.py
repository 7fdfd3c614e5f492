"""What organizers and supervisors see of the doors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from server.checkin.door import Door
from server.checkin_list.errors import UnknownList
from server.desk import queries
from server.desk.types import (
    Arrivals,
    ConflictPage,
    Found,
    FoundRow,
    ReasonCount,
    Refusal,
    RefusalPage,
    RefusalRow,
    SearchAnswer,
    StandingConflict,
    StandingConflictRow,
    Statistics,
    TicketCount,
)
from server.device.guard import require_right
from server.errors import InvalidRequest
from server.event.types import EventRow
from server.folding import words_of
from server.instants import Instant, check_instant
from server.paging import DEFAULT_LIMIT, NOT_OURS, Cursor, Limit, decode_cursor, encode_cursor

MIN_LETTERS = 3
MAX_FOUND = 20
HIT_LIMIT = 3 * MAX_FOUND
"""A person may be hit by several words."""
MAX_WORDS = 4
LAST = UUID(int=2**128 - 1)
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(2200, 1, 1, tzinfo=UTC)

Asked = Annotated[str, QueryParameter(min_length=1, max_length=200)]


async def _door(request: Request[Any, Any, Any], event: str) -> Door:
    found: EventRow = await request.app.state.events.get(event)
    door: Door = await request.app.state.doors.get(found.event_id)
    return door


@get("/checkins/statistics", guards=[require_right("see_statistics", "organizer")])
async def get_statistics(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    checkin_list: Annotated[str, QueryParameter(name="list", max_length=64)] = "main",
    since: FromQuery[Instant | None] = None,
    until: FromQuery[Instant | None] = None,
) -> Statistics:
    """Arrivals by five minutes and gate, admissions by ticket, refusals by reason; at most a second behind the doors."""
    check_instant(since, "since")
    check_instant(until, "until")
    door = await _door(request, event)
    rules = door.lists.get(checkin_list)
    if rules is None:
        raise UnknownList
    window = {"since": since or BEFORE_ALL, "until": until or AFTER_ALL}
    async with request.app.state.db.snapshot() as tx:
        arrivals = await queries.list_arrivals(tx, door.event_id, rules.list_id, **window)
        tickets = await queries.list_ticket_counts(tx, door.event_id, rules.list_id, **window)
        reasons = await queries.list_reason_counts(tx, door.event_id, rules.list_id, **window)
        conflicts = await queries.count_conflicts(tx, door.event_id, rules.list_id)
    session = door.session_at(rules, datetime.now(UTC))
    session_id = session.session_id if session else None
    return Statistics(
        list=rules.key,
        inside=door.occupancy(rules, session_id),
        capacity=rules.capacity,
        session_id=session_id,
        admitted=sum(row.admitted for row in arrivals),
        arrivals=[Arrivals(row.bucket, door.gate_name(row.gate_id), row.admitted, row.exited) for row in arrivals],
        tickets=[TicketCount(row.ticket, row.admitted) for row in tickets],
        refusals=[ReasonCount(row.reason, row.scans) for row in reasons],
        conflicts=conflicts,
    )


@get("/checkins/conflicts", guards=[require_right("see_conflicts", "organizer")])
async def list_conflicts(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    resolved: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ConflictPage:
    """What offline scanners did that does not go together, newest first; with `resolved=true` also what was explained since."""
    door = await _door(request, event)
    key = decode_cursor(cursor, parts=1)
    try:
        before = LAST if key is None else UUID(key[0])
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None
    async with request.app.state.db.read() as connection:
        found = await queries.list_conflicts(
            connection, door.event_id, before=before, resolved_too=resolved, limit=limit + 1
        )
    return ConflictPage(
        conflicts=[_conflict(door, row) for row in found[:limit]],
        next_cursor=encode_cursor(str(found[limit - 1].conflict_id)) if len(found) > limit else None,
    )


def _conflict(door: Door, row: StandingConflictRow) -> StandingConflict:
    return StandingConflict(
        id=row.conflict_id,
        kind=row.kind,
        list=_key(door, row.list_id),
        attendee_id=row.attendee_id,
        name=row.name,
        detected_at=row.detected_at,
        resolved_at=row.resolved_at,
        at=row.at,
        device_id=row.device_id,
        device=door.device_name(row.device_id),
        gate=door.gate_name(row.gate_id),
        scan_id=row.scan_id,
        first_at=row.first_at,
        first_device_id=row.first_device_id,
        first_device=door.device_name(row.first_device_id) if row.first_device_id else None,
        first_gate=door.gate_name(row.first_gate_id) if row.first_gate_id else None,
        first_scan_id=row.first_scan_id,
    )


@get("/checkins/refusals", guards=[require_right("see_statistics", "organizer")])
async def list_refusals(
    request: Request[Any, Any, Any], event: FromPath[str], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> RefusalPage:
    """Scans that were refused, newest first."""
    door = await _door(request, event)
    before, device_id, scan_id = _refusal_place(cursor)
    async with request.app.state.db.read() as connection:
        found = await queries.list_refusals(
            connection, door.event_id, before=before, device_id=device_id, scan_id=scan_id, limit=limit + 1
        )
    last = found[limit - 1] if len(found) > limit else None
    return RefusalPage(
        refusals=[_refusal(door, row) for row in found[:limit]],
        next_cursor=encode_cursor(last.received_at.isoformat(), str(last.device_id), last.scan_id) if last else None,
    )


def _refusal_place(cursor: str | None) -> tuple[datetime, UUID, str]:
    key = decode_cursor(cursor, parts=3)
    if key is None:
        return AFTER_ALL, LAST, ""
    try:
        place = datetime.fromisoformat(key[0]), UUID(key[1]), key[2]
    except ValueError:
        raise InvalidRequest(NOT_OURS) from None
    if place[0].tzinfo is None:
        raise InvalidRequest(NOT_OURS)
    return place


def _refusal(door: Door, row: RefusalRow) -> Refusal:
    return Refusal(
        scan_id=row.scan_id,
        device=door.device_name(row.device_id),
        gate=door.gate_name(row.gate_id),
        list=_key(door, row.list_id),
        attendee_id=row.attendee_id,
        name=row.name,
        code=row.code if row.attendee_id is None else "",
        direction=row.direction,
        at=row.at,
        reason=row.reason,
        offline=row.decided is not None,
    )


@get("/checkins/search", guards=[require_right("search", "organizer")])
async def search_attendees(
    request: Request[Any, Any, Any],
    event: FromPath[str],
    q: Asked,
    checkin_list: Annotated[str | None, QueryParameter(name="list", max_length=64)] = None,
) -> SearchAnswer:
    """People by their names and company, as one types: beginnings of words, in Latin or Arabic script, from 3 letters on.

    A single letter between others is passed over. Among very many people two frequent beginnings may leave somebody out: `more`
    says so.

    A badge's code or short code finds its holder. With `list` each answer says whether the person is inside.
    """
    door = await _door(request, event)
    rules = door.lists.get(checkin_list) if checkin_list is not None else None
    if checkin_list is not None and rules is None:
        raise UnknownList
    badge = door.badge_of(q)
    words = [word for word in words_of(q) if len(word) > 1][:MAX_WORDS]
    if badge is None and sum(map(len, words)) < MIN_LETTERS:
        raise InvalidRequest(f"Type at least {MIN_LETTERS} letters - at `$.q`")
    cut = False
    async with request.app.state.db.read() as connection:
        if badge is not None:
            hits = await queries.list_holder(connection, door.event_id, badge.attendee_id)
        else:
            counts = await queries.count_words(connection, door.event_id, words)
            words = [word for _, word in sorted(zip(counts, words, strict=True))]
            cut = len(words) > 1 and min(counts) == queries.MOST_TRIED
            hits = await queries.search_attendees(connection, door.event_id, words=words, limit=HIT_LIMIT)
    people = list({row.attendee_id: row for row in hits}.values())
    return SearchAnswer(
        attendees=[_found(door, row, rules.list_id if rules else None) for row in people[:MAX_FOUND]],
        more=cut or len(people) > MAX_FOUND or len(hits) == HIT_LIMIT,
    )


def _found(door: Door, row: FoundRow, list_id: UUID | None) -> Found:
    badge = door.badge_to_show(row.attendee_id)
    presence = door.inside.get(list_id, {}).get(row.attendee_id) if list_id else None
    return Found(
        id=row.attendee_id,
        name=row.name,
        name_ar=row.name_ar,
        company=row.company,
        ticket=row.ticket,
        language=row.language,
        code=badge.short_code if badge and badge.revoked_at is None else None,
        inside=None if list_id is None else presence is not None,
        since=presence.at if presence else None,
        gate=presence.gate if presence else None,
        device=presence.device if presence else None,
    )


def _key(door: Door, list_id: UUID) -> str:
    checkin_list = door.lists_by_id.get(list_id)
    return checkin_list.key if checkin_list else ""


router = Router(
    path="/v1/events/{event:str}",
    route_handlers=[get_statistics, list_conflicts, list_refusals, search_attendees],
    tags=["check-in"],
)
