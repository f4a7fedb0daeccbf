"""Pulls out what court and arena credited to us in ENERGY, rewards and returned bonds, once each.

Native coin is in stakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from web3.contract import Contract

from backend.chain.amounts import show_energy
from backend.chain.client import Chain
from backend.chain.events import RawLog
from backend.chain.outbox import Outbox
from backend.chain.types import BondOutcome
from backend.store.facts import EventRow
from backend.store.session import Database

log = structlog.get_logger()

SETTLED_BLOCKS = 64
"""A withdrawal that deep is not looked at again: no reorg takes it back."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What one transaction credited to us, wei of ENERGY."""

    reward: int = 0
    refund: int = 0

    def __add__(self, other: Credit) -> Credit:
        return Credit(self.reward + other.reward, self.refund + other.refund)


@dataclass(frozen=True, slots=True)
class CreditSource:
    """One escrow, and what is credited there.

    Attributes:
        prefix: of the keys of its withdrawals, which tells them from another's.
        events: that tell of credits.
        credited: what an event, by name and values, credits to an account.
    """

    escrow: Contract
    prefix: str
    events: tuple[str, ...]
    credited: Callable[[str, Mapping[str, Any], str], Credit]


def ledger_credits(chain: Chain) -> CreditSource:
    """The ledger's escrow, where the court's verdicts are paid, and re-executed steps."""
    events = ("CheckpointSlashed", "DisputeBondReleased", "StepsClaimed")
    return CreditSource(chain.ledger, "", events, _by_court)


def arena_credits(chain: Chain) -> CreditSource:
    """The arena's escrow, where disproofs are paid."""
    return CreditSource(chain.arena, "arena:", ("MatchDisproved",), _by_arena)


def _by_court(name: str, args: Mapping[str, Any], me: str) -> Credit:
    if name == "StepsClaimed":
        return Credit(int(args["energy"]) if args["account"] == me else 0)
    if name == "DisputeBondReleased":
        ours = args["filer"] == me and args["outcome"] == BondOutcome.REFUND
        return Credit(refund=int(args["bond"]) if ours else 0)
    reward = int(args["filerReward"]) if args["filer"] == me else 0
    share = int(args["proverReward"]) if args["prover"] == me else 0
    return Credit(reward + share)


def _by_arena(name: str, args: Mapping[str, Any], me: str) -> Credit:
    return Credit(int(args["reward"]) if args["challenger"] == me else 0)


class PayoutCollector:
    """Withdraws an account's rewards and returned bonds from an escrow to its wallet.

    Args:
        payout: where rewards go instead; bonds come back to the account, which needs them again.
    """

    def __init__(
        self,
        chain: Chain,
        database: Database,
        source: CreditSource,
        outbox: Outbox,
        payout: str | None = None,
    ) -> None:
        self._chain = chain
        self._database = database
        self._source = source
        self._outbox = outbox
        self._payout = payout
        self._settled: set[bytes] = set()

    def run(self) -> int:
        """Withdraw all that is new; returns the number of withdrawals."""
        withdrawals = 0
        for tx_hash, credit in self._credits().items():
            withdrawals += self._collect(tx_hash, credit)
        return withdrawals

    def _collect(self, tx_hash: bytes, credit: Credit) -> int:
        """Withdraw what one transaction credited: at once, or reward and bond to two accounts.

        INVARIANT: whatever payout an earlier run had, no part is withdrawn twice: each intent's key
        names its part, and the key of both stands for both.
        """
        both, me = self._source.prefix + tx_hash.hex(), self._outbox.me
        parts = {
            f"{both}:reward": (credit.reward, self._payout or me),
            f"{both}:refund": (credit.refund, me),
        }
        depth = self._depth(both)
        # The order of an earlier run decides: a bond withdrawn together with the reward, before
        # --payout was given, must not be withdrawn once more by itself.
        if depth is not None:
            depths = [depth]
        else:
            found = {key: self._depth(key) for key, (wei, _) in parts.items() if wei}
            left = [key for key, at in found.items() if at is None]
            if self._payout is None and len(left) == len(parts):
                return self._withdraw(both, credit.reward + credit.refund, me)
            if left:
                return sum(self._withdraw(key, *parts[key]) for key in left)
            depths = [at for at in found.values() if at is not None]
        # Until then every pass looks again: a reorg may take the withdrawal back.
        if min(depths) >= SETTLED_BLOCKS:
            self._settled.add(tx_hash)
        return 0

    def _depth(self, key: str) -> int | None:
        """Blocks on top of a withdrawal's; None if it does not stand on the chain."""
        receipt = self._outbox.find("collect", key)
        return None if receipt is None else self._chain.block().number - receipt["blockNumber"]

    def _withdraw(self, key: str, amount: int, to: str) -> int:
        escrow = self._source.escrow
        # Escrow also holds deposits that wait for the next bond: never more than was credited, and
        # never more than is there, should somebody have withdrawn by hand.
        available = min(amount, self._chain.escrow_of(self._outbox.me, escrow))
        if not available:
            return 0
        call = escrow.functions.withdraw(available, to)
        if self._outbox.send_once("collect", key, call, label="collect a reward") is None:
            return 0
        log.info("collected", energy=show_energy(available), to=to, of="0x" + key)
        return 1

    def _credits(self) -> dict[bytes, Credit]:
        """What was credited to us by transaction, of those that are not settled."""
        found: dict[bytes, Credit] = {}
        # From events, not from the balance, which would mix rewards with our own deposits.
        source, me = self._source, self._outbox.me
        wanted = select(EventRow).where(EventRow.name.in_(source.events)).order_by(EventRow.id)
        with self._database.session() as session:
            for row in session.scalars(wanted):
                event = None if row.tx_hash in self._settled else self._chain.decode(_raw(row))
                credit = None if event is None else source.credited(event.name, event.args, me)
                if credit is not None and (credit.reward or credit.refund):
                    found[row.tx_hash] = found.get(row.tx_hash, Credit()) + credit
        return found


def _raw(row: EventRow) -> RawLog:
    """The log as it was read; which block it is in plays no part in decoding it."""
    topics = tuple(row.topics[i : i + 32] for i in range(0, len(row.topics), 32))
    return RawLog(
        row.address, topics, row.data, row.block_number, bytes(32), row.tx_hash, row.log_index
    )
