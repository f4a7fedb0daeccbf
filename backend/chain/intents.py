"""Transactions that survive a crash: on record before they are signed, and before they go out.

A move is named by its kind and key (``file`` and a checkpoint's digest, say). However often a
daemon is killed and started again, the move is made once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.chain.errors import Reverted
from backend.chain.transactions import Receipt, SignedTransaction, TransactionManager
from backend.errors import ChainBeastsError
from backend.store.daemons import IntentRow, IntentState
from backend.store.session import Database

log = structlog.get_logger()


class IntentLog:
    """Sends an account's moves, each at most once."""

    def __init__(self, database: Database, sender: TransactionManager) -> None:
        self._database = database
        self._sender = sender

    @property
    def sender(self) -> TransactionManager:
        return self._sender

    def is_done(self, kind: str, key: str) -> bool:
        """Whether the move has been made and mined."""
        with self._database.session() as session:
            row = self._find(session, kind, key)
            return row is not None and row.state == IntentState.MINED

    def send(
        self, kind: str, key: str, function: Any, *, label: str, bond: int = 0
    ) -> Receipt | None:
        """Make a move, or bring the one that was begun to its end.

        Args:
            bond: wei of ENERGY that the move puts at risk.

        Returns:
            The receipt; None if the move had been made before.

        Raises:
            Reverted: the contract refuses; nothing is at risk and the move may be tried again.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        begun = self._begin(kind, key, bond)
        if begun is not None:
            if begun.state == IntentState.MINED:
                return None
            receipt = self._resume(begun, label)
            if receipt is not None:
                return receipt
        try:
            receipt = self._sender.send(
                function, label=label, journal=lambda signed: self._signed(kind, key, signed)
            )
        except Reverted as error:
            self._close(kind, key, IntentState.FAILED, error=error.name)
            raise
        self._close(kind, key, IntentState.MINED, receipt=receipt)
        return receipt

    def recover(self) -> int:
        """Bring to its end every move that an earlier process signed; returns how many."""
        with self._database.session() as session:
            rows = session.scalars(
                select(IntentRow)
                .where(IntentRow.account == self._sender.address)
                .where(IntentRow.state == IntentState.SIGNED)
                .order_by(IntentRow.nonce)
            ).all()
        for row in rows:
            log.info("resuming a transaction", kind=row.kind, key=row.key, nonce=row.nonce)
            try:
                self._resume(row, row.kind)
            except ChainBeastsError as error:
                log.warning("a transaction did not end well", kind=row.kind, error=str(error))
        return len(rows)

    def _find(self, session: Session, kind: str, key: str) -> IntentRow | None:
        return session.scalar(
            select(IntentRow).where(
                IntentRow.account == self._sender.address,
                IntentRow.kind == kind,
                IntentRow.key == key,
            )
        )

    def _begin(self, kind: str, key: str, bond: int) -> IntentRow | None:
        """The row of a move that was signed or mined before; else plan it and return None."""
        with self._database.session() as session:
            row = self._find(session, kind, key)
            if row is not None and row.state in (IntentState.SIGNED, IntentState.MINED):
                return row
            if row is None:
                row = IntentRow(account=self._sender.address, kind=kind, key=key, error="")
                session.add(row)
            row.state, row.bond, row.updated_at = IntentState.PLANNED, bond, datetime.now(UTC)
            return None

    def _signed(self, kind: str, key: str, signed: SignedTransaction) -> None:
        with self._database.session() as session:
            row = self._find(session, kind, key)
            assert row is not None
            row.state, row.nonce = IntentState.SIGNED, signed.nonce
            row.tx_hash, row.raw, row.updated_at = signed.hash, signed.raw, datetime.now(UTC)

    def _resume(self, row: IntentRow, label: str) -> Receipt | None:
        assert row.nonce is not None
        assert row.tx_hash is not None
        assert row.raw is not None
        signed = SignedTransaction(label, row.account, row.nonce, row.tx_hash, row.raw)
        try:
            receipt = self._sender.resume(signed)
        except ChainBeastsError as error:
            self._close(row.kind, row.key, IntentState.FAILED, error=str(error))
            raise
        if receipt is None:
            self._close(row.kind, row.key, IntentState.FAILED, error="replaced")
        else:
            self._close(row.kind, row.key, IntentState.MINED, receipt=receipt)
        return receipt

    def _close(
        self,
        kind: str,
        key: str,
        state: IntentState,
        *,
        receipt: Receipt | None = None,
        error: str = "",
    ) -> None:
        with self._database.session() as session:
            row = self._find(session, kind, key)
            assert row is not None
            row.state, row.error, row.updated_at = state, error, datetime.now(UTC)
            if receipt is not None:
                row.gas_used, row.tx_hash = receipt.gas_used, receipt.hash
