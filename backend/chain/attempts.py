"""Gets one signed call mined: broadcasts it, raises its fees at the same nonce, waits, looks again.

An attempt has one nonce for ever. It ends in one of three ways: a receipt of one of its
transactions; the sight of *another* transaction in a block at its nonce, which alone proves that it
can never be mined; or "unknown", which signs nothing and leaves everything on record.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3.types import TxReceipt

from chainbeasts.backend.chain.broadcast import Outcome, SignedTransaction
from chainbeasts.backend.chain.client import Chain, check_open
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, StoppedError
from chainbeasts.backend.chain.fees import FEE_BUMP, Fees, bumped, offer, pace, show_gwei
from chainbeasts.backend.chain.nonces import Nonces
from chainbeasts.backend.chain.receipts import read_receipt
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import LockHeldError

log = structlog.get_logger()

MAX_RAW_BYTES = 128 * 1024
"""What public nodes accept as one transaction."""

EMPTY_GAS = 21_000
POLL_SECONDS = 0.05
RETRY_SECONDS = 1.0
"""Until bytes are handed over again that no answer came to, or a second refusal."""

LOOK_SECONDS = 1.0
"""A node counts a transaction a moment before it shows the receipt; after that the blocks are
looked through, and again each time that this has passed."""

UNKNOWN_SECONDS = 60.0
"""So long a receipt, or what else used the nonce, is waited for: three times what a second node
behind one name may be late. Other moves wait meanwhile, so it ends as "unknown" then."""

REMEMBERED = 1_024
"""Hashes of what was signed last; see ``Attempts._is_anothers``."""

SILENT_SECONDS = 20.0
"""So long a node may be away while we wait for it."""

MOST_GAP = 64
"""Nonces that are filled below a move: more than a reorg takes back, few enough to pay for."""

BLOCK_SECONDS = 30.0
"""Most time that a block on top is waited for."""

Journal = Callable[[SignedTransaction], None]
"""Called with each signed transaction before it is broadcast; a bump calls it again."""


class NotMinedError(ChainError):
    """A transaction went out and is not mined, or not deep enough, in time. It still may be."""


class UnknownOutcomeError(NotMinedError):
    """The nonce is used, and the node shows neither the receipt nor what used it."""


class NonceGapError(NotMinedError):
    """Too many nonces are free below what was signed; it stays on record at its nonce."""


class ForeignPendingError(ChainError):
    """The node holds a transaction at the account's next nonce that is on no record of ours."""


class NonceTakenError(Exception):
    """Another transaction of the account was mined with the nonce; those we signed are void."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier process signed for one move: the last transaction, and hashes of all."""

    last: SignedTransaction
    hashes: tuple[bytes, ...]


