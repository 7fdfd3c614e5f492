"""Writes scans into the log, many with one commit, and tells each its answer after that commit.

While a batch is being committed, the scans that arrive form the next one: a lone scan waits for nobody, and a thousand share
one flush of the disk. A batch of new people costs one round trip to PostgreSQL; repeats, exits and re-entries cost three more,
however many they are.

Nothing here decides twice: a batch whose fate is unknown (the connection broke) is sent again with the same ids, and the log
answers with what it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from server.checkin import queries
from server.checkin.errors import NotRecorded, ScanIdReused
from server.checkin.planning import Plan, make_plan
from server.checkin.types import Fact, LoggedScan, PersonKey, Scan, ScanKey
from server.db import LOST_CONNECTION, Tx
from server.errors import Overloaded

logger = logging.getLogger(__name__)


class TakenMeanwhile(Exception):
    """Somebody else took the turn or the seat between the reading and the writing."""


MAX_BATCH = 256
MAX_WAITING = 4096
"""Scans that may wait for their turn; the next one is told to come back later. At 2,000 a second that is 2 s of work."""
PATIENCE_SECONDS = 0.5
"""How long a scan may have to wait for the batches before it, as long as batches take what the last one took. A queue that only
its length limits is as slow as the database behind it: whoever was let in would wait for all of it."""
ANSWER_SECONDS = 8.0
"""A scan that could not be written by then is given up: its scanner must decide for itself."""
BATCH_SECONDS = 5.0
"""A connection that needs longer for a batch is taken for dead."""
SETTLED_BY_CONSTRAINTS = ("scan_pkey", "scan_turn", "within_capacity")
"""What a counted batch may run into because of somebody else's; all of it is seen at the next look."""
RACES = (asyncpg.TransactionRollbackError, TakenMeanwhile)
MIN_ATTEMPT_SECONDS = 0.5
CONNECT_SECONDS = 2.0
RECONNECT_SECONDS = 0.1

Connect = Callable[[], Awaitable[Tx]]
OnWritten = Callable[[set[UUID]], None]


def ignore(_events: set[UUID]) -> None:
    """For a writer whose batches nobody waits for."""


class Waiting:
    """A scan whose sender waits for the log."""

    __slots__ = ("answered", "deadline", "future", "scan")

    def __init__(self, scan: Scan, future: asyncio.Future[LoggedScan], deadline: float) -> None:
        self.scan = scan
        self.future = future
        self.deadline = deadline
        self.answered = False
        """Not the same as a future that is done: a sender that hangs up cancels its future, its scan is logged all the same."""

    def answer(self, logged: LoggedScan) -> None:
        """Hands over the log's answer, or the refusal if the log has another scan under this id."""
        if not is_same_scan(self.scan, logged):
            self.fail(ScanIdReused())
            return
        self.answered = True
        self._hand_over(logged)

    def answer_first(self, received_at: datetime) -> None:
        """Hands over that the log took the scan as proposed, of somebody who came for the first time."""
        self.answered = True
        scan = self.scan
        at = received_at if scan.at is None else min(scan.at, received_at)
        self._hand_over(as_logged(scan, received_at, at, None))

    def fail(self, error: Exception) -> None:
        self.answered = True
        self._hand_over(error)

    def _hand_over(self, result: LoggedScan | Exception) -> None:
        if self.future.done():
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


Results = list[LoggedScan | Exception]


class UploadedScan(Waiting):
    """One of several scans whose sender waits for all of them."""

    __slots__ = ("_place", "_upload")

    def __init__(self, scan: Scan, upload: Upload, place: int, deadline: float) -> None:
        super().__init__(scan, upload.future, deadline)  # type: ignore[arg-type]  # handed over to by the upload alone
        self._upload = upload
        self._place = place

    def _hand_over(self, result: LoggedScan | Exception) -> None:
        self._upload.take(self._place, result)


class Upload:
    """Scans that were sent together, and the answers that are there."""

    def __init__(self, count: int) -> None:
        self.future: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._results: list[LoggedScan | Exception | None] = [None] * count
        self._left = count

    def take(self, place: int, result: LoggedScan | Exception) -> None:
        self._results[place] = result
        self._left -= 1
        if not self._left and not self.future.done():
            self.future.set_result([one for one in self._results if one is not None])


