"""A result as text for a terminal of 80 columns."""

from __future__ import annotations

from loadtests.scenario import Figure, Result, Verdict

WIDTH = 80
LABEL, VALUE, UNIT = 41, 12, 9


def render(name: str, result: Result, verdicts: list[Verdict], *, judged: bool) -> str:
    """The table of one scenario. `judged` is False where thresholds were not applied."""
    lines = [f"{name} — {result.population}"[:WIDTH], "─" * WIDTH]
    by_figure = {verdict.figure: verdict for verdict in verdicts}
    lines += [_line(figure, by_figure.get(figure.key), judged=judged) for figure in result.figures]
    measured = {figure.key for figure in result.figures}
    lines += [
        f"FAILED: {verdict.figure} was not measured"[:WIDTH] for verdict in verdicts if verdict.figure not in measured
    ]
    lines += [f"{figure.label.strip()}: {figure.note}"[:WIDTH] for figure in result.figures if figure.note]
    lines += [f"INVALID: {reason}"[:WIDTH] for reason in result.invalid]
    return "\n".join([*lines, ""])


def number(value: float | None) -> str:
    """Three significant digits or whole numbers, with the thousands apart; a dash for what was not measured."""
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def _line(figure: Figure, verdict: Verdict | None, *, judged: bool) -> str:
    text = f"{figure.label[:LABEL]:<{LABEL}}{number(figure.value):>{VALUE}} {figure.unit:<{UNIT}}"
    if verdict is not None:
        mark = ("ok" if verdict.kept else "FAILED") if judged else "–"
        text += f"{verdict.limit:<8} {mark}"
    return text.rstrip()[:WIDTH]
