"""From nothing to a running event: time and memory.

Question: is `python3 -m server demo` there before somebody loses patience, with 5,000 attendees and with 150,000?

Population: the sample event with 5,000 and with 150,000 attendees, each in a fresh data folder.

Measured: `demo --load-only` from the command to its end (a fresh PostgreSQL cluster is created in that time) and the
loading process's memory at its largest; a cold start, from the command on an empty folder until it says it is ready
(cluster, schema and 5,000 attendees included); a warm start on the loaded folder; the first check-in after it, which
loads the badges into the API's memory, and the second; then the memory of the API, the gateway and PostgreSQL (PSS:
shared pages count once). Each start once: this is a look, not statistics. File caches are as the system has them.

Thresholds: cold start 15 s, warm start 5 s, 150,000 attendees loaded in 60 s, 400 MiB with 5,000 attendees.

Given up: when the server does not start.
"""

from __future__ import annotations

import http.client
import time

from msgspec import Struct

from loadtests import accounting, checkins
from loadtests.scenario import Aborted, Context, Figure, Result, Threshold
from loadtests.server_under_test import Loading, Server

USUAL, MANY = 5000, 150_000
MEBI = 2**20

THRESHOLDS = (
    Threshold("cold", at_most=15),
    Threshold("warm_usual", at_most=5),
    Threshold("load_many", at_most=60),
    Threshold("memory_usual", at_most=400),
)


class Measured(Struct, frozen=True):
    """One size of event."""

    attendees: int
    loading: Loading
    warm: float
    first: float
    second: float
    memory: dict[str, int | None]
    """PSS in bytes by process."""


def run(context: Context) -> Result:
    many = context.attendees or MANY
    context.say("a cold start")
    with Server(context.folder / "cold", attendees=USUAL) as server:
        cold = server.started_in
    sizes = {"usual": USUAL, "many": many}
    found = {name: _measure(context, name, attendees) for name, attendees in sizes.items()}
    figures = [Figure("cold", f"Cold start, {USUAL:,} attendees", cold, "s")]
    for name, measured in found.items():
        figures += _figures(name, measured)
    return Result(population=f"{USUAL:,} and {many:,} attendees", figures=figures)


def _measure(context: Context, name: str, attendees: int) -> Measured:
    context.say(f"{attendees:,} attendees")
    server = Server(context.folder / name, attendees=attendees)
    loading = server.load_only()
    with server:
        codes = server.badges()
        first, second = _check_in(server, codes[0]), _check_in(server, codes[1])
        memory = {
            "API": accounting.proportional_bytes(server.pids("server.api")),
            "gateway": accounting.proportional_bytes(server.pids("server.live")),
            "PostgreSQL": accounting.proportional_bytes(server.postgres_pids()),
            "starter": accounting.proportional_bytes(server.pids("server")),
        }
        return Measured(attendees, loading, server.started_in, first, second, memory)


def _check_in(server: Server, code: str) -> float:
    """Seconds until the answer. Raises `Aborted` unless somebody was admitted."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.credentials.devices[0].token}", "Content-Type": "application/json"}
    began = time.monotonic()
    connection.request("POST", f"{server.path}/checkins", checkins.body(f"first-{code}", code), headers)
    answer = connection.getresponse().read()
    taken = time.monotonic() - began
    connection.close()
    if checkins.ADMITTED not in answer:
        raise Aborted(f"a check-in was answered with {answer[:200].decode('utf-8', 'replace')}")
    return taken


def _figures(name: str, measured: Measured) -> list[Figure]:
    known = [value for value in measured.memory.values() if value is not None]
    whole = sum(known) / MEBI if len(known) == len(measured.memory) else None
    return [
        Figure(f"load_{name}", f"Load {measured.attendees:,} attendees", measured.loading.seconds, "s"),
        Figure(f"peak_{name}", "  loading process at its largest", measured.loading.peak_bytes / MEBI, "MiB"),
        Figure(f"warm_{name}", "  warm start", measured.warm, "s"),
        Figure(f"first_{name}", "  first check-in after it", measured.first * 1000, "ms"),
        Figure(f"second_{name}", "  second check-in", measured.second * 1000, "ms"),
        Figure(f"memory_{name}", "  memory of all processes", whole, "MiB"),
        *(
            Figure(f"memory_{name}_{part.lower()}", f"    {part}", None if value is None else value / MEBI, "MiB")
            for part, value in measured.memory.items()
        ),
    ]
