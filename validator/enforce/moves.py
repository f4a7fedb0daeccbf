"""The court's calls, filled in: what each move of a dispute passes on chain.

Builds calls and finds how many steps fit one transaction; decides nothing, sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from backend.chain.chunks import is_large
from backend.chain.errors import ChainError, NodeUnavailableError, Reverted
from backend.chain.transactions import MAX_GAS, TransactionManager
from backend.chain.types import NO_HEADER, ZERO32, ProofClaim, header_to_abi
from backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from backend.kernel.state import State, serialize_weights
from backend.kernel.window import witnesses
from backend.store.private import PrivateDataset
from validator.judge.cases import Case, CaseReader
from validator.judge.replay import Window, state_after

ADVANCE_GAS = MAX_GAS * 85 // 100
"""Most gas that an advance may be estimated at: its margin must fit the transaction cap too."""

MAX_TRANSACTIONS = (1, 2, 3, 4, 6, 8, 16, 32, 64, 128)
_PLAIN = ("Error", "Unknown", "Panic")


@dataclass(frozen=True, slots=True)
class Advance:
    """An advance that fits one transaction; ``steps`` micro-steps."""

    call: Any
    steps: int


class MoveBuilder:
    """Calls of one deployment's court."""

    def __init__(self, reader: CaseReader) -> None:
        self._reader = reader
        self._chain = reader.chain

    @property
    def _court(self) -> Any:
        return self._chain.court.functions

    def bond(self, case: Case) -> int:
        """What filing costs until the checkpoint falls, wei of ENERGY."""
        multiple = self._reader.season(case.checkpoint.season).economics.dispute_bond_multiple
        return multiple * case.checkpoint.payload.energy_burn

    def file(self, case: Case, data: PrivateDataset | None) -> Any:
        """Open a dispute; a private window's dataset and secret become public with it.

        A dataset that ``stages`` must be on the sender's stage before.
        """
        record = case.checkpoint.to_abi()
        # Asked of the chain, not of the index: once anybody has revealed the dataset, this reverts
        # if it is sent again, and a plain filing saves the calldata.
        if case.private and self._chain.revealed_fold(case.beast_id) is None:
            assert data is not None  # nobody judges a private window without its dataset
            if is_large(len(data.compressed)):
                return self._court.fileStaged(case.beast_id, record, data.secret)
            return self._court.filePrivate(case.beast_id, record, data.compressed, data.secret)
        return self._court.file(case.beast_id, record)

    def stages(self, case: Case, data: PrivateDataset) -> bool:
        """Whether filing reveals a dataset that one transaction does not carry."""
        large = case.private and is_large(len(data.compressed))
        return large and self._chain.revealed_fold(case.beast_id) is None

    def respond(self, case: Case, dispute_id: int, segments: Sequence[bytes]) -> Any:
        """Answer with the window's 16 segment hashes; the trainer's move, or its defender's."""
        return self._court.respond(
            dispute_id, case.beast_id, case.checkpoint.to_abi(), list(segments)
        )

    def prove(
        self, case: Case, dispute_id: int, window: Window, segments: Sequence[bytes], k: int
    ) -> Any:
        """Open the true state before segment ``k`` of the response; re-execution refutes it."""
        done = k * SEGMENT_STEPS
        header, weights = self._opening(case, window, done)
        return self._court.prove(
            self._claim(case, dispute_id),
            list(segments),
            k,
            header,
            weights,
            self._witnesses(window, done, SEGMENT_STEPS),
        )

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
        # The largest part first: an estimate costs no gas, and what a step costs differs with its
        # sample, so that any fixed number would waste transactions or not fit.
        choices = [steps] if steps else sorted({-(-left // n) for n in MAX_TRANSACTIONS})[::-1]
        for count in choices:
            call = self._advance_call(case, dispute_id, window, state, done, count)
            if _fits(sender, call):
                return Advance(call, count)
        raise ChainError(
            f"Advancing {choices[-1]} steps does not fit one transaction of {MAX_GAS} gas.",
            "Give fewer with --steps." if steps else "",
        )

    def _advance_call(
        self, case: Case, dispute_id: int, window: Window, state: State, done: int, steps: int
    ) -> Any:
        header, weights = self._state_opening(case, state, done)
        # Only the last step needs an opening, and only where the result is h128: then the court
        # reads the header behind it, which may contradict the payload. A different result slashes
        # without one.
        last = done + steps == WINDOW_STEPS
        end = state_after(window, WINDOW_STEPS) if last else None
        opening = (
            (header_to_abi(NO_HEADER), ZERO32)
            if end is None
            else (header_to_abi(end.header), weights_hash(end))
        )
        return self._court.advance(
            self._claim(case, dispute_id),
            steps,
            header,
            weights,
            self._witnesses(window, done, steps),
            opening,
        )

    def challenge_header(self, case: Case, state: State) -> Any:
        """Open h128 into a header that contradicts the payload; ``state`` is the one behind it."""
        return self._court.challengeHeader(
            case.beast_id,
            case.checkpoint.to_abi(),
            case.parent.to_abi(),
            header_to_abi(state.header),
            weights_hash(state),
        )

    def claim_timeout(self, case: Case, dispute_id: int) -> Any:
        """Slash because the defender stayed silent."""
        return self._court.claimTimeout(self._claim(case, dispute_id))

    def dismiss(self, case: Case, dispute_id: int) -> Any:
        """End a dispute that nobody proved, or whose checkpoint fell with an ancestor."""
        return self._court.dismiss(dispute_id, case.beast_id, case.checkpoint.to_abi())

    # --- parts of calls -------------------------------------------------------------------------

    def _claim(self, case: Case, dispute_id: int) -> Any:
        return ProofClaim(dispute_id, case.beast_id, case.checkpoint, case.parent).to_abi()

    def _opening(self, case: Case, window: Window, done: int) -> tuple[Any, bytes]:
        return self._state_opening(case, state_after(window, done), done)

    def _state_opening(self, case: Case, state: State, done: int) -> tuple[Any, bytes]:
        if done == 0 and case.index == 0:  # the referee makes the genesis; saves 33,792 bytes
            return header_to_abi(NO_HEADER), b""
        return header_to_abi(state.header), serialize_weights(state.weights)

    def _witnesses(self, window: Window, done: int, steps: int) -> bytes:
        # Records are drawn by the beast's global step, not by the step within the window.
        first = window.parent.header.global_step + done
        return witnesses(window.context, first, steps, window.words or ())


def weights_hash(state: State) -> bytes:
    """keccak-256 of a state's serialised weights."""
    return bytes(keccak(serialize_weights(state.weights)))


def _fits(sender: TransactionManager, call: Any) -> bool:
    """Whether a call's estimate leaves its margin under the transaction cap."""
    try:
        return sender.estimate(call) <= ADVANCE_GAS
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
