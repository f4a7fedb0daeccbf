"""What a conviction took in both coins, and who got it, from the events of its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import EnergyShares, Slashing, StakeShares
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import StakeReward
from chainbeasts.backend.indexer.disputes import account_or_none
from chainbeasts.backend.indexer.rollback import stored_log
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, DisputeRow, EventRow

Reward = Literal["none", "held", "settled", "taken_over"]
REWARD_ENDS: dict[str, Reward] = {"RewardSettled": "settled", "RewardTakenOver": "taken_over"}


def slashing_answer(
    services: Services,
    session: Session,
    row: DisputeRow,
    trainer: str | None,
    end: Event,
    time: int,
) -> Slashing:
    """What the transaction of an upheld dispute took.

    Args:
        end: the event that upheld it.
        time: of its block.
    """
    e = EventRow
    within = (e.block_number == end.block_number, e.tx_hash == end.tx_hash)
    events = list(_events(services, session, row.beast_id, *within))
    slashed = next(
        event.args
        for event in events
        if event.name == "CheckpointSlashed" and event.args["index"] == row.index
    )
    taken = next(event for event in events if event.name == "StakeTaken")
    held = StakeReward.from_abi(taken.args["held"])
    filing, proof = int(slashed["filerReward"]), int(slashed["proverReward"])
    burned = int(slashed["burned"])
    return Slashing(
        block=end.block_number,
        time=time,
        tx=end.tx_hash,
        offender=trainer,
        filer=account_or_none(slashed["filer"]),
        prover=account_or_none(slashed["prover"]),
        energy=EnergyShares(
            taken=burned + filing + proof, filing=filing, proof=proof, burned=burned
        ),
        stake=StakeShares(
            taken=int(taken.args["amount"]),
            debts=int(taken.args["debts"]),
            filing=held.filing,
            proof=held.proof,
            burned=int(taken.args["burned"]),
        ),
        reward=_reward(services, session, row.beast_id, taken, held),
        voided=_voided(session, row, end.block_number),
    )


def _events(services: Services, session: Session, beast_id: int, *where: object) -> Iterator[Event]:
    """A beast's events, in the chain's order."""
    e = EventRow
    stored = session.scalars(
        select(e)
        .where(e.beast_id == beast_id, *where)  # type: ignore[arg-type]
        .order_by(e.block_number, e.log_index)
    )
    for one in stored:
        event = services.chain.decode(stored_log(one))
        if event is not None:
            yield event


def _reward(
    services: Services, session: Session, beast_id: int, taken: Event, held: StakeReward
) -> Reward:
    """What became of the shares of the stake: the next event that ends a reward of it tells."""
    if held.filing + held.proof == 0:
        return "none"
    e = EventRow
    later = or_(
        e.block_number > taken.block_number,
        (e.block_number == taken.block_number) & (e.log_index > taken.log_index),
    )
    for event in _events(services, session, beast_id, later, e.name.in_(REWARD_ENDS)):
        if event.args["trainer"] == taken.args["trainer"]:
            return REWARD_ENDS[event.name]
    return "held"


def _voided(session: Session, row: DisputeRow, block: int) -> int:
    c = CheckpointRow
    found = session.scalar(
        select(func.count())
        .where(c.beast_id == row.beast_id, c.status == CheckpointStatus.VOID)
        .where(c.settled_block == block, c.generation == row.generation)
    )
    return found or 0
