"""The tracks' colours, seen with the three forms of full colour-blindness."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from math import dist

import pytest

from server.demo.programme import load_programme

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

# Full severity, on linear RGB: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency" (2009).
VISIONS: dict[str, Matrix] = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# sRGB to CIE XYZ, D65, each row divided by the white point.
TO_XYZ: Matrix = ((0.43395, 0.37622, 0.18983), (0.21267, 0.71516, 0.07217), (0.01775, 0.10947, 0.87277))

LEAST_DIFFERENCE = 12.0
"""In CIELAB units (ΔE 1976); about 2 is what an eye can just tell, side by side."""


def linear(color: str) -> Triple:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _light(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def through(matrix: Matrix, color: Triple) -> Triple:
    first, second, third = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, color, strict=True)))) for row in matrix
    )
    return first, second, third


def lab(color: Triple) -> Triple:
    x, y, z = (_root(part) for part in through(TO_XYZ, color))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(part: float) -> float:
    return float(part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116)


def least_difference(colors: list[str], vision: str) -> float:
    seen = [lab(through(VISIONS[vision], linear(color))) for color in colors]
    return min(dist(first, second) for first, second in combinations(seen, 2))


@pytest.mark.parametrize("vision", VISIONS)
def test_track_colors_differ_for_every_eye(vision: str) -> None:
    colors = [track.color or "" for track in load_programme(date(2026, 12, 18)).tracks]
    assert least_difference(colors, vision) >= LEAST_DIFFERENCE


def test_red_beside_green_is_caught() -> None:
    pair = ["#b25000", "#6e7800"]
    assert least_difference(pair, "full") >= LEAST_DIFFERENCE
    assert least_difference(pair, "deuteranopia") < LEAST_DIFFERENCE
