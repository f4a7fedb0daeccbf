"""What everything about matches shares: the chain, its database, published states.

Nothing here decides or sends anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainbeasts.backend.battle.logs import MatchLogs, parse_peers
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import MatchResult
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.indexer.queries import (
    beasts_with_final_checkpoints,
    live_checkpoints,
    match_row,
)
from chainbeasts.backend.indexer.workspace import Workspace, open_index
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.matches import MatchRow
from chainbeasts.backend.store.snapshots import SnapshotStore, reading_store
from chainbeasts.backend.store.words import record_of_match

ROLE = "arena"
LOOK = "See: chainbeasts battle list"


class MissingStateError(ChainBeastsError):
    """The state that a beast fights with is not at hand."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a record says: who won, and the word before each activation."""

    result: MatchResult
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArenaWorkspace(Workspace):
    """One home's view of one deployment's arena.

    Attributes:
        snapshots: published states, by state hash.
        logs: of matches that are recorded.
    """

    snapshots: SnapshotStore
    logs: MatchLogs

    def checkpoint(self, beast_id: int, index: int | None = None, *, final: bool) -> CheckpointRow:
        """A standing checkpoint, as last synced; the latest one if no index is given.

        Args:
            final: only final ones will do, as on chain.

        Raises:
            ChainBeastsError: the beast has not hatched, or has no such checkpoint.
        """
        self.chain.birth(beast_id)
        with self.database.session() as session:
            live = list(live_checkpoints(session, beast_id))
        rows = [row for row in live if row.status == CheckpointStatus.FINAL or not final]
        if index is None and rows:
            return rows[-1]
        found = next((row for row in rows if row.index == index), None)
        if found is not None:
            return found
        list_ = f"chainbeasts checkpoint list {beast_id}"
        if index is None:
            if not live:
                raise ChainBeastsError(
                    f"Beast {beast_id} has no checkpoint yet, so it has no final one.",
                    f"Train it first: chainbeasts trainer run {beast_id} --windows 1",
                )
            raise ChainBeastsError(
                f"Beast {beast_id} has no final checkpoint; its {len(live)} are still pending.",
                f"Wait for the challenge period: chainbeasts checkpoint finalize {beast_id}",
            )
        if any(row.index == index for row in live):
            raise ChainBeastsError(
                f"Checkpoint {index} of beast {beast_id} is not final.",
                f"Beasts fight with final checkpoints: {list_}",
            )
        raise ChainBeastsError(
            f"Beast {beast_id} has no checkpoint {index}.", f"List them: {list_}"
        )

    def final_beasts(self) -> list[int]:
        """The beasts that have a final checkpoint, as last synced."""
        with self.database.session() as session:
            return beasts_with_final_checkpoints(session)

    def state(self, beast_id: int, h: bytes) -> State:
        """The state of a hash: published at one of the places, or on chain.

        Raises:
            MissingStateError: it is not at hand.
        """
        state = self.snapshots.get(h)
        if state is None:
            with self.database.session() as session:
                state = published_state(session, h)
        if state is None:
            raise MissingStateError(
                f"The state 0x{h.hex()} that beast {beast_id} fights with is not in "
                f"{self.snapshots.folder}.",
                "Name a place where its trainer publishes states: --snapshots PLACE",
            )
        return state

    def fighter(self, beast_id: int, h: bytes) -> Fighter:
        """A beast with the state of a hash.

        Raises:
            MissingStateError: the state is not at hand.
        """
        return Fighter.of(self.chain.birth(beast_id).dna, self.state(beast_id, h))

    def match(self, match_id: int) -> MatchRow:
        """A match, as last synced.

        Raises:
            ChainBeastsError: there is none of that number.
        """
        with self.database.session() as session:
            row = match_row(session, match_id)
        if row is None:
            raise ChainBeastsError(f"There is no match {match_id}.", LOOK)
        return row

    def record(self, match_id: int) -> Record | None:
        """The record of a match that stands or is final, as last synced; None if there is none.

        Raises:
            MissingLogError: its log is not at hand.
        """
        with self.database.session() as session:
            row = record_of_match(session, match_id)
        if row is None:
            return None
        return Record(MatchResult[row.result.upper()], self.logs.words(match_id))


def open_workspace(
    settings: Settings, chain: Chain, snapshots: Sequence[str] = ()
) -> ArenaWorkspace:
    """Open the arena's database and folders.

    Args:
        snapshots: places that publish states, read besides ``snapshots`` under home.

    Raises:
        ChainBeastsError: the database cannot be opened, or a place is none.
    """
    index = open_index(settings, chain, ROLE)
    return ArenaWorkspace(
        index.chain,
        index.database,
        index.indexer,
        index.lock,
        reading_store(settings.snapshots_dir, snapshots),
        MatchLogs(index.database, parse_peers(settings.peers)),
    )
