"""The first start on a fresh machine, and all that can be wrong with one. Only the packages are not the real ones."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import venv

import pytest

from server import __main__ as entry, __version__, bootstrap, environment
from server.commands import COMMANDS
from tests.bootstrap.conftest import CHECKOUT, PYTHON, make_wheel


def told(ran) -> dict:
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def one_sentence(ran) -> str:
    """The refusal: the last line, after at most the line that says what is being done. Never a traceback."""
    assert ran.status == 1
    lines = ran.err.splitlines()
    assert lines[-1].startswith("digitalnow: ")
    assert lines[-1].endswith(".")
    assert all(line.startswith("Installing") for line in lines[:-1])
    return lines[-1]


# Before anything is installed


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_an_old_python_reads_is_old_python(name):
    text = (CHECKOUT / "server" / name).read_text("utf-8")
    ast.parse(text, feature_version=(3, 8))
    assert "from __future__" not in text, "an even older Python must get our sentence too, not a SyntaxError"


def test_old_python_gets_one_sentence_that_names_a_newer_one(monkeypatch, tmp_path):
    assert entry.old_python((3, 11)) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install a newer one" in entry.old_python((3, 9))
    for name, status in (("python3.13", 127), ("python3.12", 0), ("python3.11", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    assert "start with `python3.12 -m server`" in entry.old_python((3, 9))


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_real_old_python_gets_one_sentence(checkout, version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"no Python {version} here")
    ran = checkout.run("demo", python=python)
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert f"is {version}" in ran.err


@pytest.mark.parametrize(("argv", "status"), [(["--help"], 0), (["demo", "-h"], 0), ([], 2)])
def test_help_comes_at_once_and_installs_nothing(checkout, argv, status):
    ran = checkout.run(*argv)
    assert ran.status == status
    assert "python3 -m server COMMAND" in (ran.err if status else ran.out)
    assert not checkout.venv.exists()


def test_help_before_the_packages_names_the_commands_that_there_are():
    named = re.findall(r"^  (\w+)  ", bootstrap.HELP, re.MULTILINE)
    assert sorted(named) == sorted(module.__name__.rpartition(".")[2].rstrip("_") for module in COMMANDS)


def test_version_comes_at_once(checkout):
    ran = checkout.run("--version")
    assert (ran.status, ran.out) == (0, f"digitalnow {__version__}\n")
    assert not checkout.venv.exists()


def test_started_as_a_file_it_says_how_to_start(checkout):
    ran = subprocess.run([PYTHON, checkout.folder / "server"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "python3 -m server" in ran.stderr
    assert ran.stderr.count("\n") == 1


# The first start and the next


def test_first_start_installs_and_goes_on_where_it_was(checkout, tmp_path):
    ran = checkout.run("export", "two words", "--x=é", cwd=tmp_path, PYTHONPATH=str(checkout.folder))
    said = told(ran)
    assert said["argv"] == ["export", "two words", "--x=é"]
    assert said["prefix"] == str(checkout.venv)
    assert said["cwd"] == str(tmp_path)
    assert "Installing 1 packages" in ran.err
    assert ran.err.count("\n") == 2


def test_later_start_says_and_changes_nothing(made_once):
    before = made_once.stamp.stat().st_mtime_ns
    ran = made_once.run("export")
    assert told(ran)["prefix"] == str(made_once.venv)
    assert ran.err == ""
    assert made_once.stamp.stat().st_mtime_ns == before


def test_exit_status_is_the_commands(made_once):
    assert made_once.run("status", "7").status == 7


def test_environments_own_python_goes_straight_on(made_once):
    ran = made_once.run("export", python=str(made_once.venv / "bin" / "python"), PIP_FIND_LINKS="/nonexistent")
    assert told(ran)["prefix"] == str(made_once.venv)
    assert ran.err == ""


def test_help_of_a_command_is_the_commands_once_installed(made_once):
    assert told(made_once.run("demo", "--help"))["argv"] == ["demo", "--help"]


def test_later_start_loads_neither_pip_nor_the_maker(made_once):
    code = "import sys; sys.argv[1:] = ['--version']; import server.bootstrap as b; b.ready(); print(*sys.modules)"
    loaded = subprocess.run([PYTHON, "-c", code], cwd=made_once.folder, capture_output=True, text=True, check=True)
    assert not {"pip", "venv", "subprocess", "server.environment"} & set(loaded.stdout.split())


def test_test_command_gets_the_wider_packages_and_serves_the_others(checkout):
    told(checkout.run("serve"))
    ran = checkout.run("test")
    told(ran)
    assert "Installing 2 packages" in ran.err
    assert list(checkout.venv.glob("lib*/python*/site-packages/empty_two.py"))
    assert checkout.run("serve").err == ""


def test_changed_list_of_packages_is_installed(checkout):
    told(checkout.run("serve"))
    checkout.lock.write_text(checkout.lock.read_text() + make_wheel(checkout.folder / "wheels", "late"))
    ran = checkout.run("serve")
    told(ran)
    assert "has changed" in ran.err
    assert list(checkout.venv.glob("lib*/python*/site-packages/late.py"))


def test_two_starts_at_once_install_once(checkout):
    both = [checkout.start("export") for _ in range(2)]
    outcomes = [(*process.communicate(), process.returncode) for process in both]
    assert [status for _, _, status in outcomes] == [0, 0], outcomes
    assert sum("Installing" in err for _, err, _ in outcomes) == 1


def test_another_place_can_be_named(checkout, tmp_path):
    place = tmp_path / "else where" / "venv"
    assert told(checkout.run("export", DIGITALNOW_VENV=str(place)))["prefix"] == str(place)
    assert not checkout.venv.exists()


def test_interpreter_that_has_every_package_is_used_as_it_is(checkout):
    installed = importlib.metadata.version("pytest-asyncio")
    checkout.lock.write_text(f"Pytest.Asyncio=={installed} ; sys_platform != 'beos'\n")
    assert told(checkout.run("export", python=sys.executable))["prefix"] == sys.prefix
    checkout.lock.write_text("pytest-asyncio==0.0.1\n")
    assert "could not install" in one_sentence(checkout.run("export", python=sys.executable))


def test_installed_package_never_makes_an_environment(checkout):
    (checkout.folder / "pyproject.toml").unlink()
    assert told(checkout.run("export"))["prefix"] == sys.base_prefix
    assert not checkout.venv.exists()


# Repair


def test_killed_in_the_middle_is_made_good(checkout):
    process = checkout.start("export")
    while not checkout.stamp.exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert checkout.stamp.read_text() == "unfinished\n"
    debris = checkout.venv / "debris"
    debris.mkdir()
    told(checkout.run("export"))
    assert not debris.exists()


def test_python_that_vanished_under_the_environment_is_replaced(checkout):
    told(checkout.run("export"))
    python = checkout.venv / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3.11")
    assert told(checkout.run("export"))["prefix"] == str(checkout.venv)


def test_python_upgraded_in_its_place_gets_its_packages(checkout):
    """A stamp of another version stands for it: the packages of that version are no longer found."""
    told(checkout.run("export"))
    checkout.stamp.write_text(checkout.stamp.read_text().replace(bootstrap.python_line(), "python 3.5"))
    ran = checkout.run("export")
    told(ran)
    assert "Installing" in ran.err
    assert checkout.run("export").err == ""


def test_environment_of_the_developers_own_is_completed_and_not_emptied(checkout):
    venv.create(checkout.venv, with_pip=False, symlinks=True)
    keep = checkout.venv / "notes.txt"
    keep.write_text("mine")
    told(checkout.run("export"))
    assert keep.exists()


def test_environment_that_cannot_work_is_named_and_not_entered_for_ever(made_once):
    """The second step of a start finds itself outside the environment that it was to enter."""
    ran = made_once.run("export", DIGITALNOW_ENTERED=str(made_once.venv))
    assert "does not work: delete it" in one_sentence(ran)


# Refusals


def test_folder_with_other_things_is_never_emptied(checkout, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("mine")
    assert "holds other things" in one_sentence(checkout.run("export", DIGITALNOW_VENV=str(tmp_path / "letters")))
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["letter.txt"]


def test_place_that_is_no_folder_or_holds_a_colon(checkout, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "venv", tmp_path / "a:b"):
        assert "DIGITALNOW_VENV" in one_sentence(checkout.run("export", DIGITALNOW_VENV=str(place)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_checkout_names_the_way_out(checkout):
    checkout.folder.chmod(0o500)
    sentence = one_sentence(checkout.run("export"))
    checkout.folder.chmod(0o700)
    assert "cannot be written" in sentence
    assert "DIGITALNOW_VENV" in sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_read_only_checkout_names_the_way_out(checkout):
    bind = ["mount", "--bind", checkout.folder, checkout.folder]
    if subprocess.run(bind, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system does not let us mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", checkout.folder], check=True)
        assert "DIGITALNOW_VENV" in one_sentence(checkout.run("export", PYTHONDONTWRITEBYTECODE="1"))
    finally:
        subprocess.run(["umount", checkout.folder], check=True)


def test_without_a_network_pips_essential_line_is_the_sentence(checkout):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1"}
    del checkout.variables["PIP_NO_INDEX"], checkout.variables["PIP_FIND_LINKS"]
    sentence = one_sentence(checkout.run("export", **nowhere))
    assert "Connection refused" in sentence
    assert "connect to the network" in sentence
    assert "http" not in sentence


def test_package_that_was_tampered_with_is_refused(checkout):
    checkout.lock.write_text(f"empty_one==1.0 --hash=sha256:{'0' * 64}\n")
    assert "HASHES" in one_sentence(checkout.run("export"))
    assert checkout.stamp.read_text() == "unfinished\n"


def test_missing_pip_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(sys, "_base_executable", "/bin/false")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    with pytest.raises(bootstrap.BootstrapError, match="apt install python3-pip"):
        environment._pip(bootstrap.Environment(tmp_path))


@pytest.mark.parametrize(("line", "expected"), [("", "it says nothing"), ("ERROR: no space. ", "no space")])
def test_pips_last_words_become_a_sentence(tmp_path, line, expected):
    refusal = environment._of_pip([line.strip()] if line else [], bootstrap.Environment(tmp_path))
    assert f"({expected})" in str(refusal)


def test_interrupt_from_the_keyboard_leaves_no_traceback(made_once):
    process = made_once.start("wait")
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == bootstrap.INTERRUPTED
    assert err == "\n"


def test_interrupt_while_installing_leaves_no_traceback_and_is_made_good(checkout):
    process = checkout.start("export")
    while not checkout.stamp.exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == bootstrap.INTERRUPTED
    assert "Traceback" not in err
    told(checkout.run("export"))


# The person's own settings


def test_variables_that_lead_elsewhere_are_overruled(checkout, tmp_path):
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "empty_one.py").write_text("")
    harmful = {
        "PIP_USER": "1",
        "PIP_TARGET": str(tmp_path / "target"),
        "PIP_PREFIX": str(tmp_path / "prefix"),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_CONSTRAINT": str(tmp_path / "nowhere.txt"),
        "PYTHONHOME": sys.base_prefix,
        "PYTHONPATH": str(tmp_path / "shadow"),
        "PYTHONUSERBASE": str(tmp_path / "user"),
    }
    said = told(checkout.run("export", **harmful))
    assert said["prefix"] == str(checkout.venv)
    assert str(tmp_path / "shadow") not in said["path"]
    assert list(checkout.venv.glob("lib*/python*/site-packages/empty_one.py"))
    assert not any((tmp_path / name).exists() for name in ("target", "prefix", "user"))


def test_safe_path_does_not_lose_the_checkout(made_once, tmp_path):
    ran = made_once.run("export", cwd=tmp_path, PYTHONSAFEPATH="1", PYTHONPATH=str(made_once.folder))
    assert told(ran)["prefix"] == str(made_once.venv)


def test_nothing_of_the_bootstrap_is_left_in_the_commands_environment(made_once):
    code = (
        "import os\ndef main(argv):\n    print([n for n in os.environ if n.startswith('DIGITALNOW')])\n    return 0\n"
    )
    commands = made_once.folder / "server" / "commands.py"
    before = commands.read_text()
    commands.write_text(code)
    try:
        assert made_once.run("export").out == "[]\n"
    finally:
        commands.write_text(before)


# The real lock files


def test_pins_of_the_tests_contain_those_of_the_server():
    narrow, wide = (set(bootstrap.pins(CHECKOUT / name / "requirements.lock")) for name in ("server", "tests"))
    assert narrow < wide


@pytest.mark.parametrize("name", ["server", "tests"])
def test_every_package_of_the_lock_files_is_hashed_and_none_names_a_host(name):
    text = (CHECKOUT / name / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    packages = [block for block in text.replace("\\\n", " ").splitlines() if "==" in block]
    assert packages
    assert all("--hash=sha256:" in block for block in packages)
    markers = {block.split(";")[1].split("--hash")[0].strip() for block in packages if ";" in block}
    assert all(bootstrap._applies(marker) or "win32" in marker or sys.platform == "win32" for marker in markers)
