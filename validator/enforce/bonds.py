"""The validator's moves and the bonds that they put at risk."""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog
from sqlalchemy import select

from backend.chain.client import Chain
from backend.chain.errors import Reverted
from backend.chain.escrow import ensure_escrow
from backend.chain.outbox import Outbox
from backend.chain.transactions import TransactionManager
from backend.indexer.queries import OPEN
from backend.monitoring.health import Spent, spent
from backend.store.daemons import IntentRow, IntentState
from backend.store.facts import DisputeRow
from backend.store.session import Database
from validator.enforce.strategy import Action

log = structlog.get_logger()


class MoveSender:
    """The moves of one account."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self.outbox = outbox

    @property
    def transactions(self) -> TransactionManager:
        return self.outbox.sender

    @property
    def me(self) -> str:
        return self.outbox.me

    def send(
        self, action: Action, key: str, call: Any, *, bond: int = 0, due: int | None = None
    ) -> bool:
        """Make a move unless it stands on the chain already; whether it was made now.

        Args:
            bond: wei of ENERGY that the move puts at risk.
            due: chain time (unix seconds) after which the move is of no use.

        Raises:
            Reverted: the court refuses.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        kind = str(action)
        # The intent and its bond are in the database before the transaction is signed, its hash
        # before it goes out: after a kill the bond is counted, and the move not made twice.
        receipt = self.outbox.send_once(kind, key, call, label=kind, bond=bond, due=due)
        if receipt is None:
            return False
        log.info("move made", action=kind, gas=receipt.gas_used, tx="0x" + receipt.hash.hex())
        return True

    def spent(self) -> dict[str, Spent]:
        """What our moves have cost so far, by action."""
        return spent(self._database, self.me)

    def bonds_at_risk(self) -> int:
        """Wei of ENERGY in our open disputes, those included that are not indexed yet."""
        with self._database.session() as session:
            rows = session.scalars(select(DisputeRow)).all()
            # A filing is on its way until its dispute is indexed. Signed ones count, since a node
            # may mine them at any time; planned ones are not out yet.
            over = Counter(row.digest for row in rows)
            indexed = {filing_key(digest, n) for digest in over for n in range(over[digest])}
            sent = session.scalars(
                select(IntentRow).where(
                    IntentRow.account == self.me,
                    IntentRow.kind == Action.FILE,
                    IntentRow.state.in_((IntentState.SIGNED, IntentState.MINED)),
                )
            )
            coming = sum(row.bond for row in sent if row.key not in indexed)
            ours = (row for row in rows if row.challenger == self.me and row.status in OPEN)
            return coming + sum(row.bond for row in ours)


def filing_key(digest: bytes, earlier: int) -> str:
    """Names a filing over a record that ``earlier`` disputes have been about."""
    # With the digest alone, a record whose first dispute was dismissed could never be filed again;
    # with a random part, a restarted daemon would file, and bond, twice.
    return f"{digest.hex()}:{earlier}"


def fund_bond(chain: Chain, sender: TransactionManager, filing: Any, bond: int) -> None:
    """Make sure that the escrow covers a filing, if that is all that it lacks.

    Raises:
        Reverted: the court refuses the filing for another reason; nothing was deposited.
        ChainBeastsError: wallet and escrow together do not cover the bond.
    """
    # Before the deposit, which a filing that is refused anyway must not cause. The ledger debits
    # escrow last, so this one error means that nothing else is wrong.
    try:
        sender.simulate(filing)
    except Reverted as error:
        if error.name != "InsufficientEscrow":
            raise
        ensure_escrow(chain, sender, bond)
