"""Compiles the contracts and caches what the compiler said; a wheel brings them along compiled.

One cached file per source file, named by the digest of that file's whole import closure, the
compiler's version and the settings: an edited ledger does not recompile the kernel. Knows nothing
of chains.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import cache_dir, write_atomic
from chainbeasts.backend.chain.artifact import Artifact, Provenance, built, built_units
from chainbeasts.backend.chain.solc import Compilers
from chainbeasts.backend.chain.toolchain import SETUP_HINT, solc_version
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.backend.resources import contracts_dir, node_modules_dirs

EVM_VERSION = "osaka"
OPTIMIZER_RUNS = 200
RUNS_OF: Mapping[str, int] = {"contracts/CheckpointLedger.sol": 1_000} | dict.fromkeys(
    (
        "contracts/Beasts.sol",
        "contracts/kernel/StepReferee.sol",
    ),
    1_000_000,
)
"""Per source file, where gas matters more than size."""

LIBRARY_SOURCES = ("@openzeppelin/contracts/governance/TimelockController.sol",)
"""Contracts of libraries that are deployed as they are."""

ONLY_TESTS = "contracts/test/"

MAX_CODE_BYTES = 24_576
"""EIP-170's limit on deployed code."""

CODE_SIZE_WARNING = "5574"
"""Not a defect of the source; the limit is checked where it matters, by the gas report."""

_IMPORT = re.compile(r'^\s*import\s+(?:[^"\';]*?\sfrom\s+)?["\']([^"\']+)["\']', re.MULTILINE)
_CONTRACT = re.compile(r"^contract\s+(\w+)", re.MULTILINE)
_READ: dict[str, list[Artifact]] = {}  # what this process has read of the cache, by source
_OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"]


class CompileError(ChainBeastsError):
    """The compiler refused a source; the message is the compiler's own."""


def _unit_path(unit: str) -> Path:
    if unit.startswith("contracts/"):
        return contracts_dir().parent / unit
    for folder in node_modules_dirs():
        if (folder / unit).is_file():
            return folder / unit
    raise ChainBeastsError(f"The Solidity source {unit} was not found.", SETUP_HINT)


def _resolve(importer: str, target: str) -> str:
    if not target.startswith("."):
        return target
    parts = importer.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def import_closure(unit: str) -> dict[str, str]:
    """A source file and everything it imports, by unit name, in a stable order."""
    sources: dict[str, str] = {}
    todo = [unit]
    while todo:
        name = todo.pop()
        if name in sources:
            continue
        path = _unit_path(name)
        if not path.is_file():
            raise CompileError(f"The Solidity source {name} does not exist.")
        sources[name] = path.read_text("utf-8")
        todo += [_resolve(name, target) for target in _IMPORT.findall(sources[name])]
    return dict(sorted(sources.items()))


def _request(unit: str, sources: Mapping[str, str]) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "viaIR": True,
            "evmVersion": EVM_VERSION,
            "optimizer": {"enabled": True, "runs": RUNS_OF.get(unit, OPTIMIZER_RUNS)},
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {unit: {"*": _OUTPUTS}},
        },
    }


def _cached(unit: str) -> tuple[Path, dict[str, Any]]:
    """Where the output for a source is kept, and the request that gives it."""
    request = _request(unit, import_closure(unit))
    text = json.dumps(request, sort_keys=True)
    digest = hashlib.sha256(f"{solc_version()}\n{text}".encode()).hexdigest()
    return cache_dir("contracts") / f"{unit.rsplit('/', 1)[-1]}-{digest[:32]}.json", request


def provenance(unit: str) -> Provenance:
    """What a source of this checkout is compiled from, and how."""
    request = _request(unit, import_closure(unit))
    hashes = {
        name: hashlib.sha256(source["content"].encode()).hexdigest()
        for name, source in request["sources"].items()
    }
    return Provenance(solc_version(), request["settings"], hashes)


def _compile(unit: str, compilers: Compilers) -> list[Artifact]:
    path, request = _cached(unit)
    if not path.exists():
        with ProcessLock(path.with_name(f"{path.name}.lock"), f"{unit} is compiled"):
            if not path.exists():  # two processes that start at once compile once
                write_atomic(path, json.dumps(_run_solc(unit, request, compilers)).encode())
    return _read(unit, path)


