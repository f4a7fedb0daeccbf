"""Mints one wei for an account and kills itself with SIGKILL at a chosen instant.

Usage: python -m tests.chain.killed planned|signed|sent|mined RPC_URL FOLDER DATABASE_URL TO
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.store.session import Database


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(TransactionManager):
    """Dies between two of the steps of sending."""

    when = ""

    def offer(self) -> Any:
        if self.when == "planned":  # the last that is asked before the signature
            die()
        return super().offer()

    def _broadcast(self, signed: Any) -> Any:
        if self.when == "signed":
            die()
        outcome = super()._broadcast(signed)
        if self.when == "sent":
            die()
        return outcome

    def _judge(self, *args: Any) -> Any:
        if self.when == "mined":
            die()
        return super()._judge(*args)


def main() -> None:
    Mortal.when, url, folder, database, to = sys.argv[1:]
    chain = Chain.connect(url, Deployment.load(Path(folder), DEVNET_CHAIN_ID))
    sender = Mortal(chain, devnet_account(0), Path(folder) / "locks")
    mint = chain.energy.functions.mint(to, 1)
    Outbox(Database(database), sender).send_once("mint", "once", mint, label="mint")


if __name__ == "__main__":
    main()
