"""A copy of the checkout in which a mutant lives while tests look for it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from chainbeasts.backend.cache import cache_dir

LEFT_OUT = (".git", ".venv", "node_modules", ".harmonics", "dist", "docs/images")
CACHED = ("contracts", "solc", "kernels")
"""Compiled already: a mutant compiles what it changes, and not into the checkout's cache."""

SECONDS = 900.0
"""Of one run of tests; what takes longer was led astray by the mutant."""

PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
COMPILE = (sys.executable, "-m", "scripts.lib.contracts")
NO_TESTS = 5
"""pytest's exit code where nothing was collected."""


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "does not compile"


class Trial:
    """Runs commands in the copy."""

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.folder = folder
        self._seconds = seconds
        self._environment = os.environ | {
            "PYTHONPATH": str(folder),  # before the checkout, which the environment points at
            "PYTHONDONTWRITEBYTECODE": "1",  # two texts of one second would share a compiled one
            "HARMONICS_CACHE_DIR": str(folder / ".harmonics" / "cache"),
        }
        self._environment.pop("CHAINBEASTS_NIGHTLY", None)  # a fault is seen in few cases or not

    def passes(self, command: Sequence[str]) -> bool:
        """Whether a command succeeds, in time."""
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode in (0, NO_TESTS)

    def judge(self, source: str, text: str, stages: Sequence[Sequence[str]]) -> Outcome:
        """What becomes of a source's mutant under stages of tests, the likeliest first."""
        path = self.folder / source
        original = path.read_text("utf-8")
        path.write_text(text, "utf-8")
        try:
            if not (self.passes(COMPILE) if source.endswith(".sol") else _parses(text)):
                return Outcome.INVALID
            if all(self.passes((*PYTEST, *tests)) for tests in stages):
                return Outcome.SURVIVED
            return Outcome.KILLED
        finally:
            path.write_text(original, "utf-8")


@contextmanager
def copied(root: Path) -> Iterator[Trial]:
    """A copy of the checkout, with its Node packages and what it has compiled."""
    with tempfile.TemporaryDirectory(prefix="chainbeasts-mutation-") as name:
        folder = Path(name) / "checkout"
        shutil.copytree(root, folder, symlinks=True, ignore=_left_out(root))
        (folder / "node_modules").symlink_to((root / "node_modules").resolve())
        for kind in CACHED:
            shutil.copytree(cache_dir(kind), folder / ".harmonics" / "cache" / kind)
        yield Trial(folder)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _left_out(root: Path) -> Callable[[str, list[str]], list[str]]:
    def ignore(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(root)
        return [name for name in names if (inside / name).as_posix() in LEFT_OUT]

    return ignore
