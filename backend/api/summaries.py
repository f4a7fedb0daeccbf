"""Beasts and checkpoints as answers: a fixed number of queries for any number of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.orm import Session

from backend.api.models import Beast, Checkpoint, Rating, Source, Stats
from backend.indexer.queries import LIVE, OPEN
from backend.kernel import samples
from backend.kernel.combat import stats_from_dna
from backend.kernel.genesis import genesis_mask
from backend.store.facts import (
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
    EventRow,
)

SOURCES: tuple[Source, ...] = ("curriculum", "self_play", "battle", "private")
REVEALED = ("PrivateDatasetRevealed",)


@dataclass
class _Tally:
    """What a beast's checkpoints add up to."""

    by_status: Counter[CheckpointStatus] = field(default_factory=Counter)
    spent: int = 0
    locked: int = 0
    private: bool = False

    @property
    def head_count(self) -> int:
        return self.by_status[CheckpointStatus.PENDING] + self.by_status[CheckpointStatus.FINAL]


def beast_answers(
    session: Session, rows: Sequence[BeastRow], ratings: Mapping[int, Rating]
) -> list[Beast]:
    """The answers for beasts, in the order given."""
    ids = [row.beast_id for row in rows]
    tallies = _tallies(session, ids)
    heads = _heads(session, ids)
    epochs = _epochs(session, rows, tallies, heads)
    disputed = _disputed(session, ids)
    return [
        _beast(
            row,
            tallies[row.beast_id],
            heads.get(row.beast_id),
            epochs[row.beast_id],
            disputed[row.beast_id],
            ratings.get(row.beast_id),
        )
        for row in rows
    ]


def _beast(
    row: BeastRow,
    tally: _Tally,
    head: CheckpointRow | None,
    epoch: tuple[int, int],
    disputed: int,
    rating: Rating | None,
) -> Beast:
    stats, by_status = stats_from_dna(row.dna), tally.by_status
    return Beast(
        id=row.beast_id,
        owner=row.owner,
        dna=row.dna,
        stats=Stats(power=stats.power, defense=stats.defense, hp=stats.hp, stamina=stats.stamina),
        epoch=epoch[0],
        season=epoch[1],
        hatched_block=row.block_number,
        head=row.dna if head is None else head.h128,
        head_count=tally.head_count,
        final_count=by_status[CheckpointStatus.FINAL],
        pending_count=by_status[CheckpointStatus.PENDING],
        disputed_count=disputed,
        slashed_count=by_status[CheckpointStatus.SLASHED],
        void_count=by_status[CheckpointStatus.VOID],
        active_mask=genesis_mask(row.dna) if head is None else head.active_mask,
        energy_spent=tally.spent,
        energy_locked=tally.locked,
        last_loss=None if head is None else head.window_loss,
        last_submitted=None if head is None else head.submitted_at,
        private=tally.private,
        rating=rating,
    )


def _tallies(session: Session, ids: Sequence[int]) -> Mapping[int, _Tally]:
    """Counts and sums. Amounts are decimal digits in the database and few differ: added up here."""
    c = CheckpointRow
    found = session.execute(
        select(c.beast_id, c.status, c.source, c.energy_burn, c.bond, func.count())
        .where(c.beast_id.in_(ids))
        .group_by(c.beast_id, c.status, c.source, c.energy_burn, c.bond)
    )
    tallies: defaultdict[int, _Tally] = defaultdict(_Tally)
    for beast_id, status, source, burn, bond, count in found:
        tally = tallies[beast_id]
        tally.by_status[CheckpointStatus(status)] += count
        tally.spent += burn * count
        tally.private |= source == samples.Source.PRIVATE
        if status == CheckpointStatus.PENDING:
            tally.locked += (burn + bond) * count
    return tallies


def _heads(session: Session, ids: Sequence[int]) -> Mapping[int, CheckpointRow]:
    """Each beast's last live checkpoint."""
    c = CheckpointRow
    last = (
        select(c.beast_id, func.max(c.index).label("index"))
        .where(c.beast_id.in_(ids), c.status.in_(LIVE))
        .group_by(c.beast_id)
        .subquery()
    )
    found = session.scalars(
        select(c).join(last, and_(c.beast_id == last.c.beast_id, c.index == last.c.index))
    )
    return {row.beast_id: row for row in found if row.status in LIVE}


