"""The court's calls, filled in: what each move of a dispute passes on chain.

Builds calls and finds how many steps fit one transaction; decides nothing, sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.chain.chunks import is_large
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, Reverted
from chainbeasts.backend.chain.openings import (
    MERKLE_PATHS,
    header_commitment,
    opened_witnesses,
    proof_commitment,
    records_opening,
    steps_commitment,
)
from chainbeasts.backend.chain.transactions import MAX_GAS, TransactionManager
from chainbeasts.backend.chain.types import (
    NO_HEADER,
    ZERO32,
    FilingQuote,
    ProofClaim,
    header_to_abi,
)
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash, weights_root
from chainbeasts.backend.kernel.window import witnesses
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.validator.judge.cases import Case, CaseReader
from chainbeasts.validator.judge.replay import Window, state_after

ADVANCE_GAS = MAX_GAS * 85 // 100
"""Most gas that an advance may need: its margin must fit the transaction cap too."""

MOST_KNOWN = 1_024
"""Estimates that are kept."""

MAX_TRANSACTIONS = (1, 2, 3, 4, 6, 8, 16, 32, 64, 128)
_PLAIN = ("Error", "Unknown", "Panic")


@dataclass(frozen=True, slots=True)
class Proof:
    """A call that is paid to whoever committed to it.

    Attributes:
        call: makes the call for a salt.
        commitment: what a sender commits to with that salt.
    """

    call: Callable[[bytes], Any]
    commitment: Callable[[str, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Advance:
    """An advance that fits one transaction; ``steps`` micro-steps for about ``gas``."""

    proof: Proof
    steps: int
    gas: int


class MoveBuilder:
    """Calls of one deployment's court."""

    def __init__(self, reader: CaseReader) -> None:
        self._reader = reader
        self._chain = reader.chain
        self._gas: dict[tuple[bytes, int, int], int] = {}
        """Of advances by record, first step and steps, which are planned in every pass anew."""

    @property
    def _court(self) -> Any:
        return self._chain.court.functions

    def quote(self, case: Case) -> FilingQuote:
        """What filing over a case would lock now: both bonds, and the openings owed."""
        return self._chain.filing_quote(case.beast_id, case.checkpoint)

    def file(self, case: Case, data: PrivateDataset | None = None) -> Any:
        """Open a dispute.

        Args:
            data: to make a private window's dataset and secret public with it, so that the window
                can be re-executed before its trainer opens anything. One that ``stages`` must be on
                the sender's stage before.
        """
        record = case.checkpoint.to_abi()
        # Asked of the chain, not of the index: a secret that is public need not be paid for again.
        if case.private and data is not None and self._chain.secret_fold(case.beast_id) is None:
            if is_large(len(data.compressed)):
                return self._court.fileStaged(case.beast_id, record, data.secret)
            return self._court.filePrivate(case.beast_id, record, data.compressed, data.secret)
        return self._court.file(case.beast_id, record)

    def stages(self, case: Case, data: PrivateDataset) -> bool:
        """Whether filing reveals a dataset that one transaction does not carry."""
        large = case.private and is_large(len(data.compressed))
        return large and self._chain.secret_fold(case.beast_id) is None

    # --- openings -------------------------------------------------------------------------------

    def open_segments(self, case: Case, dispute_id: int, segments: Sequence[bytes]) -> Any:
        """Open the window's 16 segment hashes; the trainer's move, or its defender's."""
        return self._court.openSegments(
            dispute_id, case.beast_id, case.checkpoint.to_abi(), list(segments)
        )

    def publish_state(self, state: State) -> Any:
        """Put a state into the archive; anybody's move."""
        header, weights = header_to_abi(state.header), serialize_weights(state.weights)
        return self._chain.states.functions.publish(header, weights)

    def publish_records(self, case: Case, data: PrivateDataset) -> Any:
        """Put the records that a private window samples into the archive; anybody's move."""
        opening = records_opening(data, case.dna, case.index).arguments()
        return self._chain.records.functions.publish(case.beast_id, case.index, *opening)

    def accept(self, case: Case, dispute_id: int) -> Any:
        """Let the court take note of what was published in time."""
        return self._court.acceptOpenings(dispute_id, case.beast_id, case.checkpoint.to_abi())

    # --- proofs ---------------------------------------------------------------------------------

    def prove(
        self, case: Case, dispute_id: int, window: Window, segments: Sequence[bytes], k: int
    ) -> Proof:
        """Open the true state before segment ``k`` of the opened ones; re-execution refutes it."""
        done = k * SEGMENT_STEPS
        header, weights = self._state_opening(case, state_after(window, done), done)
        result = state_hash(state_after(window, done + SEGMENT_STEPS))
        parts = (list(segments), k, header, weights)
        witnesses = self._witnesses(case, window, done, SEGMENT_STEPS)

        def call(salt: bytes) -> Any:
            return self._court.prove(self._claim(case, dispute_id), *parts, witnesses, salt)

        def commitment(sender: str, salt: bytes) -> bytes:
            return proof_commitment(sender, case.digest, k, result, salt)

        return Proof(call, commitment)

    def advance(
        self,
        case: Case,
        dispute_id: int,
        window: Window,
        done: int,
        sender: TransactionManager,
        *,
        steps: int | None = None,
    ) -> Advance:
        """Re-execute the next steps, by default in as few transactions as fit the gas cap.

        Raises:
            Reverted: the court refuses.
            ChainError: not even one step fits.
        """
        left = WINDOW_STEPS - done
        state = state_after(window, done)
        # The largest part first: a simulation costs no gas, and what a step costs differs with its
        # sample, so that any fixed number would waste transactions or not fit. Only what fits is
        # estimated: a node executes the steps some twenty times for that.
        choices = [steps] if steps else _step_choices(done)
        for count in choices:
            proof = self._advance(case, dispute_id, window, state, done, count)
            call = proof.call(ZERO32)
            if _fits(sender, call):
                return Advance(proof, count, self._estimate(case, done, count, sender, call))
        raise ChainError(
            f"Advancing {min(choices[-1], left)} steps does not fit one transaction of {MAX_GAS} "
            "gas.",
            "Give fewer with --steps." if steps else "",
        )

    def _estimate(
        self, case: Case, done: int, steps: int, sender: TransactionManager, call: Any
    ) -> int:
        key = case.digest, done, steps
        if key not in self._gas:
            if len(self._gas) >= MOST_KNOWN:
                self._gas.clear()
            self._gas[key] = sender.estimate(call)
        return self._gas[key]

    def _advance(
        self, case: Case, dispute_id: int, window: Window, state: State, done: int, steps: int
    ) -> Proof:
        header, weights = self._state_opening(case, state, done)
        after = state_after(window, done + steps)
        # Only the last step needs an opening, and only where the result is h128: then the court
        # reads the header behind it, which may contradict the payload. A different result slashes
        # without one.
        end = after if done + steps == WINDOW_STEPS else None
        opening = (
            (header_to_abi(NO_HEADER), ZERO32)
            if end is None
            else (header_to_abi(end.header), weights_root(end.weights))
        )
        result = state_hash(after)
        witnesses = self._witnesses(case, window, done, steps)

        def call(salt: bytes) -> Any:
            claim = self._claim(case, dispute_id)
            return self._court.advance(claim, steps, header, weights, witnesses, opening, salt)

        def commitment(sender: str, salt: bytes) -> bytes:
            return steps_commitment(sender, case.digest, done, steps, result, salt)

        return Proof(call, commitment)

    def challenge_header(self, case: Case, state: State) -> Proof:
        """Open h128 into a header that contradicts the payload; ``state`` is the one behind it."""
        header, weights = header_to_abi(state.header), weights_root(state.weights)

        def call(salt: bytes) -> Any:
            records = (case.checkpoint.to_abi(), case.parent.to_abi())
            return self._court.challengeHeader(case.beast_id, *records, header, weights, salt)

        def commitment(sender: str, salt: bytes) -> bytes:
            return header_commitment(sender, case.digest, state.header, weights, salt)

        return Proof(call, commitment)

    # --- ends -----------------------------------------------------------------------------------

    def claim_timeout(self, case: Case, dispute_id: int) -> Any:
        """Slash because something was not opened in time."""
        return self._court.claimTimeout(self._claim(case, dispute_id))

    def dismiss(self, case: Case, dispute_id: int) -> Any:
        """End a dispute that nobody proved, or whose checkpoint fell with an ancestor."""
        return self._court.dismiss(dispute_id, case.beast_id, case.checkpoint.to_abi())

    # --- parts of calls -------------------------------------------------------------------------

    def _claim(self, case: Case, dispute_id: int) -> Any:
        return ProofClaim(dispute_id, case.beast_id, case.checkpoint, case.parent).to_abi()

    def _state_opening(self, case: Case, state: State, done: int) -> tuple[Any, bytes]:
        if done == 0 and case.index == 0:  # the referee makes the genesis; saves 33,792 bytes
            return header_to_abi(NO_HEADER), b""
        return header_to_abi(state.header), serialize_weights(state.weights)

    def _witnesses(self, case: Case, window: Window, done: int, steps: int) -> bytes:
        if window.opened:
            return opened_witnesses(window.opened, done, steps)
        # Records are drawn by the beast's global step, not by the step within the window.
        first = window.parent.header.global_step + done
        plain = witnesses(window.context, first, steps, window.words or ())
        return MERKLE_PATHS + plain if case.private else plain


def _step_choices(done: int) -> list[int]:
    """Numbers of steps to try from there, falling.

    None ends on a multiple of 8, except the window's end and where one step reaches it: the opened
    hash of such a step would give a commitment to it away.
    """
    left = WINDOW_STEPS - done
    found = set()
    for parts in MAX_TRANSACTIONS:
        steps = -(-left // parts)
        ends_on_segment = (done + steps) % SEGMENT_STEPS == 0 and steps < left
        found.add(steps - 1 if ends_on_segment and steps > 1 else steps)
    return sorted(found, reverse=True)


def _fits(sender: TransactionManager, call: Any) -> bool:
    """Whether a call leaves its margin under the transaction cap."""
    try:
        sender.simulate(call, gas=ADVANCE_GAS)
    except NodeUnavailableError:
        raise
    # A named error is the court's own answer, and fewer steps would get the same one: it is passed
    # on.
    except Reverted as error:
        if error.name in _PLAIN:  # out of gas inside the court's call
            return False
        raise
    except ChainError:
        return False
    return True
