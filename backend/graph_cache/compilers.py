"""Finds a C compiler: the one in CC, the system's, or the one that PyPI's `ziglang` brings."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chainbeasts.backend.errors import ChainBeastsError

PROBE_SECONDS = 120
COMPILE_SECONDS = 300
FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden")
INSTALL_HINT = "Install a C compiler, or: pip install ziglang"


class CompilerError(ChainBeastsError):
    """There is no compiler, or it fails."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler that answered.

    Attributes:
        command: how it is called.
        version: the first line it says of itself.
    """

    command: tuple[str, ...]
    version: str

    def compile(self, main: Path, target_flags: tuple[str, ...], output: Path) -> None:
        """Compile one file into a shared object.

        Raises:
            CompilerError: it fails, or does not end.
        """
        command = (*self.command, *FLAGS, *target_flags, "-o", str(output), str(main))
        try:
            done = subprocess.run(
                command,
                cwd=main.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=COMPILE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CompilerError(f"{self.command[0]} cannot compile the kernel: {error}.") from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            reason = (lines or done.stderr.splitlines() or ["it says nothing"])[0]
            raise CompilerError(f"{self.command[0]} cannot compile the kernel: {reason}")


def _command_of(given: str) -> tuple[str, ...]:
    """The words of CC; a path with spaces in it, written without quotes, is one word."""
    if shutil.which(given):
        return (given,)
    try:
        return tuple(shlex.split(given)) or (given,)
    except ValueError:  # a quotation without its end; it is no file either
        return (given,)


def _candidates() -> Iterator[tuple[str, ...]]:
    given = os.environ.get("CC")
    if given:
        yield _command_of(given)
        return
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            yield (found,)
    if importlib.util.find_spec("ziglang") is not None:
        # unlike the others it compiles for this very CPU unless told otherwise
        yield (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline")


def _version(command: tuple[str, ...]) -> str | None:
    try:
        done = subprocess.run(
            (*command, "--version"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


@cache
def find_compiler() -> Compiler | None:
    """The first compiler that answers; None if there is none. Looked for once per process."""
    for command in _candidates():
        version = _version(command)
        if version is not None:
            return Compiler(command, version)
    return None


def no_compiler() -> tuple[str, str]:
    """Why ``find_compiler`` found none, and what to do, in a sentence each."""
    given = os.environ.get("CC")
    if given:
        hint = f"Set CC to a C compiler, or unset it. {INSTALL_HINT}"
        return f"CC is {given[:200]!r}, and that is no C compiler that answers --version.", hint
    return "There is no C compiler here.", INSTALL_HINT
