"""What a process counts about itself, for Prometheus. One registry a process: scrape each by itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

if TYPE_CHECKING:
    from server.checkin.writers import Writers


class Metrics:
    """The API process's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.checkins = Counter(
            "digitalnow_checkins", "Answered check-ins by outcome", ["outcome"], registry=self.registry
        )
        self._answered: dict[str, int] = defaultdict(int)
        """Check-ins by outcome since the last look."""
        self._written = Gauge("digitalnow_checkin_scans_written", "Scans answered by the log", registry=self.registry)
        self._batches = Gauge("digitalnow_checkin_batches", "Batches committed", registry=self.registry)
        self._waiting = Gauge("digitalnow_checkin_waiting", "Scans that wait for their turn", registry=self.registry)

    def count_checkin(self, outcome: str) -> None:
        """One answered check-in more."""
        self._answered[outcome] += 1  # a metric of the library takes a lock and several calls each time

    def take_over_checkins(self) -> None:
        """Before each look: takes over what is counted without the metrics library because it happens so often."""
        for outcome, number in self._answered.items():
            self.checkins.labels(outcome).inc(number)
        self._answered.clear()

    def read_writers(self, writers: Writers) -> None:
        """Takes over what the writers count by themselves, so that their hot path carries no metrics library."""
        self._written.set(writers.written)
        self._batches.set(writers.batches)
        self._waiting.set(writers.depth)


REGISTRY = Metrics()
