"""Several gateways on one port: the hall is dealt out to them, and the death of one is a short interruption for its part."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from server.config import InvalidSetting, Settings, check_ranges
from server.processes import CannotServe, _listen_together
from tests.conftest import bearer
from tests.scenario.whole_server import Server, running_demo
from tests.waiting import until

PHONES = 40
ROUNDS = 12

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the server's processes in /proc")


class Phone:
    """Comes back as often as it is cut off, and keeps every event's number."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.epoch: str | None = None
        self.seqs: list[int] = []
        self.connects = 0
        self.socket: ClientConnection | None = None

    async def listen(self) -> None:
        while True:
            try:
                async with connect(self._url, compression=None, ping_interval=None, proxy=None) as self.socket:
                    await self._follow(self.socket)
            except (OSError, InvalidHandshake, ConnectionClosed):
                self.socket = None
                await asyncio.sleep(0.05)

    async def _follow(self, socket: ClientConnection) -> None:
        position = {} if self.epoch is None else {"epoch": self.epoch, "seq": self.seqs[-1] if self.seqs else 0}
        wanted = [{"name": "announcements", **position}]
        await socket.send(json.dumps({"type": "hello", "version": 1, "ticket": None, "channels": wanted}))
        async for message in socket:
            frame: dict[str, Any] = json.loads(message)
            if frame["type"] == "ready":
                (channel,) = frame["channels"]
                assert channel["reason"] is None
                self.epoch = channel["epoch"]
                self.connects += 1
            elif frame["type"] == "event":
                self.seqs.append(frame["seq"])


def gateway_of(server: Server, phones: list[Phone]) -> dict[int, int]:
    """How many of the phones' connections each gateway holds, by the kernel's own table."""
    ports = {phone.socket.local_address[1] for phone in phones if phone.socket is not None}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if int(line[2].rpartition(":")[2], 16) in ports}
    return {pid: len(inodes & set(sockets_of(pid))) for pid in server.children("server.live")}


def sockets_of(pid: int) -> list[str]:
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    return [link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:[")]


@pytest.mark.timeout(120)
async def test_a_gateway_that_is_killed_costs_nobody_an_event(tmp_path: Path) -> None:
    with running_demo(tmp_path, "--gateways", "2", "--workers", "2") as server:
        phones = [Phone(server.live_url) for _ in range(PHONES)]
        listening = [asyncio.create_task(phone.listen()) for phone in phones]
        await until(lambda: all(phone.connects for phone in phones))
        held = gateway_of(server, phones)
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
        await until(lambda: all(len(phone.seqs) >= ROUNDS for phone in phones))
        assert {tuple(phone.seqs) for phone in phones} == {tuple(range(1, ROUNDS + 1))}
        assert sum(phone.connects for phone in phones) > PHONES, "some were cut off"
        for task in listening:
            task.cancel()
        await asyncio.wait(listening)
        assert all(task.cancelled() for task in listening), [task for task in listening if not task.cancelled()]


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