class Lately:
    """Whose scans were written last, some thousands of people: they do not come for the first time."""

    def __init__(self, length: int = 4096) -> None:
        self._length = length
        self._now: set[PersonKey] = set()
        self._before: set[PersonKey] = set()

    def __contains__(self, person: PersonKey) -> bool:
        return person in self._now or person in self._before

    def add(self, people: Iterable[PersonKey]) -> None:
        self._now.update(people)
        if len(self._now) > self._length:
            self._now, self._before = set(), self._now


class Writer:
    """One connection to the log and the scans that wait for it."""

    def __init__(
        self,
        connect: Connect,
        *,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
        on_written: OnWritten = ignore,
    ) -> None:
        """`on_written` hears after each batch of which events it was; it must not block."""
        self._connect = connect
        self._on_written = on_written
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._room = max_waiting
        """How many may wait now: fewer when batches take long, one batch always."""
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._connection: Tx | None = None
        self._loop: asyncio.AbstractEventLoop  # from `run` on: to ask for it costs a system call each time
        self._ending = False
        self._lately = Lately()
        self.batches = 0
        self.written = 0

    @property
    def depth(self) -> int:
        """How many scans wait for their turn."""
        return len(self._waiting)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Writer]:
        """Writes in the background for the length of the block; what waits at its end is still written."""
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(self._keep_writing(), name="check-in writer")
        try:
            yield self
        finally:
            self._ending = True
            self._arrived.set()
            await asyncio.wait([task], timeout=ANSWER_SECONDS)
            task.cancel()
            await asyncio.wait([task])
            if self._connection is not None:
                self._connection.terminate()

    def submit(self, scan: Scan) -> asyncio.Future[LoggedScan]:
        """The log's answer to come. Raises `Overloaded` at once where too many wait.

        The future ends with `ScanIdReused`, `NotRecorded` or `Overloaded` (given up) instead of an answer. Cancelling it
        stops nothing but the waiting.
        """
        if len(self._waiting) >= self._room:
            raise Overloaded
        future: asyncio.Future[LoggedScan] = self._loop.create_future()
        self._waiting.append(Waiting(scan, future, self._loop.time() + ANSWER_SECONDS))
        self._arrived.set()
        return future

    def submit_all(self, scans: Sequence[Scan], deadline: float) -> asyncio.Future[Results]:
        """The log's answers to come, in the same order; what `submit` ends with stands in a scan's place.

        `deadline` is by the loop's clock. Raises `Overloaded` at once, for all of them, where too many wait. A scan that could
        not be answered in time is `Overloaded` in its place: it may have been logged, the same id gets the answer later.
        """
        if len(self._waiting) + len(scans) > self._max_waiting:
            raise Overloaded
        upload = Upload(len(scans))
        if not scans:
            upload.future.set_result([])
        self._waiting.extend(UploadedScan(scan, upload, place, deadline) for place, scan in enumerate(scans))
        self._arrived.set()
        return upload.future

    async def _keep_writing(self) -> None:
        while not self._ending or self._waiting:
            await self._arrived.wait()
            batch = self._next_batch()
            if not self._waiting and not self._ending:
                self._arrived.clear()
            if batch:
                await self._write_until_answered(batch)

    def _next_batch(self) -> list[Waiting]:
        """The oldest scans, each id once: a second one of the same id finds the first in the log a moment later."""
        batch: list[Waiting] = []
        keys: set[ScanKey] = set()
        postponed: list[Waiting] = []
        now = self._loop.time()
        while self._waiting and len(batch) < self._max_batch:
            waiting = self._waiting.popleft()
            if waiting.deadline <= now:
                waiting.fail(Overloaded())
            elif waiting.scan.key in keys:
                postponed.append(waiting)
            else:
                keys.add(waiting.scan.key)
                batch.append(waiting)
        self._waiting.extendleft(reversed(postponed))
        return batch

    async def _write_until_answered(self, batch: list[Waiting]) -> None:
        """Sends a batch until the log has answered it or its scans are given up."""
        while batch:
            try:
                await self._attempt(batch)
            except LOST_CONNECTION as error:
                logger.warning("writing %d scans failed (%r); trying again with the same ids", len(batch), error)
                await asyncio.sleep(RECONNECT_SECONDS)
            except RACES as error:  # a deadlock, a turn or the last seat that somebody else took: nothing was written
                logger.info("a batch was rolled back (%s); trying again", error)
            except asyncpg.PostgresError as error:
                await self._isolate(batch, error)
            except Exception:
                logger.exception("writing %d scans failed in a way nobody foresaw", len(batch))
                self._give_up(batch)
            self._give_up_late(batch)
            batch = _still_waiting(batch)

    def _give_up(self, batch: Sequence[Waiting]) -> None:
        for waiting in _still_waiting(batch):
            waiting.fail(Overloaded())
        if self._connection is not None:
            self._connection.terminate()

    def _give_up_late(self, batch: Sequence[Waiting]) -> None:
        """Ends the waiting of those whose time is over, in the batch and behind it: their outcome is unknown, not a refusal."""
        now = self._loop.time()
        for waiting in _still_waiting(batch):
            if waiting.deadline <= now:
                waiting.fail(Overloaded())
        while self._waiting and self._waiting[0].deadline <= now:
            self._waiting.popleft().fail(Overloaded())

    async def _isolate(self, batch: list[Waiting], error: Exception) -> None:
        """Halves a batch that PostgreSQL refuses until only the scan it refuses is left without an answer."""
        if len(batch) == 1:
            scan = batch[0].scan
            logger.error("scan %s of device %s cannot be logged", scan.scan_id, scan.device_id, exc_info=error)
            batch[0].fail(NotRecorded())
            return
        middle = len(batch) // 2
        await self._write_until_answered(_still_waiting(batch[:middle]))
        await self._write_until_answered(_still_waiting(batch[middle:]))

    async def _attempt(self, batch: list[Waiting]) -> None:
        """One attempt. A connection that does not answer is cut: cancelling its statement could hang as well."""
        deadline = min(waiting.deadline for waiting in batch)
        if self._connection is None or self._connection.is_closed():
            async with asyncio.timeout(self._patience(CONNECT_SECONDS, deadline)):
                self._connection = await self._connect()
        connection = self._connection
        began = self._loop.time()
        giving_up = self._loop.call_later(self._patience(BATCH_SECONDS, deadline), connection.terminate)
        try:
            await write_batch(connection, batch, self._lately)
        except LOST_CONNECTION:
            connection.terminate()
            raise
        finally:
            giving_up.cancel()
        self._room = self._room_after(self._loop.time() - began)
        self.batches += 1
        self.written += len(batch)
        self._on_written({waiting.scan.event_id for waiting in batch})

    def _patience(self, most: float, deadline: float) -> float:
        """How long to wait for PostgreSQL: not beyond the first deadline, but long enough for it to answer at all."""
        return max(MIN_ATTEMPT_SECONDS, min(most, deadline - self._loop.time()))

    def _room_after(self, seconds: float) -> int:
        """How many may wait after a batch that took so long; another one is under way when they come."""
        in_time = self._max_batch * (PATIENCE_SECONDS / max(seconds, 1e-6) - 1)
        return min(self._max_waiting, max(self._max_batch, int(in_time)))