def _epochs(
    session: Session,
    rows: Sequence[BeastRow],
    tallies: Mapping[int, _Tally],
    heads: Mapping[int, CheckpointRow],
) -> Mapping[int, tuple[int, int]]:
    """Each beast's present epoch and its season: the last window's, or the one it completed."""
    e, found = EpochRow, {row.beast_id: (0, row.season) for row in rows}
    found |= {beast_id: (head.epoch, head.season) for beast_id, head in heads.items()}
    following = [(beast_id, head.epoch + 1) for beast_id, head in heads.items()]
    if following:
        begun = session.scalars(select(e).where(tuple_(e.beast_id, e.epoch).in_(following)))
        for row in begun:
            # An epoch that began before a slashing may have been told of too early.
            if row.start_index == tallies[row.beast_id].head_count:
                found[row.beast_id] = row.epoch, row.season
    return found


def _disputed(session: Session, ids: Sequence[int]) -> Mapping[int, int]:
    """How many pending checkpoints of each beast are in an open dispute."""
    c, d = CheckpointRow, DisputeRow
    found = session.execute(
        select(c.beast_id, func.count(c.id.distinct()))
        .join(
            d,
            and_(d.beast_id == c.beast_id, d.index == c.index, d.generation == c.generation),
        )
        .where(d.beast_id.in_(ids), d.status.in_(OPEN), c.status == CheckpointStatus.PENDING)
        .group_by(c.beast_id)
    )
    return Counter({row[0]: row[1] for row in found})


# --- checkpoints --------------------------------------------------------------------------------

Key = tuple[int, int, int]


def checkpoint_answers(
    session: Session, rows: Sequence[CheckpointRow], periods: Mapping[int, int]
) -> list[Checkpoint]:
    """The answers for checkpoints, in the order given.

    Args:
        periods: challenge period in seconds by season.
    """
    disputes = _latest_disputes(session, rows)
    private = {row.beast_id for row in rows if row.source == samples.Source.PRIVATE}
    revealed = _revealed(session, private)
    return [
        _checkpoint(row, disputes.get(key_of(row)), row.beast_id in revealed, periods)
        for row in rows
    ]


def key_of(row: CheckpointRow | DisputeRow) -> Key:
    """What names one submission for ever."""
    return row.beast_id, row.index, row.generation


def _checkpoint(
    row: CheckpointRow, dispute: DisputeRow | None, revealed: bool, periods: Mapping[int, int]
) -> Checkpoint:
    disputed = dispute is not None and dispute.status in OPEN
    pending = row.status == CheckpointStatus.PENDING
    replayable = row.source != samples.Source.PRIVATE or revealed
    state = "disputed" if disputed else "proven" if row.proven else "pending"
    return Checkpoint(
        beast=row.beast_id,
        index=row.index,
        generation=row.generation,
        state=state if pending else str(row.status),  # type: ignore[arg-type]
        proven=row.proven,
        audit="full" if replayable else "light",
        h128=row.h128,
        parent=row.parent,
        epoch=row.epoch,
        global_step=row.global_step,
        loss=row.window_loss,
        loss_drop=row.loss_drop,
        energy_burn=row.energy_burn,
        bond=row.bond,
        lr_shift=row.lr_shift,
        active_mask=row.active_mask,
        source=SOURCES[row.source],
        source_id=row.source_id,
        season=row.season,
        trainer=row.trainer,
        submitted_at=row.submitted_at,
        final_from=row.submitted_at + periods[row.season],
        settled_block=row.settled_block,
        dispute=None if dispute is None else dispute.dispute_id,
        block=row.block_number,
        tx=row.tx_hash,
    )


def _latest_disputes(session: Session, rows: Sequence[CheckpointRow]) -> Mapping[Key, DisputeRow]:
    """The latest dispute about each of some checkpoints that has had one."""
    if not rows:
        return {}
    indices = [row.index for row in rows]
    d = DisputeRow
    found = session.scalars(
        select(d)
        .where(d.beast_id.in_({row.beast_id for row in rows}))
        .where(d.index.between(min(indices), max(indices)))
        .order_by(d.dispute_id)
    )
    return {key_of(row): row for row in found}


def _revealed(session: Session, beasts: set[int]) -> set[int]:
    """Which of some beasts' datasets a dispute has made public."""
    if not beasts:
        return set()
    e = EventRow
    found = select(e.beast_id).where(e.beast_id.in_(beasts), e.name.in_(REVEALED)).distinct()
    return {one for one in session.scalars(found) if one is not None}
