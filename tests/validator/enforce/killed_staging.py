"""Runs the command line and kills itself with SIGKILL around a given chunk transaction of staging.

Usage: python -m tests.validator.enforce.killed_staging signed|sent NUMBER ARGUMENTS…
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli.main import main

WHEN, NUMBER = sys.argv.pop(1), int(sys.argv.pop(1))
PART = "stage a part of the dataset"

seen: set[int] = set()  # nonces: what nobody counts soon is broadcast again
broadcast = TransactionManager._broadcast


def broadcast_or_die(self: Any, signed: Any) -> Any:
    another = signed.label == PART and signed.nonce not in seen
    if another:
        seen.add(signed.nonce)
    last = another and len(seen) == NUMBER
    if last and WHEN == "signed":
        os.kill(os.getpid(), signal.SIGKILL)
    outcome = broadcast(self, signed)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome


TransactionManager._broadcast = broadcast_or_die  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
