"""What the runner makes of a scenario's broken variant."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from loadtests import command, runner
from loadtests.scenario import Context, Figure, Result, Threshold


def scenario(*, notices: bool) -> ModuleType:
    """One that finds what its broken variant does, or does not."""
    module = ModuleType("scenario")

    def run(context: Context) -> Result:
        violations = 7 if context.broken and notices else 0
        return Result(population="nobody", figures=[Figure("violations", "Violations", violations)])

    vars(module).update(
        run=run,
        THRESHOLDS=(Threshold("violations", at_most=0),),
        BROKEN=(Threshold("violations", at_least=1),),
    )
    return module


@pytest.mark.parametrize(
    ("words", "notices", "status"),
    [([], True, 0), (["--broken"], True, 0), (["--broken"], False, 1)],
    ids=["sound", "broken and caught", "broken and missed"],
)
def test_a_broken_variant_passes_only_when_it_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], *, notices: bool, status: int
) -> None:
    monkeypatch.setattr(runner, "_module", lambda _name: scenario(notices=notices))
    arguments = command.build_parser().parse_args(["offline_merge", *words, "--out", str(tmp_path)])
    assert runner.run(arguments) == status


def test_what_has_no_broken_variant_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = scenario(notices=True)
    del module.BROKEN
    monkeypatch.setattr(runner, "_module", lambda _name: module)
    assert runner.run(command.build_parser().parse_args(["crash", "--broken", "--out", str(tmp_path)])) == 1
    assert "no" in capsys.readouterr().err
