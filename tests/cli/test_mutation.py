"""Mutants: which faults are made, what tests make of them, and the page that answers survivors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.lib.checks import checks
from scripts.lib.mutation import trial
from scripts.lib.mutation.__main__ import ANSWERS, ROOT
from scripts.lib.mutation.answers import Survivor, read_answers, stale
from scripts.lib.mutation.mutants import Mutant, python_mutants, solidity_mutants
from scripts.lib.mutation.sources import PROPERTIES, mutants, sources, stages
from scripts.lib.mutation.trial import Fate, Outcome, Trial, is_property

PYTHON = """\
from __future__ import annotations

def least(a: int | None, b: int = 3) -> int | None:
    '''Not 1 + 1, but the lesser.'''
    if a is not None and a < b:  # 1 < 2
        return a
    return b
"""
SOLIDITY = """\
import {A} from "./A-1.sol";
uint256 constant MAX = 10_000; // 1 + 1
mapping(address => uint256) m;
function f(uint256 a) {
    if (a > MAX) revert TooMuch("a > b");
    assembly { r := shl(0xff, a) }
    emit Done(a);
}
"""


def after(found: list[Mutant]) -> list[str]:
    return [one.after for one in found]


def test_python_mutants_are_of_what_is_evaluated() -> None:
    assert after(python_mutants(PYTHON)) == [
        "def least(a: int | None, b: int = 4) -> int | None:",
        "if a is None and a < b: # 1 < 2",
        "if a is not None or a < b: # 1 < 2",
        "if a is not None and a <= b: # 1 < 2",
    ]


def test_solidity_mutants_are_of_code_guards_and_calls() -> None:
    assert after(solidity_mutants(SOLIDITY)) == [
        "uint256 constant MAX = 10001; // 1 + 1",
        'if (a >= MAX) revert TooMuch("a > b");',
        "assembly { r := shr(0xff, a) }",
        "assembly { r := shl(0x100, a) }",
        'if (false && (a > MAX)) revert TooMuch("a > b");',
        "",
    ]


@pytest.mark.parametrize(("make", "text"), [(python_mutants, PYTHON), (solidity_mutants, SOLIDITY)])
def test_a_mutant_differs_on_its_line_alone(make: Callable[[str], list[Mutant]], text: str) -> None:
    before = text.splitlines()
    for one in make(text):
        now = one.text.splitlines()
        assert [n + 1 for n, line in enumerate(before) if line != now[n]] == [one.line]
        assert " ".join(before[one.line - 1].split()) == one.before


def test_mutants_are_tried_at_night() -> None:
    assert "mutations" in {check.name for check in checks([], fast=False, nightly=True)}


def test_every_source_has_tests_and_no_path_is_wrong() -> None:
    names = sources(ROOT)
    assert {"backend/kernel/merkle.py", "contracts/Arena.sol"} <= set(names)
    wanted = {path for name in names for tests in stages(ROOT, name) for path in tests}
    assert [path for path in sorted(wanted) if not (ROOT / path).exists()] == []


def test_answers_are_of_lines_that_are_there() -> None:
    """What a later change of the code makes untrue is seen at once, not in the night."""
    answered = read_answers(ANSWERS.read_text("utf-8"))
    possible = {Survivor.of(name, one) for name in sources(ROOT) for one in mutants(ROOT, name)}
    assert stale(answered, possible) == []


def test_an_answer_is_read_as_it_is_printed() -> None:
    either = Survivor("contracts/A.sol", "a = b | c;", "a = b & c;")
    gone = Survivor("contracts/A.sol", "emit Done();", "")
    page = "\n".join(f"{one.row().removesuffix('  |')} Because. |" for one in (either, gone))
    assert read_answers(page) == {either, gone}
    assert read_answers(either.row()) == set()  # without a reason it is none
    assert stale([either, gone], [gone]) == [either]


def test_trial_kills_what_a_test_sees_and_restores_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "PYTEST", (sys.executable,))  # tests that are programs: no set-up
    source = tmp_path / "least.py"
    source.write_text(PYTHON)
    (tmp_path / "weak.py").write_text("from least import least\nassert least(1) == 1\n")
    strong = "from least import least\nassert (least(1), least(None)) == (1, 3)\n"
    (tmp_path / "strong.py").write_text(strong)
    here = Trial(tmp_path)
    other = python_mutants(PYTHON)[0].text
    both = [("weak.py",), ("strong.py",)]
    assert here.judge("least.py", other, [("weak.py",)]) == Fate(Outcome.SURVIVED)
    killed = Fate(Outcome.KILLED, ("strong.py",), "exit code 1")
    assert here.judge("least.py", other, both) == killed
    assert here.judge("least.py", "def", [("weak.py",)]) == Fate(Outcome.INVALID)
    assert source.read_text() == PYTHON
    assert here.passes((sys.executable, "strong.py"))


def test_what_killed_a_mutant_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_sum.py").write_text("def test_sum(): assert 1 + 1 == 3\n")
    fate = Trial(tmp_path).judge("test_sum.py", "def test_sum(): assert 2 == 3", [("test_sum.py",)])
    assert fate.seen_by.startswith("FAILED test_sum.py::test_sum")


def test_a_test_that_fails_by_chance_kills_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_once.py").write_text(
        "from pathlib import Path\n\n\ndef test_once():\n"
        "    first = not Path('seen').exists()\n    Path('seen').touch()\n    assert not first\n"
    )
    (tmp_path / "least.py").write_text(PYTHON)
    assert Trial(tmp_path).judge("least.py", PYTHON, [("test_once.py",)]) == Fate(Outcome.SURVIVED)


def test_trial_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PYTEST", (sys.executable,))
    (tmp_path / "count.py").write_text("while True: pass\n")
    assert not Trial(tmp_path, seconds=0.2).passes((sys.executable, "count.py"))


COMPILER = """\
import sys
source = [line.split("//")[0].strip() for line in open("lib.sol")]
if len(sys.argv) > 1:
    sys.exit("function" not in source[0])
