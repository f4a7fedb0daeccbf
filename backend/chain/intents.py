"""The record of an account's moves: how far each came, and every transaction signed for it.

A move is named by its kind and key (``file`` and a checkpoint's digest, say) and has one row for
ever. Nothing here talks to a node or signs; ``Outbox`` does, and writes here before each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from eth_hash.auto import keccak
from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.broadcast import SignedTransaction
from chainbeasts.backend.chain.transactions import Begun, Receipt
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.session import Database

HASH_BYTES = 32
ON_THE_WAY = (IntentState.SIGNED, IntentState.MINED)
"""Bytes exist that any node may hold. MINED counts too: a reorg can take the receipt back."""


class OvertakenError(Exception):
    """Another process with the same database has signed the move meanwhile."""


class IntentLog:
    """One account's rows; each method is one transaction of the database."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account

    def _row(self, session: Session, kind: str, key: str) -> IntentRow | None:
        return session.scalar(
            select(IntentRow).where(
                IntentRow.account == self._account,
                IntentRow.kind == kind,
                IntentRow.key == key,
            )
        )

    def read(self, kind: str, key: str) -> IntentRow | None:
        """A move's row; None if it was never planned."""
        with self._database.session() as session:
            return self._row(session, kind, key)

    def signed_for(self, nonce: int) -> SignedTransaction | None:
        """The transaction that was last signed for a nonce, if its move may still be made by it."""
        with self._database.session() as session:
            row = session.scalar(
                select(IntentRow)
                .where(IntentRow.account == self._account)
                .where(IntentRow.nonce == nonce)
                .where(IntentRow.state.in_(ON_THE_WAY))
                .order_by(IntentRow.updated_at.desc())
            )
            return None if row is None else begun(row, row.kind).last

    def unfinished(self, mined: int) -> list[IntentRow]:
        """Moves that were signed and are not on the chain; gives up those never signed.

        Args:
            mined: transactions of the account that are on the chain. A move that was mined with a
                nonce from there on has been taken back by a reorg.
        """
        with self._database.session() as session:
            rows = session.scalars(
                select(IntentRow)
                .where(IntentRow.account == self._account)
                .where(
                    # Not all that was ever made: a row has its transaction's bytes.
                    or_(
                        IntentRow.state == IntentState.SIGNED,
                        (IntentRow.state == IntentState.MINED)
                        & ~IntentRow.settled
                        & (func.coalesce(IntentRow.nonce, 0) >= mined),
                    )
                )
                .order_by(IntentRow.nonce)  # a nonce is mined only after all below it
            ).all()
            # A live process may be between plan and signature: ``signed`` then opens its row again.
            session.execute(
                update(IntentRow)
                .where(IntentRow.account == self._account)
                .where(IntentRow.state == IntentState.PLANNED)
                .values(
                    state=IntentState.FAILED, error="never signed", updated_at=datetime.now(UTC)
                )
            )
        return list(rows)

    def plan(self, kind: str, key: str, bond: int, due: int | None) -> bool:
        """Plan a move; True if it is signed already, and is to be resumed instead."""
        try:
            return self._plan(kind, key, bond, due)
        except IntegrityError:
            # Another process planned the same move in between: the row is there now, and whoever
            # signs first, under the account's lock, makes it.
            return self._plan(kind, key, bond, due)

    def _plan(self, kind: str, key: str, bond: int, due: int | None) -> bool:
        with self._database.session() as session:
            row = self._row(session, kind, key)
            if row is not None and row.state in ON_THE_WAY:
                # Mined, it no longer stands: but its bytes may be mined again at any time, so that
                # a second transaction at another nonce could make the move twice.
                row.state, row.due = IntentState.SIGNED, due
                return True
            if row is None:
                row = IntentRow(account=self._account, kind=kind, key=key, error="")
                session.add(row)
            row.state, row.bond, row.due = IntentState.PLANNED, bond, due
            row.nonce = row.tx_hash = row.raw = row.hashes = None
            row.block_number = row.block_hash = None
            row.updated_at = datetime.now(UTC)
            return False

    def signed_kinds(self, kinds: Sequence[str]) -> list[tuple[str, str]]:
        """Kind and key of the moves of some kinds that are signed and not seen to have ended."""
        wanted = (
            select(IntentRow.kind, IntentRow.key)
            .where(IntentRow.account == self._account)
            .where(IntentRow.kind.in_(kinds))
            .where(IntentRow.state == IntentState.SIGNED)
            .order_by(IntentRow.nonce)
        )
        with self._database.session() as session:
            return [(kind, key) for kind, key in session.execute(wanted)]

    def next_key(self, kind: str) -> str:
        """Names the next move of a kind that is made whenever something lacks: by its number.

        Never that of one that was mined: where a reorg takes an earlier one back, the later ones
        still stand, and one of them would be taken for the move that is to be made.
        """
        newest = (
            select(IntentRow.key, IntentRow.state)
            .where(IntentRow.account == self._account)
            .where(IntentRow.kind == kind)
            .order_by(IntentRow.id.desc())
            .limit(1)
        )
        with self._database.session() as session:
            found = session.execute(newest).first()
        if found is None:
            return "0"
        key, state = found
        return str(int(key) + 1) if state == IntentState.MINED else str(key)

    def last_block(self, kinds: Sequence[str]) -> int:
        """The highest block that a move of some kinds was mined in; 0 if none was."""
        wanted = (
            select(func.max(IntentRow.block_number))
            .where(IntentRow.account == self._account)
            .where(IntentRow.kind.in_(kinds))
            .where(IntentRow.state == IntentState.MINED)
        )
        with self._database.session() as session:
            return int(session.scalar(wanted) or 0)

    def settle(self, kind: str, key: str) -> None:
        """Put on record that no reorg takes a move back any more."""
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            row.settled = True

    def reopen(self, kind: str, key: str) -> None:
        """Take a move that was mined for one that is on its way."""
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            row.state = IntentState.SIGNED

    def signed(self, kind: str, key: str, signed: SignedTransaction, *, first: bool) -> None:
        """Put a signed transaction on record, before it goes out.

        Called under the account's nonce lock, so no two processes are past the check at once.

        Raises:
            OvertakenError: it is the first of this move here, and the move is on its way already.
        """
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            if first and row.state in ON_THE_WAY:
                raise OvertakenError
            # Any bump of one nonce may be the mined one, so all their hashes stay; those of a nonce
            # that went to another transaction can never be mined and are dropped.
            again = row.state == IntentState.SIGNED and row.nonce == signed.nonce
            row.hashes = ((row.hashes or b"") if again else b"") + signed.hash
            row.state, row.nonce = IntentState.SIGNED, signed.nonce
            row.tx_hash, row.raw, row.updated_at = signed.hash, signed.raw, datetime.now(UTC)

    def mined(self, kind: str, key: str, receipt: Receipt) -> None:
        """Put on record that a move was mined, and by which of its transactions."""
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            # What failed before was paid for, too; what a reorg took back was not.
            failed = (row.gas_used or 0) if row.error else 0
            row.state, row.error, row.updated_at = IntentState.MINED, "", datetime.now(UTC)
            row.gas_used, row.tx_hash = receipt.gas_used + failed, receipt.hash
            row.block_number, row.block_hash = receipt.block_number, receipt.block_hash

    def failed(self, kind: str, key: str, error: str, nonce: int | None, gas: int = 0) -> None:
        """Give a move up, unless another process has gone on with it meanwhile.

        Args:
            nonce: what was signed here; None if nothing was.
            gas: that was paid for it, if it was mined.
        """
        with self._database.session() as session:
            row = self._row(session, kind, key)
            assert row is not None
            ours = row.state == IntentState.PLANNED or (
                row.state == IntentState.SIGNED and row.nonce == nonce
            )
            if ours:
                before = (row.gas_used or 0) if row.error else 0
                row.gas_used = before + gas or None
                row.state, row.error, row.updated_at = IntentState.FAILED, error, datetime.now(UTC)


def begun(row: IntentRow, label: str) -> Begun:
    """What a signed move's row says was signed for it."""
    assert row.nonce is not None
    assert row.tx_hash is not None
    assert row.raw is not None
    # The one that was mined need not be the last that was signed, whose bytes these are.
    last = SignedTransaction(label, row.account, row.nonce, keccak(row.raw), row.raw)
    kept = row.hashes or row.tx_hash
    return Begun(last, tuple(kept[i : i + HASH_BYTES] for i in range(0, len(kept), HASH_BYTES)))
