"""Pulls out what the vault owes us in native coin: rewards out of slashed stakes, pay for steps,
opening bonds, and what was sent too much.

A reward is held until no window below the convicted one is pending: those that nobody makes final
are made final here.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import func, or_, select

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.indexer.queries import stake_rewards
from chainbeasts.backend.store.facts import AdvanceRow, DisputeRow, StakeRewardRow, VaultCreditRow
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.enforce.value import Appraiser
from chainbeasts.validator.judge.cases import CaseReader

log = structlog.get_logger()

FINALIZED_AT_ONCE = 16
WITHDRAW_GAS = 40_000
WORTH = 4


class StakeCollector:
    """Collects native coin of one account.

    Every call is one that anybody may make, and pays whom the vault names, so nothing can be pulled
    twice: a repeated call is refused in the simulation, at no cost.

    Args:
        worth: a credit is pulled when it is worth so many times the gas of pulling it.
    """

    def __init__(
        self,
        reader: CaseReader,
        database: Database,
        outbox: Outbox,
        appraiser: Appraiser,
        worth: float = WORTH,
    ) -> None:
        self._reader = reader
        self._database = database
        self._outbox = outbox
        self._appraiser = appraiser
        self._worth = worth
        self._claimed: set[tuple[int, int, int]] = set()

    @property
    def _chain(self) -> Chain:
        return self._reader.chain

    def run(self) -> int:
        """Collect what is due; returns the number of transactions."""
        moves = sum(self._settle(row) for row in self.held())
        moves += sum(self._claim(row) for row in self._pools())
        return moves + self._withdraw()

    # --- rewards out of stakes ------------------------------------------------------------------

    def held(self) -> list[StakeRewardRow]:
        """Rewards that are held, of those that we have a part in."""
        me = self._outbox.me
        with self._database.session() as session:
            steps = set(session.scalars(_counted(me, AdvanceRow.dispute_id)))
            return [
                row
                for row in stake_rewards(session)
                if me in (row.filer, row.prover) or (row.prover is None and row.dispute_id in steps)
            ]

    def _settle(self, row: StakeRewardRow) -> int:
        head = self._chain.head(row.beast_id)
        needed = min(row.index, head.head_count)
        if head.final_count < needed:
            return self._finalize(row.beast_id, needed - head.final_count)
        call = self._chain.vault.functions.settleReward(row.beast_id, row.trainer)
        key = f"{row.beast_id}:{row.trainer}:{row.index}:{row.block_number}"
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

    # --- pay for steps --------------------------------------------------------------------------

    def _pools(self) -> list[DisputeRow]:
        """Disputes in which committed steps of ours are paid, and we have not claimed that yet."""
        steps = _counted(self._outbox.me, AdvanceRow.dispute_id)
        filled = or_(DisputeRow.step_energy != 0, DisputeRow.step_coin != 0)
        wanted = select(DisputeRow).where(DisputeRow.dispute_id.in_(steps), filled)
        with self._database.session() as session:
            rows = session.scalars(wanted).all()
        return [row for row in rows if _pool(row) not in self._claimed]

    def _claim(self, row: DisputeRow) -> int:
        call = self._chain.vault.functions.claimSteps(row.dispute_id)
        try:
            self._outbox.sender.simulate(call)
        except Reverted:
            # Claimed before. What the pool gets later makes it another one.
            self._claimed.add(_pool(row))
            return 0
        key = f"{row.digest.hex()}:{row.step_energy}:{row.step_coin}"
        return self._send("claim-steps", key, call, "claim the pay for steps")

    # --- credit ---------------------------------------------------------------------------------

    def _withdraw(self) -> int:
        me = self._outbox.me
        credit = self._chain.credit_of(me)
        if not credit or credit < self._worth * WITHDRAW_GAS * self._appraiser.fee():
            return 0
        # To the account itself, whatever --payout says: filing and gas need it again.
        call = self._chain.vault.functions.withdrawCredit(me)
        done = self._send("withdraw", f"vault:{self._withdrawals()}", call, "withdraw native coin")
        if done:
            log.info("collected native coin", coin=show_coin(credit))
        return done

    def _withdrawals(self) -> int:
        """How often the credit was pulled so far: names the next time."""
        found = select(func.count()).where(
            VaultCreditRow.account == self._outbox.me, VaultCreditRow.withdrawn.is_(True)
        )
        with self._database.session() as session:
            return int(session.scalar(found) or 0)

    def _send(self, kind: str, key: str, call: Any, label: str) -> int:
        return int(self._outbox.send_once(kind, key, call, label=label) is not None)


def _pool(row: DisputeRow) -> tuple[int, int, int]:
    return row.dispute_id, row.step_energy, row.step_coin


def _counted(account: str, column: Any) -> Any:
    """A column of the advances that an account is paid for."""
    return select(column).where(AdvanceRow.account == account, AdvanceRow.counted.is_(True))
