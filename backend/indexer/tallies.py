"""What beasts are sorted by: how many windows of each stand, and what was spent on them.

Counted as windows come and fall, and counted back by a reorg, so that no list adds up history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.store.facts import BeastRow, CheckpointRow

MICRO = 10**12
"""Wei of a millionth of ENERGY."""

_GROW = (
    update(BeastRow.__table__)  # type: ignore[arg-type]
    .where(BeastRow.beast_id == bindparam("beast"))
    .values(windows=bindparam("count"), spent_micro=BeastRow.spent_micro + bindparam("more"))
)
_SET = (
    update(BeastRow.__table__)  # type: ignore[arg-type]
    .where(BeastRow.beast_id == bindparam("beast"))
    .values(windows=bindparam("count"), spent_micro=bindparam("spent"))
)


def count_in(session: Session, checkpoints: Iterable[Mapping[str, Any]]) -> None:
    """Count submitted checkpoints, given as rows in the order of their submission."""
    windows: dict[int, int] = {}
    spent: defaultdict[int, int] = defaultdict(int)
    for row in checkpoints:
        windows[row["beast_id"]] = row["index"] + 1
        spent[row["beast_id"]] += row["energy_burn"] // MICRO
    session.flush()  # a beast of the same blocks may not have its row yet
    session.connection().execute(
        _GROW,
        [
            {"beast": beast, "count": count, "more": spent[beast]}
            for beast, count in windows.items()
        ],
    )
    for beast in windows:
        known = session.identity_map.get(session.identity_key(BeastRow, beast))
        if known is not None:
            session.expire(known, ["windows", "spent_micro"])


def spent_since(session: Session, first: int) -> Mapping[int, int]:
    """What was spent on each beast from a block on, in millionths."""
    c = CheckpointRow
    found = session.execute(
        select(c.beast_id, c.energy_burn, func.count())
        .where(c.block_number >= first)
        .group_by(c.beast_id, c.energy_burn)
    )
    spent: defaultdict[int, int] = defaultdict(int)
    for beast, burn, count in found:
        spent[beast] += burn // MICRO * count
    return spent


def spent_on(session: Session, beasts: Collection[int]) -> Mapping[int, int]:
    """What was ever spent on some beasts, in millionths."""
    found = select(BeastRow.beast_id, BeastRow.spent_micro).where(BeastRow.beast_id.in_(beasts))
    return {row.beast_id: row.spent_micro for row in session.execute(found)}


def count_back(session: Session, spent: Mapping[int, int]) -> None:
    """Set the tallies of beasts whose rows were made anew, once their checkpoints are right.

    Args:
        spent: on each of them, in millionths.
    """
    c = CheckpointRow
    if not spent:
        return
    last = select(c.beast_id, func.max(c.index)).where(c.status.in_(LIVE))
    found = session.execute(last.where(c.beast_id.in_(spent)).group_by(c.beast_id))
    heads = {row[0]: row[1] + 1 for row in found}
    session.connection().execute(
        _SET,
        [
            {"beast": beast, "count": heads.get(beast, 0), "spent": micro}
            for beast, micro in spent.items()
        ],
    )
    session.expire_all()