@dataclass(slots=True)
class Attempt:
    """One call at one nonce, and everything signed for it.

    Attributes:
        core: recipient, data, gas and value.
        due: chain time after which the call is of no use; None: no such time.
        out: whether a node may have one of its transactions.
        accepted: whether a node said that it has one.
        deadline: when it is given up, by the monotonic clock.
        signed_at, head: when the last one was signed, and the head then.
    """

    label: str
    core: dict[str, Any]
    nonce: int
    fees: Fees
    note: Journal
    due: int | None
    last: SignedTransaction | None = None
    hashes: list[bytes] = field(default_factory=list)
    out: bool = False
    accepted: bool = False
    silent_since: float | None = None
    deadline: float = 0.0
    signed_at: float = 0.0
    head: int | None = None

    @classmethod
    def of(cls, begun: Begun, note: Journal, due: int | None) -> Attempt:
        """One that an earlier process began."""
        signed = begun.last
        made = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
        core = {"data": bytes(made["data"]), "gas": made["gas"], "value": made["value"]}
        if made.get("to"):
            core["to"] = to_checksum_address(bytes(made["to"]))
        fees = Fees(made["maxFeePerGas"], made["maxPriorityFeePerGas"])
        # The call is read from the signed bytes, not built anew: a bump must do the same thing,
        # even if this version would build it in another way. The last hash is the likeliest to be
        # mined.
        hashes = [*(one for one in begun.hashes if one != signed.hash), signed.hash]
        attempt = cls(signed.label, core, signed.nonce, fees, note, due, signed, hashes, out=True)
        attempt.signed_at = time.monotonic()
        return attempt


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how dear an attempt may be.

    Attributes:
        deadline: seconds until it is given up.
        bump_after: seconds until its fees rise for the first time.
        max_fee: wei per gas that is never signed above; None: no cap.
        depth: blocks on top before it counts.
        replace: whether it may take the place of a pending transaction that is not ours.
    """

    deadline: float
    bump_after: float
    max_fee: int | None
    depth: int
    replace: bool


class Attempts:
    """Makes one account's attempts.

    Args:
        held: holds the account's nonce lock.
        broadcast: hands a signed transaction to the node.
        recall: what the account's journal has for a nonce.
        is_ours: whether any record of ours has something for a nonce.
    """

    def __init__(
        self,
        chain: Chain,
        account: LocalAccount,
        limits: Limits,
        held: Callable[[], AbstractContextManager[None]],
        broadcast: Callable[[SignedTransaction], Outcome],
        recall: Callable[[int], SignedTransaction | None],
        is_ours: Callable[[int], bool],
    ) -> None:
        self.nonces = Nonces(chain, account.address)
        self._chain = chain
        self._account = account
        self._limits = limits
        self._held = held
        self._broadcast = broadcast
        self._recall = recall
        self._is_ours = is_ours
        self._signed: deque[bytes] = deque(maxlen=REMEMBERED)

    def free_nonce(self, label: str) -> int:
        """The next nonce, once nothing waits at it that is on no record of ours.

        Raises:
            ForeignPendingError: something does, until the deadline.
            NodeUnavailableError: the node tells of different counts until then.
        """
        deadline, told = time.monotonic() + self._limits.deadline, False
        while True:
            nonce = self.nonces.agreed()
            if nonce is not None and (
                self.nonces.taken() <= nonce or self._is_ours(nonce) or self._limits.replace
            ):
                return nonce
            if nonce is not None and not told:
                log.warning("another program's transaction is waited for", label=label, nonce=nonce)
                told = True
            if time.monotonic() >= deadline:
                raise self._uncounted(label) if nonce is None else self._foreign(label, nonce)
            check_open()
            time.sleep(min(POLL_SECONDS if nonce is None else RETRY_SECONDS, self._limits.deadline))

    def look(self, attempt: Attempt) -> TxReceipt | None:
        """The receipt, if one is there; waits only where the nonce is used already.

        Raises:
            NonceTakenError: none ever will be.
        """
        attempt.deadline = time.monotonic() + self._limits.deadline
        return self._await(attempt, time.monotonic())

    def is_over(self, nonce: int, hashes: Sequence[bytes]) -> bool:
        """Whether transactions of one nonce are mined, or can never be, as the node shows now."""
        if self.nonces.used() <= nonce:
            return False
        if any(self._receipt(one) is not None for one in hashes):
            return True
        use = self.nonces.use_of(nonce)
        return use is not None and use.hash not in hashes

    def until_mined(self, attempt: Attempt) -> TxReceipt:
        """Broadcast, and bump until one of the transactions is mined; under the nonce lock.

        Raises:
            NonceTakenError: none of them ever can be.
            NonceGapError: none can be before many others of the account are.
            NodeUnavailableError: the same, and nothing was signed yet.
            ChainError: the node refuses the first one for good, or none is mined in time.
        """
        attempt.deadline = time.monotonic() + self._limits.deadline
        self._check_gap(attempt)
        if attempt.last is None:
            self._sign_anew(attempt, attempt.fees)
        refusals = 0
        while True:
            outcome = self._hand_over(attempt)
            wait, factor = pace(self._limits.bump_after, self._left(attempt))
            seconds = wait
            # Unsure: the same bytes again, soon; a bump would raise the price for a lost answer.
            if outcome is Outcome.UNSURE:
                seconds = min(wait, RETRY_SECONDS)
            # Too cheap: a node wants more than the usual step over what it holds at this nonce,
            # so the step is doubled. The first time it goes out at once; a node that refuses again
            # is given time, or its whims would be paid for at the speed of the line.
            elif outcome in (Outcome.UNDERPRICED, Outcome.OCCUPIED):
                refusals += 1
                raised = self._may_replace(attempt, outcome) and self._raise(
                    attempt, 2 * factor - 1
                )
                seconds = RETRY_SECONDS if raised else RETRY_SECONDS * 2 ** min(refusals, 4)
                if raised and refusals == 1:
                    seconds = 0.0
            receipt = self._await(attempt, min(attempt.deadline, time.monotonic() + seconds))
            if receipt is not None:
                return receipt
            if time.monotonic() >= attempt.deadline:
                raise self._not_mined(attempt, outcome)
            self._check_gap(attempt)
            self._fill_gap(attempt)
            waited = time.monotonic() - attempt.signed_at >= wait
            if outcome in (Outcome.ACCEPTED, Outcome.UNSURE) and waited:
                self._bump(attempt, factor)

    def until_deep(self, attempt: Attempt, receipt: TxReceipt) -> TxReceipt:
        """Wait until enough blocks are on top; what a reorg takes out meanwhile goes out again.

        Raises:
            NotMinedError: there are not in time.
        """
        depth = self._limits.depth
        deadline = time.monotonic() + self._limits.deadline + BLOCK_SECONDS * depth
        missing = depth
        while missing > 0:
            try:
                found = self._find(attempt)
                if found is None:
                    log.warning("a reorg took it out, sending it again", label=attempt.label)
                    # The same bytes at the same nonce, so whichever branch wins has it once.
                    # Another process may hold the lock with a later nonce: it fills the gap by
                    # ``recall``.
                    with self._held():
                        found = self.until_mined(attempt)
                receipt = found
                missing = depth - (self._chain.block().number - receipt["blockNumber"])
            except StoppedError:
                raise
            # A node that is away, or a process that stands still: the deadline ends the waiting.
            except (ChainError, LockHeldError) as error:
                log.debug("waiting for blocks on top", label=attempt.label, reason=error.message)
            if missing > 0 and time.monotonic() >= deadline:
                raise NotMinedError(
                    f"The transaction to {attempt.label} is mined, but not {depth} blocks deep "
                    "in time.",
                    "It probably stands; look before you send it again.",
                )
            if missing > 0:
                time.sleep(POLL_SECONDS)
        return receipt

    # --- signing and sending ----------------------------------------------------------------------

    def _hand_over(self, attempt: Attempt) -> Outcome:
        assert attempt.last is not None
        try:
            outcome = self._broadcast(attempt.last)
        except ChainBeastsError as error:
            if not attempt.accepted:
                raise
            # an earlier, cheaper one of ours is with the node
            log.warning("a bump was refused", label=attempt.label, reason=error.message)
            return Outcome.UNSURE
        attempt.accepted |= outcome is Outcome.ACCEPTED
        attempt.out |= outcome in (Outcome.ACCEPTED, Outcome.UNSURE)
        return outcome

    def _may_replace(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Whether what the node holds at the nonce is ours to replace."""
        ours = outcome is not Outcome.OCCUPIED or attempt.accepted or len(attempt.hashes) > 1
        if ours or self._limits.replace or self._is_ours(attempt.nonce):
            return True
        nonce = attempt.nonce
        log.warning("another program's transaction is waited for", label=attempt.label, nonce=nonce)
        return False

    def _bump(self, attempt: Attempt, factor: float) -> None:
        """Raise the fees, if blocks come: where none do, no price helps, and a node that stood for
        an hour would take the highest of all bids when it goes on."""
        try:
            head = self._chain.block().number
        except ChainError:
            return
        if attempt.head is not None and head > attempt.head:
            self._raise(attempt, factor)
        elif attempt.head is None:  # the node was away when it was signed, or an earlier run did
            attempt.head = head

    def _raise(self, attempt: Attempt, factor: float) -> bool:
        """Sign the same call for higher fees; False if a bound, or a silent node, forbids it."""
        try:
            base, cap = self._chain.base_fee(), self._limits.max_fee
        except ChainError:
            return False
        fees = bumped(attempt.fees, base, max(factor, FEE_BUMP), cap)
        if fees is None:
            return False
        log.info("bumping fees", label=attempt.label, nonce=attempt.nonce, max_fee=fees.most)
        self._sign_anew(attempt, fees)
        return True

    def _sign_anew(self, attempt: Attempt, fees: Fees) -> None:
        signed = self._sign(attempt.core, attempt.nonce, fees, attempt.label)
        # A node that is behind may offer the nonce of an earlier move. If that was the same call
        # for the same fees, it is the same transaction, and one receipt would end them both.
        while self._is_anothers(attempt, signed):
            attempt.core = {**attempt.core, "gas": attempt.core["gas"] - 1}
            signed = self._sign(attempt.core, attempt.nonce, fees, attempt.label)
        self._signed.append(signed.hash)
        # On record before ``last`` has it, and only ``last`` is broadcast. If the journal refuses,
        # these bytes are dropped: nobody else has them, and the nonce is still free.
        attempt.note(signed)
        attempt.fees, attempt.last = fees, signed
        attempt.hashes.append(signed.hash)
        attempt.signed_at, attempt.head = time.monotonic(), None
        with suppress(ChainError):
            attempt.head = self._chain.block().number

    def _is_anothers(self, attempt: Attempt, signed: SignedTransaction) -> bool:
        """Whether these very bytes were signed for another move before."""
        if signed.hash in attempt.hashes:
            return False
        kept = self._recall(attempt.nonce)
        return signed.hash in self._signed or (kept is not None and kept.hash == signed.hash)

    def _sign(self, core: dict[str, Any], nonce: int, fees: Fees, label: str) -> SignedTransaction:
        transaction = {
            **core,
            "type": 2,
            # Signed in, so that no other chain takes it, wherever the node leads meanwhile.
            "chainId": self._chain.deployment.chain_id,
            "nonce": nonce,
            "maxFeePerGas": fees.most,
            "maxPriorityFeePerGas": fees.priority,
        }
        signed = self._account.sign_transaction(transaction)
        raw = bytes(signed.raw_transaction)
        if len(raw) > MAX_RAW_BYTES:
            raise ChainError(
                f"The transaction to {label} has {len(raw)} bytes; nodes accept {MAX_RAW_BYTES}.",
                "Send less at a time.",
            )
        return SignedTransaction(label, self._account.address, nonce, bytes(signed.hash), raw)

    def _check_gap(self, attempt: Attempt) -> None:
        """See that the nonce can be reached, before anything is signed, sent or paid for it.

        Filling a gap costs as much as its width, which a node's word alone would set. What is
        signed already keeps its nonce: its bytes may be out, so another nonce could make the move
        twice. It does not hold up the account's other moves, which use the nonces below.

        Raises:
            NonceGapError, NodeUnavailableError: as ``until_mined``.
        """
        try:
            if attempt.nonce - self.nonces.used() <= MOST_GAP:
                return
            used = None if attempt.last is None else self.nonces.agreed()
        except StoppedError:
            raise
        except ChainError:  # no node: the next look tells
            return
        if attempt.last is None:  # the count was another one a moment ago
            raise self._uncounted(attempt.label)
        if used is None or attempt.nonce - used <= MOST_GAP:
            return
        log.error(
            "its nonce is out of reach, nothing is sent for it or below it",
            label=attempt.label,
            nonce=attempt.nonce,
            next=used,
            help="if --rpc-url is the right chain, make this move from another account",
        )
        raise NonceGapError(
            f"The transaction to {attempt.label} was signed with nonce {attempt.nonce}, as a node "
            f"counted wrongly; the next one of {self._account.address} is {used}.",
            "It is not signed anew, as it could then be made twice; the account's other moves go "
            "on. Check --rpc-url. If it must be made before the account comes to that nonce, make "
            "it from another account.",
        )

    def _fill_gap(self, attempt: Attempt) -> None:
        """See that the nonces below are used: a reorg may have taken their transactions out.

        What the journal has goes out again; an empty transaction takes the place of the rest, if
        no transaction that the node still holds does.
        """
        with suppress(ChainBeastsError):  # no node, or it holds one: the next look tells
            used = self.nonces.used()
            if attempt.nonce - used > MOST_GAP:  # see ``_check_gap``
                return
            for nonce in range(used, attempt.nonce):
                if time.monotonic() >= attempt.deadline:
                    return
                check_open()
                kept = self._recall(nonce)
                if kept is None:  # not in this record; the filler goes to oneself and moves nothing
                    address = self._account.address
                    empty = {"to": address, "data": b"", "gas": EMPTY_GAS, "value": 0}
                    first = offer(self._chain.base_fee(), self._limits.max_fee)
                    kept = self._sign(empty, nonce, first, "fill a nonce")
                log.warning("sending below", nonce=nonce, label=kept.label, of=attempt.label)
                self._broadcast(kept)

    def _left(self, attempt: Attempt) -> float | None:
        """Seconds until the call is of no use any more."""
        if attempt.due is None:
            return None
        try:
            return float(attempt.due - self._chain.now())
        except ChainError:
            return None

    # --- until it is there ------------------------------------------------------------------------

    def _await(self, attempt: Attempt, until: float) -> TxReceipt | None:
        """The receipt of whichever of the same-nonce transactions was mined; None after ``until``.

        Once the nonce is used it waits on: nothing else can be done.

        Raises:
            NonceTakenError: another transaction stands in a block at the nonce.
            UnknownOutcomeError: the nonce is used, nobody shows by what.
            ChainError: the node has been away for too long.
        """
        look_at: float | None = None
        unknown_at = attempt.deadline
        while True:
            check_open()
            now, used = time.monotonic(), False
            try:
                receipt = self._find(attempt)
                if receipt is not None:
                    return receipt
                # Asked after the receipts, so one of ours may have been mined in between.
                used = self.nonces.used() > attempt.nonce
                attempt.silent_since = None
            except StoppedError:
                raise
            except ChainError:
                attempt.silent_since = attempt.silent_since or now
                if now - attempt.silent_since >= SILENT_SECONDS:
                    raise
            if not used:
                look_at = None
                if now >= until:
                    return None
            elif look_at is None:
                look_at = now + LOOK_SECONDS
                # Also past the deadline: who was mined last of all is shown a moment later.
                unknown_at = max(look_at, min(attempt.deadline, now + UNKNOWN_SECONDS))
            elif now >= look_at:
                self._check_use(attempt)
                look_at = now + LOOK_SECONDS
            if used and now >= unknown_at:
                raise self._unknown(attempt)
            time.sleep(POLL_SECONDS)

    def _check_use(self, attempt: Attempt) -> None:
        """Look in the blocks for what used the nonce.

        Raises:
            NonceTakenError: it is not ours, and as deep as is asked for.
        """
        use = self.nonces.use_of(attempt.nonce)
        if use is None or use.hash in attempt.hashes:
            return
        with suppress(ChainError):
            if self._chain.block().number - use.block_number >= self._limits.depth:
                raise NonceTakenError

    def _find(self, attempt: Attempt) -> TxReceipt | None:
        # All of them: a cheaper one that a miner had before the bump reached it counts as well.
        found = (self._receipt(tx_hash) for tx_hash in reversed(attempt.hashes))
        return next((receipt for receipt in found if receipt is not None), None)

    def _receipt(self, tx_hash: bytes) -> TxReceipt | None:
        return self._chain.read(lambda: read_receipt(self._chain.w3, tx_hash))

    # --- ends without a receipt -------------------------------------------------------------------

    def _not_mined(self, attempt: Attempt, outcome: Outcome) -> ChainError:
        if outcome is Outcome.OCCUPIED and not self._may_replace(attempt, outcome):
            return self._foreign(attempt.label, attempt.nonce)
        hint = "It may still be mined; look before you send it again."
        cap = self._limits.max_fee
        if cap is not None and attempt.fees.most * FEE_BUMP > cap:
            hint = f"It offers all that --max-fee {show_gwei(cap)} allows. {hint}"
        return NotMinedError(
            f"The transaction to {attempt.label} was not mined in {self._limits.deadline:g} s.",
            hint,
        )

    def _unknown(self, attempt: Attempt) -> UnknownOutcomeError:
        return UnknownOutcomeError(
            f"Whether the transaction to {attempt.label} was mined is unknown: its nonce "
            f"{attempt.nonce} is used, and the node shows no receipt of "
            f"0x{attempt.hashes[-1].hex()}.",
            "Nothing else was signed. Run the same command again, on another node if need be: it "
            "looks for this transaction first.",
        )

    def _uncounted(self, label: str) -> NodeUnavailableError:
        return NodeUnavailableError(
            f"The node tells of different numbers of transactions of {self._account.address}; the "
            f"transaction to {label} was not signed.",
            "Behind its address there may be nodes of several chains: give another --rpc-url.",
        )

    def _foreign(self, label: str, nonce: int) -> ForeignPendingError:
        found = self.nonces.waiting_at(nonce)
        named = "" if found is None else f" 0x{found.hex()}"
        return ForeignPendingError(
            f"{self._account.address} has a pending transaction{named} at its next nonce {nonce} "
            f"that this home has no record of; the transaction to {label} does not replace it.",
            "Wait until it is mined, cancel it where it was sent, or pass --replace-pending.",
        )
