"""A checkpoint with everything needed to judge it and to act on it, read from database and chain.

Judges nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import NO_CHECKPOINT, Checkpoint, Commitments, Season
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.queries import LIVE, OPEN, all_checkpoints, open_disputes
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.window import WindowContext, genesis_hash
from chainbeasts.backend.store.columns import given_pairs, listed_pairs
from chainbeasts.backend.store.daemons import JobRow, Mode, Verdict
from chainbeasts.backend.store.facts import (
    BeastRow,
    BlockRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
)
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.words import record_of_match
from chainbeasts.validator.judge.replay import loss_drop_agrees

_PAYLOAD = "(uint32,bytes32,uint128,uint8,uint8,uint32,uint32,uint8,uint32)"
_RECORD = f"(uint32,uint32,bytes32,{_PAYLOAD},uint16,address,uint64,uint128,uint128)"

_COLUMNS = tuple(CheckpointRow.__table__.c.keys())

MOST_BEASTS = 16_384
"""Beasts whose commitments are remembered: each that is forgotten is asked for in every pass."""


@dataclass(frozen=True, slots=True)
class Case:
    """One submitted checkpoint.

    Attributes:
        digest: 32 bytes; names this record on this chain for ever.
        parent: the checkpoint before, zeros for index 0 (where the contracts ignore it).
        dna: the beast's, 32 bytes.
        epoch_seed: of the window's epoch when it was submitted, 32 bytes.
    """

    beast_id: int
    checkpoint: Checkpoint
    parent: Checkpoint
    digest: bytes
    dna: bytes
    epoch_seed: bytes
    loss_drop: bool
    proven: bool
    status: CheckpointStatus

    @property
    def index(self) -> int:
        return self.checkpoint.index

    @property
    def pending(self) -> bool:
        return self.status is CheckpointStatus.PENDING

    @property
    def disputable(self) -> bool:
        """Pending, and not proven on chain."""
        return self.pending and not self.proven

    @property
    def private(self) -> bool:
        return self.checkpoint.payload.source is Source.PRIVATE

    @property
    def match_id(self) -> int | None:
        """The match that a BATTLE window trains on; None for other sources."""
        payload = self.checkpoint.payload
        return payload.source_id if payload.source is Source.BATTLE else None

    @property
    def parent_hash(self) -> bytes:
        """What the header of a state within this window must call its parent."""
        if self.index == 0:
            return genesis_hash(self.beast_id, self.dna)
        return self.checkpoint.parent


@lru_cache(maxsize=4_096)
def digest_of(chain_id: int, ledger: str, beast_id: int, checkpoint: Checkpoint) -> bytes:
    """``keccak256(abi.encode(chainid, ledger, beastId, checkpoint))``, the ledger's name for it."""
    values = (chain_id, ledger, beast_id, checkpoint.to_abi())
    return bytes(keccak(encode(["uint256", "address", "uint256", _RECORD], values)))


@dataclass(frozen=True, slots=True)
class Found:
    """A case with what is on record about it; ``verdict`` is None before there is any."""

    case: Case
    verdict: Verdict | None
    mode: Mode | None
    reason: str

    @property
    def right(self) -> bool:
        """Recomputed and right: nothing about it can change any more."""
        return (self.verdict, self.mode) == (Verdict.VALID, Mode.FULL)


