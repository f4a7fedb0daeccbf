"""Keeps windows of ours from falling with another trainer's right one below them.

Who sold a beast may keep silent when a window of theirs is disputed: it falls by its timeout, and
all that stands on it burns. Anybody can prove such a window right by re-executing all of it on
chain. That is dear, so it is done only where what would burn is worth more, and only once its own
trainer has had half of the response window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import structlog
from eth_hash.auto import keccak
from eth_typing import Hash32
from sqlalchemy import select

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.openings import dataset_witnesses, steps_commitment
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import NO_HEADER, ZERO32, Dispute, Opening, header_to_abi
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash, weights_root
from chainbeasts.backend.kernel.window import WindowContext, open_window, step_window
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, DisputeRow
from chainbeasts.trainer.train.states import parent_state, window_inputs
from chainbeasts.trainer.workspace import TrainerWorkspace

log = structlog.get_logger()

PLACES = (0, 31, 62, 93, WINDOW_STEPS)
"""Where the transactions begin and end. None but the last is a segment's end, whose hash an opening
tells: who copies that could commit to steps that it never ran."""

STEP_GAS = 250_000
MOVE_GAS = 1_600_000
COMMIT_GAS = 50_000
"""A micro-step; state and bookkeeping of each transaction; a commitment (docs/gas-report.md)."""

ENERGY_UNIT = 10**18


@dataclass(frozen=True, slots=True)
class Worth:
    """What proving a window costs, and what would burn without it, wei of native coin."""

    cost: int
    at_risk: int

    @property
    def pays(self) -> bool:
        return self.at_risk > self.cost


@dataclass(frozen=True, slots=True)
class _Run:
    """A window computed again: its states at ``PLACES``."""

    ctx: WindowContext
    states: tuple[State, ...]
    words: Sequence[int]


class Guard:
    """Proves other trainers' windows right where ours stand on them.

    Args:
        energy_price: wei of native coin that one ENERGY is worth; the season's price if None.
    """

    def __init__(
        self, workspace: TrainerWorkspace, outbox: Outbox, energy_price: int | None = None
    ) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._energy_price = energy_price
        self._told: set[tuple[int, str]] = set()

    def concerns(self, row: CheckpointRow) -> bool:
        """Whether windows of ours stand on a disputed one, which is another trainer's."""
        return row.trainer != self._outbox.me and bool(self._ours_above(row))

    def protect(self, dispute: DisputeRow, row: CheckpointRow, present: Dispute) -> list[int]:
        """Prove the window right if its trainer keeps silent and it is worth it; gas of each move.

        Raises:
            ChainBeastsError: the window cannot be computed here, or the court refuses.
        """
        chain, due = self._workspace.chain, present.response_deadline
        window = chain.season(row.season).economics.response_window
        if not present.missing or not due - window // 2 <= chain.now() <= due:
            return []
        if not present.owes(Opening.SEGMENTS) and self._is_open(row):
            return []  # all that lacks is in the archives: the court needs only be told
        worth = self.worth(row, present.steps_done)
        if not worth.pays:
            self._tell(
                dispute,
                "a window below ours is not being opened, and proving it costs more than we would "
                "lose",
                worth,
            )
            return []
        run = self._run(row)
        if run is None:
            self._tell(dispute, "a window below ours is wrong: ours will fall with it", worth)
            return []
        self._tell(dispute, "proving a window below ours, whose trainer keeps silent", worth)
        return self._advance(dispute, row, present, run)

    def worth(self, row: CheckpointRow, done: int = 0) -> Worth:
        """What proving the window from step ``done`` on costs, against what stands on it."""
        chain = self._workspace.chain
        season = chain.season(row.season).economics
        price = season.energy_price if self._energy_price is None else self._energy_price
        at_risk = sum(one.energy_burn + one.bond for one in self._ours_above(row))
        moves = sum(place >= done for place in PLACES[:-1]) or 1
        gas = (WINDOW_STEPS - done) * STEP_GAS + moves * (MOVE_GAS + COMMIT_GAS)
        return Worth(gas * self._outbox.sender.offer().most, at_risk * price // ENERGY_UNIT)

    def _ours_above(self, row: CheckpointRow) -> list[CheckpointRow]:
        wanted = select(CheckpointRow).where(
            CheckpointRow.beast_id == row.beast_id,
            CheckpointRow.index > row.index,
            CheckpointRow.trainer == self._outbox.me,
            CheckpointRow.status == CheckpointStatus.PENDING,
        )
        with self._workspace.database.session() as session:
            return list(session.scalars(wanted))

    def _is_open(self, row: CheckpointRow) -> bool:
        chain = self._workspace.chain
        if row.index and not chain.state_publication(row.parent):
            return False
        if Source(row.source) is not Source.PRIVATE:
            return True
        return bool(chain.records_publication(row.beast_id, row.index)[1])

    def _run(self, row: CheckpointRow) -> _Run | None:
        """The window computed again; None if it was not honest.

        Raises:
            ChainBeastsError: its start, its match's log or its dataset is not at hand; or it is a
                private one whose owner's secret is not public, so that no proof of it counts.
        """
        chain = self._workspace.chain
        if Source(row.source) is Source.PRIVATE and chain.secret_fold(row.beast_id) is None:
            raise ChainBeastsError(
                f"Window {row.index} of beast {row.beast_id} is private and not opened: only its "
                "owner can save it."
            )
        before = self._workspace.live(row.beast_id)[: row.index]
        start = parent_state(self._workspace, row.beast_id, before)
        ctx, words = window_inputs(self._workspace, row)
        state = open_window(start, row.active_mask)
        # The first is the parent itself: the court opens the window.
        states = [start]
        for first, end in pairwise(PLACES):
            for _ in range(first, end):
                step_window(ctx, state, None if words is None else words.__getitem__)
            states.append(state.copy())
        if state_hash(state) != row.h128:
            return None
        return _Run(ctx, tuple(states), words or ())

    def _advance(
        self, dispute: DisputeRow, row: CheckpointRow, present: Dispute, run: _Run
    ) -> list[int]:
        if present.steps_done not in PLACES:
            raise ChainBeastsError("Somebody else has advanced the dispute elsewhere.")
        spent = []
        for place in range(PLACES.index(present.steps_done), len(PLACES) - 1):
            spent.append(self._commit(dispute, present, run, place))
            key = f"{dispute.dispute_id}:{row.h128.hex()}:{PLACES[place]}"
            call = self._call(dispute, row, run, place, self._salt(present.digest))
            due = present.response_deadline
            receipt = self._outbox.send("advance", key, call, label="advance", due=due)
            spent.append(int(receipt["gasUsed"]))
        return spent

    def _commit(self, dispute: DisputeRow, present: Dispute, run: _Run, place: int) -> int:
        """Commit to the result, so that its steps are paid out of the filer's bond."""
        first, end = PLACES[place : place + 2]
        result = state_hash(run.states[place + 1])
        commitment = steps_commitment(
            self._outbox.me,
            present.digest,
            first,
            end - first,
            result,
            self._salt(present.digest),
        )
        call = self._workspace.chain.court.functions.commit(commitment)
        receipt = self._outbox.send("commit", commitment.hex(), call, label="commit to steps")
        return int(receipt["gasUsed"])

    def _call(
        self, dispute: DisputeRow, row: CheckpointRow, run: _Run, place: int, salt: bytes
    ) -> Any:
        first, end = PLACES[place : place + 2]
        state, result = run.states[place], run.states[place + 1]
        newborn = first == 0 and row.index == 0  # the referee makes that state itself
        start = (
            (header_to_abi(NO_HEADER), b"")
            if newborn
            else (header_to_abi(state.header), serialize_weights(state.weights))
        )
        last = end == WINDOW_STEPS
        weights = weights_root(result.weights)
        opening = (
            (header_to_abi(result.header), weights) if last else (header_to_abi(NO_HEADER), ZERO32)
        )
        step = (row.global_step - WINDOW_STEPS + first) % (1 << 32)
        proof = dataset_witnesses(run.ctx, step, end - first, run.words)
        return self._workspace.chain.court.functions.advance(
            self._claim(dispute, row), end - first, *start, proof, opening, salt
        )

    def _claim(self, dispute: DisputeRow, row: CheckpointRow) -> Any:
        record = checkpoint_of(row)
        before = self._workspace.live(row.beast_id)[: row.index]
        parent = checkpoint_of(before[-1]) if before else record
        return (dispute.dispute_id, row.beast_id, record.to_abi(), parent.to_abi())

    def _salt(self, digest: bytes) -> bytes:
        """The same after a kill, and known to this account alone: a signature nobody else makes."""
        signed = self._outbox.sender.account.unsafe_sign_hash(Hash32(keccak(b"steps of " + digest)))
        return bytes(keccak(bytes(signed.signature)))

    def _tell(self, dispute: DisputeRow, what: str, worth: Worth) -> None:
        if (dispute.dispute_id, what) not in self._told:
            self._told.add((dispute.dispute_id, what))
            log.warning(
                what,
                dispute=dispute.dispute_id,
                beast=dispute.beast_id,
                window=dispute.index,
                costs_up_to=show_coin(worth.cost),
                at_risk=show_coin(worth.at_risk),
            )
