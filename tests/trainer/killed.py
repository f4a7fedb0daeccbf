"""Runs the command line and kills itself with SIGKILL at a chosen instant of sending something.

Usage: python -m tests.trainer.killed signed|sent LABEL ARGUMENTS…
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli.main import main

WHEN, LABEL = sys.argv.pop(1), sys.argv.pop(1)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


broadcast = TransactionManager._broadcast


def broadcast_or_die(self: Any, signed: Any) -> Any:
    if WHEN == "signed" and signed.label.startswith(LABEL):
        die()
    outcome = broadcast(self, signed)
    if WHEN == "sent" and signed.label.startswith(LABEL):
        die()
    return outcome


TransactionManager._broadcast = broadcast_or_die  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
