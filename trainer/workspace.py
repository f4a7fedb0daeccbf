"""What the trainer's daemons and commands share: chain, database, published states, private files.

Nothing here decides or sends anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from chainbeasts.backend.battle.logs import MatchLogs, MissingLogError, parse_peers
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import MatchStatus
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.locks import Locks, pending_locks
from chainbeasts.backend.indexer.openness import Openness, openness
from chainbeasts.backend.indexer.queries import all_checkpoints, live_checkpoints
from chainbeasts.backend.indexer.workspace import Workspace, open_index
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.facts import CheckpointRow, StakeRow
from chainbeasts.backend.store.private import PrivateDataset, load_private, private_folder
from chainbeasts.backend.store.snapshots import SnapshotStore, publishing_store


@dataclass(frozen=True, slots=True)
class HeldStake:
    """A trainer's stake on a beast, wei of native coin.

    Attributes:
        withdrawable_at: unix second from which it may leave; None: not announced.
    """

    trainer: str
    amount: int
    withdrawable_at: int | None


@dataclass(frozen=True, slots=True)
class TrainerWorkspace(Workspace):
    """A trainer's home.

    Attributes:
        snapshots: published states, by state hash.
        logs: logs of matches.
    """

    snapshots: SnapshotStore
    home: Path
    logs: MatchLogs

    def private_folder(self, beast_id: int) -> Path:
        """Where this home keeps a beast's private files."""
        return private_folder(self.home, self.chain.deployment.chain_id, beast_id)

    def private_data(self, beast_id: int) -> PrivateDataset:
        """A beast's private dataset, checked against its commitments.

        Raises:
            ChainBeastsError: the beast has none, or the files are missing or other ones.
        """
        committed = self.chain.commitments(beast_id)
        if not committed:
            raise ChainBeastsError(
                f"Beast {beast_id} was hatched without a private dataset.",
                "Use --source curriculum or self-play.",
            )
        return load_private(self.private_folder(beast_id), committed)

    def match_log(self, match_id: int) -> tuple[int, ...]:
        """The log of a final match.

        Raises:
            ChainBeastsError: there is no such match, it is not final, or its log is not at hand.
        """
        status = self.chain.match(match_id).status
        if status is not MatchStatus.FINAL:
            none = status is MatchStatus.NONE
            raise ChainBeastsError(
                f"There is no match {match_id}."
                if none
                else f"Match {match_id} is {status.name.lower()}; only final ones are trained on.",
                "See: chainbeasts battle list",
            )
        try:
            return self.logs.words(match_id)
        except MissingLogError:
            self.sync()
            return self.logs.words(match_id)

    def live(self, beast_id: int) -> list[CheckpointRow]:
        """A beast's standing checkpoints from index 0 to its head, as last synced."""
        with self.database.session() as session:
            return list(live_checkpoints(session, beast_id))

    def ever(self, beast_id: int) -> list[CheckpointRow]:
        """Every checkpoint that a beast ever had, as last synced, in order of submission."""
        with self.database.session() as session:
            return list(all_checkpoints(session, beast_id))

    def staked(self, account: str) -> list[int]:
        """Beasts on which an account has a stake, as last synced."""
        wanted = select(StakeRow.beast_id).where(StakeRow.trainer == account, StakeRow.amount != 0)
        with self.database.session() as session:
            return sorted(session.scalars(wanted))

    def stakes(self, beast_id: int) -> list[HeldStake]:
        """What stands on a beast, by trainer, as last synced."""
        wanted = select(StakeRow).where(StakeRow.beast_id == beast_id, StakeRow.amount != 0)
        with self.database.session() as session:
            rows = session.scalars(wanted.order_by(StakeRow.trainer)).all()
            return [HeldStake(row.trainer, row.amount, row.withdrawable_at or None) for row in rows]

    def locks(self, beast_id: int) -> Locks:
        """What a beast's pending windows have locked, as last synced."""
        with self.database.session() as session:
            return pending_locks(
                session, beast_id, lambda season: self.chain.season(season).economics
            )

    def openness(self, beast_id: int) -> Openness:
        """How much of a beast's training anybody can compute again, as last synced."""
        with self.database.session() as session:
            return openness(session, beast_id)


def open_workspace(
    settings: Settings, chain: Chain, *, snapshots: Sequence[str] = ()
) -> TrainerWorkspace:
    """Open the trainer's database and folders.

    Args:
        snapshots: where states are published, and further places that are read; ``snapshots``
            under home if none is given.

    Raises:
        ChainBeastsError: the database cannot be opened, or the first place not be written.
    """
    index = open_index(settings, chain, "trainer")
    return TrainerWorkspace(
        index.chain,
        index.database,
        index.indexer,
        index.lock,
        publishing_store(settings.snapshots_dir, snapshots),
        settings.home,
        MatchLogs(index.database, parse_peers(settings.peers)),
    )
