"""Beasts and checkpoints as answers: a fixed number of queries for any number of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Beast, Checkpoint, Openness, Rating, Source, Stats
from chainbeasts.backend.indexer import openness as public
from chainbeasts.backend.indexer.openness import Lineages
from chainbeasts.backend.indexer.queries import LIVE, OPEN
from chainbeasts.backend.kernel import samples
from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.facts import (
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
)

SOURCES: tuple[Source, ...] = ("curriculum", "self_play", "battle", "private")


@dataclass
class _Tally:
    """What a beast's checkpoints add up to; ``last`` is the row of the last live one, 0 if none."""

    by_status: Counter[CheckpointStatus] = field(default_factory=Counter)
    spent: int = 0
    locked: int = 0
    private: bool = False
    last: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a beast stands after its last live checkpoint, or at its birth."""

    state: bytes
    active_mask: int
    loss: int | None
    submitted_at: int | None
    epoch: int
    season: int


def beast_answers(
    session: Session, rows: Sequence[BeastRow], ratings: Mapping[int, Rating]
) -> list[Beast]:
    """The answers for beasts, in the order given."""
    ids = [row.beast_id for row in rows]
    tallies = _tallies(session, ids)
    heads = _heads(session, [tallies[one].last for one in ids])
    disputed, lineages = _disputed(session, ids), Lineages(session, ids)
    return [
        _beast(
            row,
            tallies[row.beast_id],
            heads.get(row.beast_id) or _newborn(row),
            disputed[row.beast_id],
            lineages.openness(row.beast_id),
            ratings.get(row.beast_id),
        )
        for row in rows
    ]


def where_it_stands(session: Session, row: BeastRow) -> tuple[Standing, int]:
    """A beast's head, and the number of its live checkpoints."""
    tally = _tallies(session, [row.beast_id])[row.beast_id]
    head = _heads(session, [tally.last]).get(row.beast_id) or _newborn(row)
    return head, sum(tally.by_status[status] for status in LIVE)


def _beast(
    row: BeastRow,
    tally: _Tally,
    head: Standing,
    disputed: int,
    lineage: public.Openness,
    rating: Rating | None,
) -> Beast:
    stats, by_status = stats_from_dna(row.dna), tally.by_status
    pending, final = by_status[CheckpointStatus.PENDING], by_status[CheckpointStatus.FINAL]
    return Beast(
        id=row.beast_id,
        name=nickname(row.dna),
        owner=row.owner,
        dna=row.dna,
        stats=Stats(power=stats.power, defense=stats.defense, hp=stats.hp, stamina=stats.stamina),
        epoch=head.epoch,
        season=head.season,
        hatched_block=row.block_number,
        head=head.state,
        head_count=pending + final,
        final_count=final,
        pending_count=pending,
        disputed_count=disputed,
        slashed_count=by_status[CheckpointStatus.SLASHED],
        void_count=by_status[CheckpointStatus.VOID],
        active_mask=head.active_mask,
        energy_spent=tally.spent,
        energy_locked=tally.locked,
        last_loss=None if head.loss is None else head.loss / WINDOW_STEPS,
        last_submitted=head.submitted_at,
        private=tally.private,
        openness=Openness(
            replayable=lineage.replayable, opened=lineage.opened, unopened=lineage.unopened
        ),
        believed_since=lineage.believed_since,
        rating=rating,
    )


def _tallies(session: Session, ids: Sequence[int]) -> Mapping[int, _Tally]:
    """Counts and sums. Amounts are decimal digits in the database and few differ: added up here."""
    c = CheckpointRow
    found = session.execute(
        select(c.beast_id, c.status, c.source, c.energy_burn, c.bond, func.count(), func.max(c.id))
        .where(c.beast_id.in_(ids))
        .group_by(c.beast_id, c.status, c.source, c.energy_burn, c.bond)
    )
    tallies: defaultdict[int, _Tally] = defaultdict(_Tally)
    for beast_id, status, source, burn, bond, count, last in found:
        tally = tallies[beast_id]
        tally.by_status[CheckpointStatus(status)] += count
        tally.spent += burn * count
        tally.private |= source == samples.Source.PRIVATE
        if status == CheckpointStatus.PENDING:
            tally.locked += (burn + bond) * count
        if status in LIVE:
            tally.last = max(tally.last, last)  # rows are added in the chain's order
    return tallies


def _heads(session: Session, rows: Sequence[int]) -> Mapping[int, Standing]:
    """Where beasts stand, from the rows of their last live checkpoints.

    The present epoch is the last window's, or the next one if that window completed it. (An epoch
    that a slashing took back may still be on record: it began at another index.)
    """
    c, e = CheckpointRow, EpochRow
    completed = and_(e.beast_id == c.beast_id, e.epoch == c.epoch + 1, e.start_index == c.index + 1)
    found = session.execute(
        select(
            c.beast_id, c.h128, c.active_mask, c.window_loss, c.submitted_at,
            func.coalesce(e.epoch, c.epoch), func.coalesce(e.season, c.season),
        )
        .outerjoin(e, completed)
        .where(c.id.in_(rows))
    )  # fmt: skip
    return {row[0]: Standing(*row[1:]) for row in found}


def _newborn(row: BeastRow) -> Standing:
    return Standing(row.dna, genesis_mask(row.dna), None, None, 0, row.season)


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
    lineages = Lineages(session, (row.beast_id for row in rows))
    dnas = dnas_of(session, {row.beast_id for row in rows})
    return [
        _checkpoint(row, dnas[row.beast_id], disputes.get(key_of(row)), lineages, periods)
        for row in rows
    ]


def dnas_of(session: Session, beasts: Collection[int]) -> Mapping[int, bytes]:
    """The DNAs of some beasts."""
    found = select(BeastRow.beast_id, BeastRow.dna).where(BeastRow.beast_id.in_(beasts))
    return {row.beast_id: row.dna for row in session.execute(found)}


def key_of(row: CheckpointRow | DisputeRow) -> Key:
    """What names one submission for ever."""
    return row.beast_id, row.index, row.generation


def _checkpoint(
    row: CheckpointRow,
    dna: bytes,
    dispute: DisputeRow | None,
    lineages: Lineages,
    periods: Mapping[int, int],
) -> Checkpoint:
    disputed = dispute is not None and dispute.status in OPEN
    pending = row.status == CheckpointStatus.PENDING
    state = "disputed" if disputed else "proven" if row.proven else "pending"
    return Checkpoint(
        beast=row.beast_id,
        dna=dna,
        index=row.index,
        generation=row.generation,
        state=state if pending else str(row.status),  # type: ignore[arg-type]
        proven=row.proven,
        openness=str(lineages.of(row.beast_id, row.index, row.parent, row.source)),  # type: ignore[arg-type]
        h128=row.h128,
        parent=row.parent,
        epoch=row.epoch,
        global_step=row.global_step,
        loss=row.window_loss / WINDOW_STEPS,
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
    d = DisputeRow
    pairs = {(row.beast_id, row.index) for row in rows}
    found = session.scalars(
        select(d).where(tuple_(d.beast_id, d.index).in_(pairs)).order_by(d.dispute_id)
    )
    return {key_of(row): row for row in found}
