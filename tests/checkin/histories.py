"""Random days at a door, and what the rules say of them: shared by the tests of the writer, the history and the projector."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from server.checkin.history import NOBODY, Standing, stand
from server.checkin.planning import as_fact
from server.checkin.policy import decide
from server.checkin.types import Fact, Scan

Answer = tuple[str, str | None]
MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)


def entry(event_id: UUID, attendee_id: UUID | None, scan_id: str, **more: Any) -> Scan:
    """Somebody at the door, asked online."""
    fields: dict[str, Any] = {
        "event_id": event_id,
        "device_id": event_id,
        "scan_id": scan_id,
        "list_id": event_id,
        "gate_id": event_id,
        "attendee_id": attendee_id,
        "code": str(attendee_id),
        "direction": "entry",
        "scanned_at": None,
        "outcome": "admitted",
        "reason": None,
        "turn": 1,
    } | more
    fields.setdefault("area_id", fields["list_id"])
    return Scan(**fields)


def leaving(scan: Scan) -> Scan:
    return msgspec.structs.replace(scan, direction="exit", outcome="exited", turn=None)


def offline(scan: Scan, at: datetime) -> Scan:
    """The same, decided by the scanner itself at that moment."""
    decided = "admitted" if scan.direction == "entry" else "exited"
    return msgspec.structs.replace(scan, decided=decided, at=at, scanned_at=at)


def random_history(seed: int, event_id: UUID, length: int = 200) -> list[Scan]:
    """Entries and exits of few people on two lists by three devices, a tenth of them sent twice."""
    draw = random.Random(seed)
    people, lists, devices = ([UUID(int=draw.getrandbits(128)) for _ in range(n)] for n in (8, 2, 3))
    history: list[Scan] = []
    for number in range(length):
        if history and draw.random() < 0.1:
            history.append(draw.choice(history))
            continue
        scan = entry(
            event_id, draw.choice(people), f"s{number}", device_id=draw.choice(devices), list_id=draw.choice(lists)
        )
        history.append(leaving(scan) if draw.random() < 0.4 else scan)
    return history


def random_uploads(seed: int, event_id: UUID, length: int = 120, *, rooms: bool = False) -> list[Scan]:
    """What several scanners did while they were offline: each scan at a moment of its own."""
    draw = random.Random(seed)
    people, lists, devices = ([UUID(int=draw.getrandbits(128)) for _ in range(n)] for n in (6, 3, 4))
    scans = []
    for number in range(length):
        scan = entry(
            event_id,
            draw.choice(people),
            f"s{number}",
            device_id=draw.choice(devices),
            list_id=draw.choice(lists),
            **({"area_id": event_id} if rooms else {}),
        )
        at = MORNING + timedelta(seconds=draw.randrange(3600))
        scans.append(offline(leaving(scan) if draw.random() < 0.35 else scan, at))
    return scans


def expected_answers(history: Sequence[Scan]) -> list[Answer]:
    """What one question after the other would get: the rules applied to a dictionary."""
    facts: dict[Any, list[Fact]] = {}
    answered: dict[Any, Answer] = {}
    for number, scan in enumerate(history):
        key = (scan.device_id, scan.scan_id)
        if key in answered:
            continue
        known = facts.setdefault(scan.person, [])
        standing = stand(known, {scan.list_id: scan.reentry}) if known else NOBODY
        decided = decide(scan, standing, len(known), 0)
        if decided.passes:
            at = MORNING + timedelta(seconds=number)
            known.append(msgspec.structs.replace(as_fact(decided), at=at))
        answered[key] = (decided.outcome, decided.reason)
    return [answered[(scan.device_id, scan.scan_id)] for scan in history]


def places(facts: Sequence[Fact]) -> dict[tuple[UUID, UUID], Any]:
    """Where each person is in each area, and what does not go together: what must not depend on the order of uploads."""
    people: dict[tuple[UUID, UUID], list[Fact]] = {}
    for fact in facts:
        people.setdefault((fact.area_id, fact.attendee_id), []).append(fact)
    return {person: summary(stand(own, {})) for person, own in people.items()}


def summary(standing: Standing) -> Any:
    return (
        standing.since.key if standing.since else None,
        {place: fact.key for place, fact in standing.visited.items()},
        sorted((str(first.key), str(later.key)) for first, later in standing.conflicts),
    )


def double_turns(rows: Sequence[Any]) -> int:
    """How many turns of the log were taken by more than one scan."""
    counted = Counter((row["area_id"], row["attendee_id"], row["turn"]) for row in rows if row["turn"] is not None)
    return sum(count - 1 for count in counted.values())
