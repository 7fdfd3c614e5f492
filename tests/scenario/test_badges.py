"""Badges from the command line: printed, chosen, sorted; keys made and retired."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from server.attendee.codes import in_groups
from tests.contract.problems import check
from tests.scenario.test_commands import refused, run

PEOPLE = 30


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with a small event in it."""
    folder = tmp_path_factory.mktemp("badges")
    words = ("demo", "--load-only", "--data-dir", str(folder), "--attendees", str(PEOPLE), "--out", str(folder / "out"))
    assert run(*words).returncode == 0
    return str(folder)


@pytest.fixture(scope="module")
def people(data: str) -> list[dict[str, str]]:
    with (Path(data) / "out" / "attendees.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def badges(data: str, out: Path, *words: str) -> dict[str, object]:
    done = run("badges", "digital-now", "--data-dir", data, "--out", str(out), "--json", *words)
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def short_codes(pdf: Path) -> list[str]:
    """The short codes on its pages, in order; skips where nothing reads PDF."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    text = subprocess.run([program, str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^[0-9A-Z]{4} [0-9A-Z]{4}$", text, re.MULTILINE)


def test_everybody_gets_a_badge_in_the_order_of_names(data: str, people: list[dict[str, str]], tmp_path: Path) -> None:
    out = tmp_path / "badges.pdf"
    report = badges(data, out)
    assert report == {"file": str(out), "badges": PEOPLE, "pages": PEOPLE, "unprintable": {}}
    check([str(path) for path in tmp_path.iterdir() if path != out or path.stat().st_mode & 0o077])
    in_order = sorted(people, key=lambda line: (line["name"].casefold(), line["badge_code"]))
    assert sorted(short_codes(out)) == sorted(in_groups(line["short_code"]) for line in people)
    ascii_only = [in_groups(line["short_code"]) for line in in_order if line["name"].isascii()]
    assert [code for code in short_codes(out) if code in ascii_only] == ascii_only


def test_some_get_one_on_sheets_to_cut(data: str, people: list[dict[str, str]], tmp_path: Path) -> None:
    chosen = [people[4], people[9], people[11], people[17], people[23]]
    only = [chosen[0]["id"], in_groups(chosen[1]["short_code"]).lower(), *(line["short_code"] for line in chosen[2:])]
    words = [word for whose in only for word in ("--only", whose)]
    out = tmp_path / "some.pdf"
    assert badges(data, out, "--size", "a4", *words)["pages"] == 2
    assert sorted(short_codes(out)) == sorted(in_groups(line["short_code"]) for line in chosen)
    visitors = sum(line["ticket"] == "visitor" for line in people)
    assert badges(data, out, "--ticket", "visitor", "--sort", "company")["badges"] == visitors


def test_what_cannot_be_printed_is_said_in_a_sentence(data: str, tmp_path: Path) -> None:
    words = ("badges", "digital-now", "--data-dir", data, "--out", str(tmp_path / "badges.pdf"))
    assert "those with badges are" in refused(run(*words, "--ticket", "king"))
    assert "`7K3M`" in refused(run(*words, "--only", "7K3M"))
    assert "no event" in refused(run("badges", "nowhere", *words[2:]))
    assert "Cannot write" in refused(run(*words[:4], "--out", str(tmp_path / "missing" / "badges.pdf")))
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the names alone


def test_a_revoked_badge_is_not_printed(data: str, people: list[dict[str, str]], tmp_path: Path) -> None:
    line = people[2]
    assert run("token", "revoke", "digital-now", line["short_code"], "--data-dir", data).returncode == 0
    assert "No valid badge" in refused(
        run("badges", "digital-now", "--data-dir", data, "--out", str(tmp_path / "b.pdf"), "--only", line["id"])
    )


def test_a_lost_badge_is_replaced_and_the_new_one_printed(
    data: str, people: list[dict[str, str]], tmp_path: Path
) -> None:
    line, out = people[6], tmp_path / "one.pdf"
    done = run("token", "badge", "digital-now", line["id"], "--data-dir", data, "--json")
    assert done.returncode == 0, done.stderr
    issued = json.loads(done.stdout)
    badges(data, out, "--only", line["id"])
    assert short_codes(out) == [in_groups(issued["short_code"])] != [in_groups(line["short_code"])]
    nobody = "00000000-0000-7000-8000-000000000000"
    assert "no attendee" in refused(run("token", "badge", "digital-now", nobody, "--data-dir", data))


def test_keys_are_listed_made_and_retired(data: str) -> None:
    def keys(*words: str) -> list[tuple[int, bool, bool]]:
        done = run("keys", *words, "--data-dir", data, "--json")
        assert done.returncode == 0, done.stderr
        return [(key["id"], key["signs"], key["retired_at"] is not None) for key in json.loads(done.stdout)["keys"]]

    assert keys("list", "digital-now") == [(0, True, False)]
    assert keys("new", "digital-now") == [(0, False, False), (1, True, False)]
    assert keys("retire", "digital-now", "0") == [(0, False, True), (1, True, False)]
    assert "Make a new one first" in refused(run("keys", "retire", "digital-now", "1", "--data-dir", data))
    assert len(run("keys", "list", "digital-now", "--data-dir", data).stdout.splitlines()) == 2
