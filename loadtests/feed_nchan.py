"""The yardstick of the feed where it is installed: nginx with nchan, publish and subscribe in C.

One worker process, one channel, subscribers over websockets; a published text goes to everybody who listens. nginx keeps the last
messages, as the gateway keeps its ring, and writes no log.
"""

from __future__ import annotations

import grp
import http.client
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from msgspec import Struct

from loadtests.scenario import Aborted
from loadtests.server_under_test import clean_environment, end
from server.embedded import launch

START_SECONDS = 10.0
PLACES = (Path("/usr/sbin"), Path("/usr/local/sbin"), Path("/usr/local/nginx/sbin"))
MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules", "/etc/nginx/modules")
MODULE = "ngx_nchan_module.so"
UNPRIVILEGED = "nobody"

CONFIGURATION = """\
{module}
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 64k;
    keepalive_timeout 1h;
    keepalive_requests 1000000;
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /subscribe {{
            nchan_subscriber websocket;
            nchan_channel_id announcements;
            nchan_subscriber_first_message newest;
        }}
        location = /publish {{
            nchan_publisher http;
            nchan_channel_id announcements;
            nchan_message_buffer_length 1000;
        }}
    }}
}}
"""


class Installed(Struct, frozen=True):
    """An nginx with nchan."""

    program: str
    module: str | None
    """The file to load; None: it is built in."""


def find() -> Installed | None:
    """The one of this machine, if there is one."""
    program = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, PLACES)]))
    if program is None:
        return None
    for folder in MODULES:
        if (Path(folder) / MODULE).exists():
            return Installed(program, str(Path(folder) / MODULE))
    told = subprocess.run([program, "-V"], capture_output=True, text=True, check=False, timeout=10).stderr
    return Installed(program, None) if "nchan" in told and "dynamic-module" not in told else None


class Nchan:
    """nginx, seen from the load test. As a context manager it is started and ended."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        """`folder` is its own; it is made."""
        self._installed = installed
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[str] | None = None
        self._connection: http.client.HTTPConnection | None = None

    @property
    def url(self) -> str:
        """Where subscribers go."""
        return f"ws://127.0.0.1:{self._port}/subscribe"

    @property
    def pids(self) -> list[int]:
        """Of its first process; the worker is its child."""
        return [] if self._process is None else [self._process.pid]

    def publish(self, text: str) -> float:
        """Sends a text to everybody. Returns when that began, by the kernel's monotonic clock. Raises `Aborted`."""
        connection = self._connection
        if connection is None:
            raise Aborted("nginx does not run")
        content = text.encode()
        began = time.monotonic()
        connection.request("POST", "/publish", content, {"Content-Type": "text/plain"})
        response = connection.getresponse()
        response.read()
        if response.status not in (http.HTTPStatus.CREATED, http.HTTPStatus.ACCEPTED):
            raise Aborted(f"nchan answered {response.status}")
        return began

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        file = self._folder / "nginx.conf"
        file.write_text(self._configuration(), "utf-8")
        tie = [sys.executable, "-I", "-S", "-B", str(Path(launch.__file__).resolve()), "--parent", str(os.getpid())]
        with (self._folder / "error.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*tie, "--", self._installed.program, "-p", str(self._folder), "-c", str(file)],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            self._connection = self._connect(self._process)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            end(self._process, 10.0)

    def _configuration(self) -> str:
        module = "" if self._installed.module is None else f"load_module {self._installed.module};"
        user = f"user {UNPRIVILEGED} {_group_of(UNPRIVILEGED)};" if os.geteuid() == 0 else ""
        return CONFIGURATION.format(module=module, user=user, folder=self._folder, port=self._port)

    def _connect(self, process: subprocess.Popen[str]) -> http.client.HTTPConnection:
        """A connection to publish over. Raises `Aborted` when nginx does not come up."""
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            with suppress(ConnectionRefusedError):
                connection.connect()
                return connection
            time.sleep(0.05)
        lines = (self._folder / "error.log").read_text("utf-8", "replace").splitlines()
        raise Aborted(f"nginx with nchan did not start: {(lines or ['it says nothing'])[-1]}")


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
