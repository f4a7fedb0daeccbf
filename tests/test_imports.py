"""Which folder imports which: the contracts of pyproject.toml, and what the kernel stands on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration

ROOT = Path(__file__).resolve().parents[1]
LINTER = Path(sys.executable).with_name("lint-imports")
CONTRACTS = [
    contract["id"]
    for contract in read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
]
KERNEL = "chainbeasts.backend.kernel"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_imports_keep_the_contract(contract: str) -> None:
    told = subprocess.run(
        [LINTER, "--no-cache", "--no-logo", "--contract", contract],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_kernel_imports_nothing_but_numpy_and_the_hash() -> None:
    graph = grimp.build_graph("chainbeasts", include_external_packages=True, cache_dir=None)
    modules = {KERNEL, *graph.find_descendants(KERNEL)}
    imported = set().union(*map(graph.find_modules_directly_imported_by, modules)) - modules
    assert imported - sys.stdlib_module_names == {"numpy", "eth_hash"}
