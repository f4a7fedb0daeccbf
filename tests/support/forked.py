"""Runs `chainbeasts` commands as forks of one process that has loaded the program (see warm.py)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


class Server:
    """The loaded process; every command forks from it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("warm.py"))],
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
    ) -> int:
        """Run one command with its output in two files; its exit code."""
        code = self._ask(do="run", **_command(arguments, environment, out, err))
        assert code is not None
        return code

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
    ) -> int:
        """Start a command that runs on, its output added to two files; its process id."""
        pid = self._ask(do="start", **_command(arguments, environment, out, err))
        assert pid is not None
        return pid

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> int:
        """End a command that was started, and wait for it; its exit code."""
        code = self._ask(do="end", pid=pid, signal=int(number))
        assert code is not None
        return code

    def ended(self, pid: int) -> int | None:
        """The exit code of a command that was started, asked for once; None while it runs."""
        return self._ask(do="end", pid=pid, signal=0)

    def _ask(self, **request: object) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        return None if answer is None else int(answer)

    def end(self) -> None:
        """End the loaded process."""
        self._process.communicate(timeout=30)


def _command(
    arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
) -> dict[str, object]:
    return {
        "arguments": list(arguments),
        "environment": dict(environment),
        "out": str(out),
        "err": str(err),
    }
