"""Makes each move of an account once, however often the process is killed or the chain re-orged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from web3.exceptions import TransactionNotFound
from web3.types import TxReceipt

from backend.chain.intents import IntentLog
from backend.chain.transactions import Receipt, TransactionManager
from backend.store.daemons import IntentRow, IntentState
from backend.store.session import Database


class Outbox:
    """One account's moves, named by kind and key and on record before they are signed."""

    def __init__(self, database: Database, sender: TransactionManager) -> None:
        self._database = database
        self.sender = sender
        self.intents = IntentLog(database, sender)

    @property
    def me(self) -> str:
        return self.sender.address

    def send(self, kind: str, key: str, function: Any, *, label: str) -> TxReceipt:
        """Make a move, or find the one that was made; its receipt.

        Raises:
            Reverted: the contract refuses; the move may be tried again.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        sent = self.send_once(kind, key, function, label=label)
        found = sent.raw if sent is not None else self.find(kind, key)
        assert found is not None  # what was not sent now was mined before, and still is
        return found

    def send_once(
        self, kind: str, key: str, function: Any, *, label: str, bond: int = 0
    ) -> Receipt | None:
        """Make a move unless it stands on the chain already.

        Args:
            bond: wei of ENERGY that the move puts at risk.

        Returns:
            The receipt; None if the move had been made before.

        Raises:
            Reverted: the contract refuses; the move may be tried again.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        name = self._free_key(kind, key)
        return self.intents.send(kind, name, function, label=label, bond=bond)

    def find(self, kind: str, key: str) -> TxReceipt | None:
        """The receipt of a move that was made and stands on the chain."""
        number = 0
        while self._row(kind, f"{key}/{number}") is not None:
            found = self._mined(kind, f"{key}/{number}")
            if found is not None:
                return found
            number += 1
        return None

    def _free_key(self, kind: str, key: str) -> str:
        """The move's key; another one for each time that a reorg took its transaction back."""
        number = 0
        while self._was_lost(kind, f"{key}/{number}"):
            number += 1
        return f"{key}/{number}"

    def _was_lost(self, kind: str, key: str) -> bool:
        row = self._row(kind, key)
        mined = row is not None and row.state == IntentState.MINED
        return mined and self._mined(kind, key) is None

    def _mined(self, kind: str, key: str) -> TxReceipt | None:
        row = self._row(kind, key)
        if row is None or row.state != IntentState.MINED or row.tx_hash is None:
            return None
        chain, tx_hash = self.sender.chain, row.tx_hash
        try:
            return chain.read(lambda: chain.w3.eth.get_transaction_receipt(tx_hash))  # type: ignore[arg-type]
        except TransactionNotFound:
            return None

    def _row(self, kind: str, key: str) -> IntentRow | None:
        with self._database.session() as session:
            return session.scalar(
                select(IntentRow).where(
                    IntentRow.account == self.me, IntentRow.kind == kind, IntentRow.key == key
                )
            )
