"""How scripts/test runs its checks: what others need, then the tests, and the rest behind them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.lib.checks import Check, checks, run_all


def shell(name: str, line: str, *, first: bool = False, front: bool = False) -> Check:
    return Check(name, ["/bin/sh", "-c", line], first=first, front=front)


def test_the_tests_begin_when_the_first_are_done_and_the_rest_yields_to_them(
    tmp_path: Path,
) -> None:
    made = tmp_path / "contracts"
    wanted = [
        shell("contracts", f"echo made > {made}", first=True),
        shell("lint", 'test "$(nice)" = 10'),
        shell("tests", f'grep made {made} && test "$(nice)" != 10', front=True),
        shell("types", "false"),
        shell("report", f"rm {made}", front=True),
    ]
    found = run_all(wanted, dict(os.environ))
    assert [(result.name, result.passed) for result in found] == [
        ("contracts", True),
        ("lint", True),
        ("tests", True),
        ("types", False),
        ("report", True),
    ]
    assert not made.exists()


def test_heads_of_a_log_fit_a_screen(capfd: pytest.CaptureFixture[str]) -> None:
    run_all([shell("in front", "echo a >&2", front=True), shell("behind", "echo b")], {})
    told = capfd.readouterr().err.splitlines()
    assert sorted(line.split()[0] for line in told) == ["a", "b", "behind", "in"]
    assert max(map(len, told)) <= 100


def test_what_the_tests_need_comes_first_and_they_are_in_front() -> None:
    found = {check.name: check for check in checks([], fast=False)}
    assert found["contracts"].first
    assert [name for name, check in found.items() if check.front] == ["tests"]
    assert not found["types"].first
