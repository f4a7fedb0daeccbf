"""A process that took a lock and was stopped, as by Ctrl-Z or a paused container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from chainbeasts.backend.locks import ProcessLock
with ProcessLock(Path(sys.argv[1]), "held"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def stopped_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A child that stands still with a lock; it gives it back once it goes on and is told to end.

    Its standard input tells it to end, by being closed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        child.send_signal(signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
        yield child
    finally:
        child.kill()
        child.communicate()
