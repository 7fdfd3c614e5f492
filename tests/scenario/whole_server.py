"""The whole server, as a person starts it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class Server:
    """`python -m server demo` as a process, with its process id and where it serves."""

    def __init__(self, process: subprocess.Popen[str], started: dict[str, str]) -> None:
        self.process = process
        self.api_url = started["api_url"]
        self.live_url = started["live_url"]
        folder = Path(started["files"])
        tokens = json.loads((folder / "demo.json").read_bytes())
        self.device: str = tokens["devices"][0]["token"]
        self.organizer: str = tokens["organizer_token"]
        with (folder / "attendees.csv").open(encoding="utf-8") as file:
            self.badges = [line["badge_code"] for line in csv.DictReader(file)]

    def children(self, name: str) -> list[int]:
        """Process ids of what the server started, by a word of their command line."""
        pids = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended between the listing and the reading
            if parent == self.process.pid and name.encode() in command:
                pids.append(int(stat.parent.name))
        return pids


@contextmanager
def running_demo(data_dir: Path, *options: str) -> Iterator[Server]:
    """The server as a person starts it, with a small sample event."""
    command = [
        sys.executable,
        "-m",
        "server",
        "demo",
        "--json",
        "--data-dir",
        str(data_dir),
        "--port",
        "0",
        "--live-port",
        "0",
    ]
    process = subprocess.Popen(
        [*command, "--attendees", "400", *options], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server ended before it was ready"
        yield Server(process, json.loads(line))
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
