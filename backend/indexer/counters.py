"""Compares what was read with what the contracts themselves count.

A node may leave out events of any age and look well: its other answers fit together. The counters
are in the contracts' storage, so an answer without an event contradicts them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.types import Head
from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.indexer.writing import Tip, read_tip
from chainbeasts.backend.store.facts import (
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EventRow,
)
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.matches import MatchRow
from chainbeasts.backend.store.session import Database

CONNECTIONS = 8
REQUESTED = "HatchRequested"
UNKNOWN_BEAST = "UnknownBeast"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the contracts have and that was not read.

    Attributes:
        name: of what is incomplete, such as ``disputes`` or ``beast 7``.
        what: what was read, and what the contracts say.
        since: the first block that it may be in.
    """

    name: str
    what: str
    since: int


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Things that a contract numbers from 1 on, each told of by an event."""

    name: str
    counted: Callable[[Chain], Any]
    read: Select[*tuple[Any, ...]]
    """Number and block of each."""


_NUMBERED = (
    _Numbered(
        "beasts",
        lambda chain: chain.beasts.functions.lastBeastId(),
        select(EventRow.beast_id, EventRow.block_number).where(EventRow.name == REQUESTED),
    ),
    _Numbered(
        "disputes",
        lambda chain: chain.court.functions.disputeCount(),
        select(DisputeRow.dispute_id, DisputeRow.block_number),
    ),
    _Numbered(
        "matches",
        lambda chain: chain.arena.functions.matchCount(),
        select(MatchRow.match_id, MatchRow.block_number),
    ),
    _Numbered(
        "seasons",
        lambda chain: chain.seasons.functions.currentSeason(),
        select(SeasonRow.season, SeasonRow.block_number),
    ),
)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a beast stands, as ledger and vault count it and as the events add up.

    Attributes:
        disputes: that have not ended.
    """

    submitted: int = 0
    final: int = 0
    slashings: int = 0
    disputes: int = 0

    @classmethod
    def of(cls, head: Head, disputes: int) -> _Standing:
        return cls(head.head_count, head.final_count, head.generation, disputes)

    def __str__(self) -> str:
        counts = f"{self.submitted} windows, {self.final} final, {self.slashings} slashings"
        return f"{counts}, {self.disputes} open disputes"


