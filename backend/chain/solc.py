"""Asks the Solidity compiler: npm's wasm build as processes that stay, any other anew each time.

The wasm build takes most of a second to load, and its code is slow until the engine has seen what
is hot in it.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chainbeasts.backend.chain.toolchain import SETUP_HINT, find_solc, is_wasm
from chainbeasts.backend.errors import ChainBeastsError

_FINDING = threading.Lock()


class Compilers:
    """Compilers at work, as many as are asked at once. Use it as a context manager."""

    def __init__(self) -> None:
        self._idle: list[subprocess.Popen[str]] = []
        self._busy: list[subprocess.Popen[str]] = []

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the compiler answers to a request of its standard JSON.

        Raises:
            ChainBeastsError: it is missing, or does not run.
        """
        with _FINDING:  # a command that one thread writes cannot run while another's fork holds it
            solc = find_solc()
        try:
            text = json.dumps(request)
            said = self._ask_waiting(solc, text) if is_wasm(solc) else _ask_once(solc, text)
            found: dict[str, Any] = json.loads(said)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise ChainBeastsError(
                f"The Solidity compiler {solc} does not run ({type(error).__name__}).",
                "Check SOLC_BINARY. " + SETUP_HINT,
            ) from None
        return found

    def _ask_waiting(self, solc: Path, text: str) -> str:
        """Ask one that waits for a request, or a new one."""
        try:
            process = self._idle.pop()
        except IndexError:
            process = subprocess.Popen(
                [solc, "--lines"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
        self._busy.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{text}\n")
        process.stdin.flush()
        said = process.stdout.readline()
        if said:  # one that ended is not asked again
            self._busy.remove(process)
            self._idle.append(process)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self._idle, *self._busy):
            process.kill()  # it has answered, or failed, and keeps nothing
            process.communicate()


def _ask_once(solc: Path, text: str) -> str:
    return subprocess.run(
        [solc, "--standard-json"], input=text, capture_output=True, encoding="utf-8", check=True
    ).stdout
