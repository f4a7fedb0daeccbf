"""Pulls out what the vault owes us in native coin: rewards out of slashed stakes, pay for steps,
opening bonds, and what was sent too much.

A reward is held until no window below the convicted one is pending: those that nobody makes final
are made final here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from backend.chain.client import Chain
from backend.chain.errors import Reverted
from backend.chain.outbox import Outbox
from backend.chain.types import ZERO_ADDRESS, StakeReward
from backend.store.facts import EventRow
from backend.store.session import Database
from validator.enforce.collect import raw_log
from validator.enforce.value import Appraiser
from validator.judge.cases import CaseReader

log = structlog.get_logger()

SETTLED_BLOCKS = 64
"""What is that deep is not looked at again: no reorg takes it back."""

FINALIZED_AT_ONCE = 16
WITHDRAW_GAS = 40_000
WORTH = 4
"""A credit is pulled when it is worth so many times the gas of pulling it; a dispute's bond always
is."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An event of ours or another's, and where it stands."""

    args: Mapping[str, Any]
    tx_hash: bytes
    block: int

    @property
    def dispute(self) -> int:
        return int(self.args["disputeId"])


class StakeCollector:
    """Collects native coin of one account.

    Every call is one that anybody may make, and pays whom the vault names, so nothing can be pulled
    twice: a repeated call is refused in the simulation, at no cost.
    """

    def __init__(
        self, reader: CaseReader, database: Database, outbox: Outbox, appraiser: Appraiser
    ) -> None:
        self._reader = reader
        self._database = database
        self._outbox = outbox
        self._appraiser = appraiser
        self._done: set[tuple[str, bytes]] = set()
        self._decoded: dict[tuple[bytes, int], Mapping[str, Any]] = {}

    @property
    def _chain(self) -> Chain:
        return self._reader.chain

    def run(self) -> int:
        """Collect what is due; returns the number of transactions."""
        moves = sum(self._settle(seen) for seen in self._rewards())
        moves += sum(self._claim(seen) for seen in self._pools())
        return moves + self._withdraw()

    # --- rewards out of stakes --------------------------------------------------------------------

    def _rewards(self) -> list[_Seen]:
        """Slashed stakes that we may have a part in."""
        me, ours = self._outbox.me, self._step_disputes()

        def is_ours(seen: _Seen) -> bool:
            held = StakeReward.from_abi(seen.args["held"])
            by_steps = held.prover == ZERO_ADDRESS and held.dispute_id in ours
            return me in (held.filer, held.prover) or by_steps

        return [seen for seen in self._events("StakeTaken") if is_ours(seen)]

    def _settle(self, seen: _Seen) -> int:
        beast_id, trainer = int(seen.args["beastId"]), str(seen.args["trainer"])
        held = self._chain.stake_reward_of(beast_id, trainer)
        if not held.filing + held.proof:
            self._forget_if_deep("StakeTaken", seen)
            return 0
        head = self._chain.head(beast_id)
        needed = min(held.index, head.head_count)
        if head.final_count < needed:
            return self._finalize(beast_id, needed - head.final_count)
        call = self._chain.vault.functions.settleReward(beast_id, trainer)
        key = f"{seen.tx_hash.hex()}:{held.index}"
        return self._send("settle", key, call, "settle a stake's reward")

    def _finalize(self, beast_id: int, needed: int) -> int:
        """Make windows final that hold a reward of ours up, as far as they can be."""
        cases = self._reader.pending(beast_id)[: min(needed, FINALIZED_AT_ONCE)]
        for count in range(len(cases), 0, -1):
            records = [case.checkpoint.to_abi() for case in cases[:count]]
            call = self._chain.ledger.functions.finalize(beast_id, records)
            try:
                self._outbox.sender.simulate(call)
            except Reverted:
                continue  # the later ones are not due yet, or disputed
            return self._send("finalize", cases[count - 1].digest.hex(), call, "finalize windows")
        return 0

    # --- pay for steps ----------------------------------------------------------------------------

    def _step_disputes(self) -> set[int]:
        """Disputes in which steps of ours are counted."""
        me = self._outbox.me
        return {s.dispute for s in self._events("StepsCounted") if s.args["account"] == me}

    def _pools(self) -> list[_Seen]:
        """Fillings of pools that we have a share in."""
        ours = self._step_disputes()
        return [seen for seen in self._events("StepPoolFilled") if seen.dispute in ours]

    def _claim(self, seen: _Seen) -> int:
        call = self._chain.vault.functions.claimSteps(seen.dispute)
        try:
            self._outbox.sender.simulate(call)
        except Reverted:
            self._forget_if_deep("StepPoolFilled", seen)
            return 0
        return self._send("claim-steps", seen.tx_hash.hex(), call, "claim the pay for steps")

    # --- credit -----------------------------------------------------------------------------------

    def _withdraw(self) -> int:
        me = self._outbox.me
        credit = self._chain.credit_of(me)
        if credit < WORTH * WITHDRAW_GAS * self._appraiser.fee() or not credit:
            return 0
        # To the account itself, whatever --payout says: filing and gas need it again.
        call = self._chain.vault.functions.withdrawCredit(me)
        nonce = self._withdrawals()
        done = self._send("withdraw", f"vault:{nonce}", call, "withdraw native coin")
        if done:
            log.info("collected native coin", wei=credit)
        return done

    def _withdrawals(self) -> int:
        """How often the credit was pulled so far: names the next time."""
        me = self._outbox.me
        return sum(seen.args["account"] == me for seen in self._events("CreditWithdrawn"))

    # --- small things -----------------------------------------------------------------------------

    def _send(self, kind: str, key: str, call: Any, label: str) -> int:
        return int(self._outbox.send_once(kind, key, call, label=label) is not None)

    def _forget_if_deep(self, name: str, seen: _Seen) -> None:
        """Never look at it again, once no reorg can take it back."""
        if self._chain.block().number - seen.block >= SETTLED_BLOCKS:
            self._done.add((name, seen.tx_hash))

    def _events(self, name: str) -> list[_Seen]:
        """All events of a name that may still matter, oldest first."""
        wanted = select(EventRow).where(EventRow.name == name).order_by(EventRow.id)
        with self._database.session() as session:
            rows = session.scalars(wanted).all()
        return [
            _Seen(self._args(row), row.tx_hash, row.block_number)
            for row in rows
            if (name, row.tx_hash) not in self._done
        ]

    def _args(self, row: EventRow) -> Mapping[str, Any]:
        place = (row.tx_hash, row.log_index)
        if place not in self._decoded:
            event = self._chain.decode(raw_log(row))
            assert event is not None  # it was stored because it is one of ours
            self._decoded[place] = event.args
        return self._decoded[place]
