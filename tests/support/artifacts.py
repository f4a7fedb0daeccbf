"""Compiled contracts by name, and every custom error by selector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from chainbeasts.backend.chain import compile


@dataclass(frozen=True)
class Artifact:
    name: str
    abi: list[Any]
    bytecode: str
    runtime: str


class Artifacts(Mapping[str, Artifact]):
    """Contracts by name; `errors[selector]` lists (name, argument types)."""

    def __init__(self, artifacts: Iterable[Artifact]) -> None:
        self._by_name = {artifact.name: artifact for artifact in artifacts}
        self.errors: dict[bytes, list[tuple[str, list[str]]]] = {}
        for artifact in self._by_name.values():
            for entry in artifact.abi:
                if entry["type"] == "error":
                    types = [collapse_if_tuple(argument) for argument in entry["inputs"]]
                    selector = keccak(text=f"{entry['name']}({','.join(types)})")[:4]
                    self.errors.setdefault(selector, []).append((entry["name"], types))

    def __getitem__(self, name: str) -> Artifact:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def load() -> Artifacts:
    """All contracts of the tree, compiled where the compiler's cache lacks them."""
    return Artifacts(
        Artifact(name, found.abi, "0x" + found.bytecode.hex(), found.runtime.hex())
        for name, found in compile.artifacts().items()
    )
