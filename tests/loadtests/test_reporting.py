"""What people read: the table in 80 columns, the page that needs nothing else, the verdicts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, strategies as st

from loadtests import machine, plots, report, table
from loadtests.machine import Machine
from loadtests.report import Chapter, Report
from loadtests.scenario import Figure, Plot, Result, Series, Threshold, generator_share, judge

THRESHOLDS = (Threshold("p99", "C2", at_most=25), Threshold("ratio", "C1", at_least=1.0))
FIGURES = [Figure("p99", "Latency p99", 12.5, "ms"), Figure("ratio", "To pgbench <best>", 0.9, "×", note="a & b")]
PLOT = Plot("Rates & more", "s", "per s", [Series("a<b", [(0, 1), (1, 3)]), Series("c", [(0, 2)])])
MACHINE = Machine(2, "a processor", 4.0, "Linux 6", "3.11.7", "PostgreSQL 18", "ext4", 0.2, 0.1)


def chapter(*, judged: bool = True, invalid: tuple[str, ...] = (), figures: list[Figure] = FIGURES) -> Chapter:
    result = Result(population="few", figures=figures, plots=[PLOT], invalid=list(invalid))
    verdicts = judge(figures, THRESHOLDS)
    return Chapter(name="one", document="Why <so>.", seconds=1, result=result, verdicts=verdicts, judged=judged)


def test_verdicts_follow_the_figures() -> None:
    assert [verdict.kept for verdict in judge(FIGURES, THRESHOLDS)] == [True, False]
    assert [verdict.limit for verdict in judge(FIGURES, THRESHOLDS)] == ["≤ 25", "≥ 1"]


@pytest.mark.parametrize("figures", [[], [Figure("p99", "", None), Figure("ratio", "", None)]])
def test_what_was_not_measured_has_not_kept_its_threshold(figures: list[Figure]) -> None:
    assert not any(verdict.kept for verdict in judge(figures, THRESHOLDS))


def test_a_chapter_passes_only_when_finished_valid_and_within_its_thresholds() -> None:
    good = [FIGURES[0], Figure("ratio", "", 1.2)]
    assert chapter(figures=good).passed
    assert chapter(judged=False).passed
    assert not chapter().passed
    assert not chapter(figures=good, invalid=("the generator was busy",)).passed
    gone = Chapter(name="x", document="", seconds=0, result=None, verdicts=[], judged=False, aborted="no server")
    assert not gone.passed


def test_a_busy_generator_makes_the_run_invalid() -> None:
    assert generator_share(1.0, 2.0)[1] == []
    assert generator_share(1.7, 2.0)[1] != []


labels = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=60)


@given(st.lists(st.tuples(labels, st.none() | st.floats(0, 1e12), labels), max_size=5), labels)
def test_every_line_of_the_table_fits_80_columns(rows: list[tuple[str, float | None, str]], population: str) -> None:
    figures = [Figure(f"k{place}", label, value, "ms", note) for place, (label, value, note) in enumerate(rows)]
    thresholds = [Threshold(figure.key, at_most=123_456) for figure in figures] + [Threshold("absent", at_least=1)]
    result = Result(population=population, figures=figures, invalid=["x" * 100])
    text = table.render("a_scenario", result, judge(figures, thresholds), judged=True)
    assert max(map(len, text.splitlines())) <= table.WIDTH


def test_the_table_says_what_failed() -> None:
    lines = table.render("one", Result(population="few", figures=FIGURES), judge(FIGURES, THRESHOLDS), judged=True)
    assert re.search(r"Latency p99 +12\.5 ms +≤ 25 +ok", lines)
    assert re.search(r"To pgbench <best> +0\.900 × +≥ 1 +FAILED", lines)
    unjudged = table.render("one", Result(population="few", figures=FIGURES), judge(FIGURES, THRESHOLDS), judged=False)
    assert "FAILED" not in unjudged


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (12345.6, "12,346"), (99.96, "100.0"), (7.126, "7.13"), (0.0451, "0.045"), (2, "2")],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert table.number(value) == text


@given(st.floats(1e-6, 1e9))
def test_ticks_are_few_and_cover_everything(most: float) -> None:
    found = plots.ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * 0.999999
    assert len(found) <= plots.MOST_TICKS + 1


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("series", [PLOT.series, [], [Series("empty", [])]])
def test_a_plot_is_well_formed(series: list[Series], *, bars: bool) -> None:
    fromstring(plots.draw(Plot("Rates & more", "s", "per s", series, bars=bars)))


def test_the_page_needs_nothing_else_and_escapes() -> None:
    whole = Report(at=datetime(2026, 12, 18, tzinfo=UTC), version="1", seed=7, machine=MACHINE, chapters=[chapter()])
    page = report.render(whole)
    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(|@import", page)
    assert "To pgbench &lt;best&gt;" in page
    assert "a &amp; b" in page
    assert "Why &lt;so&gt;." in page
    assert page.count("<svg") == 1


def test_a_scenario_that_could_not_finish_is_in_the_page() -> None:
    gone = Chapter(name="x", document="", seconds=0, result=None, verdicts=[], judged=True, aborted="no <server>")
    page = report.render(Report(at=datetime.now(UTC), version="1", seed=7, machine=MACHINE, chapters=[gone]))
    assert "Could not finish: no &lt;server&gt;" in page


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path) -> None:
    mounts = ["/dev/a / ext4 rw 0 0", f"none {tmp_path} tmpfs rw 0 0", f"/dev/b {tmp_path}/deep/er xfs rw 0 0"]
    assert machine.file_system_of(tmp_path / "deep", mounts) == "tmpfs"
    assert machine.file_system_of(tmp_path.parent, mounts) == "ext4"
