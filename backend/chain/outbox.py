"""An account's moves as its daemons make them: once each, found again, and safe against a crash.

However often a daemon is killed and started again, whatever its node does and however the chain is
re-orged, a move is made once: until the chain shows that its nonce went to another transaction,
only that nonce is ever signed for it.

What a kill leaves, by the line it falls on:

    planned, not signed       nothing is out; ``recover`` gives the move up, ``send`` plans it anew
    signed, not broadcast     the row has the bytes; the same bytes go out
    broadcast, not mined      the same, which does no harm: a node knows them already
    mined, not written down   the receipt is found by one of the row's hashes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from web3.types import TxReceipt

from chainbeasts.backend.chain.broadcast import SignedTransaction
from chainbeasts.backend.chain.errors import (
    NodeUnavailableError,
    NotThereError,
    Reverted,
    WrongChainError,
)
from chainbeasts.backend.chain.intents import IntentLog, OvertakenError, begun
from chainbeasts.backend.chain.nonces import Nonces
from chainbeasts.backend.chain.receipts import read_receipt
from chainbeasts.backend.chain.transactions import (
    Begun,
    FailedOnChainError,
    Journal,
    Receipt,
    TransactionManager,
)
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.session import Database, DatabaseUnavailableError

log = structlog.get_logger()

SETTLED_BLOCKS = 64
"""A move that deep is not looked at again: no reorg takes it back."""


class Outbox:
    """Sends an account's moves, each at most once.

    Attributes:
        sender: signs and sends; may also be used for what need not survive a crash.
        intents: the record of the moves.
    """

    def __init__(self, database: Database, sender: TransactionManager) -> None:
        self.sender = sender
        self.intents = IntentLog(database, sender.address)
        # A reorg may free nonces below a move's; what was signed for them goes out again first.
        sender.recall = self.intents.signed_for

    @property
    def me(self) -> str:
        return self.sender.address

    def send(
        self,
        kind: str,
        key: str,
        function: Any,
        *,
        label: str,
        value: int = 0,
        spare_gas: int = 0,
        due: int | None = None,
    ) -> TxReceipt:
        """Make a move, or find the one that was made; its receipt.

        Args:
            value: wei of native coin sent along.
            spare_gas: see ``TransactionManager.send``.
            due: chain time (unix seconds) after which the move is of no use.

        Raises:
            Reverted, ChainBeastsError: as ``send_once``.
        """
        while True:
            sent = self.send_once(
                kind, key, function, label=label, value=value, spare_gas=spare_gas, due=due
            )
            found = sent.raw if sent is not None else self.find(kind, key)
            if found is not None:
                return found
            row = self.intents.read(kind, key)
            if row is not None and self._stands(row):  # else a reorg took it back in between
                raise NodeUnavailableError(
                    f"The node has no receipt any more of 0x{(row.tx_hash or b'').hex()}, which "
                    f"made the move to {label}.",
                    "Give a node that keeps receipts with --rpc-url.",
                )

    def send_once(
        self,
        kind: str,
        key: str,
        function: Any,
        *,
        label: str,
        bond: int = 0,
        value: int = 0,
        spare_gas: int = 0,
        due: int | None = None,
    ) -> Receipt | None:
        """Make a move unless it stands on the chain; one that was begun is brought to its end.

        Args:
            value: wei of native coin sent along.
            spare_gas: see ``TransactionManager.send``.
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
            if self.is_done(kind, key):
                return None
            # From here to ``signed`` a kill leaves a plan and no bytes; the nonce is read and
            # signed later, under the account's lock.
            if self.intents.plan(kind, key, bond, due):
                receipt = self._resume(kind, key, label)
                if receipt is not None:
                    return receipt
                continue
            try:
                return self._send(
                    kind,
                    key,
                    lambda note: self.sender.send(
                        function,
                        label=label,
                        value=value,
                        spare_gas=spare_gas,
                        journal=note,
                        due=due,
                    ),
                )
            except OvertakenError:  # what was signed here never left; the nonce is still free
                log.info("another process makes this move", kind=kind, key=key)

    def is_done(self, kind: str, key: str) -> bool:
        """Whether the move was made and stands on the chain.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        row = self.intents.read(kind, key)
        return row is not None and row.state == IntentState.MINED and self._stands(row)

    def is_settled(self, kind: str, key: str) -> bool | None:
        """Whether a move that stands is so deep that no reorg takes it back; None if none stands.

        Once it is, that is on record: no node is asked for it again.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        row = self.intents.read(kind, key)
        if row is None or row.state != IntentState.MINED:
            return None
        if row.settled:
            return True
        if not self._stands(row):
            return None
        number = row.block_number
        if number is None:  # mined before blocks were written down
            receipt = self._receipt(row)
            number = None if receipt is None else int(receipt["blockNumber"])
        if number is not None and self.sender.chain.block().number - number < SETTLED_BLOCKS:
            return False
        self.intents.settle(kind, key)
        return True

    def find(self, kind: str, key: str) -> TxReceipt | None:
        """The receipt of a move that was made and stands on the chain, if the node has it.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        row = self.intents.read(kind, key)
        if row is None or row.state != IntentState.MINED:
            return None
        found = self._receipt(row)
        # Re-orged into a block where it reverts, it did nothing there.
        return found if found is not None and found["status"] == 1 else None

    def finish(self, *kinds: str) -> int:
        """Bring moves of some kinds to their end that are signed and whose end was not seen.

        For moves whose amount is what lacks: before that is read, whatever may still be added has
        to be on the chain, or to be known not to come.

        Returns:
            The highest block that one of them was mined in, 0 if there is none.

        Raises:
            ChainError: one still may be mined.
        """
        for kind, key in self.intents.signed_kinds(kinds):
            try:
                self._resume(kind, key, kind)
            except (Reverted, FailedOnChainError) as error:
                log.info("a move did not end well", kind=kind, key=key, error=str(error))
        return self.intents.last_block(kinds)

    def recover(self) -> int:
        """Bring to its end every move that an earlier process signed; returns how many.

        Moves that were mined, and that a reorg has taken back since, go out again too. What was
        planned and never signed is given up: whoever still wants it plans it anew.

        Raises:
            NodeUnavailableError, WrongChainError: the chain cannot be reached; nothing is lost.
        """
        eth, address = self.sender.chain.w3.eth, self.sender.account.address
        mined = self.sender.chain.read(lambda: eth.get_transaction_count(address, "latest"))
        # Lowest nonce first: a higher one is not mined before those below it are.
        rows = self.intents.unfinished(mined)
        for row in rows:
            log.info("resuming a transaction", kind=row.kind, key=row.key, nonce=row.nonce)
            self.intents.reopen(row.kind, row.key)
            try:
                self._resume(row.kind, row.key, row.kind)
            except (
                NodeUnavailableError,
                WrongChainError,
                DatabaseUnavailableError,
                LockHeldError,
            ):
                raise
            except ChainBeastsError as error:
                # Of this move alone (reverted, too dear, not mined in time): its row says how it
                # stands, and the moves after it must not wait for it.
                log.warning("a transaction did not end well", kind=row.kind, error=str(error))
        return len(rows)

    def _send(self, kind: str, key: str, send: Callable[[Journal], Receipt]) -> Receipt:
        signed: list[SignedTransaction] = []

        def note(one: SignedTransaction) -> None:
            self.intents.signed(kind, key, one, first=not signed)
            signed.append(one)

        receipt = self._ended(
            kind,
            key,
            lambda: send(note),
            lambda: signed[-1].nonce if signed else None,
        )
        assert receipt is not None
        return receipt

    def _resume(self, kind: str, key: str, label: str) -> Receipt | None:
        """The receipt; None if the move has to be made anew, or another process made it."""
        nonces: list[int] = []

        def load() -> Begun | None:
            # Under the nonce lock: who held it before may have ended the move, or bumped it.
            row = self.intents.read(kind, key)
            if row is None or row.state != IntentState.SIGNED:
                return None
            found = begun(row, label)
            nonces.append(found.last.nonce)
            return found

        def note(one: SignedTransaction) -> None:
            self.intents.signed(kind, key, one, first=False)

        row = self.intents.read(kind, key)
        due = None if row is None else row.due
        receipt = self._ended(
            kind,
            key,
            lambda: self.sender.resume(load, journal=note, due=due),
            lambda: nonces[-1] if nonces else None,
        )
        # Loaded and not to be mined: another transaction stands at its nonce. With nothing loaded
        # the row was no longer signed, so another process has ended it.
        if receipt is None and nonces:
            self.intents.failed(kind, key, "replaced", nonces[-1])
        return receipt

    def _ended(
        self,
        kind: str,
        key: str,
        make: Callable[[], Receipt | None],
        nonce: Callable[[], int | None],
    ) -> Receipt | None:
        """Make a move and write down how it ended.

        Only an end that the chain shows is written down. After any other error (no node, not mined
        in time) the row stays SIGNED: its bytes are out; to plan anew would sign a second nonce.
        """
        try:
            receipt = make()
        except (Reverted, FailedOnChainError) as error:
            name = error.name if isinstance(error, Reverted) else error.message
            self.intents.failed(kind, key, name, nonce(), error.gas_used)
            raise
        if receipt is not None:
            self.intents.mined(kind, key, receipt)
        return receipt

    def _stands(self, row: IntentRow) -> bool:
        """Whether a mined move still is; a receipt that the node does not have says nothing."""
        if row.settled:
            return True
        found = self._receipt(row)
        if found is not None:
            return found["status"] == 1  # re-orged into a block where it reverts, it did nothing
        chain = self.sender.chain
        if row.block_number is not None and row.block_hash is not None:
            try:
                return chain.block(row.block_number).hash == row.block_hash
            except NotThereError:
                return False
        # Mined before blocks were written down. It was seen to stand, so that only the sight of
        # another transaction at its nonce, or a nonce that is free again, speaks against it.
        assert row.nonce is not None
        nonces = Nonces(chain, self.me)
        if nonces.used() <= row.nonce:
            return False
        use = nonces.use_of(row.nonce)
        return use is None or use.hash in begun(row, row.kind).hashes

    def _receipt(self, row: IntentRow) -> TxReceipt | None:
        chain, tx_hash = self.sender.chain, row.tx_hash
        assert tx_hash is not None
        return chain.read(lambda: read_receipt(chain.w3, tx_hash))
