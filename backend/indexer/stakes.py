"""What the events about native coin mean for the tables: one function per event.

Stakes of trainers, rewards out of slashed ones, and credits in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import StakeReward
from chainbeasts.backend.indexer.disputes import account_or_none
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.store.facts import StakeRewardRow, StakeRow, VaultCreditRow


def _stake(session: Session, args: Mapping[str, Any]) -> StakeRow:
    beast_id, trainer = int(args["beastId"]), args["trainer"]
    row = session.get(StakeRow, (beast_id, trainer))
    if row is None:
        raise IncompleteLogsError(f"{trainer} never staked on beast {beast_id}")
    return row


def _staked(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    beast_id, trainer = int(args["beastId"]), args["trainer"]
    row = session.get(StakeRow, (beast_id, trainer))
    if row is None:  # the announcement of a withdrawal outlives what is added meanwhile
        row = StakeRow(beast_id=beast_id, trainer=trainer, barred_at=0, withdrawable_at=0)
        session.add(row)
    row.amount = int(args["total"])
    session.flush()


def _announced(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _stake(session, args)
    row.barred_at, row.withdrawable_at = int(args["barredAt"]), int(args["withdrawableAt"])


def _cancelled(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _stake(session, args)
    row.barred_at, row.withdrawable_at = 0, 0


def _withdrawn(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.delete(_stake(session, args))
    session.flush()


def _taken(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """The stake leaves the ledger whole; what others get of it is held."""
    beast_id, trainer = int(args["beastId"]), args["trainer"]
    mine = (StakeRow.beast_id == beast_id, StakeRow.trainer == trainer)
    session.execute(delete(StakeRow).where(*mine))  # none is left after an earlier slashing
    held = StakeReward.from_abi(args["held"])
    if held.filing + held.proof == 0:
        return
    session.merge(
        StakeRewardRow(
            beast_id=beast_id,
            trainer=trainer,
            index=held.index,
            dispute_id=held.dispute_id,
            filing=held.filing,
            proof=held.proof,
            filer=held.filer,
            prover=account_or_none(held.prover),
            gas_cap=held.gas_cap,
            block_number=event.block_number,
        )
    )


def _reward_gone(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """Paid, or taken over by an earlier conviction, whose own reward comes next."""
    of = (
        StakeRewardRow.beast_id == int(args["beastId"]),
        StakeRewardRow.trainer == args["trainer"],
    )
    session.execute(delete(StakeRewardRow).where(*of))


def _credit(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        VaultCreditRow(
            block_number=event.block_number,
            log_index=event.log_index,
            account=args["account"],
            amount=int(args["amount"]),
            withdrawn=event.name == "CreditWithdrawn",
            tx_hash=event.tx_hash,
        )
    )


STAKE_HANDLERS: Handlers = {
    ("CheckpointLedger", "Staked"): _staked,
    ("CheckpointLedger", "StakeWithdrawalAnnounced"): _announced,
    ("CheckpointLedger", "StakeWithdrawalCancelled"): _cancelled,
    ("CheckpointLedger", "StakeWithdrawn"): _withdrawn,
    ("DisputeVault", "StakeTaken"): _taken,
    ("DisputeVault", "RewardTakenOver"): _reward_gone,
    ("DisputeVault", "RewardSettled"): _reward_gone,
}

CREDIT_HANDLERS: Handlers = {
    ("DisputeVault", "Credited"): _credit,
    ("DisputeVault", "CreditWithdrawn"): _credit,
}
"""About an account, not about a beast."""
