"""Plots as SVG text, drawn by hand: a report must open anywhere, without a network and without a library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from loadtests.scenario import Plot, Series
from loadtests.table import number

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 45
COLORS = ("#0b6e99", "#c8452d", "#4b8b3b", "#8a5aa8", "#b8860b", "#5f6b73")
MOST_TICKS = 6


def draw(plot: Plot) -> str:
    """The plot as one `<svg>` element; axes begin at zero, so that lengths may be compared."""
    body = _bars(plot) if plot.bars else _lines(plot)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(plot.title, quote=True)}">'
        f'<text x="{LEFT}" y="18" class="title">{escape(plot.title)}</text>{body}</svg>'
    )


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, at most six steps."""
    if most <= 0:
        return [0.0, 1.0]
    raw = most / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999999)
    count = math.ceil(most / step - 1e-9)
    return [step * place for place in range(count + 1)]


def _lines(plot: Plot) -> str:
    points = [point for series in plot.series for point in series.points]
    x_ticks = ticks(max((x for x, _ in points), default=0))
    y_ticks = ticks(max((y for _, y in points), default=0))
    parts = [_grid(plot, x_ticks, y_ticks)]
    for place, series in enumerate(plot.series):
        color = COLORS[place % len(COLORS)]
        path = " ".join(f"{_x(x, x_ticks):.1f},{_y(y, y_ticks):.1f}" for x, y in series.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        if len(series.points) <= 40:
            parts += [
                f'<circle cx="{_x(x, x_ticks):.1f}" cy="{_y(y, y_ticks):.1f}" r="3" fill="{color}"/>'
                for x, y in series.points
            ]
    return "".join([*parts, _legend(plot.series)])


def _bars(plot: Plot) -> str:
    values = [(series.name, series.points[0][1] if series.points else 0.0) for series in plot.series]
    y_ticks = ticks(max((value for _, value in values), default=0))
    parts = [_grid(plot, [], y_ticks)]
    room = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    for place, (name, value) in enumerate(values):
        left, top = LEFT + room * (place + 0.2), _y(value, y_ticks)
        middle = left + room * 0.3
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{room * 0.6:.1f}" height="{HEIGHT - BOTTOM - top:.1f}" '
            f'fill="{COLORS[place % len(COLORS)]}"/>'
            f'<text x="{middle:.1f}" y="{top - 5:.1f}" class="middle">{number(value)}</text>'
            f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" class="middle">{escape(name)}</text>'
        )
    return "".join(parts)


def _grid(plot: Plot, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> str:
    parts = []
    for value in y_ticks:
        y = _y(value, y_ticks)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="end">{number(value)}</text>')
    parts += [
        f'<text x="{_x(value, x_ticks):.1f}" y="{HEIGHT - BOTTOM + 16}" class="middle">{number(value)}</text>'
        for value in x_ticks
    ]
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" class="middle">{escape(plot.x)}</text>')
    parts.append(f'<text x="{LEFT - 60}" y="{TOP - 8}">{escape(plot.y)}</text>')
    return "".join(parts)


def _legend(series: Sequence[Series]) -> str:
    if len(series) < 2:
        return ""
    parts = []
    right = WIDTH - RIGHT
    for place, each in reversed(list(enumerate(series))):
        right -= 7 * len(each.name) + 24
        color = COLORS[place % len(COLORS)]
        parts.append(f'<rect x="{right}" y="{TOP - 18}" width="10" height="10" fill="{color}"/>')
        parts.append(f'<text x="{right + 14}" y="{TOP - 9}">{escape(each.name)}</text>')
    return "".join(parts)


def _x(value: float, scale: Sequence[float]) -> float:
    return LEFT + value / scale[-1] * (WIDTH - LEFT - RIGHT)


def _y(value: float, scale: Sequence[float]) -> float:
    return HEIGHT - BOTTOM - value / scale[-1] * (HEIGHT - TOP - BOTTOM)
