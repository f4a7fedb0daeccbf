"""What the events of the sale, and the burns of hatches, mean for the tables.

One function per event, and what they add up to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.store.energy import EnergySaleRow, HatchRequestRow
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.matches import MatchRow


@dataclass(frozen=True, slots=True)
class EnergyTotals:
    """What was sold, burned and earned so far; ``paid`` in wei of native coin, all else of ENERGY.

    Attributes:
        hatching, training: burned by requests to hatch, and by windows that became final.
        rewards: credited for matches, claimed or not.
    """

    sold: int
    paid: int
    hatching: int
    training: int
    rewards: int


def energy_totals(session: Session) -> EnergyTotals:
    """The totals, as last synced."""
    sale, match = EnergySaleRow, MatchRow
    final = CheckpointRow.status == CheckpointStatus.FINAL
    rewards = sum(_total(session, column) for column in (match.reward_a, match.reward_b))
    return EnergyTotals(
        sold=_total(session, sale.bought),
        paid=_total(session, sale.paid),
        hatching=_total(session, HatchRequestRow.cost),
        training=_total(session, CheckpointRow.energy_burn, final),
        rewards=rewards,
    )


def _total(session: Session, amount: InstrumentedAttribute[int], *where: Any) -> int:
    """Amounts are decimal digits in the database and few differ: added up here."""
    found = select(amount, func.count()).where(*where).group_by(amount)
    return sum(wei * count for wei, count in session.execute(found))


def _bought(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        EnergySaleRow(
            block_number=event.block_number,
            log_index=event.log_index,
            buyer=args["buyer"],
            receiver=args["to"],
            paid=int(args["paid"]),
            bought=int(args["out"]),
            season=int(args["season"]),
            tx_hash=event.tx_hash,
        )
    )


def _requested(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        HatchRequestRow(
            beast_id=int(args["beastId"]),
            requester=args["requester"],
            season=int(args["season"]),
            cost=int(args["cost"]),
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


ENERGY_HANDLERS: Handlers = {
    ("EnergySale", "EnergyBought"): _bought,
    ("Beasts", "HatchRequested"): _requested,
}
"""One row each, which goes with its block."""
