"""Makes each move once, however often the daemon is killed or the chain re-orged; adds up bonds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog
from sqlalchemy import select
from web3.exceptions import TransactionNotFound

from backend.chain.client import Chain
from backend.chain.errors import Reverted
from backend.chain.escrow import ensure_escrow
from backend.chain.intents import IntentLog
from backend.chain.transactions import TransactionManager
from backend.indexer.queries import OPEN
from backend.store.daemons import IntentRow, IntentState
from backend.store.facts import DisputeRow
from backend.store.session import Database
from validator.strategy import Action

log = structlog.get_logger()


class MoveLedger:
    """The moves of one account."""

    def __init__(self, database: Database, intents: IntentLog) -> None:
        self._database = database
        self.intents = intents

    @property
    def sender(self) -> TransactionManager:
        return self.intents.sender

    @property
    def me(self) -> str:
        return self.sender.address

    def send(self, action: Action, key: str, call: Any, *, bond: int = 0) -> bool:
        """Make a move unless it stands on the chain already; whether it was made now.

        Raises:
            Reverted: the court refuses.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        name = self._free_key(str(action), key)
        receipt = self.intents.send(str(action), name, call, label=str(action), bond=bond)
        if receipt is None:
            return False
        log.info(
            "move made", action=str(action), gas=receipt.gas_used, tx="0x" + receipt.hash.hex()
        )
        return True

    def bonds_at_risk(self) -> int:
        """Wei of ENERGY in our open disputes, those included that are not indexed yet."""
        with self._database.session() as session:
            rows = session.scalars(select(DisputeRow)).all()
            over = Counter(row.digest for row in rows)
            indexed = {filing_key(digest, n) for digest in over for n in range(over[digest])}
            sent = session.scalars(
                select(IntentRow).where(
                    IntentRow.account == self.me,
                    IntentRow.kind == Action.FILE,
                    IntentRow.state.in_((IntentState.SIGNED, IntentState.MINED)),
                )
            )
            coming = sum(row.bond for row in sent if row.key.split("/")[0] not in indexed)
            ours = (row for row in rows if row.challenger == self.me and row.status in OPEN)
            return coming + sum(row.bond for row in ours)

    def _free_key(self, kind: str, key: str) -> str:
        """The move's key; another one for each time that a reorg took its transaction back."""
        number = 0
        while self._was_lost(kind, f"{key}/{number}"):
            number += 1
        return f"{key}/{number}"

    def _was_lost(self, kind: str, key: str) -> bool:
        """Whether a move was mined in a block that the chain has dropped since."""
        with self._database.session() as session:
            row = session.scalar(
                select(IntentRow).where(
                    IntentRow.account == self.me, IntentRow.kind == kind, IntentRow.key == key
                )
            )
        if row is None or row.state != IntentState.MINED or row.tx_hash is None:
            return False
        chain, tx_hash = self.sender.chain, row.tx_hash
        try:
            chain.read(lambda: chain.w3.eth.get_transaction_receipt(tx_hash))  # type: ignore[arg-type]
        except TransactionNotFound:
            return True
        return False


def filing_key(digest: bytes, earlier: int) -> str:
    """Names a filing over a record that ``earlier`` disputes have been about."""
    return f"{digest.hex()}:{earlier}"


def fund_bond(chain: Chain, sender: TransactionManager, filing: Any, bond: int) -> None:
    """Make sure that the escrow covers a filing, if that is all that it lacks.

    Raises:
        Reverted: the court refuses the filing for another reason; nothing was deposited.
        ChainBeastsError: wallet and escrow together do not cover the bond.
    """
    try:
        sender.simulate(filing)
    except Reverted as error:
        if error.name != "InsufficientEscrow":
            raise
        ensure_escrow(chain, sender, bond)
