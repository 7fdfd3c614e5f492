"""What a gateway says about itself, at `/metrics` on the live feed's port. Of several gateways one answers."""

from __future__ import annotations

import http.client

from msgspec import Struct

from loadtests.scenario import Aborted
from loadtests.server_under_test import Server

CLOSED, CONNECTIONS = "digitalnow_live_closed_total", "digitalnow_live_connections"
QUERIES = "digitalnow_live_queries_total"


class GatewayFigures(Struct, frozen=True):
    """One look at them."""

    samples: dict[str, float]
    """As they are written: `name{label="value",…}`."""

    def total(self, name: str, *labels: str) -> float:
        """The sum of a name's samples that have these labels, written `code="4001"`."""
        return sum(
            value
            for sample, value in self.samples.items()
            if sample.partition("{")[0] == name and all(label in sample for label in labels)
        )


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
    return GatewayFigures(parse(text))


def parse(text: str) -> dict[str, float]:
    """The samples of Prometheus' text format."""
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {sample: float(value) for sample, _, value in lines}
