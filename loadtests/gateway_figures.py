"""What a gateway says about itself, at `/metrics` on the live feed's port. Of several gateways one answers."""

from __future__ import annotations

import http.client

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from loadtests.scenario import Aborted
from loadtests.server_under_test import Server

CLOSED, CONNECTIONS = "digitalnow_live_closed_total", "digitalnow_live_connections"
QUERIES = "digitalnow_live_queries_total"


class GatewayFigures(Struct, frozen=True):
    """One look at them."""

    samples: list[Sample]

    def named(self, name: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.name == name]

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(sample.value for sample in self.named(name))


def look_at_gateway(server: Server) -> GatewayFigures:
    """Raises `Aborted` when the gateway does not tell."""
    connection = http.client.HTTPConnection(server.host, server.live_port, timeout=20)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise Aborted(f"the gateway's figures were answered with {response.status}")
    return read(text)


def read(text: str) -> GatewayFigures:
    """Figures in Prometheus' text format."""
    return GatewayFigures([sample for family in text_string_to_metric_families(text) for sample in family.samples])
