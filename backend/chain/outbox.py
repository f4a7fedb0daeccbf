"""An account's moves as its daemons make them: once each, and found again."""

from __future__ import annotations

from typing import Any

from web3.types import TxReceipt

from backend.chain.intents import IntentLog
from backend.chain.transactions import Receipt, TransactionManager
from backend.store.session import Database


class Outbox:
    """One account's moves, named by kind and key and on record before they are signed."""

    def __init__(self, database: Database, sender: TransactionManager) -> None:
        self.sender = sender
        self.intents = IntentLog(database, sender)

    @property
    def me(self) -> str:
        return self.sender.address

    def send(
        self, kind: str, key: str, function: Any, *, label: str, due: int | None = None
    ) -> TxReceipt:
        """Make a move, or find the one that was made; its receipt.

        Args:
            due: chain time (unix seconds) after which the move is of no use.

        Raises:
            Reverted: the contract refuses; the move may be tried again.
            ChainBeastsError: no funds, no node, too dear, or not mined in time.
        """
        while True:
            sent = self.intents.send(kind, key, function, label=label, due=due)
            found = sent.raw if sent is not None else self.find(kind, key)
            if found is not None:  # else a reorg took it back in between
                return found

    def send_once(
        self,
        kind: str,
        key: str,
        function: Any,
        *,
        label: str,
        bond: int = 0,
        due: int | None = None,
    ) -> Receipt | None:
        """Make a move unless it stands on the chain already.

        Args:
            bond: wei of ENERGY that the move puts at risk.
            due: chain time (unix seconds) after which the move is of no use.

        Returns:
            The receipt; None if the move had been made before.

        Raises:
            Reverted: the contract refuses; the move may be tried again.
            ChainBeastsError: no funds, no node, too dear, or not mined in time.
        """
        return self.intents.send(kind, key, function, label=label, bond=bond, due=due)

    def find(self, kind: str, key: str) -> TxReceipt | None:
        """The receipt of a move that was made and stands on the chain."""
        return self.intents.find(kind, key)
