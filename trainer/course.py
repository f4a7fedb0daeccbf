"""From one window's bench to the next one's, and what windows of several sources start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.chain.types import Head
from backend.kernel.samples import Source
from backend.kernel.state import State
from backend.kernel.window import WindowContext
from trainer.windows import Bench, TrainedWindow


@dataclass(frozen=True, slots=True)
class Ground:
    """What the windows of one epoch are computed with.

    Attributes:
        contexts: by source.
        words: the private records, for PRIVATE windows.
    """

    beast_id: int
    contexts: Mapping[Source, WindowContext]
    words: Sequence[int] | None = None

    def bench(self, head: Head, state: State, source: Source) -> Bench:
        """The bench of a window of the epoch."""
        words = self.words if source is Source.PRIVATE else None
        return Bench(self.beast_id, head, state, self.contexts[source], words)


def head_after(head: Head, window: TrainedWindow) -> Head:
    """The head once a window of the same epoch is submitted."""
    return replace(
        head,
        h128=window.h128,
        head_count=window.index + 1,
        active_mask=window.payload.active_mask,
    )
