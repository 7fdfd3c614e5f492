"""What a gateway counts about itself, for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from server.live.protocol import REASONS
from server.live.stream import Stream

if TYPE_CHECKING:
    from server.live.gateway import Gateway


class Figures:
    """Read at each look: nothing is added to what is done for an event."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.endings: Counter[int] = Counter()
        """Connections that were closed, by the code they were closed with."""
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        sessions = self._gateway.sessions
        streams = sum(isinstance(one.line, Stream) for one in sessions)
        lines = (("websocket", len(sessions) - streams), ("stream", streams))
        yield _gauge("digitalnow_live_connections", "Open connections", "line", lines)
        holders = Counter(one.principal.kind if one.principal else "nobody" for one in sessions)
        yield _gauge(
            "digitalnow_live_holders", "Open connections by whose ticket they came with", "kind", holders.items()
        )
        behind = sum(any(cursor.behind_since is not None for cursor in one.cursors.values()) for one in sessions)
        yield GaugeMetricFamily("digitalnow_live_behind", "Clients that have not taken everything yet", behind)
        endings = CounterMetricFamily(
            "digitalnow_live_closed", "Connections closed by the gateway", labels=["code", "reason"]
        )
        for code, number in sorted(self.endings.items()):
            endings.add_metric([str(code), REASONS[code]], number)
        yield endings
        yield CounterMetricFamily("digitalnow_live_events", "Events read from the logs", self._gateway.relay.events)
        yield CounterMetricFamily(
            "digitalnow_live_queries", "Times the database was asked for events or states", self._gateway.relay.queries
        )


def _gauge(name: str, text: str, label: str, values: Iterable[tuple[str, int]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values:
        family.add_metric([value], number)
    return family
