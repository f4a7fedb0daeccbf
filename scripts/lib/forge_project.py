"""Writes a Forge project over the contracts, for tools that read what Forge has built."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from chainbeasts.backend.chain.toolchain import find_forge, find_solc
from chainbeasts.backend.resources import contracts_dir, node_modules_dirs

CONFIG = """\
[profile.default]
src = "contracts"
out = "out"
libs = ["node_modules"]
remappings = ["@openzeppelin/=node_modules/@openzeppelin/", "solady/=node_modules/solady/"]
evm_version = "osaka"
via_ir = true
optimizer = true
optimizer_runs = 1
offline = true
auto_detect_remappings = false
"""


def write_project(folder: Path) -> None:
    """The contracts that are deployed, without those that only tests want."""
    shutil.copytree(contracts_dir(), folder / "contracts", ignore=_of_tests)
    (folder / "node_modules").symlink_to(node_modules_dirs()[0].resolve())
    (folder / "foundry.toml").write_text(CONFIG, "utf-8")


def _of_tests(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "test" and Path(folder) == contracts_dir()]


def forge_environment() -> dict[str, str]:
    """With Forge on PATH, and the project's own compiler."""
    path = f"{find_forge().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "FOUNDRY_SOLC": str(find_solc())}
