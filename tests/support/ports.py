"""Ports that stay with the test process that asked for one.

The system hands out ephemeral ports, to whoever binds port 0 and to whoever connects: one that was
free when it was picked is somebody else's a moment later. These lie below, and one file of locks,
shared by all test processes of this machine, keeps two of them from picking the same.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
FIRST, END = 10_000, 32_768
"""Linux hands out ports from 32768 on, macOS from 49152 on."""

TRIES = 1_000

_ours: set[int] = set()


@cache
def _locks() -> int:
    """The file of locks, open for as long as this process lives: byte n is the lock of port n."""
    path = Path(tempfile.gettempdir()) / f"chainbeasts-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def free_port() -> int:
    """A TCP port that nobody listens on, and nobody will before this process does or ends."""
    for _ in range(TRIES):
        port = FIRST + secrets.randbelow(END - FIRST)
        if port not in _ours and _taken(port):
            _ours.add(port)
            return port
    raise AssertionError("every port is in use")


def _taken(port: int) -> bool:
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:  # another test process has it
        return False
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:  # somebody who knows nothing of the locks
            return False
    return True
