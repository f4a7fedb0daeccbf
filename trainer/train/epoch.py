"""From one window's start to the next one's, and what windows of several sources start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chainbeasts.backend.chain.types import Head
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import WindowContext
from chainbeasts.trainer.plan.sources import TrainingSource, source_id_of
from chainbeasts.trainer.submit.window import TrainedWindow
from chainbeasts.trainer.train.windows import WindowStart


@dataclass(frozen=True, slots=True)
class EpochContext:
    """What the windows of one epoch are computed with.

    Attributes:
        contexts: by source.
        words: the records of sources that read some.
    """

    beast_id: int
    contexts: Mapping[TrainingSource, WindowContext]
    words: Mapping[TrainingSource, Sequence[int]]

    def window_start(self, head: Head, state: State, source: TrainingSource) -> WindowStart:
        """Where a window of the epoch starts."""
        words, source_id = self.words.get(source), source_id_of(source)
        return WindowStart(self.beast_id, head, state, self.contexts[source], words, source_id)


def head_after(head: Head, window: TrainedWindow) -> Head:
    """The head once a window of the same epoch is submitted."""
    return replace(
        head,
        h128=window.h128,
        head_count=window.index + 1,
        active_mask=window.payload.active_mask,
    )
