"""Pulls out what the court credited to us: rewards and returned bonds, once per transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select

from backend.chain.client import Chain
from backend.chain.events import RawLog
from backend.chain.intents import IntentLog
from backend.store.facts import EventRow
from backend.store.session import Database
from validator.moves import Moves

log = structlog.get_logger()

REFUND = 2
"""``BondOutcome.REFUND`` (contracts/types/CheckpointTypes.sol)."""

SETTLED_BLOCKS = 64
"""A withdrawal that deep is not looked at again: no reorg takes it back."""

_CREDITS = ("CheckpointSlashed", "DisputeBondReleased")


class Collector:
    """Withdraws an account's rewards and returned bonds from escrow to its wallet."""

    def __init__(self, chain: Chain, database: Database, moves: Moves, intents: IntentLog) -> None:
        self._chain = chain
        self._database = database
        self._moves = moves
        self._intents = intents
        self._settled: set[bytes] = set()

    def run(self) -> int:
        """Withdraw all that is new; returns the number of withdrawals."""
        made = 0
        for tx_hash, amount in self._credits().items():
            made += self._withdraw(tx_hash, amount)
        return made

    def _withdraw(self, tx_hash: bytes, amount: int) -> int:
        key, address = tx_hash.hex(), self._intents.sender.address
        receipt = self._intents.find("collect", key)
        if receipt is not None:
            if self._chain.block().number - receipt["blockNumber"] >= SETTLED_BLOCKS:
                self._settled.add(tx_hash)
            return 0
        available = min(amount, self._chain.escrow_of(address))
        if not available:
            return 0
        call = self._moves.withdraw(available, address)
        if self._intents.send("collect", key, call, label="collect a reward") is None:
            return 0
        log.info("collected", wei=available, of="0x" + key)
        return 1

    def _credits(self) -> dict[bytes, int]:
        """Wei credited to us by transaction, of those that are not settled."""
        found: dict[bytes, int] = {}
        wanted = select(EventRow).where(EventRow.name.in_(_CREDITS)).order_by(EventRow.id)
        with self._database.session() as session:
            for row in session.scalars(wanted):
                event = None if row.tx_hash in self._settled else self._chain.decode(_raw(row))
                amount = 0 if event is None else self._credited(event.name, event.args)
                if amount:
                    found[row.tx_hash] = found.get(row.tx_hash, 0) + amount
        return found

    def _credited(self, name: str, args: Mapping[str, Any]) -> int:
        me = self._intents.sender.address
        if name == "DisputeBondReleased":
            ours = args["challenger"] == me and args["outcome"] == REFUND
            return int(args["bond"]) if ours else 0
        reward = int(args["challengerReward"]) if args["challenger"] == me else 0
        share = int(args["proverReward"]) if args["prover"] == me else 0
        return reward + share


def _raw(row: EventRow) -> RawLog:
    """The log as it was read; which block it is in plays no part in decoding it."""
    topics = tuple(row.topics[i : i + 32] for i in range(0, len(row.topics), 32))
    return RawLog(
        row.address, topics, row.data, row.block_number, bytes(32), row.tx_hash, row.log_index
    )
