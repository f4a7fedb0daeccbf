"""Pulls out what court and arena credited to us in ENERGY, rewards and returned bonds, once each.

Native coin is in stakes.
"""

from __future__ import annotations

import structlog

from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.enforce.credits import Credit, CreditLog, CreditSource

log = structlog.get_logger()


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
        self._credits = CreditLog(chain, database, source, outbox.me)
        self._source = source
        self._outbox = outbox
        self._payout = payout
        self._settled: set[bytes] = set()

    def run(self) -> int:
        """Withdraw all that is new; returns the number of withdrawals."""
        withdrawals = 0
        for tx_hash, credit in self._credits.read().items():
            if tx_hash in self._settled:
                continue
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
        settled = self._is_settled(both)
        # The order of an earlier run decides: a bond withdrawn together with the reward, before
        # --payout was given, must not be withdrawn once more by itself.
        if settled is None:
            found = {key: self._is_settled(key) for key, (wei, _) in parts.items() if wei}
            left = [key for key, deep in found.items() if deep is None]
            if self._payout is None and len(left) == len(parts):
                return self._withdraw(both, credit.reward + credit.refund, me)
            if left:
                return sum(self._withdraw(key, *parts[key]) for key in left)
            settled = all(found.values())
        # Until then every pass looks again: a reorg may take the withdrawal back.
        if settled:
            self._settled.add(tx_hash)
        return 0

    def _is_settled(self, key: str) -> bool | None:
        """Whether a withdrawal is beyond a reorg; None if it does not stand on the chain."""
        return self._outbox.is_settled("collect", key)

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
