"""Runs the command line and kills itself with SIGKILL at a chosen instant of a filing or disproof.

Usage: python -m tests.validator.killed planned|signed|sent ARGUMENTS…
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from chainbeasts.backend.chain.attempts import Attempts
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli.main import main

WHEN = sys.argv.pop(1)
LABELS = ("file", "disprove")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


sign, broadcast = Attempts._sign, TransactionManager._broadcast


def sign_or_die(self: Any, core: Any, nonce: Any, fees: Any, label: str) -> Any:
    if WHEN == "planned" and label in LABELS:
        die()
    return sign(self, core, nonce, fees, label)


def broadcast_or_die(self: Any, signed: Any) -> Any:
    if WHEN == "signed" and signed.label in LABELS:
        die()
    outcome = broadcast(self, signed)
    if WHEN == "sent" and signed.label in LABELS:
        die()
    return outcome


Attempts._sign = sign_or_die  # type: ignore[method-assign]
TransactionManager._broadcast = broadcast_or_die  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
