"""Runs a third party's tests of ERC-20 and ERC-721 on ENERGY and beasts: Solmate's, from npm.

Their files are taken as they are, but for the compiler's version, which they pin to an older one.
They deploy `MockERC20` and `MockERC721`, and those are ours: `Energy` and `Beasts`, with what the
tests call besides. Forge no longer runs a contract with tests called `testFail…`, which have to
revert, so each test is called by a contract that is written here for it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainbeasts.backend.chain.toolchain import find_forge, find_solc
from chainbeasts.backend.cli.output import note, print_error, stderr
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.resources import contracts_dir, node_modules_dirs

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "token_standards"
SOURCES = ("Energy.sol", "Beasts.sol", "interfaces", "types")
PINNED, ALLOWED = "pragma solidity 0.8.15;", "pragma solidity >=0.8.15;"
RUNS, NIGHTLY_RUNS, SEED = 64, 1_000, 1
DEPTH = 100

NAMES = "the names are our tokens' own"
NO_BURN = "nobody can burn a beast"


@dataclass(frozen=True)
class Suite:
    """A contract with tests, and what of it says nothing about our token."""

    contract: str
    file: str
    left_out: Mapping[str, str]
    no_zero: bool
    """Whether address 0 is no account: OpenZeppelin refuses it where ERC-20 lays down nothing."""


SUITES = (
    Suite("ERC20Test", "ERC20.t.sol", {"testMetadata": NAMES}, no_zero=True),
    Suite(
        "ERC721Test",
        "ERC721.t.sol",
        {"testMetadata": NAMES, "testBurn": NO_BURN, "testApproveBurn": NO_BURN},
        no_zero=False,
    ),
)
INVARIANTS = "ERC20Invariants"
TESTS = {"ERC20Caller": 28, "ERC721Caller": 71, INVARIANTS: 1}
"""How many there are, so that none is lost without a word."""

CONFIG = """\
[profile.default]
src = "test"
test = "test"
libs = []
remappings = [
    "@openzeppelin/={modules}/@openzeppelin/",
    "contracts/={folder}/contracts/",
    "ds-test/test.sol={folder}/ds-test/DSTest.sol",
]
allow_paths = ["{modules}"]
evm_version = "osaka"
optimizer = false
offline = true
auto_detect_remappings = false
ignored_error_codes = [6335]

[profile.default.invariant]
# A move of the test's that the token refuses is none.
fail_on_revert = false
"""
CALLER = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {{{contract}}} from "./{file}";

contract {name} {{
    {contract} private _suite;

    function setUp() external {{
        _suite = new {contract}();
        _suite.setUp();
    }}
{functions}
    function _passes(bytes memory call) private {{
        (bool ok, bytes memory why) = address(_suite).call(call);
        if (!ok) assembly ("memory-safe") {{
            revert(add(why, 32), mload(why))
        }}
    }}

    function _reverts(bytes memory call) private {{
        (bool ok, ) = address(_suite).call(call);
        require(!ok, "did not revert");
    }}
}}
"""
FUNCTION = """
    function {name}({parameters}) external {{
{guards}        {check}(abi.encodeWithSignature("{signature}"{arguments}));
    }}
"""
MUST_REVERT = "testFail"


def write_project(folder: Path) -> None:
    """Their tests, our tokens, and what both stand on."""
    theirs = _modules() / "solmate" / "src"
    mocks = folder / "test" / "utils" / "mocks"
    mocks.mkdir(parents=True)
    (folder / "tokens").mkdir()
    (folder / "ds-test").mkdir()
    utils = (f"utils/{name}.sol" for name in ("DSTestPlus", "DSInvariantTest", "Hevm"))
    for name in (*(suite.file for suite in SUITES), *utils):
        text = (theirs / "test" / name).read_text("utf-8")
        (folder / "test" / name).write_text(text.replace(PINNED, ALLOWED), "utf-8")
    shutil.copy(theirs / "tokens" / "ERC721.sol", folder / "tokens")  # its receiver's interface
    for mock in OURS.glob("Mock*.sol"):
        shutil.copy(mock, mocks)
    shutil.copy(OURS / "DSTest.sol", folder / "ds-test")
    (folder / "contracts" / "libraries").mkdir(parents=True)
    for name in SOURCES:
        source, target = contracts_dir() / name, folder / "contracts" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    shutil.copy(OURS / "BeastMetadata.sol", folder / "contracts" / "libraries")
    places = {"modules": _modules(), "folder": folder}
    (folder / "foundry.toml").write_text(CONFIG.format(**places), "utf-8")


def _modules() -> Path:
    found = node_modules_dirs()
    if not found or not (found[0] / "solmate").is_dir():
        raise ChainBeastsError("The npm package solmate is not installed.", "Run scripts/setup.")
    return found[0].resolve()


