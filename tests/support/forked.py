"""Runs `chainbeasts` commands as forks of one process that has loaded the program (see warm.py)."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.patience import PATIENCE

PROGRAM = "chainbeasts"
LONGEST_LOOK = 0.05


class Process:
    """A command that was started; used like ``subprocess.Popen``, with its output in files."""

    def __init__(self, program: Program, pid: int, out: Path, err: Path) -> None:
        self.pid = pid
        self.out = out
        self.err = err
        self.returncode: int | None = None
        self._program = program

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        if self.returncode is None:
            self.returncode = self._program.look(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when there is one.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        given = PATIENCE if timeout is None else timeout
        deadline, pause = time.monotonic() + given, 0.002
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", given)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, if it runs; it keeps its process id until its end has been asked for."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without a word."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """It ends with its test, or it would go on acting on the chain of the next."""
        self.kill()
        self.wait()


class Program:
    """The loaded process; every command forks from it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="chainbeasts-forks-")
        self._numbers = itertools.count()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("warm.py"))],
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        script: str = PROGRAM,
        module: str | None = None,
        folder: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            script: the console script.
            module: run this one instead, as ``python -m`` would.
            folder: the working folder.

        Raises:
            subprocess.TimeoutExpired: it does not end in time; it is killed.
        """
        made = self.begin(arguments, environment, script=script, module=module, folder=folder)
        try:
            code = made.wait()
        finally:
            made.kill()
        out, err = made.out.read_text(), made.err.read_text()
        made.out.unlink()
        made.err.unlink()
        return subprocess.CompletedProcess(arguments, code, out, err)

    def begin(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        script: str = PROGRAM,
        module: str | None = None,
        folder: Path | None = None,
    ) -> Process:
        """Start a command with its output in files of its own."""
        place = Path(self._folder.name) / str(next(self._numbers))
        out, err = place.with_suffix(".out"), place.with_suffix(".err")
        return self._fork(arguments, environment, out, err, script, module, folder)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        """Start a command with all its output added to one file."""
        return self._fork(arguments, environment, log, log)

    def _fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        err: Path,
        script: str = PROGRAM,
        module: str | None = None,
        folder: Path | None = None,
    ) -> Process:
        out.touch()
        err.touch()
        pid = self._ask(
            do="start",
            arguments=list(arguments),
            environment=dict(environment),
            out=str(out),
            err=str(err),
            script=script,
            module=module,
            folder=str(folder or Path.cwd()),
        )
        assert pid is not None
        return Process(self, pid, out, err)

    def look(self, pid: int) -> int | None:
        """The exit code of a command, asked for once; None while it runs."""
        return self._ask(do="look", pid=pid)

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
        self._process.communicate(timeout=PATIENCE)
        self._folder.cleanup()
