"""What a dispute over a window of ours asks to be opened, and the calls that open it.

Nothing is sent from here. All of a dispute's openings are put together before the first is made:
one that cannot be made loses the dispute, and the owner's secret would have been told for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.chain.types import Opening, header_to_abi, openings_of
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.kernel.state import State, serialize_weights
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.trainer.train.states import parent_state, recompute_segments
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import TrainerWorkspace


class UnanswerableError(ChainBeastsError):
    """The window is not on record, and trained again it ends elsewhere: there is no answer."""


@dataclass(frozen=True, slots=True)
class OpeningCall:
    """One opening, ready to be sent."""

    opening: Opening
    call: Any


class Opener:
    """Puts the openings of disputes together, from the store, the snapshots and the dataset."""

    def __init__(self, workspace: TrainerWorkspace, store: WindowStore) -> None:
        self._workspace = workspace
        self._store = store
        self._unanswerable: set[bytes] = set()

    def calls(self, dispute_id: int, row: CheckpointRow, missing: int) -> list[OpeningCall]:
        """Everything that the dispute still lacks, what lies in an archive already left out.

        Raises:
            UnanswerableError: the window was not honest, and what it was is not on record.
            ChainBeastsError: a state or the dataset is not at hand.
        """
        return list(self._calls(dispute_id, row, missing))

    def _calls(self, dispute_id: int, row: CheckpointRow, missing: int) -> Iterator[OpeningCall]:
        chain, beast = self._workspace.chain, row.beast_id
        # The segments first: they are what the trainer alone can open.
        for opening in openings_of(missing):
            match opening:
                case Opening.SEGMENTS:
                    place = (dispute_id, beast, checkpoint_of(row).to_abi())
                    call = chain.court.functions.openSegments(*place, self._segments(row))
                case Opening.STATE:
                    if self.is_published(row, opening):
                        continue
                    state = self._start(row)
                    call = chain.states.functions.publish(
                        header_to_abi(state.header), serialize_weights(state.weights)
                    )
                case Opening.RECORDS:
                    if self.is_published(row, opening):
                        continue
                    dataset = self._workspace.private_data(beast)
                    made = records_opening(dataset, chain.birth(beast).dna, row.index)
                    call = chain.records.functions.publish(beast, row.index, *made.arguments())
            yield OpeningCall(opening, call)

    def is_published(self, row: CheckpointRow, opening: Opening) -> bool:
        """Whether an archive has a publication that a dispute filed now or before can rely on."""
        chain = self._workspace.chain
        if opening is Opening.STATE:
            publication = chain.state_publication(row.parent)
        else:
            _, publication = chain.records_publication(row.beast_id, row.index)
        age = chain.season(row.season).economics.publication_age
        now = chain.now()
        return bool(publication.in_time(now, now, age))

    def _segments(self, row: CheckpointRow) -> list[bytes]:
        """The window's segment hashes: from the store, else trained again."""
        stored = self._store.segments(row.h128)
        if stored is not None:
            return stored
        segments = None
        if row.h128 not in self._unanswerable:
            segments = recompute_segments(self._workspace, row)
        if segments is None:
            # It would come out the same each time; what is only missing raises and is sought anew.
            self._unanswerable.add(row.h128)
            raise UnanswerableError(
                "The window is not on record, and trained again it ends elsewhere."
            )
        return segments

    def _start(self, row: CheckpointRow) -> State:
        """The state that the window starts from."""
        before = self._workspace.live(row.beast_id)[: row.index]
        return parent_state(self._workspace, row.beast_id, before)
