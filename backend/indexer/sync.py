"""Reads blocks and events by number and hash, and takes back what a reorg took back.

Each range is one transaction that begins by looking whether the database still ends where the range
starts. So a process may be killed at any instant, several may feed one database, and each event is
applied once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError, NoResultFound

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError
from chainbeasts.backend.chain.providers import is_loopback
from chainbeasts.backend.indexer.completeness import Completeness
from chainbeasts.backend.indexer.errors import IncompleteLogsError, MovedError
from chainbeasts.backend.indexer.ranges import MAX_RANGE, RangeSizer
from chainbeasts.backend.indexer.reader import Batch, RangeReader
from chainbeasts.backend.indexer.rollback import find_fork, forget
from chainbeasts.backend.indexer.source import LOCK, bind
from chainbeasts.backend.indexer.writing import ANCHOR_EVERY, KEPT_HEADERS, Tip, read_tip, write
from chainbeasts.backend.store.session import Database

log = structlog.get_logger()

PATIENCE_SECONDS = 60.0
"""How long a distant node may lag behind before its shorter chain is taken for the true one."""

MOVES = 8
"""Times in a row that the chain may change under a pass before the node is blamed."""

MENDS = 8
"""Times in a pass that blocks are read again for events that the node had left out."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one pass did.

    Attributes:
        head: the node's latest block that has enough confirmations.
        indexed_to: last block in the database.
        rolled_back: blocks that were taken back by reorgs.
        events: events applied.
        mended: times that blocks were read again since the node had left events out.
        gaps: counters of the contracts that what was read still contradicts.
    """

    head: int
    indexed_to: int
    rolled_back: int
    events: int
    mended: int = 0
    gaps: int = 0


@dataclass(slots=True)
class _Pass:
    """How one pass goes.

    Attributes:
        latest: the node's newest block, looked up once, so that a pass ends however fast the chain
            grows.
        backfilled: blocks were read of which not every header was.
    """

    latest: int
    rolled_back: int = 0
    applied: int = 0
    mended: int = 0
    backfilled: bool = False


class Indexer:
    """Follows one deployment into one database.

    Args:
        confirmations: blocks on top of one before it is read.
        largest_range: most blocks asked for at once.
        patience: seconds that a node may be behind the database before its shorter chain is
            believed; by default none for a node on this machine, a minute for a distant one, which
            may be many behind one name.
    """

    def __init__(
        self,
        chain: Chain,
        database: Database,
        confirmations: int = 0,
        *,
        largest_range: int = MAX_RANGE,
        patience: float | None = None,
    ) -> None:
        self.chain = chain
        self.database = database
        self.confirmations = confirmations
        local = is_loopback(chain.rpc_url)
        self._patience = patience if patience is not None else (0 if local else PATIENCE_SECONDS)
        self._sizer = RangeSizer(largest_range)
        self._reader = RangeReader(chain)
        self._completeness = Completeness(chain, database)
        self._behind_since: float | None = None
        self._bound = False

    def sync(self) -> SyncReport:
        """Bring the database up to the chain's present head.

        Raises:
            WrongChainError: the node, or the database, belongs to another chain or deployment.
            IncompleteLogsError: the node leaves events out.
            ChainError: the node is away, or its answers do not fit together.
        """
        self.chain.check()  # an endpoint may lead to another chain today than yesterday
        if not self._bound:
            bind(self.database, self.chain.deployment)
            self._bound = True
        reading = _Pass(latest=self.chain.block().number)
        reading.rolled_back = self._roll_back(reading.latest)
        self._read_on(reading)
        if self._completeness.look(everything=reading.backfilled):
            self._mend(reading)
        return SyncReport(
            head=reading.latest - self.confirmations,
            indexed_to=self._tip().number,
            rolled_back=reading.rolled_back,
            events=reading.applied,
            mended=reading.mended,
            gaps=len(self._completeness.gaps),
        )

    def _read_on(self, reading: _Pass) -> None:
        """Read to the head of the pass."""
        moves = 0
        while (tip := self._tip()).number < reading.latest - self.confirmations:
            try:
                reading.applied += self._advance(tip, reading)
                moves = 0
            except MovedError:
                moves += 1
                log.info("the chain changed while it was read", after=tip.number)
                if moves == MOVES:
                    raise ChainError(
                        f"The node's answers after block {tip.number} do not fit together.",
                        "Try another node with --rpc-url.",
                    ) from None
                reading.latest = self.chain.block().number
                reading.rolled_back += self._roll_back(reading.latest)
            except IncompleteLogsError:
                # An event that must come before was left out of what has been read.
                if not self._read_again(reading, self.chain.deployment.start_block):
                    raise

    def _mend(self, reading: _Pass) -> None:
        """Read again what the contracts' counters show to be missing, as far as the node has it."""
        while self._read_again(reading):
            self._read_on(reading)
            if not self._completeness.look_again():
                return

    def _read_again(self, reading: _Pass, since: int | None = None) -> bool:
        """Take back what follows an event that was left out; whether there is one.

        Args:
            since: see ``Completeness.first_missing``.
        """
        tip = self._tip()
        if reading.mended == MENDS or tip.hash is None:
            return False
        first = self._completeness.first_missing(tip.number, since, begun=reading.mended > 0)
        if first is None or not self._take_back(tip, first):
            return False
        reading.mended += 1
        log.warning("the node had left events out; reading again", from_block=first)
        return True

    # --- reading on -----------------------------------------------------------------------------

    def _advance(self, tip: Tip, reading: _Pass) -> int:
        """Read and apply one range; the number of events, 0 where it must be asked again."""
        start, head = tip.number + 1, reading.latest - self.confirmations
        newest = head - KEPT_HEADERS + 1  # from here on every header is read and kept
        end = self._end(start, head, newest)
        try:
            batch = self._reader.read(tip.hash, start, end, every=start >= newest)
            written = self._write(tip, batch)
        except NodeUnavailableError as error:
            self.chain.block()  # raises if it is away; else this was too much for it
            return self._ask_less(end - tip.number, error)
        except ChainError as error:
            return self._ask_less(end - tip.number, error)
        reading.backfilled |= start < newest
        self._sizer.answered(end - tip.number, len(batch.events))
        return len(batch.events) if written else 0

    def _end(self, start: int, head: int, newest: int) -> int:
        """The range's last block: old and newest blocks apart, old ranges up to an anchor."""
        end = min(start + self._sizer.size - 1, head)
        if start >= newest:
            return end
        end = min(end, newest - 1)
        anchor = end - end % ANCHOR_EVERY
        return anchor if anchor >= start else end

    def _ask_less(self, asked: int, error: ChainError) -> int:
        if not self._sizer.refused(asked):
            raise error
        log.info("range refused, asking for less", blocks=self._sizer.size, reason=error.message)
        return 0

    def _write(self, tip: Tip, batch: Batch) -> bool:
        """Apply a range in one transaction; False if another process was first.

        Raises:
            IncompleteLogsError: the events do not follow from what was read before.
        """
        # The batch was read with no transaction open, on top of ``tip``. Under the lock the
        # database either still ends there, by number and hash, or the batch is thrown away: so no
        # event is applied twice, and none on a branch that was taken back. A crash leaves all of it
        # or none.
        try:
            with self.database.exclusive(LOCK) as session:
                if read_tip(session, self.chain.deployment.start_block) != tip:
                    log.debug("another process reads these blocks", after=tip.number)
                    return False
                write(session, tip, batch)
        except (NoResultFound, IntegrityError) as error:
            raise IncompleteLogsError(
                f"what follows block {tip.number} contradicts it ({type(error).__name__})"
            ) from None
        return True

    def _tip(self) -> Tip:
        with self.database.session() as session:
            return read_tip(session, self.chain.deployment.start_block)

    # --- reorgs ---------------------------------------------------------------------------------

    def _roll_back(self, latest: int) -> int:
        """Take back every block that is no longer the chain's; returns how many."""
        tip = self._tip()
        if tip.hash is None:
            return 0
        # The node is asked first and the database locked after: no lock waits for a node.
        fork = find_fork(self.chain, self.database, min(tip.number, latest))
        if latest >= tip.number and not fork.conflict:
            self._behind_since = None
            return 0
        # A shorter chain is no proof. One name may lead to several nodes, of which this one is
        # late: rolled back, moves that stand would look unmade. Another hash at a stored height is
        # proof.
        if not fork.conflict and fork.common is not None and self._may_lag():
            log.info("the node is behind the database", node=latest, database=tip.number)
            return 0
        self._behind_since = None
        start_block = self.chain.deployment.start_block
        first = start_block if fork.common is None else fork.common + 1
        if not self._take_back(tip, first):
            return 0
        log.warning("reorg", from_block=first, blocks=tip.number - first + 1)
        return tip.number - first + 1

    def _take_back(self, tip: Tip, first: int) -> bool:
        """Forget all since a block; False if another process has, or reads on."""
        with self.database.exclusive(LOCK) as session:
            if read_tip(session, self.chain.deployment.start_block) != tip:
                return False
            forget(session, self.chain, first)
        return True

    def _may_lag(self) -> bool:
        """Whether a node whose chain is the beginning of ours is given more time to grow."""
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        return now - self._behind_since < self._patience
