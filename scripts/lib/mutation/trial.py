"""A copy of the checkout in which a mutant lives while tests look for it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chainbeasts.backend.cache import cache_dir

LEFT_OUT = (".git", ".venv", "node_modules", ".harmonics", "dist", "docs/images")
CACHED = ("contracts", "solc", "kernels", "forge")
"""Compiled already: a mutant compiles what it changes, and not into the checkout's cache."""

SECONDS = 900.0
"""Of one run of tests; what takes longer was led astray by the mutant."""

PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
FORGE = (sys.executable, "-m", "scripts.lib.forge_invariants", "--libraries", "--runs", "256")
"""Properties of libraries, which need no contract compiled as it is deployed."""

COMPILE = (sys.executable, "-m", "scripts.lib.mutation.compiling")
FAILURES = ("FAILED ", "ERROR ", "[FAIL")
"""How pytest and Forge begin a line that names a test which failed."""

NO_TESTS = 5
"""pytest's exit code where nothing was collected."""


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "does not compile"
    UNCHANGED = "compiles to the same code"


@dataclass(frozen=True)
class Fate:
    """How a mutant ended; if killed, by which stage of tests, and which of them saw it."""

    outcome: Outcome
    killers: tuple[str, ...] = ()
    seen_by: str = ""


class Trial:
    """Runs commands in the copy."""

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.folder = folder
        self._seconds = seconds
        self._codes: str | None = None
        self.failure = ""
        """What the last command that failed said of it: the test's name, if it was one."""
        self._environment = os.environ | {
            "PYTHONPATH": str(folder),  # before the checkout, which the environment points at
            "PYTHONDONTWRITEBYTECODE": "1",  # two texts of one second would share a compiled one
            "HARMONICS_CACHE_DIR": str(folder / ".harmonics" / "cache"),
        }
        self._environment.pop("CHAINBEASTS_NIGHTLY", None)  # a fault is seen in few cases or not

    def passes(self, command: Sequence[str]) -> bool:
        """Whether a command succeeds, in time."""
        return self._run(command) is not None

    def judge(self, source: str, text: str, stages: Sequence[Sequence[str]]) -> Fate:
        """What becomes of a source's mutant under stages of tests, the likeliest first."""
        path = self.folder / source
        original = path.read_text("utf-8")
        path.write_text(text, "utf-8")
        try:
            if not self.takes(source):
                return Fate(Outcome.INVALID)
            if source.endswith(".sol"):
                return self._judge_contract(source, original, stages)
            return self._tested(stages)
        finally:
            path.write_text(original, "utf-8")

    def takes(self, source: str) -> bool:
        """Whether a source is one of its language, as it stands in the copy."""
        if source.endswith(".sol"):
            return self.passes((*COMPILE, source))
        return _parses((self.folder / source).read_text("utf-8"))

    def _judge_contract(self, source: str, original: str, stages: Sequence[Sequence[str]]) -> Fate:
        """As little is compiled as can be: nothing for a property of a library that fails."""
        quick = self._tested([tests for tests in stages if is_property(tests)])
        if quick.outcome is Outcome.KILLED:
            return quick
        codes = self._run(COMPILE)
        if codes is None:
            return Fate(Outcome.INVALID)
        if codes == self._codes_of(source, original):
            return Fate(Outcome.UNCHANGED)
        return self._tested([tests for tests in stages if not is_property(tests)])

    def _codes_of(self, source: str, text: str) -> str | None:
        """Digest of the contracts' code where a source has this text; without any mutant."""
        if self._codes is None:
            path = self.folder / source
            mutant = path.read_text("utf-8")
            path.write_text(text, "utf-8")
            try:
                self._codes = self._run(COMPILE)
            finally:
                path.write_text(mutant, "utf-8")
        return self._codes

    def _tested(self, stages: Sequence[Sequence[str]]) -> Fate:
        for tests in stages:
            if self._kills(tests):
                return Fate(Outcome.KILLED, tuple(tests), self.failure)
        return Fate(Outcome.SURVIVED)

    def _kills(self, tests: Sequence[str]) -> bool:
        """Whether tests fail, and not by chance: on a busy machine one of hundreds may."""
        if self.passes(test_command(tests)):
            return False
        failure = self.failure
        named = re.match(r"(?:FAILED|ERROR) (\S+)", failure)
        by_chance = named is not None and self.passes((*PYTEST, named[1]))
        if by_chance and self.passes(test_command(tests)):
            return False
        self.failure = failure
        return True

    def _run(self, command: Sequence[str]) -> str | None:
        """What a command prints; None if it fails, or takes too long."""
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.failure = "no end in time"
            return None
        if done.returncode in (0, NO_TESTS):
            return done.stdout
        named = [line for line in done.stdout.splitlines() if line.startswith(FAILURES)]
        self.failure = named[0] if named else f"exit code {done.returncode}"
        return None


def is_property(tests: Sequence[str]) -> bool:
    """Whether these are Forge's properties of libraries, not pytest's."""
    return all(name.endswith(".t.sol") for name in tests)


def test_command(tests: Sequence[str]) -> tuple[str, ...]:
    """What runs a stage of tests."""
    if not is_property(tests):
        return (*PYTEST, *tests)
    harnesses = "|".join(name.rpartition("/")[2].partition(".")[0] for name in tests)
    return (*FORGE, "--match-contract", f"^({harnesses})$")


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
