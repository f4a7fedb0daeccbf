"""A Forge project over the contracts as if Forge had built it, for tools that read its output."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from chainbeasts.backend.chain.compile import ONLY_TESTS
from chainbeasts.backend.chain.toolchain import find_forge, find_solc, solc_version
from chainbeasts.backend.resources import contracts_dir, node_modules_dirs
from scripts.lib.syntax_trees import analyse, request

CONFIG = """\
[profile.default]
src = "contracts"
out = "out"
libs = ["node_modules"]
offline = true
"""
NO_CODE = {"object": "", "sourceMap": ""}


def write_analysed_project(folder: Path) -> None:
    """The contracts that are deployed, with their syntax trees where Forge leaves them.

    No code is made, which would take most of the time and which no reader of sources looks at.

    Raises:
        ChainBeastsError: there is no compiler, or it refuses a source.
    """
    root = contracts_dir()
    shutil.copytree(root, folder / "contracts")
    shutil.rmtree(folder / ONLY_TESTS)
    (folder / "node_modules").symlink_to(node_modules_dirs()[0].resolve())
    (folder / "foundry.toml").write_text(CONFIG, "utf-8")
    names = (f"contracts/{path.relative_to(root).as_posix()}" for path in root.rglob("*.sol"))
    asked = request(sorted(name for name in names if not name.startswith(ONLY_TESTS)))
    built = folder / "out" / "build-info"
    built.mkdir(parents=True)
    (built / "contracts.json").write_text(json.dumps(_build_info(asked)), "utf-8")


def _build_info(asked: dict[str, Any]) -> dict[str, Any]:
    answer = analyse(asked)
    for contracts in answer["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {
                "bytecode": NO_CODE,
                "deployedBytecode": NO_CODE,
                "methodIdentifiers": {},
            }
    return {"solcVersion": solc_version(), "input": asked, "output": answer}


def forge_environment() -> dict[str, str]:
    """With Forge on PATH, and the project's own compiler."""
    path = f"{find_forge().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "FOUNDRY_SOLC": str(find_solc())}
