"""Sends transactions: simulated first, one nonce at a time, bumped until mined, watched until deep.

A journal learns of every signed transaction before it is broadcast, so that whoever was killed in
between knows what may be on its way: a daemon's database, or else the account's file of unresolved
transactions. For each transaction one nonce is used until it went to somebody else; so whatever
node or process does, a move is mined once at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount
from web3.types import TxParams, TxReceipt, Wei

from chainbeasts.backend.chain.attempts import (
    MAX_RAW_BYTES,
    Attempt,
    Attempts,
    Begun,
    ForeignPendingError,
    Journal,
    Limits,
    NonceTakenError,
    NotMinedError,
    UnknownOutcomeError,
)
from chainbeasts.backend.chain.broadcast import Outcome, SignedTransaction, hand_over
from chainbeasts.backend.chain.client import Chain, check_open
from chainbeasts.backend.chain.errors import ChainError, Reverted
from chainbeasts.backend.chain.fees import PRIORITY_FEE, Fees, offer, show_gwei
from chainbeasts.backend.chain.unresolved import Unresolved, UnresolvedFile, digest_of
from chainbeasts.backend.chain.views import call_data, call_view, estimate_gas, with_call
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock

__all__ = [
    "GAS_MARGIN",
    "MAX_GAS",
    "MAX_RAW_BYTES",
    "PRIORITY_FEE",
    "Begun",
    "FailedOnChainError",
    "FeeCapError",
    "ForeignPendingError",
    "Journal",
    "NotMinedError",
    "Receipt",
    "SignedTransaction",
    "TransactionManager",
    "UnknownOutcomeError",
]

log = structlog.get_logger()

MAX_GAS = 1 << 24
"""The per-transaction gas cap of Osaka (EIP-7825)."""

GAS_MARGIN = 1.15
"""The state may change between the estimate and the block; gas that is not used is not paid."""

BUMP_SECONDS = 12.0
FEE_POLL_SECONDS = 1.0
DEADLINE_SECONDS = 180.0

LOCK_SLACK_SECONDS = 120.0
"""Another process is waited for so much longer than its transaction may take: the calls to the node
before and after come on top."""


class FeeCapError(ChainError):
    """The chain asks more per gas than may be signed; nothing was signed."""


class FailedOnChainError(ChainError):
    """A transaction was mined and did nothing.

    Attributes:
        gas_used: what was paid for it.
    """

    gas_used = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded."""

    label: str
    hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    raw: TxReceipt