def caller(suite: Suite, abi: Sequence[dict[str, Any]]) -> str:
    """A contract with a test for each of a suite's, in Solidity.

    Raises:
        ChainBeastsError: a test that is to be left out is not there.
    """
    tests = [entry for entry in abi if entry.get("name", "").startswith("test")]
    unknown = set(suite.left_out) - {test["name"] for test in tests}
    if unknown:
        raise ChainBeastsError(f"{suite.file} has no {', '.join(sorted(unknown))}.")
    functions = "".join(
        _function(suite, test) for test in tests if test["name"] not in suite.left_out
    )
    name = suite.contract.replace("Test", "Caller")
    return CALLER.format(contract=suite.contract, file=suite.file, name=name, functions=functions)


def _function(suite: Suite, test: dict[str, Any]) -> str:
    kinds = [entry["type"] for entry in test["inputs"]]
    names = [f"value{number}" for number in range(len(kinds))]
    memory = (" memory" if kind in ("bytes", "string") else "" for kind in kinds)
    zero = [
        f"        if ({name} == address(0)) return;\n"
        for name, kind in zip(names, kinds, strict=True)
        if suite.no_zero and kind == "address"
    ]
    reverts = test["name"].startswith(MUST_REVERT)
    return FUNCTION.format(
        name=test["name"].replace(MUST_REVERT, "testReverts", 1),
        parameters=", ".join(
            f"{kind}{place} {name}" for kind, place, name in zip(kinds, memory, names, strict=True)
        ),
        guards="".join(zero),
        check="_reverts" if reverts else "_passes",
        signature=f"{test['name']}({','.join(kinds)})",
        arguments="".join(f", {name}" for name in names),
    )


def results(output: str) -> Iterator[tuple[str, str, str, str]]:
    """Of each test that Forge ran: contract, test, status, and why it failed.

    Args:
        output: Forge's, in JSON.
    """
    for place, suite in json.loads(output).items():
        for test, result in suite["test_results"].items():
            yield place.rpartition(":")[2], test, result["status"], result.get("reason") or ""


def run(folder: Path, runs: int, seed: int) -> int:
    """Compile and run them in an empty folder; the exit code.

    Raises:
        ChainBeastsError: Forge, the compiler, or their package is missing, or nothing compiles.
    """
    write_project(folder)
    environment = {
        **os.environ,
        "FOUNDRY_SOLC": str(find_solc()),
        "FOUNDRY_FUZZ_SEED": hex(seed),
        "FOUNDRY_FUZZ_RUNS": str(runs),
        "FOUNDRY_INVARIANT_RUNS": str(runs),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
    }

    def forge(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(find_forge()), *arguments, "--root", str(folder)]
        return subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True
        )

    built = forge("build")
    if built.returncode:
        raise ChainBeastsError(f"The tests do not compile:\n{built.stdout}{built.stderr}")
    for suite in SUITES:
        artifact = folder / "out" / suite.file / f"{suite.contract}.json"
        text = caller(suite, json.loads(artifact.read_text("utf-8"))["abi"])
        (folder / "test" / f"Caller{suite.file}").write_text(text, "utf-8")
    done = forge("test", "--json", "--match-contract", f"^({'|'.join(TESTS)})$")
    try:
        found = list(results(done.stdout))
    except json.JSONDecodeError:
        raise ChainBeastsError(f"Forge failed:\n{done.stdout}{done.stderr}") from None
    failed = [one for one in found if one[2] != "Success"]
    for contract, test, _, why in failed:
        stderr.print(f"{contract}.{test} FAILED: {why}", markup=False)
    counts = dict(Counter(contract for contract, *_ in found))
    if counts != TESTS:
        stderr.print(f"Forge ran {counts} and not {TESTS}.")
        return 1
    note(f"Solmate's tests: {len(found) - len(failed)} of {len(found)} passed, --seed {seed}")
    return 1 if failed else 0


def main() -> int:
    """Run them; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/token_standards", description=__doc__)
    parser.add_argument("--runs", type=int, help=f"cases of each test that has any ({RUNS})")
    parser.add_argument("--seed", type=int, help=f"of the cases ({SEED}; nightly a random one)")
    parser.add_argument(
        "--nightly",
        action="store_true",
        default=bool(os.environ.get("CHAINBEASTS_NIGHTLY")),
        help=f"{NIGHTLY_RUNS} cases",
    )
    options = parser.parse_args()
    runs = options.runs or (NIGHTLY_RUNS if options.nightly else RUNS)
    seed = options.seed or (secrets.randbits(64) if options.nightly else SEED)
    try:
        with tempfile.TemporaryDirectory(prefix="chainbeasts-standards-") as folder:
            return run(Path(folder), runs, seed)
    except ChainBeastsError as error:
        print_error(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