class Counters:
    """The counters of one deployment, and what one database has of each."""

    def __init__(self, chain: Chain, database: Database) -> None:
        self._chain = chain
        self._database = database
        self._start = chain.deployment.start_block

    def beasts(self) -> list[int]:
        """The beasts that were asked for, hatched or not."""
        with self._database.session() as session:
            found = select(EventRow.beast_id).where(EventRow.name == REQUESTED).distinct()
            return sorted(beast for beast in session.scalars(found) if beast is not None)

    def numbered(self) -> list[Gap] | None:
        """What is missing of the things that are numbered.

        Returns:
            None if the chain changed meanwhile.

        Raises:
            ChainError: the node does not answer, or no longer has the state of that block.
        """
        with self._database.reading() as session:
            tip = read_tip(session, self._start)
            sizes = [session.scalar(_size(one)) or 0 for one in _NUMBERED]
        if tip.hash is None:
            return []
        found = []
        for one, size in zip(_NUMBERED, sizes, strict=True):
            count = int(self._chain.call(one.counted(self._chain), tip.number))
            if count != size:
                found.append((one, size, count))
        if not self._unmoved(tip):
            return None
        return [self._numbered_gap(*gap) for gap in found]

    def standings(self, beasts: Collection[int]) -> list[Gap] | None:
        """What is missing of some beasts; else like ``numbered``."""
        wanted = sorted(beasts)
        with self._database.reading() as session:
            tip = read_tip(session, self._start)
            hatched = _hatched(session, wanted)
            disputed = _disputed(session, wanted)
            read = _standings(session, wanted, disputed)
        if tip.hash is None:
            return []
        answers = self._ask(wanted, hatched, disputed, tip.number)
        if not self._unmoved(tip):
            return None
        gaps = []
        for beast_id, told in zip(wanted, answers, strict=True):
            name, since, known = f"beast {beast_id}", hatched.get(beast_id), read.get(beast_id)
            if since is None:
                if told is not None:
                    gaps.append(Gap(name, "it hatched, unseen", self._start))
            elif told != (known or _Standing()):
                what = f"{known or _Standing()} were read, the contracts have {told}"
                gaps.append(Gap(name, what, since))
        return gaps

    def _told(self, beast_id: int, hatched: bool, disputed: bool, block: int) -> _Standing | None:
        """Where a beast stands; None if it was never born, which is asked of those alone that are
        not known to be.

        Args:
            disputed: an open dispute was read, so the vault is asked whether its end was not. One
                that was not read at all is missing among the disputes that are numbered.
        """
        chain = self._chain
        if not hatched:
            try:
                chain.call(chain.beasts.functions.birthOf(beast_id), block)
            except Reverted as error:
                if error.name != UNKNOWN_BEAST:
                    raise
                return None  # asked for, and not hatched in that block
        head = Head.from_abi(chain.call(chain.ledger.functions.head(beast_id), block))
        asked = chain.vault.functions.openDisputesOf(beast_id)
        return _Standing.of(head, int(chain.call(asked, block)) if disputed else 0)

    def _numbered_gap(self, one: _Numbered, size: int, count: int) -> Gap:
        """With the block of the last thing before the first that is missing."""
        with self._database.session() as session:
            blocks = {int(n): int(block) for n, block in session.execute(one.read)}
        missing = next((n for n in range(1, count + 1) if n not in blocks), count + 1)
        since = blocks.get(missing - 1, self._start)
        return Gap(one.name, f"{size} were read, the contract counts {count}", since)

    def _ask(
        self,
        beasts: Sequence[int],
        hatched: Collection[int],
        disputed: Collection[int],
        block: int,
    ) -> list[_Standing | None]:
        def told(beast_id: int) -> _Standing | None:
            return self._told(beast_id, beast_id in hatched, beast_id in disputed, block)

        if len(beasts) <= 2:
            return [told(beast_id) for beast_id in beasts]
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="counters") as pool:
            return list(pool.map(told, beasts))

    def _unmoved(self, tip: Tip) -> bool:
        """Whether the block that was asked about is still the one that the database ends with."""
        return self._chain.block(tip.number).hash == tip.hash


def _size(one: _Numbered) -> Select[int]:
    return select(func.count()).select_from(one.read.subquery())


def _hatched(session: Session, beasts: Sequence[int]) -> dict[int, int]:
    """The blocks in which beasts hatched."""
    wanted = select(BeastRow.beast_id, BeastRow.block_number).where(BeastRow.beast_id.in_(beasts))
    return {int(beast): int(block) for beast, block in session.execute(wanted)}


def _disputed(session: Session, beasts: Sequence[int]) -> dict[int, int]:
    """How many open disputes were read, of beasts that have some."""
    wanted = (
        select(DisputeRow.beast_id, func.count())
        .where(DisputeRow.beast_id.in_(beasts), DisputeRow.status.in_(OPEN))
        .group_by(DisputeRow.beast_id)
    )
    return {int(beast): int(count) for beast, count in session.execute(wanted)}


def _standings(
    session: Session, beasts: Sequence[int], disputed: Mapping[int, int]
) -> dict[int, _Standing]:
    counts: dict[int, dict[str, int]] = {}
    wanted = (
        select(CheckpointRow.beast_id, CheckpointRow.status, func.count())
        .where(CheckpointRow.beast_id.in_(beasts))
        .group_by(CheckpointRow.beast_id, CheckpointRow.status)
    )
    for beast_id, status, count in session.execute(wanted):
        counts.setdefault(int(beast_id), {})[CheckpointStatus(status)] = int(count)
    return {
        beast_id: _Standing(
            by.get(CheckpointStatus.PENDING, 0) + by.get(CheckpointStatus.FINAL, 0),
            by.get(CheckpointStatus.FINAL, 0),
            by.get(CheckpointStatus.SLASHED, 0),
            disputed.get(beast_id, 0),
        )
        for beast_id, by in counts.items()
    }
