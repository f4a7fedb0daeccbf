"""The coverage figure: processes that tests start count, and a whole run is held to the floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.lib.checks import checks
from scripts.lib.coverage_run import run

CONFIG = """
[tool.coverage.run]
source_dirs = ["code"]
parallel = true
patch = ["subprocess"]
[tool.coverage.report]
fail_under = 100
"""
PROGRAM = "import sys\nif len(sys.argv) > 1:\n    print('told')\n"
TEST = """
import subprocess, sys

def test_it():
    assert subprocess.run([sys.executable, "code/program.py", {words}]).returncode == 0
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest without the plugins that happen to be installed: to load them takes longer."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def outcome(folder: Path, words: str, *chosen: str) -> int:
    (folder / "code").mkdir()
    (folder / "code" / "program.py").write_text(PROGRAM)
    (folder / "pyproject.toml").write_text(CONFIG)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(TEST.format(words=words))
    return run(["-q", "-p", "no:xdist"], chosen, folder)


def test_what_a_process_runs_is_covered(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert outcome(tmp_path, "'a'") == 0
    assert "100%" in capfd.readouterr().out


def test_below_the_floor_fails_if_all_tests_ran(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert outcome(tmp_path, "") == 2
    assert "67%" in capfd.readouterr().out


def test_chosen_tests_have_a_figure_and_no_floor(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert outcome(tmp_path, "", "test_it.py") == 0
    assert "67%" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("nightly", "measured", "module"),
    [
        (False, False, "scripts.lib.unsteady"),
        (False, True, "scripts.lib.coverage_run"),
        (True, False, "scripts.lib.coverage_run"),
    ],
)
def test_who_runs_the_tests(nightly: bool, measured: bool, module: str) -> None:
    found = checks(["-k", "it"], fast=False, nightly=nightly, measured=measured)
    (tests,) = (check.command for check in found if check.name == "tests")
    assert module in tests
    assert tests[-2:] == ["-k", "it"]
