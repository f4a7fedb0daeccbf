"""Sends transactions: simulated first, one nonce at a time, bumped until mined, watched until deep.

A journal, if given, learns of every signed transaction before it is broadcast, so that a daemon
that was killed in between knows what may be on its way. For each transaction one nonce is used
until it went to somebody else; so whatever node or process does, a move is mined once at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound
from web3.types import TxParams, TxReceipt, Wei

from backend.chain.broadcast import Outcome, SignedTransaction, hand_over
from backend.chain.client import Chain
from backend.chain.errors import ChainError, Reverted
from backend.chain.fees import FEE_BUMP, PRIORITY_FEE, Fees, bumped, offer, pace, show_gwei
from backend.errors import ChainBeastsError
from backend.locks import ProcessLock

__all__ = ["GAS_MARGIN", "MAX_GAS", "PRIORITY_FEE", "SignedTransaction", "TransactionManager"]

log = structlog.get_logger()

MAX_GAS = 1 << 24
"""The per-transaction gas cap of Osaka (EIP-7825)."""

MAX_RAW_BYTES = 128 * 1024
"""What public nodes accept as one transaction."""

GAS_MARGIN = 1.15
"""The state may change between the estimate and the block; gas that is not used is not paid."""

EMPTY_GAS = 21_000
BUMP_SECONDS = 12.0
POLL_SECONDS = 0.05
FEE_POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
"""Until bytes are handed over again that no answer came to."""

TAKEN_SECONDS = 10.0
SILENT_SECONDS = 20.0
"""So long a node may be away while we wait for it."""

DEADLINE_SECONDS = 180.0
BLOCK_SECONDS = 30.0
"""Most time that a block on top is waited for."""


class NotMinedError(ChainError):
    """A transaction went out and is not mined, or not deep enough, in time. It still may be."""


class FeeCapError(ChainError):
    """The chain asks more per gas than may be signed; nothing was signed."""


class FailedOnChainError(ChainError):
    """A transaction was mined and did nothing."""


class NonceTakenError(Exception):
    """Another transaction of the account was mined with the nonce; those we signed are void."""


Journal = Callable[[SignedTransaction], None]
"""Called with each signed transaction before it is broadcast; a bump calls it again."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier process signed for one move: the last transaction, and hashes of all."""

    last: SignedTransaction
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that succeeded."""

    label: str
    hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    raw: TxReceipt


@dataclass(slots=True)
class _Flight:
    """One move on its way: its call, its nonce, and everything signed for it."""

    label: str
    core: dict[str, Any]
    nonce: int
    fees: Fees
    note: Journal
    due: int | None
    last: SignedTransaction | None = None
    hashes: list[bytes] = field(default_factory=list)
    accepted: bool = False
    silent_since: float | None = None


class TransactionManager:
    """Sends one account's transactions to one chain.

    Args:
        lock_dir: folder of the nonce locks, shared by all processes that use the account.
        journal: learns of each signed transaction before it is broadcast.
        deadline: seconds to wait for a transaction before giving up.
        bump_after: seconds until the fees rise for the first time.
        max_fee: wei per gas that is never signed above; None: no cap.
        depth: blocks on top of a transaction's before it counts.
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
    ) -> None:
        self.chain = chain
        self.account = account
        self.max_fee = max_fee
        self.depth = depth
        self.recall: Callable[[int], SignedTransaction | None] = lambda _: None
        """What the account's journal has for a nonce that a reorg made free again."""
        self._journal = journal
        self._deadline = deadline
        self._bump_after = bump_after
        lock_dir.mkdir(parents=True, exist_ok=True)
        lock = lock_dir / f"{chain.deployment.chain_id}-{account.address}.lock"
        self._lock = ProcessLock(lock, "the account's transaction is mined")

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
        call = {"from": self.address, "gas": gas, "value": value}
        return self.chain.read(lambda: function.call(call))

    def estimate(self, function: Any, *, value: int = 0) -> int:
        """Gas the call needs as a transaction.

        Args:
            value: wei of native coin sent along.

        Raises:
            Reverted: the contract refuses.
        """
        call = {"from": self.address, "value": value}
        return int(self.chain.read(lambda: function.estimate_gas(call)))

    def offer(self) -> Fees:
        """What the next transaction would offer."""
        return offer(self._base_fee(), self.max_fee)

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

        Args:
            value: wei of native coin sent along.
            spare_gas: asked for beyond the estimate, which is made in the latest block: where a
                later block has the call do more, as a commitment of the latest block does.
            due: chain time (unix seconds) after which the call is of no use; fees rise faster as
                it nears.

        Raises:
            Reverted: the contract refuses, in the simulation or on chain.
            ChainError: no funds for gas, too dear, too large, or not mined in time.
        """
        empty: TxParams = {"gas": MAX_GAS, "nonce": 0, "from": self.address}  # type: ignore[typeddict-item]
        free: TxParams = {"maxFeePerGas": Wei(0), "maxPriorityFeePerGas": Wei(0), "chainId": 0}
        data = function.build_transaction({**empty, **free})["data"]  # asks the node for nothing

        def core() -> dict[str, Any]:
            # a refusal costs nothing here, and has the contract's reason
            self.simulate(function, value=value)
            estimated = int(self.estimate(function, value=value) * GAS_MARGIN)
            gas = min(estimated + spare_gas, MAX_GAS)
            return {"to": function.address, "data": data, "gas": gas, "value": value}

        return self._send(core, label, journal, due)

    def estimate_payment(self, to: str, value: int) -> int:
        """Gas that native coin takes to an account.

        Raises:
            Reverted: the account is a contract, and does not take it.
        """
        payment: TxParams = {"from": self.account.address, "to": to, "value": Wei(value)}
        return int(self.chain.read(lambda: self.chain.w3.eth.estimate_gas(payment)))

    def pay(self, to: str, value: int, *, label: str) -> Receipt:
        """Send native coin to an account and wait until that is mined.

        Raises:
            Reverted: the account is a contract, and does not take it.
            ChainError: no funds for gas, too dear, or not mined in time.
        """

        def core() -> dict[str, Any]:
            gas = int(self.estimate_payment(to, value) * GAS_MARGIN)
            return {"to": to, "data": b"", "gas": min(gas, MAX_GAS), "value": value}

        return self._send(core, label, None, None)

    def deploy(self, bytecode: bytes, *, label: str) -> Receipt:
        """Send a contract creation and wait until it is mined.

        Raises:
            Reverted: the constructor refuses.
            ChainError: no funds for gas, too dear, too large, or not mined in time.
        """
        call: TxParams = {"from": self.account.address, "data": "0x" + bytecode.hex()}  # type: ignore[typeddict-item]

        def core() -> dict[str, Any]:
            gas = self.chain.read(lambda: self.chain.w3.eth.estimate_gas(call))
            return {"data": call["data"], "gas": min(int(gas * GAS_MARGIN), MAX_GAS), "value": 0}

        return self._send(core, label, None, None)

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
        try:
            with self._lock:
                begun = load()
                if begun is None:
                    return None
                flight = self._flight_of(begun, self._note(journal), due)
                # First a look, without waiting: what is mined already is not broadcast again.
                receipt = self._await(flight, time.monotonic()) or self._fly(flight)
            return self._land(flight, receipt)
        except NonceTakenError:
            return None

    # --- the way out ----------------------------------------------------------------------------

    def _note(self, journal: Journal | None) -> Journal:
        return journal or self._journal or (lambda _: None)

    def _send(
        self,
        core: Callable[[], dict[str, Any]],
        label: str,
        journal: Journal | None,
        due: int | None,
    ) -> Receipt:
        while True:
            self._await_fee(label)
            try:
                # Against all processes that use the account, until it is mined: two that read the
                # count at once would sign one nonce for two moves, and one of them would be lost.
                # Simulated under it, too, so that what came before is in the state.
                with self._lock:
                    call = core()
                    nonce = self._next_nonce()
                    flight = _Flight(label, call, nonce, self.offer(), self._note(journal), due)
                    receipt = self._fly(flight)
                # Not under it: others may send while this one gains depth.
                return self._land(flight, receipt)
            except NonceTakenError:
                # While the other one stands, nothing signed for its nonce can be mined, so that a
                # second nonce doubles nothing. Only a reorg below it could bring both: an account
                # that other software signs for as well has no stronger promise.
                log.info("the nonce is taken, using the next", label=label, nonce=nonce)

    def _flight_of(self, begun: Begun, note: Journal, due: int | None) -> _Flight:
        signed = begun.last
        made = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
        core = {"data": bytes(made["data"]), "gas": made["gas"], "value": made["value"]}
        if made.get("to"):
            core["to"] = to_checksum_address(bytes(made["to"]))
        fees = Fees(made["maxFeePerGas"], made["maxPriorityFeePerGas"])
        # The call is read from the signed bytes, not built anew: a bump must do the same thing,
        # even if this version would build it in another way. The last hash is the likeliest to be
        # mined.
        hashes = [one for one in begun.hashes if one != signed.hash]
        return _Flight(
            signed.label, core, signed.nonce, fees, note, due, signed, [*hashes, signed.hash]
        )

    def _fly(self, flight: _Flight) -> TxReceipt:
        """Broadcast, and bump until one of the flight's transactions is mined; under the lock.

        Raises:
            NonceTakenError: none of them ever can be.
        """
        deadline = time.monotonic() + self._deadline
        if flight.last is None:
            self._sign_anew(flight, flight.fees)
        while True:
            outcome = self._hand_over(flight)
            seconds, factor = pace(self._bump_after, self._left(flight))
            # Unsure: the same bytes again, soon; a bump would raise the price for a lost answer.
            # Too cheap: a node wants more than the usual step over what it holds at this nonce,
            # perhaps one of which no record is left, so the step is doubled and nobody waits.
            if outcome is Outcome.UNSURE:
                seconds = min(seconds, RETRY_SECONDS)
            elif outcome is Outcome.UNDERPRICED and self._raise(flight, 2 * factor - 1):
                seconds = 0.0
            receipt = self._await(flight, min(deadline, time.monotonic() + seconds))
            if receipt is not None:
                return receipt
            if time.monotonic() >= deadline:
                raise self._not_mined(flight)
            self._fill_gap(flight)
            if outcome is Outcome.ACCEPTED:
                self._raise(flight, factor)

    def _hand_over(self, flight: _Flight) -> Outcome:
        assert flight.last is not None
        try:
            outcome = self._broadcast(flight.last)
        except ChainBeastsError as error:
            if not flight.accepted:
                raise
            # an earlier, cheaper one of ours is with the node
            log.warning("a bump was refused", label=flight.label, reason=error.message)
            return Outcome.UNSURE
        flight.accepted |= outcome is Outcome.ACCEPTED
        return outcome

    def _broadcast(self, signed: SignedTransaction) -> Outcome:
        return hand_over(self.chain, signed)

    def _raise(self, flight: _Flight, factor: float) -> bool:
        """Sign the same call for higher fees; False if the cap, or a silent node, forbids it."""
        try:
            fees = bumped(flight.fees, self._base_fee(), max(factor, FEE_BUMP), self.max_fee)
        except ChainError:
            return False
        if fees is None:
            return False
        log.info("bumping fees", label=flight.label, nonce=flight.nonce, max_fee=fees.most)
        self._sign_anew(flight, fees)
        return True

    def _sign_anew(self, flight: _Flight, fees: Fees) -> None:
        signed = self._sign(flight.core, flight.nonce, fees, flight.label)
        # On record before ``last`` has it, and only ``last`` is broadcast. If the journal refuses,
        # these bytes are dropped: nobody else has them, and the nonce is still free.
        flight.note(signed)
        flight.fees, flight.last = fees, signed
        flight.hashes.append(signed.hash)

    def _sign(self, core: dict[str, Any], nonce: int, fees: Fees, label: str) -> SignedTransaction:
        transaction = {
            **core,
            "type": 2,
            # Signed in, so that no other chain takes it, wherever the node leads meanwhile.
            "chainId": self.chain.deployment.chain_id,
            "nonce": nonce,
            "maxFeePerGas": fees.most,
            "maxPriorityFeePerGas": fees.priority,
        }
        signed = self.account.sign_transaction(transaction)
        raw = bytes(signed.raw_transaction)
        if len(raw) > MAX_RAW_BYTES:
            raise ChainError(
                f"The transaction to {label} has {len(raw)} bytes; nodes accept {MAX_RAW_BYTES}.",
                "Send less at a time.",
            )
        return SignedTransaction(label, self.address, nonce, bytes(signed.hash), raw)

    def _fill_gap(self, flight: _Flight) -> None:
        """See that the nonces below are used: a reorg may have taken their transactions out.

        What the journal has goes out again; an empty transaction takes the place of the rest, if
        no transaction that the node still holds does.
        """
        with suppress(ChainBeastsError):  # no node, or it holds one: the next look tells
            for nonce in range(self._next_nonce(), flight.nonce):
                kept = self.recall(nonce)
                if kept is None:  # not in this record; the filler goes to oneself and moves nothing
                    empty = {"to": self.address, "data": b"", "gas": EMPTY_GAS, "value": 0}
                    kept = self._sign(empty, nonce, self.offer(), "fill a nonce")
                log.warning("sending below", nonce=nonce, label=kept.label, of=flight.label)
                self._broadcast(kept)

    # --- fees and deadlines ---------------------------------------------------------------------

    def _next_nonce(self) -> int:
        """Transactions of the account that are mined, which is the nonce of the next one."""
        eth, address = self.chain.w3.eth, self.account.address
        return self.chain.read(lambda: eth.get_transaction_count(address, "latest"))

    def _base_fee(self) -> int:
        block = self.chain.read(lambda: self.chain.w3.eth.get_block("latest"))
        return int(block.get("baseFeePerGas", Wei(0)))

    def _await_fee(self, label: str) -> None:
        """Wait until the base fee is under the cap; nothing is signed before."""
        if self.max_fee is None:
            return
        deadline = time.monotonic() + self._deadline
        while (base := self._base_fee()) > self.max_fee:
            if time.monotonic() >= deadline:
                raise FeeCapError(
                    f"The base fee is {show_gwei(base)}, above --max-fee "
                    f"{show_gwei(self.max_fee)}; the transaction to {label} was not signed.",
                    "Wait until the fee falls, or give a higher --max-fee.",
                )
            time.sleep(min(FEE_POLL_SECONDS, self._deadline))

    def _left(self, flight: _Flight) -> float | None:
        """Seconds until the call is of no use any more."""
        if flight.due is None:
            return None
        try:
            return float(flight.due - self.chain.now())
        except ChainError:
            return None

    def _not_mined(self, flight: _Flight) -> NotMinedError:
        hint = "It may still be mined; look before you send it again."
        if self.max_fee is not None and flight.fees.most * FEE_BUMP > self.max_fee:
            hint = f"It offers all that --max-fee {show_gwei(self.max_fee)} allows. {hint}"
        return NotMinedError(
            f"The transaction to {flight.label} was not mined in {self._deadline:g} s.", hint
        )

    # --- until it is there ----------------------------------------------------------------------

    def _await(self, flight: _Flight, until: float) -> TxReceipt | None:
        """The receipt of whichever of the same-nonce transactions was mined; None after ``until``.

        Raises:
            NonceTakenError: the nonce is used, and none of them has a receipt, for a while: a node
                counts a transaction a moment before it shows the receipt.
            ChainError: the node has been away for too long.
        """
        used_since: float | None = None
        while True:
            now = time.monotonic()
            try:
                receipt = self._find(flight)
                if receipt is not None:
                    return receipt
                # Asked after the receipts, so one of ours may have been mined in between: only a
                # count that stays ahead for TAKEN_SECONDS means that the nonce went to another.
                used = self._next_nonce() > flight.nonce
                flight.silent_since = None
            except ChainError:
                flight.silent_since = flight.silent_since or now
                if now - flight.silent_since >= SILENT_SECONDS:
                    raise
                used = False
            used_since = (used_since or now) if used else None
            if used_since is not None:
                if now - used_since >= TAKEN_SECONDS:
                    raise NonceTakenError
            elif now >= until:
                return None
            time.sleep(POLL_SECONDS)

    def _find(self, flight: _Flight) -> TxReceipt | None:
        # All of them: a cheaper one that a miner had before the bump reached it counts as well.
        found = (self._receipt(tx_hash) for tx_hash in reversed(flight.hashes))
        return next((receipt for receipt in found if receipt is not None), None)

    def _receipt(self, tx_hash: bytes) -> TxReceipt | None:
        try:
            return self.chain.read(lambda: self.chain.w3.eth.get_transaction_receipt(tx_hash))  # type: ignore[arg-type]
        except TransactionNotFound:
            return None

    def _land(self, flight: _Flight, receipt: TxReceipt) -> Receipt:
        """Wait until enough blocks are on top; what a reorg takes out meanwhile goes out again."""
        deadline = time.monotonic() + self._deadline + BLOCK_SECONDS * self.depth
        missing = self.depth
        while missing > 0:
            with suppress(ChainError):  # a node that is away; the deadline ends the waiting
                found = self._find(flight)
                if found is None:
                    log.warning("a reorg took it out, sending it again", label=flight.label)
                    # The same bytes at the same nonce, so whichever branch wins has it once.
                    # Another process may hold the lock with a later nonce: it fills the gap by
                    # ``recall``.
                    with self._lock:
                        found = self._fly(flight)
                receipt = found
                missing = self.depth - (self.chain.block().number - receipt["blockNumber"])
            if missing > 0 and time.monotonic() >= deadline:
                raise NotMinedError(
                    f"The transaction to {flight.label} is mined, but not {self.depth} blocks deep "
                    "in time.",
                    "It probably stands; look before you send it again.",
                )
            if missing > 0:
                time.sleep(POLL_SECONDS)
        return self._judge(receipt, flight.core, flight.label)

    def _judge(self, receipt: TxReceipt, core: dict[str, Any], label: str) -> Receipt:
        if receipt["status"] != 1:
            raise self._replay(core, receipt)
        log.debug("mined", label=label, gas=receipt["gasUsed"], block=receipt["blockNumber"])
        return Receipt(
            label,
            bytes(receipt["transactionHash"]),
            receipt["blockNumber"],
            bytes(receipt["blockHash"]),
            receipt["gasUsed"],
            receipt,
        )

    def _replay(self, core: dict[str, Any], receipt: TxReceipt) -> Exception:
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