class CaseReader:
    """Reads cases of one deployment."""

    def __init__(self, chain: Chain, database: Database) -> None:
        self.chain = chain
        self.database = database
        self._season = lru_cache(maxsize=64)(chain.season)
        self._commitments = lru_cache(maxsize=MOST_BEASTS)(chain.commitments)

    # --- cases ----------------------------------------------------------------------------------

    def live(self, beast_id: int, start: int = 0, count: int | None = None) -> list[Case]:
        """A beast's standing checkpoints, pending and final, in order.

        Args:
            start: index of the first.
            count: no more than these many; all up to its head if not given.
        """
        with self.database.session() as session:
            found = (
                select(CheckpointRow)
                .where(
                    CheckpointRow.beast_id == beast_id,
                    CheckpointRow.status.in_(LIVE),
                    CheckpointRow.index >= start - 1,  # with the parent of the first
                )
                .order_by(CheckpointRow.index)
                .limit(None if count is None else count + (start > 0))
            )
            cases = self._cases(session, beast_id, session.scalars(found).all())
        return cases[1:] if start else cases

    def slices(self, starts: Mapping[int, int], count: int) -> dict[int, list[Found]]:
        """Standing checkpoints of many beasts with their verdicts, of each in order; one statement.

        Args:
            starts: of each beast the first index.
            count: indices of each beast.
        """
        row, job = CheckpointRow.__table__.c, JobRow.__table__.c
        wanted = listed_pairs(self.database.engine.dialect.name, "beast_id", "start")
        asked = (
            select(CheckpointRow.__table__, BeastRow.dna, job.verdict, job.mode, job.reason)
            .select_from(wanted)
            .join(CheckpointRow.__table__, row.beast_id == wanted.c.beast_id)
            .join(BeastRow, BeastRow.beast_id == wanted.c.beast_id)
            .outerjoin(JobRow.__table__, job.digest == row.digest)
            .where(
                row.index >= wanted.c.start - 1,  # with the parent of the first
                row.index < wanted.c.start + count,
                row.status.in_(LIVE),
            )
            .order_by(row.beast_id, row.index)
        )
        found: dict[int, list[Found]] = {beast_id: [] for beast_id in starts}
        beast, parent = 0, NO_CHECKPOINT
        with self.database.session() as session:
            told = session.execute(asked, given_pairs(starts.items()))
            for *columns, dna, verdict, mode, reason in told:
                # No ORM object for each: they cost more than all else that is done here.
                one: Any = SimpleNamespace(**dict(zip(_COLUMNS, columns, strict=True)))
                record = checkpoint_of(one)
                if one.beast_id != beast:
                    beast, parent = one.beast_id, NO_CHECKPOINT
                if record.index >= starts[beast]:
                    known = None if verdict is None else Verdict(verdict)
                    how = None if mode is None else Mode(mode)
                    case = self._case(one, record, parent, dna)
                    found[beast].append(Found(case, known, how, reason or ""))
                parent = record
        return found

    def pending(self, beast_id: int) -> list[Case]:
        """A beast's pending checkpoints, in order; the final ones before them are not read."""
        mine = CheckpointRow.beast_id == beast_id
        first = select(func.min(CheckpointRow.index)).where(
            mine, CheckpointRow.status == CheckpointStatus.PENDING
        )
        with self.database.session() as session:
            start = session.scalar(first)
            if start is None:
                return []
            rows = session.scalars(
                select(CheckpointRow)
                .where(mine, CheckpointRow.status.in_(LIVE), CheckpointRow.index >= start - 1)
                .order_by(CheckpointRow.index)
            ).all()
            return [case for case in self._cases(session, beast_id, rows) if case.pending]

    def find(self, beast_id: int, index: int) -> Case:
        """The latest checkpoint at an index: the standing one if there is one.

        Raises:
            ChainBeastsError: there never was one.
        """
        with self.database.session() as session:
            rows = [row for row in all_checkpoints(session, beast_id) if row.index == index]
        if not rows:
            raise ChainBeastsError(
                f"Beast {beast_id} has no checkpoint {index}.",
                f"List them: chainbeasts checkpoint list {beast_id}",
            )
        return self.lineage(rows[-1])[-1]

    def of_dispute(self, row: DisputeRow) -> Case:
        """The checkpoint that a dispute is about, standing or not."""
        # With its parent alone: a beast may have thousands of checkpoints, and this is every pass.
        mine = select(CheckpointRow).where(CheckpointRow.beast_id == row.beast_id)
        at = mine.where(CheckpointRow.index == row.index)
        with self.database.session() as session:
            found = session.scalars(at.where(CheckpointRow.generation == row.generation)).one()
            parent = session.scalar(
                mine.where(CheckpointRow.index == found.index - 1, CheckpointRow.id < found.id)
                .where(CheckpointRow.h128 == found.parent)
                .order_by(CheckpointRow.id.desc())
                .limit(1)
            )
            rows = [found] if parent is None else [parent, found]
            return self._cases(session, row.beast_id, rows)[-1]

    def lineage(self, last: CheckpointRow) -> list[Case]:
        """A checkpoint, standing or not, after all those that it was built on, from index 0."""
        with self.database.session() as session:
            rows = [r for r in all_checkpoints(session, last.beast_id) if r.id <= last.id]
            chain = [last]
            for row in reversed(rows):
                if row.index == chain[-1].index - 1 and row.h128 == chain[-1].parent:
                    chain.append(row)
            return self._cases(session, last.beast_id, chain[::-1])

    def ancestors(self, case: Case) -> list[Case]:
        """The checkpoints that a case was built on, from index 0."""
        with self.database.session() as session:
            rows = all_checkpoints(session, case.beast_id)
        key = (case.index, case.checkpoint.generation)
        return self.lineage(next(r for r in rows if (r.index, r.generation) == key))[:-1]

    def block_seconds(self, blocks: int) -> float:
        """Seconds between two blocks, over the last ones that were read; 0 if there is but one."""
        newest = select(BlockRow).order_by(BlockRow.number.desc()).limit(1)
        with self.database.session() as session:
            last = session.scalar(newest)
            if last is None:
                return 0.0
            first = session.scalar(
                select(BlockRow)
                .where(BlockRow.number >= last.number - blocks)
                .order_by(BlockRow.number)
                .limit(1)
            )
        assert first is not None
        passed = last.number - first.number
        return (last.timestamp - first.timestamp) / passed if passed else 0.0

    def owner(self, beast_id: int) -> str:
        """Who owns a beast now."""
        with self.database.session() as session:
            return str(session.get_one(BeastRow, beast_id).owner)

    def hatched(self) -> list[int]:
        """All beasts."""
        with self.database.session() as session:
            return list(session.scalars(select(BeastRow.beast_id).order_by(BeastRow.beast_id)))

    def pending_beasts(self) -> list[int]:
        """The beasts that have pending checkpoints."""
        pending = select(CheckpointRow.beast_id).where(
            CheckpointRow.status == CheckpointStatus.PENDING
        )
        with self.database.session() as session:
            return list(session.scalars(pending.distinct().order_by(CheckpointRow.beast_id)))

    def _cases(self, session: Session, beast_id: int, rows: Sequence[CheckpointRow]) -> list[Case]:
        if not rows:
            return []
        beast = session.get_one(BeastRow, beast_id)
        cases = []
        parent = NO_CHECKPOINT
        for row in rows:
            record = checkpoint_of(row)
            cases.append(self._case(row, record, parent, beast.dna))
            parent = record
        return cases

    @staticmethod
    def _case(row: Any, record: Checkpoint, parent: Checkpoint, dna: bytes) -> Case:
        return Case(
            beast_id=row.beast_id,
            checkpoint=record,
            parent=parent if record.index else NO_CHECKPOINT,
            digest=row.digest,
            dna=dna,
            epoch_seed=row.epoch_seed,
            loss_drop=row.loss_drop,
            proven=row.proven,
            status=CheckpointStatus(row.status),
        )

    # --- disputes -------------------------------------------------------------------------------

    def dispute(self, dispute_id: int) -> DisputeRow:
        """A dispute's row.

        Raises:
            ChainBeastsError: there is no such dispute.
        """
        with self.database.session() as session:
            row = session.get(DisputeRow, dispute_id)
        if row is None:
            raise ChainBeastsError(
                f"There is no dispute {dispute_id}.", "See: chainbeasts dispute list"
            )
        return row

    def disputes_over(self, digest: bytes) -> list[DisputeRow]:
        """All disputes over one record, oldest first."""
        with self.database.session() as session:
            return list(
                session.scalars(
                    select(DisputeRow)
                    .where(DisputeRow.digest == digest)
                    .order_by(DisputeRow.dispute_id)
                )
            )

    def open_disputes(self) -> list[DisputeRow]:
        """Every dispute that has not ended, oldest first."""
        with self.database.session() as session:
            return list(open_disputes(session))

    def open_dispute(self, digest: bytes) -> DisputeRow | None:
        """The open dispute over a record."""
        rows = [row for row in self.disputes_over(digest) if row.status in OPEN]
        return rows[-1] if rows else None

    # --- what the window is computed with -------------------------------------------------------

    def season(self, number: int) -> Season:
        """A season; they never change."""
        return self._season(number)

    def commitments(self, beast_id: int) -> Commitments:
        """A beast's commitments; they never change."""
        return self._commitments(beast_id)

    def loss_drop_agrees(self, case: Case) -> bool:
        """Whether a case's loss-drop flag follows from its payload and its parent's."""
        heads = self.season(case.checkpoint.season).schedule.heads
        epochs = (case.checkpoint.payload.epoch, case.parent.payload.epoch)
        unlocked = (heads(epochs[0]), heads(epochs[1]))
        return loss_drop_agrees(case.checkpoint, case.parent, unlocked, case.loss_drop)

    def context(self, case: Case, owner_secret_fold: int = 0) -> WindowContext:
        """The context that our replay uses, from indexed facts.

        Args:
            owner_secret_fold: of a private window, as far as it is known.
        """
        payload = case.checkpoint.payload
        season = self.season(case.checkpoint.season)
        root, length = self._records(case)
        return WindowContext(
            dna=case.dna,
            epoch_seed=case.epoch_seed,
            heads=season.schedule.heads(payload.epoch),
            lr_shift=payload.lr_shift,
            source=payload.source,
            rules=season.rules,
            owner_secret_fold=owner_secret_fold,
            records_root=root,
            records_length=length,
        )

    def _records(self, case: Case) -> tuple[bytes, int]:
        """Root and length of what a window reads; zeros if it reads nothing."""
        if case.match_id is not None:
            with self.database.session() as session:
                record = record_of_match(session, case.match_id)
            if record is None:  # the ledger took the window, so the node left events out
                raise IncompleteLogsError(f"match {case.match_id} has no record")
            return record.log_root, record.turns
        committed = self.commitments(case.beast_id) if case.private else Commitments()
        return committed.records_root, committed.dataset_length

    def court_agrees(self, case: Case, context: WindowContext) -> bool:
        """Whether the court would judge the window by the same context as our replay."""
        return court_agrees(self.chain, case.beast_id, case.checkpoint, context)


def court_agrees(
    chain: Chain, beast_id: int, checkpoint: Checkpoint, context: WindowContext
) -> bool:
    """Whether the court would judge a window by this context.

    The secret's fold is compared only once the court knows it.
    """
    call = chain.windows.functions.contextOf(beast_id, checkpoint.to_abi())
    dna, seed, heads, shift, source, fold, root, length, rules = chain.call(call)
    ours = (context.dna, context.epoch_seed, context.heads, context.lr_shift)
    ours_records = (int(context.source), context.records_root, context.records_length)
    return (
        (bytes(dna), bytes(seed), heads, shift) == ours
        and (source, bytes(root), length) == ours_records
        and tuple(rules) == context.rules.values()
        and fold in (0, context.owner_secret_fold)
    )
