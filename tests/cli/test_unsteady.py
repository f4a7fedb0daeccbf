"""What failed among others is run once more, alone; what fails alone as well has failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.lib.unsteady import run

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--rootdir=.", "-c", "pytest.ini"]
ONCE = """
from pathlib import Path

def test_{name}():
    mark = Path(__file__).with_suffix(".{name}")
    first = not mark.exists()
    mark.touch()
    assert not first
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest without the plugins that happen to be installed: to load them takes longer."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def outcome(folder: Path, *tests: str) -> int:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text("\n".join(tests))
    return run(PYTEST, [], [], folder)


def test_what_passes_alone_is_told_of_and_forgiven(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert outcome(tmp_path, ONCE.format(name="race"), "def test_good(): pass") == 0
    told = capfd.readouterr().out
    assert "UNSTEADY" in told
    assert told.rstrip().endswith("test_it.py::test_race")


STORY = """
told = []

def test_beginning():
    told.append(1)
"""


def test_what_goes_on_from_an_earlier_test_is_run_with_it(tmp_path: Path) -> None:
    going_on = ONCE.format(name="end") + "    assert told\n"
    assert outcome(tmp_path, STORY, going_on) == 0


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    assert outcome(tmp_path, "def test_bad(): assert False", ONCE.format(name="race")) == 1


def test_many_failures_are_no_accident(tmp_path: Path) -> None:
    assert outcome(tmp_path, *(ONCE.format(name=f"race{n}") for n in range(4))) == 1


def test_what_cannot_be_collected_is_no_accident(tmp_path: Path) -> None:
    assert outcome(tmp_path, "import nothing_of_the_kind") not in (0, 1)


def test_a_failure_of_an_earlier_run_is_forgotten(tmp_path: Path) -> None:
    assert outcome(tmp_path, "def test_bad(): assert False") == 1
    assert outcome(tmp_path, "def test_good(): pass") == 0