def _read(unit: str, path: Path) -> list[Artifact]:
    """The deployable contracts of a kept output."""
    contracts = json.loads(path.read_text("utf-8"))
    return [
        Artifact(
            name,
            unit,
            output["abi"],
            bytes.fromhex(code),
            bytes.fromhex(output["evm"]["deployedBytecode"]["object"]),
            output.get("storageLayout") or {},
        )
        for name, output in contracts.items()
        if (code := output["evm"]["bytecode"]["object"])
    ]


def _run_solc(unit: str, request: dict[str, Any], compilers: Compilers) -> dict[str, Any]:
    output = compilers.ask(request)
    told = output.get("errors", [])
    if errors := [e["formattedMessage"] for e in told if e["severity"] == "error"]:
        raise CompileError(f"Solidity refused {unit}:\n" + "\n".join(errors))
    if warnings := [e["formattedMessage"] for e in told if _is_ours(e)]:
        raise CompileError(f"Solidity warned about {unit}:\n" + "\n".join(warnings))
    contracts: dict[str, Any] = output["contracts"][unit]
    return contracts


def _is_ours(diagnostic: Mapping[str, Any]) -> bool:
    location = diagnostic.get("sourceLocation") or {}
    ours = str(location.get("file", "")).startswith("contracts/")
    return ours and diagnostic.get("errorCode") != CODE_SIZE_WARNING


@cache
def _unit_of() -> Mapping[str, str]:
    """The source file of each deployable contract, by the contract's name."""
    if found := built_units():
        return found
    root = contracts_dir()
    own = {
        name: f"contracts/{path.relative_to(root).as_posix()}"
        for path in sorted(root.rglob("*.sol"))
        for name in _CONTRACT.findall(path.read_text("utf-8"))
    }
    return own | {Path(unit).stem: unit for unit in LIBRARY_SOURCES}


def published() -> list[str]:
    """Names of the deployable contracts, without those that only tests use."""
    return [name for name, unit in _unit_of().items() if not unit.startswith(ONLY_TESTS)]


def source_units(names: Iterable[str] | None = None) -> list[str]:
    """Unit names of the sources that define deployable contracts: all, or those of some contracts.

    Raises:
        ChainBeastsError: there is no contract of one of the names.
    """
    known = _unit_of()
    wanted = list(known if names is None else names)
    for name in wanted:
        if name not in known:
            raise ChainBeastsError(f"There is no contract named {name}.")
    return list(dict.fromkeys(known[name] for name in wanted))


def uncompiled(units: Iterable[str]) -> list[str]:
    """Those of some sources whose output the cache lacks, so that the compiler has to run."""
    return [unit for unit in units if _known(unit) is None]


def _known(unit: str) -> list[Artifact] | None:
    """The contracts of a source, as read before or from the cache; None if that lacks them."""
    if unit not in _READ:
        if brought := [built(name) for name, source in built_units().items() if source == unit]:
            _READ[unit] = brought
            return brought
        path, _ = _cached(unit)
        if not path.exists():
            return None
        _READ[unit] = _read(unit, path)
    return _READ[unit]


def compile_units(units: Iterable[str]) -> Iterator[Artifact]:
    """Compile source files, two at a time, and yield their deployable contracts as they are done.

    Raises:
        CompileError: the compiler refused a source, or warned about one of ours.
    """
    with Compilers() as compilers, ThreadPoolExecutor(max_workers=2) as pool:
        started = [pool.submit(_compile, unit, compilers) for unit in units]
        try:
            for done in as_completed(started):
                yield from done.result()
        finally:
            for waiting in started:  # whoever ends early waits for two sources, not for all
                waiting.cancel()


def artifacts(names: Sequence[str] | None = None) -> Mapping[str, Artifact]:
    """Deployable contracts by name, compiled where the cache lacks them: all, or those named.

    Raises:
        ChainBeastsError: there is no contract of one of the names.
        CompileError: the compiler refused a source, or warned about one of ours.
    """
    units = source_units(names)
    for _ in compile_units(uncompiled(units)):
        pass
    found = {made.name: made for unit in units for made in _known(unit) or ()}
    return found if names is None else {name: found[name] for name in names}


def compiled() -> list[Artifact]:
    """The deployable contracts that no compiler has to run for."""
    return [made for unit in source_units() for made in _known(unit) or ()]


def artifact(name: str) -> Artifact:
    """One deployable contract by name; no other source is compiled for it.

    Raises:
        ChainBeastsError: there is no contract of that name.
        CompileError: the compiler refused its source, or warned about it.
    """
    return artifacts([name])[name]