async def write_batch(connection: Tx, batch: Sequence[Waiting], lately: Lately) -> None:
    """Logs a batch and answers its scans. Each statement commits by itself: scans do not depend on each other."""
    first, people = _first_comers(batch, lately)
    if first:
        await _write_first_comers(connection, first)
        lately.add(people)
    while rest := _still_waiting(batch):
        # Somebody may take the same turn between the reading and the writing: then the log refuses and we look again.
        await _write_after_a_look(connection, rest)


async def _write_first_comers(connection: Tx, first: Sequence[Waiting]) -> None:
    """One round trip for each event that is in the batch, asked or uploaded: one as a rule."""
    kinds: dict[tuple[UUID, bool], list[Waiting]] = {}
    for waiting in first:
        kinds.setdefault((waiting.scan.event_id, waiting.scan.decided is not None), []).append(waiting)
    for (event_id, uploaded), people in kinds.items():
        log = queries.log_first_uploads if uploaded else queries.log_first_scans
        # Where somebody was here before after all, nothing was written: a look at the log will tell who.
        with contextlib.suppress(asyncpg.UniqueViolationError):
            received_at = await log(connection, event_id, _scans(people))
            for waiting in people:
                waiting.answer_first(received_at)


def _first_comers(batch: Sequence[Waiting], lately: Lately) -> tuple[list[Waiting], set[PersonKey]]:
    """Entries that come before anything else of their person in the batch, which may be written without a look at the log; and
    everybody who is in the batch.

    Whoever comes later has to wait for their outcome, so that the answers are those of the order of arrival.
    """
    seen: set[PersonKey] = set()
    first = []
    for waiting in batch:
        scan = waiting.scan
        if scan.attendee_id is not None:
            person = scan.person
            if person in seen or person in lately:
                continue
            seen.add(person)
        if scan.seems_first:
            first.append(waiting)
    return first, seen


