"""What a process counts about itself, for Prometheus. One registry a process: scrape each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

if TYPE_CHECKING:
    from server.checkin.writer import Writer


class Metrics:
    """The API process's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.checkins = Counter(
            "digitalnow_checkins", "Answered check-ins by outcome", ["outcome"], registry=self.registry
        )
        self._written = Gauge("digitalnow_checkin_scans_written", "Scans answered by the log", registry=self.registry)
        self._batches = Gauge("digitalnow_checkin_batches", "Batches committed", registry=self.registry)
        self._waiting = Gauge("digitalnow_checkin_waiting", "Scans that wait for their turn", registry=self.registry)

    def read_writer(self, writer: Writer) -> None:
        """Takes over what the writer counts by itself, so that its hot path carries no metrics library."""
        self._written.set(writer.written)
        self._batches.set(writer.batches)
        self._waiting.set(writer.depth)


REGISTRY = Metrics()
