"""Puts what a checkout makes for itself into wheel and sdist: the contracts, compiled.

Hatchling runs this for every build but an editable one. An sdist holds the compiled contracts, so
that a wheel is made of it without a compiler. Which contracts: all but those that only tests use.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "backend/resources/artifacts"
"""In wheel and sdist alike; ``backend.resources`` looks there."""


class CompiledContracts(BuildHookInterface[Any]):
    """The hook that pyproject.toml names."""

    PLUGIN_NAME = "compiled contracts"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the contracts, and have them included."""
        if version == "editable":
            return  # a checkout's own, which follow its sources
        root = Path(self.root)
        folder = root / PLACE
        if not folder.is_dir():
            self._scratch = tempfile.TemporaryDirectory(prefix="chainbeasts-build-")
            folder = Path(self._scratch.name)
            write(root, folder)
        found = {str(path): f"{PLACE}/{path.name}" for path in sorted(folder.iterdir())}
        build_data["force_include"].update(found)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only made to be included."""
        if scratch := getattr(self, "_scratch", None):
            scratch.cleanup()


def write(root: Path, folder: Path) -> None:
    """Write the compiled contracts of a checkout into a folder.

    Raises:
        ChainBeastsError: no compiler was found, or it refused a source.
    """
    sys.path.insert(0, str(root))
    try:
        from backend.chain.artifact import write_built
        from backend.chain.compile import artifacts, provenance, published
    finally:
        sys.path.remove(str(root))
    made = artifacts(published())
    write_built(folder, made, {name: provenance(one.source) for name, one in made.items()})
