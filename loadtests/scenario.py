"""What a scenario is given and what it hands back: figures, the thresholds they are held to, plots."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

MAX_GENERATOR_SHARE = 0.8
"""Of one core. A generator that is busier measures itself."""


class Aborted(Exception):
    """A scenario cannot go on; the message is one sentence."""


class Context(Struct, frozen=True, kw_only=True):
    """One run of one scenario."""

    folder: Path
    """Empty, for the data of the servers; removed afterwards."""
    say: Callable[[str], None]
    """Tells the person at the terminal what is going on."""
    seconds: float | None = None
    seed: int = 1
    sockets: int | None = None
    attendees: int | None = None
    workers: int | None = None
    """API processes, where a scenario leaves the choice."""
    gateways: int | None = None
    """Gateway processes, likewise."""
    broken: bool = False
    """Whether the scenario's broken variant is to be run, which its own checks must catch."""

    @property
    def full_size(self) -> bool:
        """Whether the population is the one the thresholds are meant for."""
        return self.sockets is None and self.attendees is None

    def random(self) -> random.Random:
        """A fresh source of randomness, the same for the same seed."""
        return random.Random(self.seed)


class Figure(Struct, frozen=True):
    """One measured value."""

    key: str
    label: str
    value: float | None
    """None: it could not be measured here; `note` says why."""
    unit: str = ""
    note: str = ""


class Threshold(Struct, frozen=True):
    """What a figure must keep to. `goal` names the row of the design's tables."""

    figure: str
    goal: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def kept_by(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def words(self) -> str:
        """The limit as people write it: `≤ 25`."""
        low = [] if self.at_least is None else [f"≥ {self.at_least:g}"]
        return ", ".join(low + ([] if self.at_most is None else [f"≤ {self.at_most:g}"]))


class Verdict(Struct, frozen=True):
    figure: str
    goal: str
    limit: str
    kept: bool


class Series(Struct, frozen=True):
    """Points of one line of a plot."""

    name: str
    points: list[tuple[float, float]]


class Plot(Struct, frozen=True):
    """Lines over a common axis, or with `bars` one bar for each series' first point."""

    title: str
    x: str
    y: str
    series: list[Series]
    bars: bool = False


class Result(Struct, frozen=True, kw_only=True):
    """What came out of one run."""

    population: str
    figures: list[Figure]
    plots: list[Plot] = []
    invalid: list[str] = []
    """Why these figures must not be used, if so."""


def judge(figures: Sequence[Figure], thresholds: Sequence[Threshold]) -> list[Verdict]:
    """Every threshold against its figure. A figure that is missing has not kept its threshold."""
    values = {figure.key: figure.value for figure in figures}
    verdicts = []
    for threshold in thresholds:
        value = values.get(threshold.figure)
        kept = value is not None and threshold.kept_by(value)
        verdicts.append(Verdict(threshold.figure, threshold.goal, threshold.words, kept))
    return verdicts


def generator_share(seconds_of_cpu: float, seconds: float) -> tuple[Figure, list[str]]:
    """The generator's share of a core, and why the run is invalid if it was too busy."""
    share = seconds_of_cpu / seconds
    invalid = [f"the generator used {share:.0%} of a core"] if share > MAX_GENERATOR_SHARE else []
    return Figure("generator_cpu", "CPU of the generator", share, "cores"), invalid
