"""What a contract is compiled to, and the compiled contracts that an installed wheel brings along.

A wheel holds one JSON file per contract and an index of them, written by its build (see
``scripts/lib/build_hook.py``): whoever installs it needs neither the compiler nor Node, and uses
the very bytes that are deployed. A checkout has none of them; there ``compile.py`` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from chainbeasts.backend.resources import built_contracts_dir

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Attributes:
        source: its source file's unit name, such as ``contracts/Energy.sol``.
        bytecode: creation code.
        runtime: deployed code, with zeros where immutables go.
        storage: the compiler's storage layout.
    """

    name: str
    source: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime: bytes
    storage: dict[str, Any]

    @property
    def code_size(self) -> int:
        """Bytes of deployed code."""
        return len(self.runtime)

    def document(self) -> dict[str, Any]:
        """The artifact as JSON, under the names that Solidity's tools give its parts."""
        return {
            "contractName": self.name,
            "sourceName": self.source,
            "abi": self.abi,
            "bytecode": "0x" + self.bytecode.hex(),
            "deployedBytecode": "0x" + self.runtime.hex(),
            "storageLayout": self.storage,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The artifact that ``document`` wrote."""
        return cls(
            document["contractName"],
            document["sourceName"],
            document["abi"],
            bytes.fromhex(document["bytecode"][2:]),
            bytes.fromhex(document["deployedBytecode"][2:]),
            document["storageLayout"],
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a contract was compiled from: with these again, a compiler says the same bytes.

    Attributes:
        compiler: solc's version.
        settings: as they are in its standard JSON input.
        sources: SHA-256 of every source file that went in, by unit name, as hex.
    """

    compiler: str
    settings: Mapping[str, Any]
    sources: Mapping[str, str]


@cache
def built_units() -> Mapping[str, str]:
    """The source of each contract that this installation has compiled, by the contract's name."""
    folder = built_contracts_dir()
    if folder is None:
        return {}
    index: dict[str, str] = json.loads((folder / INDEX).read_text("utf-8"))
    return index


@cache
def built(name: str) -> Artifact:
    """A contract of ``built_units``."""
    folder = built_contracts_dir()
    assert folder is not None, "a name in the index is of a file beside it"
    return Artifact.from_document(json.loads((folder / f"{name}.json").read_text("utf-8")))


def write_built(
    folder: Path, made: Mapping[str, Artifact], provenance: Mapping[str, Provenance]
) -> None:
    """Write compiled contracts as a build carries them: the same bytes for the same contracts.

    Args:
        made: by name.
        provenance: by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, artifact in made.items():
        source = provenance[name]
        document = artifact.document() | {
            "compiler": source.compiler,
            "settings": dict(source.settings),
            "sources": dict(source.sources),
        }
        (folder / f"{name}.json").write_text(_text(document), "utf-8")
    index = {name: artifact.source for name, artifact in made.items()}
    (folder / INDEX).write_text(_text(index), "utf-8")


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
