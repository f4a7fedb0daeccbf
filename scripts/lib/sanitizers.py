"""Runs the compiled kernel's C under address and undefined-behaviour sanitizers, on hostile inputs.

The program is tests/native/hostile.c, built once for every target of this machine; all of them have
to print the same digest. Where no compiler supports the sanitizers, that is said, and nothing runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chainbeasts.backend.graph_cache.compilers import Compiler, find_compiler
from chainbeasts.backend.graph_cache.targets import Target, portable_target, vector_targets
from chainbeasts.backend.kernel.native.graph import Graph, source

PROGRAM = Path(__file__).resolve().parents[2] / "tests" / "native" / "hostile.c"
FLAGS = (
    "-std=c11",
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)
SECONDS = 3_600
"""Against what hangs: behind the tests half a minute of a compiler's work takes many."""

EMPTY = "int main(void) { return 0; }\n"


class SanitizerError(Exception):
    """The kernel does not compile, a sanitizer complains, or targets differ."""


def _ran(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def unsupported(compiler: Compiler, folder: Path) -> str | None:
    """Why this compiler's programs cannot run with sanitizers; None if they can."""
    text, program = folder / "empty.c", folder / "empty"
    text.write_text(EMPTY, "utf-8")
    made = _ran([*compiler.command, *FLAGS, "-o", str(program), str(text)])
    if made.returncode:
        return (made.stderr.strip().splitlines() or ["it does not say why"])[-1]
    done = _ran([str(program)])
    return None if done.returncode == 0 else f"an empty program ends with {done.returncode}"


def digest(compiler: Compiler, target: Target, folder: Path) -> str:
    """What the program prints, built for a target with every slot awake.

    Raises:
        SanitizerError: it does not compile, or a sanitizer complains.
    """
    folder.mkdir()
    for name, text in source(Graph(0xFF)).items():
        (folder / name).write_text(text, "utf-8")
    main, program = folder / PROGRAM.name, folder / "hostile"
    main.write_text(PROGRAM.read_text("utf-8"), "utf-8")
    made = _ran([*compiler.command, *FLAGS, *target.flags, "-o", str(program), str(main)])
    if made.returncode:
        raise SanitizerError(f"{target.name} does not compile:\n{made.stderr.strip()}")
    done = _ran([str(program)])
    if done.returncode:
        raise SanitizerError(f"{target.name} ends with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout.strip()


def main() -> int:
    """Build and run for every target; 1 if one complains or differs."""
    compiler = find_compiler()
    if compiler is None:
        print("Skipped: there is no C compiler here.")
        return 0
    with tempfile.TemporaryDirectory(prefix="chainbeasts-sanitizers-") as scratch:
        folder = Path(scratch)
        reason = unsupported(compiler, folder)
        if reason is not None:
            print(f"Skipped: {compiler.command[0]} has no address sanitizer here ({reason}).")
            return 0
        targets = [*vector_targets(), portable_target()]
        try:
            with ThreadPoolExecutor(2) as pool:
                found = list(
                    pool.map(lambda one: digest(compiler, one, folder / str(one.name)), targets)
                )
        except SanitizerError as error:
            print(error, file=sys.stderr)
            return 1
    for target, printed in zip(targets, found, strict=True):
        print(f"{target.name}: {printed}")
    if len(set(found)) > 1:
        print("The targets differ.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