async def _write_after_a_look(connection: Tx, waiting: Sequence[Waiting]) -> None:
    """Answers what is logged already, and logs what follows from how everybody stands now."""
    logged = {(row.device_id, row.scan_id): row for row in await queries.list_logged(connection, _scans(waiting))}
    for one in waiting:
        found = logged.get((one.scan.device_id, one.scan.scan_id))
        if found is not None:
            one.answer(found)
    rest = _still_waiting(waiting)
    if not rest:
        return
    people = {one.scan.person for one in rest if one.scan.attendee_id is not None}
    facts = await queries.list_facts(connection, people) if people else []
    lists = {(one.scan.event_id, one.scan.list_id) for one in rest if one.scan.counted}
    counts = await queries.list_counts(connection, lists) if lists else []
    plan = make_plan(_scans(rest), facts, counts)
    if lists or _builds_on_itself(plan.scans):
        try:
            written = await queries.log_counted_scans(connection, plan.scans, plan.changes)
        except asyncpg.IntegrityConstraintViolationError as error:
            if error.constraint_name in SETTLED_BY_CONSTRAINTS:
                raise TakenMeanwhile(str(error)) from error
            raise
    else:
        written = await queries.log_scans(connection, plan.scans)
    _answer_written(rest, written, plan)


def _builds_on_itself(scans: Sequence[Scan]) -> bool:
    """Whether somebody passes twice: the second answer holds only if the first one is logged as planned, so all are or none."""
    passings = [scan.person for scan in scans if scan.passes]
    return len(passings) > len(set(passings))


def _answer_written(waiting: Sequence[Waiting], written: Sequence[queries.LoggedAt], plan: Plan) -> None:
    """Answers the scans that the log took as planned; the others wait for another look."""
    moments = {(device_id, scan_id): (received_at, at) for device_id, scan_id, received_at, at in written}
    planned = {scan.key: scan for scan in plan.scans}
    for one in waiting:
        scan = planned.get(one.scan.key)
        moment = moments.get((one.scan.device_id, one.scan.scan_id))
        if scan is not None and moment is not None:
            blocking = None if scan.against is None else plan.facts[scan.person][scan.against]
            one.answer(as_logged(scan, *moment, blocking))


def as_logged(scan: Scan, received_at: datetime, at: datetime, blocking: Fact | None) -> LoggedScan:
    return LoggedScan(
        scan.device_id,
        scan.scan_id,
        scan.list_id,
        scan.gate_id,
        scan.code,
        scan.direction,
        scan.scanned_at,
        received_at,
        at,
        scan.decided,
        scan.number,
        scan.attendee_id,
        scan.outcome,
        scan.reason,
        scan.conflict,
        blocking.at if blocking else None,
        blocking.gate_id if blocking else None,
        blocking.device_id if blocking else None,
    )


def is_same_scan(scan: Scan, logged: LoggedScan) -> bool:
    """Whether the log's row is this very scan sent again, not another one under the same id.

    A scan that was asked online, got no answer and comes again as decided by the scanner is the same scan; one that the scanner
    once says it refused and once that it let in is not. A number may be missing on one side.
    """
    return (scan.list_id, scan.code, scan.direction, scan.scanned_at) == (
        logged.list_id,
        logged.code,
        logged.direction,
        logged.scanned_at,
    ) and all(
        said is None or before is None or said == before
        for said, before in ((scan.decided, logged.decided), (scan.number, logged.number))
    )


def _scans(batch: Sequence[Waiting]) -> list[Scan]:
    return [waiting.scan for waiting in batch]


def _still_waiting(batch: Sequence[Waiting]) -> list[Waiting]:
    return [waiting for waiting in batch if not waiting.answered]
