"""The report: one HTML file that needs nothing else, and the same as JSON."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path

import msgspec
from msgspec import Struct

from loadtests.machine import Machine
from loadtests.plots import draw
from loadtests.scenario import Figure, Result, Verdict
from loadtests.table import number

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2226; }
table { border-collapse: collapse; width: 100%; } td { border-bottom: 1px solid #dde3e6; padding: .2rem .5rem; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.ok { color: #2c6e1f; } .failed { color: #b3261e; font-weight: 600; } pre { white-space: pre-wrap; color: #4a565d; }
svg { width: 100%; height: auto; margin: 1rem 0; font: 12px system-ui, sans-serif; } svg .title { font-size: 15px; }
svg .grid { stroke: #dde3e6; } svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
@media (prefers-color-scheme: dark) { body { background: #14191c; color: #e4e9ec; } svg text { fill: #e4e9ec; }
  td, svg .grid { border-color: #37434a; stroke: none; } svg .grid { stroke: #37434a; } pre { color: #a9b6bd; }
  .ok { color: #83c872; } .failed { color: #ff8a80; } }
"""


class Chapter(Struct, frozen=True, kw_only=True):
    """One scenario of a report."""

    name: str
    document: str
    """Its docstring."""
    seconds: float
    """How long it took as a whole."""
    result: Result | None
    """None: it could not finish."""
    verdicts: list[Verdict]
    judged: bool
    aborted: str = ""

    @property
    def passed(self) -> bool:
        """Finished, valid and, where it was judged, within its thresholds."""
        if self.result is None or self.result.invalid:
            return False
        return not self.judged or all(verdict.kept for verdict in self.verdicts)


class Report(Struct, frozen=True, kw_only=True):
    """One run of the load tests."""

    at: datetime
    version: str
    seed: int
    machine: Machine
    chapters: list[Chapter]


def write(report: Report, folder: Path) -> Path:
    """Writes report.html and report.json; the path of the first."""
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    page = folder / "report.html"
    page.write_text(render(report), "utf-8")
    return page


def render(report: Report) -> str:
    """The page."""
    rows = [_row(name.replace("_", " "), str(value)) for name, value in msgspec.structs.asdict(report.machine).items()]
    rows += [
        _row("digitalnow", report.version),
        _row("seed", str(report.seed)),
        _row("at", f"{report.at:%Y-%m-%d %H:%M %Z}"),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Load tests</title><style>{STYLE}</style><h1>Load tests</h1>"
        "<p>Server, database and generator shared the machine below. Figures of other machines cannot be compared; "
        "ratios can.</p>"
        f"<table>{''.join(rows)}</table>{''.join(map(_chapter, report.chapters))}</html>"
    )


def _chapter(chapter: Chapter) -> str:
    head = f"<h2>{escape(chapter.name)}</h2>"
    document = f"<details><summary>What it asks and how</summary><pre>{escape(chapter.document)}</pre></details>"
    if chapter.result is None:
        return f'{head}<p class="failed">Could not finish: {escape(chapter.aborted)}</p>{document}'
    result = chapter.result
    verdicts = {verdict.figure: verdict for verdict in chapter.verdicts}
    rows = [_figure(figure, verdicts.get(figure.key), judged=chapter.judged) for figure in result.figures]
    invalid = "".join(f'<p class="failed">Invalid: {escape(reason)}</p>' for reason in result.invalid)
    plots = "".join(map(draw, result.plots))
    return f"{head}<p>{escape(result.population)}</p>{invalid}<table>{''.join(rows)}</table>{plots}{document}"


def _figure(figure: Figure, verdict: Verdict | None, *, judged: bool) -> str:
    note = f"<br><small>{escape(figure.note)}</small>" if figure.note else ""
    limit = ""
    if verdict is not None:
        state = ("ok" if verdict.kept else "failed") if judged else "not judged"
        limit = f'<span class="{state}">{escape(verdict.goal)} {escape(verdict.limit)} {state}</span>'
    return (
        f'<tr><td>{escape(figure.label)}{note}</td><td class="number">{number(figure.value)} {escape(figure.unit)}</td>'
        f"<td>{limit}</td></tr>"
    )


def _row(name: str, value: str) -> str:
    return f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
