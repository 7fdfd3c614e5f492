"""The commands as a person types them, each in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.attendee.codes import in_groups
from server.embedded import EmbeddedPostgres
from tests.conftest import Demo
from tests.contract.problems import check

CHECKOUT = Path(__file__).resolve().parents[2]

PROGRAMME = """<?xml version="1.0" encoding="UTF-8"?>
<schedule><version>3</version>
<conference><acronym>tiny</acronym><title>Tiny</title><start>2020-05-01</start><end>2020-05-02</end>
<time_zone_name>Europe/Paris</time_zone_name></conference>
<day index="1" date="2020-05-01" start="2020-05-01T08:00:00+02:00" end="2020-05-01T20:00:00+02:00"><room name="Salle">
<event id="1" guid="5d1b0a3e-0f0c-4a53-9f3d-2b6f1e7c1a01"><date>2020-05-01T10:30:00+02:00</date><start>10:30</start>
<duration>00:45</duration><room>Salle</room><title>Bonjour</title><language>fr</language><track/><type/><abstract/></event>
</room></day></schedule>
"""


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *words],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence a command says no with."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.timeout(180)  # ten starts of an embedded PostgreSQL, on a machine that may be busy
def test_the_sample_event_is_loaded_kept_refused_and_replaced(tmp_path: Path) -> None:
    data, out = str(tmp_path / "with space"), tmp_path / "out"
    options = ("demo", "--load-only", "--data-dir", data, "--attendees", "30", "--exhibitors", "4")
    first = run(*options, "--json", "--out", str(out))
    assert first.returncode == 0, first.stderr
    demo = json.loads((out / "demo.json").read_bytes())
    assert sorted(demo) == ["devices", "event", "exhibitors", "organizer_token"]
    assert (len(demo["devices"]), len({device["gate"] for device in demo["devices"]}), len(demo["exhibitors"])) == (
        20,
        4,
        4,
    )
    with (out / "attendees.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["id", "name", "email", "company", "language", "ticket", "badge_code", "short_code", "token"]
    assert len(lines) == 31
    check([str(path) for path in out.iterdir() if path.stat().st_mode & 0o077])

    again = run(*options, "--json")
    assert json.loads(again.stdout) == json.loads(first.stdout), "the same event, not another one"
    assert "--fresh" in refused(run("demo", "--load-only", "--data-dir", data, "--attendees", "31"))

    schedule = tmp_path / "tiny.xml"
    schedule.write_text(PROGRAMME, encoding="utf-8")
    replaced = run(*options, "--fresh", "--schedule", str(schedule), "--starts-on", "2027-03-01", "--json")
    assert replaced.returncode == 0, replaced.stderr
    assert json.loads(replaced.stdout)["files"] != json.loads(first.stdout)["files"]
    assert not Path(json.loads(first.stdout)["files"]).exists(), "tokens of an event that is gone are gone"
    assert "Digital Now" in run(*options).stdout

    token = run("token", "device", "digital-now", "--name", "Extra", "--gate", "Nord", "--json", "--data-dir", data)
    assert json.loads(token.stdout)["token"].startswith("dn_dev_")
    assert "already" in refused(
        run("token", "device", "digital-now", "--name", "Extra", "--gate", "Sud", "--data-dir", data)
    )
    assert "no event" in refused(run("token", "organizer", "nowhere", "--name", "X", "--data-dir", data))
    assert json.loads(run("migrate", "--json", "--data-dir", data).stdout) == {"schema_version": 1, "created": False}
    restored = json.loads(run("migrate", "--restored", "--json", "--data-dir", data).stdout)
    assert restored["renewed_channels"] > 10


@pytest.mark.timeout(180)
def test_commands_work_beside_a_server_that_has_the_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    on_it = ("--data-dir", str(data), "--json")
    loaded = run("demo", "--load-only", "--attendees", "30", "--exhibitors", "4", *on_it)
    assert loaded.returncode == 0, loaded.stderr
    with EmbeddedPostgres(data) as server:
        pid = server.pid
        listed = json.loads(run("devices", "digital-now", *on_it).stdout)["devices"]
        assert len(listed) == 20
        made = json.loads(run("token", "device", "digital-now", "--name", "Extra", "--gate", "Nord", *on_it).stdout)
        revoked = json.loads(run("token", "revoke", "digital-now", made["token"], *on_it).stdout)["revoked"]
        assert revoked.startswith("device ")
        assert json.loads(run("keys", "list", "digital-now", *on_it).stdout)["keys"]
        assert json.loads(run("migrate", *on_it).stdout)["created"] is False
        assert "already in use" in refused(run("serve", "--port", "0", "--live-port", "0", *on_it[:2]))
        assert (server.poll(), server.pid) == (None, pid), "who comes to visit leaves the server alone"

        os.kill(pid, signal.SIGKILL)
        assert "cannot be reached" in refused(run("devices", "digital-now", *on_it))


def test_a_badge_is_revoked_by_its_short_code(database_url: str, demo: Demo) -> None:
    there = {"DIGITALNOW_DATABASE_URL": database_url, "DIGITALNOW_DURABLE": "false"}
    lost = demo.attendees[0]
    done = run("token", "revoke", "digital-now", in_groups(lost["short_code"]).lower(), "--json", **there)
    assert json.loads(done.stdout) == {"revoked": f"badge {demo.badge()}"}, done.stderr
    assert "no such valid" in refused(run("token", "revoke", "digital-now", demo.badge(), **there))


def test_a_phone_is_invited_and_the_scanners_are_listed(database_url: str) -> None:
    def on_it(*words: str) -> subprocess.CompletedProcess[str]:
        there = {"DIGITALNOW_DATABASE_URL": database_url, "DIGITALNOW_DURABLE": "false"}
        return run(*words, **there, DIGITALNOW_PUBLIC_URL="https://x.org/")

    scanner = ("digital-now", "--name", "Borne", "--gate", "Porte du Port", "--profile", "kiosk")
    pairing = json.loads(on_it("token", "pair", *scanner, "--json").stdout)
    code = pairing["code"]
    assert sorted(pairing) == ["code", "expires_at", "qr"]
    assert json.loads(pairing["qr"]) == {"v": 1, "url": "https://x.org", "event": "digital-now", "code": code}
    assert "already" in refused(on_it("token", "pair", *scanner))
    assert on_it("token", "device", "digital-now", "--name", "Extra", "--gate", "Nord").returncode == 0

    listed = json.loads(on_it("devices", "digital-now", "--json").stdout)["devices"]
    states = {device["name"]: (device["gate"], device["profile"], device["state"]) for device in listed}
    assert len(states) == 22
    assert states["Borne"] == ("Porte du Port", "kiosk", "waiting")
    assert states["Extra"] == ("Nord", "scan+search", "paired")
    assert not [key for device in listed for key in device if "hash" in key or "token" in key]
    assert len(on_it("devices", "digital-now").stdout.splitlines()) == 23
    assert "no event" in refused(on_it("devices", "nowhere"))


@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (("demo", "--schedule", "nowhere.xml"), {}, "Cannot read nowhere.xml"),
        (("demo", "--schedule", "README.md"), {}, "README.md cannot be used"),
        (("serve",), {"DIGITALNOW_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "cannot be reached"),
        (("serve",), {"DIGITALNOW_DATABASE_URL": "nonsense"}, "DIGITALNOW_DATABASE_URL"),
        (("serve", "--port", "70000"), {}, "between 0 and 65535"),
        (("serve",), {"DIGITALNOW_WORKERS": "many"}, "DIGITALNOW_WORKERS"),
    ],
)
def test_a_command_that_cannot_says_why_in_a_sentence(
    words: tuple[str, ...], environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    assert sentence in refused(run(*words, "--data-dir", str(tmp_path), **environment))


def test_a_wrong_call_shows_how(tmp_path: Path) -> None:
    for words in (("nothing",), ("demo", "--attendees", "-1"), ("demo", "--starts-on", "tomorrow"), ("token",)):
        done = run(*words)
        assert done.returncode == 2
        assert "usage:" in done.stderr


def test_the_doctor_reports_to_people_and_programs(tmp_path: Path) -> None:
    words = ("doctor", "--data-dir", str(tmp_path), "--port", "0", "--live-port", "0")
    report = json.loads(run(*words, "--json").stdout)
    assert report["database"]["ok"]
    assert len(run(*words).stdout.splitlines()) == len(report)
