"""What the feed is measured against: nginx with nchan where there is one, and what the table says where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loadtests import feed_fanout, feed_nchan, gateway_figures
from loadtests.announcements import Sent
from loadtests.feed_clients import Clients
from loadtests.feed_crowd import Collect, Delivered
from loadtests.feed_nchan import Installed, Nchan
from loadtests.histogram import Packed
from loadtests.scenario import Aborted

CLIENTS = 8
TEXT = '{"type":"event","channel":"announcements","seq":7,"data":{}}'
FIGURES = """\
# HELP digitalnow_live_connections Open connections
digitalnow_live_connections{line="websocket"} 12.0
digitalnow_live_connections{line="stream"} 3.0
digitalnow_live_closed_total{code="4001",reason="too slow"} 2.0
digitalnow_live_closed_total{code="4003",reason="draining"} 1.0
"""

installed = feed_nchan.find()


@pytest.mark.skipif(installed is None, reason="nginx with nchan is not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="is tied to this process by the kernel")
async def test_nchan_sends_a_text_to_everybody(tmp_path: Path) -> None:
    assert installed is not None
    with Nchan(installed, tmp_path / "nginx") as nchan:
        clients = Clients(nchan.url, CLIENTS, bare=True)
        arrived = await clients.connect()
        began = nchan.publish(TEXT)
        delivered = await clients.collect(Collect(7, began, 10))
        clients.drop()
    assert (arrived.ready, delivered.clients) == (CLIENTS, CLIENTS)
    assert 0 < delivered.first <= delivered.last


@pytest.mark.skipif(sys.platform != "linux", reason="is tied to this process by the kernel")
def test_an_nginx_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Aborted, match="did not start"), Nchan(Installed("/bin/false", None), tmp_path / "nginx"):
        pass


def delivered(last: float) -> Delivered:
    return Delivered(2, last, last, last, last, Packed([], 0, 0))


@pytest.mark.parametrize(("others", "name"), [({"nchan": 0.2, "bare": 0.1}, "nchan"), ({"bare": 0.1}, "bare")])
def test_the_table_says_what_the_feed_was_measured_against(others: dict[str, float], name: str) -> None:
    sent = Sent(1, 0.0, 0.1, TEXT)
    found = feed_fanout.Broadcast(sent, delivered(0.3), {each: delivered(last) for each, last in others.items()})
    ratio = feed_fanout._fanout_figures([found])[0]
    assert ratio.key == "ratio"
    assert name in ratio.label
    assert ratio.value == pytest.approx(0.2 / others[name])
    assert bool(ratio.note) == (name == "bare")


def test_a_gateways_figures_are_read() -> None:
    figures = gateway_figures.read(FIGURES)
    assert figures.total(gateway_figures.CONNECTIONS) == 15
    closed = {sample.labels["code"]: sample.value for sample in figures.named(gateway_figures.CLOSED)}
    assert closed == {"4001": 2, "4003": 1}
    assert figures.total("digitalnow_live_behind") == 0
