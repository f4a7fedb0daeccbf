"""Puts what a checkout has or makes for itself where an installation looks for it.

That are the contracts, compiled, and some files from outside of the packages. An editable build
needs none of it. An sdist holds the compiled contracts, so that a wheel is made of it without a
compiler. Which contracts: all but those that only tests use.
"""

from __future__ import annotations

import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "backend/resources"
"""In a tree of sources, and so in an sdist; ``backend.resources`` looks there."""

ARTIFACTS, NODE = f"{PLACE}/artifacts", f"{PLACE}/node_modules"


PACKAGE = "chainbeasts/"
"""What a wheel has all of it below."""


class CompiledContracts(BuildHookInterface[Any]):
    """The hook that pyproject.toml names."""

    PLUGIN_NAME = "compiled contracts"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the contracts, and have them included with the other files."""
        if version == "editable":
            return  # a checkout's own, which follow its sources
        root = Path(self.root)
        folder = root / ARTIFACTS
        unpacked = folder.is_dir()  # an sdist, which holds what needs a compiler and Node
        if not unpacked:
            self._scratch = tempfile.TemporaryDirectory(prefix="chainbeasts-build-")
            folder = Path(self._scratch.name)
            write(root, folder)
        top = PACKAGE if self.target_name == "wheel" else ""
        found = {str(path): f"{top}{ARTIFACTS}/{path.name}" for path in sorted(folder.iterdir())}
        node = root / NODE if unpacked else root / "node_modules"
        found |= {str(node / name): f"{top}{NODE}/{name}" for name in page_files(root)}
        if self.target_name == "wheel":
            found |= {str(root / name): f"{top}{PLACE}/{name}" for name in self.config["resources"]}
        build_data["force_include"].update(found)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only made to be included."""
        if scratch := getattr(self, "_scratch", None):
            scratch.cleanup()


def page_files(root: Path) -> tuple[str, ...]:
    """The files of Node packages that the page is served with, and their licences."""
    told = runpy.run_path(str(root / "backend" / "api" / "vendored.py"))
    return (*told["VENDORED"].values(), *told["LICENCES"])


def write(root: Path, folder: Path) -> None:
    """Write the compiled contracts of a checkout into a folder.

    Raises:
        ChainBeastsError: no compiler was found, or it refused a source.
    """
    sys.path.insert(0, str(root))  # of the tree that is built, whatever else is installed
    try:
        from chainbeasts.backend.chain.artifact import write_built
        from chainbeasts.backend.chain.compile import artifacts, provenance, published
    finally:
        sys.path.remove(str(root))
    made = artifacts(published())
    write_built(folder, made, {name: provenance(one.source) for name, one in made.items()})
