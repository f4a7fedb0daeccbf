"""What a beast's pending windows have locked, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.prices import latest_finality
from chainbeasts.backend.chain.types import Economics
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus


@dataclass(frozen=True, slots=True)
class Locks:
    """Price and bond of pending windows; the times are unix seconds, None without windows.

    Attributes:
        energy: wei of ENERGY.
        first_at: from then on the first of them may be final, if nobody disputes it.
        last_at: the same of the last.
        last_at_most: by then the last can be final, whatever is disputed.
    """

    windows: int = 0
    energy: int = 0
    first_at: int | None = None
    last_at: int | None = None
    last_at_most: int | None = None


def pending_locks(
    session: Session, beast_id: int, economics_of: Callable[[int], Economics]
) -> Locks:
    """A beast's locks, as last synced.

    Args:
        economics_of: a season's.
    """
    c = CheckpointRow
    # Amounts are decimal digits in the database and few differ: added up here.
    found = session.execute(
        select(
            c.season, c.energy_burn, c.bond,
            func.count(), func.min(c.submitted_at), func.max(c.submitted_at),
        )
        .where(c.beast_id == beast_id, c.status == CheckpointStatus.PENDING)
        .group_by(c.season, c.energy_burn, c.bond)
    ).all()  # fmt: skip
    if not found:
        return Locks()
    terms = {row[0]: economics_of(row[0]) for row in found}
    return Locks(
        windows=sum(row[3] for row in found),
        energy=sum((row[1] + row[2]) * row[3] for row in found),
        first_at=min(row[4] + terms[row[0]].challenge_period for row in found),
        last_at=max(row[5] + terms[row[0]].challenge_period for row in found),
        last_at_most=max(row[5] + latest_finality(terms[row[0]]) for row in found),
    )
