"""A clone's first command that needs contracts: what it compiles, and what it says meanwhile."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.chain import compile as compiler
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.toolchain import find_solc, solc_version
from chainbeasts.backend.cli.compiling import compile_contracts

COMPILER = """#!{python}
import json, sys
from pathlib import Path
if "--version" in sys.argv:
    print("Version: {version}+commit.00000000.Linux.g++")
    sys.exit()
(unit,) = json.load(sys.stdin)["settings"]["outputSelection"]
with open({log!r}, "a") as log:
    log.write(unit + chr(10))
made = json.loads(Path({kept!r}).read_text())
print(json.dumps({{"contracts": {{unit: json.loads(Path(made[unit]).read_text())}}}}))
"""
"""Says at once what the real one said before, and keeps a record of what it was asked for."""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and the file in which the compiler writes down what it is asked for."""
    compiler.artifacts()
    folder = cache_dir("contracts")
    kept = {unit: str(compiler._cached(unit)[0]) for unit in compiler.source_units()}
    assert all(Path(path).parent == folder for path in kept.values())
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    binary, log = tmp_path / "solc", tmp_path / "asked"
    places = {"log": str(log), "kept": str(tmp_path / "kept.json")}
    binary.write_text(COMPILER.format(python=sys.executable, version=solc_version(), **places))
    binary.chmod(0o755)
    monkeypatch.setenv("SOLC_BINARY", str(binary))
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(compiler, "_READ", {})
    find_solc.cache_clear()
    yield log
    find_solc.cache_clear()


def test_only_what_is_deployed_is_compiled_and_each_contract_is_told(
    asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_contracts()
    units = set(asked.read_text().split())
    assert units == set(compiler.source_units(CONTRACTS))
    assert not [unit for unit in units if "/test/" in unit or "Inspector" in unit]
    said = capsys.readouterr().err.splitlines()
    count = len(CONTRACTS)
    assert said[0].startswith(f"Compiling {count} contracts")
    assert [line.split(":")[0] for line in said[1:]] == [
        f"compiled {number}/{count}" for number in range(1, count + 1)
    ]
    compile_contracts()
    assert len(asked.read_text().split()) == count
    assert capsys.readouterr().err == ""


def test_one_contract_is_had_without_the_others(asked: Path) -> None:
    assert compiler.artifact("Energy").source == "contracts/Energy.sol"
    assert asked.read_text().split() == ["contracts/Energy.sol"]
