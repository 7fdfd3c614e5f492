"""The command line, and what every scenario must say about itself."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from loadtests import command, pgbench
from loadtests.scenario import Aborted
from loadtests.server_under_test import clean_environment
from server.config import PREFIX

CHECKOUT = Path(__file__).resolve().parents[2]
SUMMARY = """\
pgbench (18.6)
number of transactions actually processed: 31042
number of failed transactions: {failed} (0.000%)
latency average = 2.061 ms
initial connection time = 18.300 ms
tps = 15524.218421 (without initial connection time)
"""


@pytest.mark.parametrize("name", command.SCENARIOS)
def test_a_scenario_states_its_question_and_when_it_is_given_up(name: str) -> None:
    document = command.document(name)
    for heading in ("Question:", "Population:", "Measured:", "Given up:"):
        assert f"\n{heading}" in document, heading
    assert re.search(r"\nThresholds?:", document)
    assert len(command.summary(name)) <= 58, "the list fits 80 columns"


@pytest.mark.parametrize("name", command.SCENARIOS)
def test_a_scenario_has_thresholds_for_figures_that_it_reports(name: str) -> None:
    module = importlib.import_module(f"loadtests.{name}")
    source = (CHECKOUT / "loadtests" / f"{name}.py").read_text("utf-8")
    assert module.THRESHOLDS
    for threshold in module.THRESHOLDS:
        stem = threshold.figure.removesuffix("_many").removesuffix("_usual")
        assert re.search(rf'Figure\(\s*f?"{stem}', source), threshold.figure
        assert threshold.words


def test_help_and_list_need_no_packages() -> None:
    """Run by a Python without site packages, as on a fresh machine."""
    for option in ("--help", "--list"):
        words = [sys.executable, "-S", "-m", "loadtests", option]
        done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=30)
        assert all(name in done.stdout for name in command.SCENARIOS)
        assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("words", [["nonsense"], ["--seconds", "0"], ["--sockets", "1"], ["--attendees", "many"]])
def test_wrong_use_is_refused_before_anything_starts(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        command.main(words)
    assert refusal.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_pgbench_is_read() -> None:
    found = pgbench.parse(SUMMARY.format(failed=0), 64)
    assert (found.clients, found.transactions_a_second, found.latency) == (64, 15524.218421, 0.002061)


@pytest.mark.parametrize("text", [SUMMARY.format(failed=3), "pgbench: error: connection refused"])
def test_a_failed_pgbench_is_no_yardstick(text: str) -> None:
    with pytest.raises(Aborted):
        pgbench.parse(text, 8)


def test_pgbench_ids_look_like_the_servers() -> None:
    """As long as a UUID's text, and a valid uuid, at both ends of the random numbers."""
    ids = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
    script = pgbench.script(pgbench.Door(*ids, "DN2SMZ49J7XN9158BH2MMJRP752B"))
    scan, person = re.findall(r"'([\d-]+)' \|\|", script)
    for number in pgbench.DIGITS:
        assert len(f"{scan}{number}") == 36
        assert UUID(f"{person}{number}")


def test_a_server_under_test_never_uses_somebodys_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL", "postgresql://somebody/else")
    monkeypatch.setenv(f"{PREFIX}PORT", "80")
    monkeypatch.setenv(f"{PREFIX}PG_BIN", "/some/where")
    left = {name: value for name, value in clean_environment().items() if name.startswith(PREFIX)}
    assert left == {f"{PREFIX}PG_BIN": "/some/where"}
