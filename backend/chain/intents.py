"""Transactions that survive a crash: on record before they are signed, and before they go out.

A move is named by its kind and key (``file`` and a checkpoint's digest, say). However often a
daemon is killed and started again, whatever its node does and however the chain is re-orged, the
move is made once: until the chain shows that its nonce went to another transaction, only that nonce
is ever signed for it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from web3.exceptions import TransactionNotFound
from web3.types import TxReceipt

from backend.chain.errors import NodeUnavailableError, Reverted, WrongChainError
from backend.chain.transactions import (
    Begun,
    FailedOnChainError,
    Receipt,
    SignedTransaction,
    TransactionManager,
)
from backend.errors import ChainBeastsError
from backend.store.daemons import IntentRow, IntentState
from backend.store.session import Database, DatabaseUnavailableError

log = structlog.get_logger()

HASH_BYTES = 32
ON_THE_WAY = (IntentState.SIGNED, IntentState.MINED)


class OvertakenError(Exception):
    """Another process with the same database has signed the move meanwhile."""


class IntentLog:
    """Sends an account's moves, each at most once."""

    def __init__(self, database: Database, sender: TransactionManager) -> None:
        self._database = database
        self._sender = sender
        sender.recall = self._recall

    @property
    def sender(self) -> TransactionManager:
        return self._sender

    def is_done(self, kind: str, key: str) -> bool:
        """Whether the move was made and stands on the chain.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        return self.find(kind, key) is not None

    def find(self, kind: str, key: str) -> TxReceipt | None:
        """The receipt of a move that was made and stands on the chain.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        row = self._read(kind, key)
        if row is None or row.state != IntentState.MINED:
            return None
        return self._standing(row)

    def send(
        self,
        kind: str,
        key: str,
        function: Any,
        *,
        label: str,
        bond: int = 0,
        due: int | None = None,
    ) -> Receipt | None:
        """Make a move, or bring the one that was begun to its end.

        Args:
            bond: wei of ENERGY that the move puts at risk.
            due: chain time (unix seconds) after which the move is of no use.

        Returns:
            The receipt; None if the move had been made before.

        Raises:
            Reverted: the contract refuses; nothing is at risk and the move may be tried again.
            ChainBeastsError: no funds, no node, too dear, or not mined in time. What was signed
                stays on record and is brought to its end by the next call, or by ``recover``.
        """
        while True:
            if self.find(kind, key) is not None:
                return None
            if self._begin(kind, key, bond, due):
                receipt = self._resume(kind, key, label)
                if receipt is not None:
                    return receipt
                continue
            try:
                return self._send(kind, key, function, label, due)
            except OvertakenError:
                log.info("another process makes this move", kind=kind, key=key)

    def recover(self) -> int:
        """Bring to its end every move that an earlier process signed; returns how many.

        Moves that were mined, and that a reorg has taken back since, go out again too. What was
        planned and never signed is given up: whoever still wants it plans it anew.

        Raises:
            NodeUnavailableError, WrongChainError: the chain cannot be reached; nothing is lost.
        """
        eth, address = self._sender.chain.w3.eth, self._sender.account.address
        mined = self._sender.chain.read(lambda: eth.get_transaction_count(address, "latest"))
        with self._database.session() as session:
            rows = session.scalars(
                select(IntentRow)
                .where(IntentRow.account == self._sender.address)
                .where(IntentRow.state.in_(ON_THE_WAY))
                .order_by(IntentRow.nonce)
            ).all()
            session.execute(
                update(IntentRow)
                .where(IntentRow.account == self._sender.address)
                .where(IntentRow.state == IntentState.PLANNED)
                .values(
                    state=IntentState.FAILED, error="never signed", updated_at=datetime.now(UTC)
                )
            )
        rows = [r for r in rows if r.state == IntentState.SIGNED or (r.nonce or 0) >= mined]
        for row in rows:
            log.info("resuming a transaction", kind=row.kind, key=row.key, nonce=row.nonce)
            self._reopen(row.kind, row.key)
            try:
                self._resume(row.kind, row.key, row.kind)
            except (NodeUnavailableError, WrongChainError, DatabaseUnavailableError):
                raise
            except ChainBeastsError as error:
                log.warning("a transaction did not end well", kind=row.kind, error=str(error))
        return len(rows)

    # --- sending --------------------------------------------------------------------------------

    def _send(self, kind: str, key: str, function: Any, label: str, due: int | None) -> Receipt:
        signed: list[SignedTransaction] = []

        def note(one: SignedTransaction) -> None:
            self._signed(kind, key, one, first=not signed)
            signed.append(one)

        try:
            receipt = self._sender.send(function, label=label, journal=note, due=due)
        except (Reverted, FailedOnChainError) as error:
            name = error.name if isinstance(error, Reverted) else error.message
            self._failed(kind, key, name, signed[-1].nonce if signed else None)
            raise
        self._mined(kind, key, receipt)
        return receipt

    def _resume(self, kind: str, key: str, label: str) -> Receipt | None:
        """The receipt; None if the move has to be made anew, or another process made it."""
        nonces: list[int] = []

        def load() -> Begun | None:
            row = self._read(kind, key)
            if row is None or row.state != IntentState.SIGNED:
                return None
            begun = _begun(row, label)
            nonces.append(begun.last.nonce)
            return begun

        def note(one: SignedTransaction) -> None:
            self._signed(kind, key, one, first=False)

        row = self._read(kind, key)
        due = None if row is None else row.due
        try:
            receipt = self._sender.resume(load, journal=note, due=due)
        except (Reverted, FailedOnChainError) as error:
            name = error.name if isinstance(error, Reverted) else error.message
            self._failed(kind, key, name, nonces[-1])
            raise
        if receipt is not None:
            self._mined(kind, key, receipt)
        elif nonces:
            self._failed(kind, key, "replaced", nonces[-1])
        return receipt

    def _standing(self, row: IntentRow) -> TxReceipt | None:
        """A mined move's receipt; None if a reorg took it back, or made it fail."""
        chain, tx_hash = self._sender.chain, row.tx_hash
        assert tx_hash is not None
        try:
            found = chain.read(lambda: chain.w3.eth.get_transaction_receipt(tx_hash))  # type: ignore[arg-type]
        except TransactionNotFound:
            return None
        return found if found["status"] == 1 else None

    # --- the record -----------------------------------------------------------------------------

    def _row(self, session: Session, kind: str, key: str) -> IntentRow | None:
        return session.scalar(
            select(IntentRow).where(
                IntentRow.account == self._sender.address,
                IntentRow.kind == kind,
                IntentRow.key == key,
            )
        )

    def _read(self, kind: str, key: str) -> IntentRow | None:
        with self._database.session() as session:
            return self._row(session, kind, key)

    def _recall(self, nonce: int) -> SignedTransaction | None:
        """The transaction that was last signed for a nonce, if its move may still be made by it."""
        with self._database.session() as session:
            row = session.scalar(
                select(IntentRow)
                .where(IntentRow.account == self._sender.address)
                .where(IntentRow.nonce == nonce)
                .where(IntentRow.state.in_(ON_THE_WAY))
                .order_by(IntentRow.updated_at.desc())
            )
            return None if row is None else _begun(row, row.kind).last

    def _begin(self, kind: str, key: str, bond: int, due: int | None) -> bool:
        """Plan a move; True if it is signed already, and is to be resumed instead."""
        with self._database.session() as session:
            row = self._row(session, kind, key)
            if row is not None and row.state in ON_THE_WAY:  # mined, it no longer stands
                row.state, row.due = IntentState.SIGNED, due
                return True
            if row is None:
                row = IntentRow(account=self._sender.address, kind=kind, key=key, error="")
                session.add(row)
            row.state, row.bond, row.due = IntentState.PLANNED, bond, due
            row.nonce = row.tx_hash = row.raw = row.hashes = None
            row.updated_at = datetime.now(UTC)
            return False

    def _reopen(self, kind: str, key: str) -> None:
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            row.state = IntentState.SIGNED

    def _signed(self, kind: str, key: str, signed: SignedTransaction, *, first: bool) -> None:
        """Put a signed transaction on record, before it goes out.

        Raises:
            OvertakenError: it is the first of this move here, and the move is on its way already.
        """
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            if first and row.state in ON_THE_WAY:
                raise OvertakenError
            again = row.state == IntentState.SIGNED and row.nonce == signed.nonce
            row.hashes = ((row.hashes or b"") if again else b"") + signed.hash
            row.state, row.nonce = IntentState.SIGNED, signed.nonce
            row.tx_hash, row.raw, row.updated_at = signed.hash, signed.raw, datetime.now(UTC)

    def _mined(self, kind: str, key: str, receipt: Receipt) -> None:
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            row.state, row.error, row.updated_at = IntentState.MINED, "", datetime.now(UTC)
            row.gas_used, row.tx_hash = receipt.gas_used, receipt.hash

    def _failed(self, kind: str, key: str, error: str, nonce: int | None) -> None:
        """Give a move up, unless another process has gone on with it meanwhile.

        Args:
            nonce: what was signed here; None if nothing was.
        """
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            ours = row.state == IntentState.PLANNED or (
                row.state == IntentState.SIGNED and row.nonce == nonce
            )
            if ours:
                row.state, row.error, row.updated_at = IntentState.FAILED, error, datetime.now(UTC)


def _begun(row: IntentRow, label: str) -> Begun:
    assert row.nonce is not None
    assert row.tx_hash is not None
    assert row.raw is not None
    last = SignedTransaction(label, row.account, row.nonce, row.tx_hash, row.raw)
    kept = row.hashes or row.tx_hash
    return Begun(last, tuple(kept[i : i + HASH_BYTES] for i in range(0, len(kept), HASH_BYTES)))
