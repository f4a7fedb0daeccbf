"""What the compiler says is kept, and what it refuses is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainbeasts.backend import resources
from chainbeasts.backend.chain.compile import (
    MAX_CODE_BYTES,
    CompileError,
    _cached,
    artifacts,
    compile_units,
)
from chainbeasts.backend.chain.solc import Compilers
from chainbeasts.backend.chain.toolchain import SETUP_HINT, find_solc
from chainbeasts.backend.errors import ChainBeastsError

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n"
UNIT = "contracts/Thing.sol"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout with a contract and its library, the project's compiler and an empty cache."""
    find_solc.cache_clear()
    real = resources.project_root()
    (tmp_path / "contracts").mkdir()
    (tmp_path / "package.json").write_text((real / "package.json").read_text("utf-8"), "utf-8")
    write(tmp_path, "Part.sol", "library Part { function f() internal pure returns (uint) {")
    with (tmp_path / "contracts" / "Part.sol").open("a", encoding="utf-8") as file:
        file.write(" return 5; } }\n")
    write(tmp_path, "Thing.sol", THING)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "backend")
    monkeypatch.chdir(real)
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    find_solc.cache_clear()


THING = (
    'import {Part} from "./Part.sol";\n'
    "contract Thing { function five() external pure returns (uint) { return Part.f(); } }\n"
)


def write(root: Path, name: str, text: str) -> None:
    (root / "contracts" / name).write_text(HEAD + text, "utf-8")


def break_compiler(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a run of the compiler is an error."""
    binary = root / "broken"
    binary.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    binary.chmod(0o755)
    monkeypatch.setenv("SOLC_BINARY", str(binary))
    find_solc.cache_clear()


def test_the_second_call_is_served_from_the_cache(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list(compile_units([UNIT]))
    assert [made.name for made in first] == ["Thing"]
    assert 0 < first[0].code_size == len(first[0].runtime) < len(first[0].bytecode)
    assert first[0].abi[0]["name"] == "five"
    break_compiler(checkout, monkeypatch)
    assert list(compile_units([UNIT])) == first
    # An edit of an imported file is an edit.
    part = checkout / "contracts" / "Part.sol"
    part.write_text(part.read_text("utf-8").replace("5", "6"), "utf-8")
    with pytest.raises(ChainBeastsError, match="broken does not run") as caught:
        list(compile_units([UNIT]))
    assert "SOLC_BINARY" in caught.value.hint


def test_the_compilers_words_are_shown(checkout: Path) -> None:
    write(checkout, "Thing.sol", "contract Thing { uint256 x = five; }\n")
    with pytest.raises(CompileError) as caught:
        list(compile_units([UNIT]))
    assert caught.value.message.startswith(f"Solidity refused {UNIT}:\n")
    assert "Undeclared identifier" in caught.value.message
    assert f"{UNIT}:3:30" in caught.value.message
    assert "Traceback" not in caught.value.message


def test_what_a_compiler_was_asked_before_changes_no_answer(checkout: Path) -> None:
    """npm's build is one process for many sources, also after one that it refuses."""
    write(checkout, "Wrong.sol", "contract Wrong { uint256 x = five; }\n")
    with Compilers() as compilers:
        first = compilers.ask(_cached(UNIT)[1])
        assert first["contracts"][UNIT]["Thing"]["evm"]["bytecode"]["object"]
        wrong = compilers.ask(_cached("contracts/Wrong.sol")[1])
        assert [error["severity"] for error in wrong["errors"]] == ["error"]
        assert compilers.ask(_cached(UNIT)[1]) == first


def test_a_warning_about_ours_is_an_error_and_is_not_cached(checkout: Path) -> None:
    write(checkout, "Thing.sol", "contract Thing { function f() external pure { uint256 x; } }\n")
    for _ in range(2):
        with pytest.raises(CompileError, match="Solidity warned about") as caught:
            list(compile_units([UNIT]))
        assert "Unused local variable" in caught.value.message


def test_missing_packages_are_one_sentence(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)  # no node_modules here
    source = "@openzeppelin/contracts/access/Ownable.sol"
    write(checkout, "Thing.sol", f'import "{source}";\ncontract Thing {{}}\n')
    with pytest.raises(ChainBeastsError) as caught:
        list(compile_units([UNIT]))
    assert caught.value.message == f"The Solidity source {source} was not found."
    assert caught.value.hint == SETUP_HINT


def test_a_missing_source_of_ours_is_named(checkout: Path) -> None:
    write(checkout, "Thing.sol", 'import {Gone} from "./parts/Gone.sol";\ncontract Thing {}\n')
    with pytest.raises(CompileError, match=r"contracts/parts/Gone\.sol does not exist"):
        list(compile_units([UNIT]))


def test_every_contract_fits_on_a_chain() -> None:
    sizes = {name: made.code_size for name, made in artifacts().items()}
    assert {"Energy", "Beasts", "CheckpointLedger", "DisputeCourt", "StepReferee"} <= set(sizes)
    assert max(sizes.values()) <= MAX_CODE_BYTES, sizes
