"""Environments of tools that cannot share ours: each its own lock, made when it is first wanted."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.cli.output import note
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock

ROOT = Path(__file__).resolve().parents[2]


def tool_bin(name: str) -> Path:
    """The programs of ``requirements-NAME.lock``, installed if this lock has not been yet.

    Raises:
        ChainBeastsError: they cannot be installed.
    """
    lock = ROOT / f"requirements-{name}.lock"
    made_of = f"{sys.version_info[:2]} {lock.read_text('utf-8')}"
    folder = cache_dir("tools") / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    programs, stamp = folder / "bin", folder / ".complete"
    with ProcessLock(folder.with_suffix(".lock"), f"{name} is installed", seconds=1800):
        if not stamp.exists():
            note(f"Installing {lock.name} into an environment of its own")
            _run(sys.executable, "-m", "venv", "--clear", folder)
            pip = (programs / "python", "-m", "pip", "install", "--quiet", "--no-input")
            _run(*pip, "--disable-pip-version-check", "--require-hashes", "-r", lock)
            stamp.touch()
    return programs


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ChainBeastsError(
            f"{Path(str(command[0])).name} failed: {' '.join(last) or done.returncode}",
            "The package registry may be away; try again.",
        )