open("compiled", "a").write("x")
print("".join(source))
"""


@pytest.mark.parametrize(
    ("before", "after", "outcome", "compiled"),
    [
        ("function", "functoin", Outcome.INVALID, 0),
        ("least", "most", Outcome.KILLED, 0),  # a property fails: nothing has to be compiled
        ("// why", "// because", Outcome.UNCHANGED, 2),
        ("a < b", "a > b", Outcome.KILLED, 2),
        ("a < b", "a <= b", Outcome.SURVIVED, 2),
    ],
)
def test_trial_compiles_a_contract_no_further_than_it_must(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
    outcome: Outcome,
    compiled: int,
) -> None:
    """The copy's code without a mutant is compiled once, to be compared."""
    text = "function least(a, b)\n  a < b; // why\n"
    (tmp_path / "lib.sol").write_text(text)
    (tmp_path / "compiler.py").write_text(COMPILER)
    (tmp_path / "property.py").write_text('assert "least" in open("lib.sol").read()\n')
    (tmp_path / "test.py").write_text('assert ">" not in open("lib.sol").read()\n')
    monkeypatch.setattr(trial, "COMPILE", (sys.executable, "compiler.py"))
    monkeypatch.setattr(trial, "FORGE", (sys.executable, "property.py"))
    monkeypatch.setattr(trial, "PYTEST", (sys.executable,))
    here = Trial(tmp_path)
    mutant = text.replace(before, after)
    fate = here.judge("lib.sol", mutant, [("property.t.sol",), ("test.py",)])
    assert fate.outcome is outcome
    log = tmp_path / "compiled"
    assert (len(log.read_text()) if log.exists() else 0) == compiled
    assert (tmp_path / "lib.sol").read_text() == text


def test_properties_are_of_the_libraries_that_they_answer_for() -> None:
    for library, harness in PROPERTIES.items():
        assert is_property(harness)
        assert stages(ROOT, library)[0] == harness
        assert f'"{library}"' in (ROOT / harness[0]).read_text("utf-8")
