"""Several gateways on one port: the hall is dealt out to them, and the death of one is a short interruption for its part."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from loadtests.feed_client import Manners
from loadtests.feed_client_http import FeedHttp
from loadtests.scanner_network import Wifi
from server.config import InvalidSetting, Settings, check_ranges
from server.processes import CannotServe, _listen_together
from tests.conftest import bearer
from tests.loadtests.addresses import address_of
from tests.loadtests.feed_logs import faults_of
from tests.loadtests.feed_readers import Reader
from tests.scenario.whole_server import Server, running_demo
from tests.waiting import until

CHANNEL = "announcements"
PHONES = 40
ROUNDS = 12
ESTABLISHED = "01"
"""In the kernel's table of connections."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the server's processes in /proc")


def phone(server: Server, wifi: Wifi) -> Reader:
    """A reader of the announcements as an app should be, but for its haste."""
    http = FeedHttp(wifi, urlsplit(server.api_url).path)
    return Reader(http, server.live_url, (CHANNEL,), manners=Manners(first_wait=0.05))


def seqs(reader: Reader) -> list[int]:
    """The events it has heard, in their order."""
    return [line.place.seq for line in reader.reading.log if line.event is not None and line.place is not None]


def held_by_each(server: Server) -> dict[int, int]:
    """How many connections each gateway holds, by the kernel's own table."""
    port = urlsplit(server.live_url).port
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if int(line[1].rpartition(":")[2], 16) == port and line[3] == ESTABLISHED}
    return {pid: len(inodes & set(sockets_of(pid))) for pid in server.children("server.live")}


def sockets_of(pid: int) -> list[str]:
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    return [link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:[")]


@pytest.mark.timeout(120)
async def test_a_gateway_that_is_killed_costs_nobody_an_event(tmp_path: Path) -> None:
    with running_demo(tmp_path, "--gateways", "2", "--workers", "2") as server, closing(wifi_of(server)) as wifi:
        phones = [phone(server, wifi) for _ in range(PHONES)]
        listening = [asyncio.create_task(one.client.run()) for one in phones]
        await until(lambda: all(one.client.connections for one in phones))
        held = held_by_each(server)
        assert len(held) == 2
        assert sum(held.values()) == PHONES
        assert min(held.values()) > 0, "the kernel deals them out"
        async with httpx.AsyncClient(headers=bearer(server.organizer), timeout=10) as organizer:
            for number in range(ROUNDS):
                if number in (3, 7):
                    await until(lambda: len(server.children("server.live")) == 2)
                    os.kill(server.children("server.live")[number == 7], signal.SIGKILL)
                answer = await organizer.post(
                    f"{server.api_url}/announcements", json={"title": {"en": f"No. {number}"}}
                )
                assert answer.json()["seq"] == number + 1
        await until(lambda: all(len(seqs(one)) >= ROUNDS for one in phones))
        assert {tuple(seqs(one)) for one in phones} == {tuple(range(1, ROUNDS + 1))}
        assert [fault for one in phones for fault in faults_of(one.reading.log)] == []
        assert {len(one.reading.log) for one in phones} == {1 + ROUNDS}, "nobody had to read anew but at the beginning"
        assert sum(one.client.connections for one in phones) > PHONES, "some were cut off"
        for task in listening:
            task.cancel()
        await asyncio.wait(listening)
        assert all(task.cancelled() for task in listening), [task for task in listening if not task.cancelled()]


def wifi_of(server: Server) -> Wifi:
    return Wifi(address_of(server.api_url))


def test_two_servers_do_not_share_a_port_unnoticed() -> None:
    first = _listen_together("127.0.0.1", 0, "--live-port", 2)
    try:
        port = first[0].getsockname()[1]
        assert {one.getsockname()[1] for one in first} == {port}
        for count in (1, 2):
            with pytest.raises(CannotServe, match=f"Port {port} is in use"):
                _listen_together("127.0.0.1", port, "--live-port", count)
    finally:
        for listening in first:
            listening.close()


def test_where_the_kernel_does_not_deal_out_they_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    first, *others = _listen_together("127.0.0.1", 0, "--live-port", 3)
    assert others == [first, first]
    first.close()


@pytest.mark.parametrize("count", [0, -1, 17])
def test_a_number_that_makes_no_sense_is_refused(count: int) -> None:
    with pytest.raises(InvalidSetting, match="DIGITALNOW_GATEWAYS"):
        check_ranges(Settings(gateways=count))


@pytest.mark.parametrize(
    "url", ["localhost:4222", "http://host", "nats:///", "nats://a b", "nats://host/path", "nats://x\n"]
)
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidSetting, match="DIGITALNOW_NATS_URL is no address") as refusal:
        check_ranges(Settings(nats_url=url))
    assert url not in str(refusal.value)


def test_an_address_may_name_a_user() -> None:
    check_ranges(Settings(nats_url="nats://user:secret@nats.example.org:4222"))
