"""The native coin that an account defends its windows with: what it has, and how far that goes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from chainbeasts.backend.chain.costs import COLLECT_GAS, full_opening_gas
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.store import facts
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.trainer.workspace import TrainerWorkspace

FEW_OPENINGS = 3
"""Disputes whose openings can be paid, below which the coin is said to run low."""

WORTH = 4
"""A credit is collected once it is that many times what collecting it costs."""


@dataclass(frozen=True, slots=True)
class Funds:
    """What an account has; wei of native coin, if nothing else is said.

    Attributes:
        energy: wei of ENERGY, in its wallet and the ledger's escrow.
        credit: what the vault holds for it.
        opening_cost: of everything that one dispute asks for, at most, at present fees; over the
            account's pending window with the largest dataset.
        pending: whether it has pending windows, which may be disputed.
    """

    balance: int
    energy: int
    credit: int
    opening_cost: int
    pending: bool

    @property
    def openings(self) -> int:
        """Disputes whose openings the balance pays."""
        return self.balance // self.opening_cost

    @property
    def is_low(self) -> bool:
        """Whether it is time to send the account some coin."""
        return self.pending and self.openings < FEW_OPENINGS


class Purse:
    """Watches one account's native coin, and pulls what the vault holds for it."""

    def __init__(self, workspace: TrainerWorkspace, outbox: Outbox) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._lengths: dict[int, int] = {}

    def look(self) -> Funds:
        """What there is now."""
        chain, me = self._workspace.chain, self._outbox.me
        beasts = self._pending_beasts()
        records = max((self._records(beast) for beast in beasts), default=0)
        # Not what will be paid in the end: a node demands the most that is offered.
        cost = full_opening_gas(records) * self._outbox.sender.offer().most
        balance = int(chain.read(lambda: chain.w3.eth.get_balance(me)))  # type: ignore[arg-type]
        energy = chain.energy_of(me) + chain.escrow_of(me)
        return Funds(balance, energy, chain.credit_of(me), cost, bool(beasts))

    def collect(self, funds: Funds) -> int | None:
        """Pull the credit if it is worth it; the gas, or None if nothing was done."""
        if funds.credit < WORTH * COLLECT_GAS * self._outbox.sender.offer().most:
            return None
        chain, me = self._workspace.chain, self._outbox.me
        call = chain.vault.functions.withdrawCredit(me)
        # By nonce: the same sum may be credited again, and is then another move.
        nonce = chain.read(lambda: chain.w3.eth.get_transaction_count(me))  # type: ignore[arg-type]
        receipt = self._outbox.send("collect", f"{nonce}", call, label="collect credit")
        return int(receipt["gasUsed"])

    def _pending_beasts(self) -> list[int]:
        wanted = (
            select(CheckpointRow.beast_id)
            .where(
                CheckpointRow.status == facts.CheckpointStatus.PENDING,
                CheckpointRow.trainer == self._outbox.me,
            )
            .distinct()
        )
        with self._workspace.database.session() as session:
            return sorted(session.scalars(wanted))

    def _records(self, beast_id: int) -> int:
        if beast_id not in self._lengths:
            length = self._workspace.chain.commitments(beast_id).dataset_length
            self._lengths[beast_id] = length
        return self._lengths[beast_id]