class TransactionManager:
    """Sends one account's transactions to one chain.

    Args:
        lock_dir: folder of the nonce locks, shared by all processes that use the account.
        journal: learns of each signed transaction before it is broadcast; if there is none, the
            account's file beside the lock does.
        deadline: seconds to wait for a transaction before giving up.
        bump_after: seconds until the fees rise for the first time.
        max_fee: wei per gas that is never signed above; None: no cap.
        depth: blocks on top of a transaction's before it counts.
        replace: also replace a pending transaction that is on no record here.
    """

    def __init__(
        self,
        chain: Chain,
        account: LocalAccount,
        lock_dir: Path,
        *,
        journal: Journal | None = None,
        deadline: float = DEADLINE_SECONDS,
        bump_after: float = BUMP_SECONDS,
        max_fee: int | None = None,
        depth: int = 0,
        replace: bool = False,
    ) -> None:
        self.chain = chain
        self.account = account
        self.max_fee = max_fee
        self.depth = depth
        self.recall: Callable[[int], SignedTransaction | None] = lambda _: None
        """What the account's journal has for a nonce that a reorg made free again."""
        self._journal = journal
        self._deadline = deadline
        lock_dir.mkdir(parents=True, exist_ok=True)
        name = f"{chain.deployment.chain_id}-{account.address}"
        # With the first block: a local chain that was begun anew has the same id and other nonces.
        record = f"{chain.deployment.chain_id}-{chain.deployment.genesis[:10]}-{account.address}"
        self._lock = ProcessLock(
            lock_dir / f"{name}.lock",
            "the account's transaction is mined",
            seconds=deadline + LOCK_SLACK_SECONDS,
        )
        self._unresolved = UnresolvedFile(lock_dir / f"{record}.json", self.address)
        self._attempts = Attempts(
            chain,
            account,
            Limits(deadline, bump_after, max_fee, depth, replace),
            self._held,
            lambda signed: self._broadcast(signed),
            lambda nonce: self.recall(nonce),
            lambda nonce: self.recall(nonce) is not None or self._unresolved.has(nonce),
        )

    @property
    def address(self) -> str:
        """The sender."""
        return str(self.account.address)

    def simulate(self, function: Any, *, gas: int = MAX_GAS, value: int = 0) -> Any:
        """The result the call would have as a transaction.

        Args:
            value: wei of native coin sent along.

        Raises:
            Reverted: the contract refuses.
        """
        sent: TxParams = {"from": self.account.address, "gas": gas, "value": Wei(value)}
        return self.chain.read(lambda: call_view(function, sent))

    def estimate(self, function: Any, *, value: int = 0) -> int:
        """Gas the call needs as a transaction.

        Args:
            value: wei of native coin sent along.

        Raises:
            Reverted: the contract refuses.
        """
        call = with_call(function, {"from": self.account.address, "value": Wei(value)})
        return int(self.chain.read(lambda: estimate_gas(self.chain.w3, call)))

    def offer(self) -> Fees:
        """What the next transaction would offer."""
        return offer(self.chain.base_fee(), self.max_fee)

    def send(
        self,
        function: Any,
        *,
        label: str,
        value: int = 0,
        spare_gas: int = 0,
        journal: Journal | None = None,
        due: int | None = None,
    ) -> Receipt:
        """Send a contract call and wait until it is mined, and as deep as is asked for.

        Without a journal, the same call that an earlier run began and did not see the end of is
        brought to its end instead of being sent a second time.

        Args:
            value: wei of native coin sent along.
            spare_gas: asked for beyond the estimate, which is made in the latest block: where a
                later block has the call do more, as a commitment of the latest block does.
            due: chain time (unix seconds) after which the call is of no use; fees rise faster as
                it nears.

        Raises:
            Reverted: the contract refuses, in the simulation or on chain.
            UnknownOutcomeError: it may have been mined; nothing else is signed before that is
                known.
            ChainError: no funds for gas, too dear, too large, or not mined in time.
            LockHeldError: another process that uses the account stands still.
        """

        def gas() -> int:
            # a refusal costs nothing here, and has the contract's reason
            self.simulate(function, value=value)
            estimated = int(self.estimate(function, value=value) * GAS_MARGIN)
            return min(estimated + spare_gas, MAX_GAS)

        call = {"to": function.address, "data": call_data(function), "value": value}
        return self._send(call, gas, label, journal, due)

    def estimate_payment(self, to: str, value: int) -> int:
        """Gas that native coin takes to an account.

        Raises:
            Reverted: the account is a contract, and does not take it.
        """
        payment: TxParams = {"from": self.account.address, "to": to, "value": Wei(value)}
        return int(self.chain.read(lambda: estimate_gas(self.chain.w3, payment)))

    def pay(self, to: str, value: int, *, label: str) -> Receipt:
        """Send native coin to an account and wait until that is mined.

        Raises:
            Reverted: the account is a contract, and does not take it.
            ChainError: no funds for gas, too dear, or not mined in time.
        """

        def gas() -> int:
            return min(int(self.estimate_payment(to, value) * GAS_MARGIN), MAX_GAS)

        return self._send({"to": to, "data": b"", "value": value}, gas, label, None, None)

    def deploy(self, bytecode: bytes, *, label: str) -> Receipt:
        """Send a contract creation and wait until it is mined.

        Raises:
            Reverted: the constructor refuses.
            ChainError: no funds for gas, too dear, too large, or not mined in time.
        """
        call: TxParams = {"from": self.account.address, "data": "0x" + bytecode.hex()}  # type: ignore[typeddict-item]

        def gas() -> int:
            estimated = self.chain.read(lambda: estimate_gas(self.chain.w3, call))
            return min(int(estimated * GAS_MARGIN), MAX_GAS)

        return self._send({"data": call["data"], "value": 0}, gas, label, None, None)

    def resume(
        self,
        load: Callable[[], Begun | None],
        *,
        journal: Journal | None = None,
        due: int | None = None,
    ) -> Receipt | None:
        """Bring a transaction to its end that was signed before, and perhaps sent.

        The same bytes go out again; bumps replace them at the same nonce.

        Args:
            load: says under the nonce lock what was signed; None if nothing is left to do.

        Returns:
            Its receipt; None if it never can be mined, because its nonce went to another one.

        Raises:
            Reverted, FailedOnChainError: it was mined and failed.
            ChainError: it is not mined in time, or the node is away; it still may be mined.
        """
        note = journal or self._journal or (lambda _: None)
        try:
            with self._held():
                begun = load()
                if begun is None:
                    return None
                attempt = Attempt.of(begun, note, due)
                receipt = self._finish(attempt)
            return self._land(attempt, receipt)
        except NonceTakenError:
            return None

    def finish(self, label: str) -> Receipt | None:
        """Bring to its end what an earlier run signed under a label, whatever the call was.

        For a wish whose call depends on the moment, as a purchase does on the price: made again,
        it would not be recognised by what it does.

        Returns:
            Its receipt; None if nothing of that label is open, or it never can be mined.

        Raises:
            as ``resume``.
        """
        with self._held():
            entry = self._unresolved.labelled(label)
        if entry is None:
            return None
        kept = _Kept(self._unresolved, entry.call)
        try:
            receipt = self.resume(kept.begun, journal=kept.note)
        except (Reverted, FailedOnChainError):
            self._forget(kept)
            raise
        self._forget(kept)
        return receipt

    # --- the way out ----------------------------------------------------------------------------

    def _send(
        self,
        call: dict[str, Any],
        gas: Callable[[], int],
        label: str,
        journal: Journal | None,
        due: int | None,
    ) -> Receipt:
        note = journal or self._journal
        kept = _Kept(self._unresolved, digest_of(call)) if note is None else None
        while True:
            self._await_fee(label)
            try:
                # Against all processes that use the account, until it is mined: two that read the
                # count at once would sign one nonce for two moves, and one of them would be lost.
                # Simulated under it, too, so that what came before is in the state.
                with self._held():
                    self._sweep(None if kept is None else kept.call)
                    begun = None if kept is None else kept.begun()
                    if begun is not None:
                        log.warning(
                            "an earlier run began this, nothing else is sent",
                            label=label,
                            tx="0x" + begun.last.hash.hex(),
                        )
                        assert kept is not None
                        attempt = Attempt.of(begun, kept.note, due)
                        receipt = self._finish(attempt)
                    else:
                        core = {**call, "gas": gas()}
                        nonce = self._attempts.free_nonce(label)
                        record = note if kept is None else kept.note
                        assert record is not None
                        attempt = Attempt(label, core, nonce, self.offer(), record, due)
                        receipt = self._begin(attempt, kept)
                # Not under it: others may send while this one gains depth.
                landed = self._land(attempt, receipt, kept)
            except NonceTakenError:
                # The other one stands in a block, so nothing signed for its nonce can be mined, and
                # a second nonce doubles nothing. Only a reorg below it could bring both: an account
                # that other software signs for as well has no stronger promise.
                log.info("the nonce is taken, using the next", label=label, nonce=attempt.nonce)
                self._forget(kept)
                continue
            return landed

    def _sweep(self, call: str | None) -> None:
        """Tell of what earlier runs began and is over, and forget it; under the nonce lock.

        The call that is to be made now is left: an earlier one is looked for instead of a second
        one. Once anything else was sent after it, the same call is a new wish.
        """
        for entry in self._unresolved.others(call):
            if self._attempts.is_over(entry.last.nonce, entry.hashes):
                tx = "0x" + entry.last.hash.hex()
                log.warning("what an earlier run began is over", label=entry.last.label, tx=tx)
                self._unresolved.drop(entry)

    def _begin(self, attempt: Attempt, kept: _Kept | None) -> TxReceipt:
        try:
            return self._attempts.until_mined(attempt)
        except ChainBeastsError:
            if not attempt.out and kept is not None:
                kept.drop()  # the node refused it for good, and nobody else has it
            raise

    def _finish(self, attempt: Attempt) -> TxReceipt:
        # First a look, without waiting: what is mined already is not broadcast again.
        return self._attempts.look(attempt) or self._attempts.until_mined(attempt)

    def _land(self, attempt: Attempt, receipt: TxReceipt, kept: _Kept | None = None) -> Receipt:
        receipt = self._attempts.until_deep(attempt, receipt)
        self._forget(kept)  # its end is seen, be it good or bad
        return self._judge(receipt, attempt.core, attempt.label)

    def _forget(self, kept: _Kept | None) -> None:
        if kept is not None:
            with self._held():
                kept.drop()

    def _broadcast(self, signed: SignedTransaction) -> Outcome:
        return hand_over(self.chain, signed)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the account's nonce lock.

        Raises:
            StoppedError: the process is to end while another one has it.
            LockHeldError: another one has had it for longer than a transaction takes.
        """
        self._lock.acquire(check_open)
        try:
            yield
        finally:
            self._lock.release()

    def _await_fee(self, label: str) -> None:
        """Wait until the base fee is under the cap; nothing is signed before."""
        if self.max_fee is None:
            return
        deadline = time.monotonic() + self._deadline
        while (base := self.chain.base_fee()) > self.max_fee:
            if time.monotonic() >= deadline:
                raise FeeCapError(
                    f"The base fee is {show_gwei(base)}, above --max-fee "
                    f"{show_gwei(self.max_fee)}; the transaction to {label} was not signed.",
                    "Wait until the fee falls, or give a higher --max-fee.",
                )
            time.sleep(min(FEE_POLL_SECONDS, self._deadline))

    def _judge(self, receipt: TxReceipt, core: dict[str, Any], label: str) -> Receipt:
        if receipt["status"] != 1:
            error = self._replay(core, receipt)
            error.gas_used = receipt["gasUsed"]
            raise error
        log.debug("mined", label=label, gas=receipt["gasUsed"], block=receipt["blockNumber"])
        return Receipt(
            label,
            bytes(receipt["transactionHash"]),
            receipt["blockNumber"],
            bytes(receipt["blockHash"]),
            receipt["gasUsed"],
            receipt,
        )

    def _replay(self, core: dict[str, Any], receipt: TxReceipt) -> Reverted | FailedOnChainError:
        """Why a mined transaction failed: its call again, on the state before its block."""
        call = {**core, "from": self.address}
        tx = "0x" + bytes(receipt["transactionHash"]).hex()
        failed = FailedOnChainError(f"Transaction {tx} failed on chain, perhaps for lack of gas.")
        try:
            self.chain.read(
                lambda: self.chain.w3.eth.call(call, receipt["blockNumber"] - 1)  # type: ignore[arg-type]
            )
        except Reverted as error:
            return error
        except ChainError:  # the node is away, or does not serve that state
            return failed
        return failed


class _Kept:
    """One call in the account's file of unresolved transactions; used under the nonce lock."""

    def __init__(self, file: UnresolvedFile, call: str) -> None:
        self._file = file
        self.call = call
        self._entry: Unresolved | None = None

    def begun(self) -> Begun | None:
        """What an earlier run signed for the call and did not see the end of."""
        self._entry = self._file.find(self.call)
        return None if self._entry is None else Begun(self._entry.last, self._entry.hashes)

    def note(self, signed: SignedTransaction) -> None:
        """Put a signed transaction on record."""
        before = self._entry
        again = before is not None and before.last.nonce == signed.nonce
        hashes = before.hashes if before is not None and again else ()
        self._entry = Unresolved(self.call, signed, (*hashes, signed.hash))
        self._file.put(self._entry)

    def drop(self) -> None:
        """Forget it."""
        if self._entry is not None:
            self._file.drop(self._entry)
            self._entry = None
