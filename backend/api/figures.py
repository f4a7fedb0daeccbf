"""What trainers tell of their windows, as far as the chain bears it out.

Whoever reaches the metrics server can say anything about any beast. So a message counts only once
the index has the window that it is about, with this step and this loss; until then it waits. What
the chain cannot tell, such as the share of right moves, stays the word of whoever sent it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from chainbeasts.backend.api.cursors import LARGEST
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.backend.store.facts import CheckpointRow

Window = tuple[int, int]
"""A beast and the index of its checkpoint."""

KEPT_WINDOWS = 1000
KEPT_BEASTS = 200
WAITING_WINDOWS = 2000
VERSIONS = 16
"""Messages about one window that wait for the chain to say which of them is right."""

UNVERIFIED = ("run", "source", "move_accuracy", "attack_mae", "block_accuracy", "energy")
"""Fields of a message that the chain does not bear out."""

PATIENCE_SECONDS = 600.0
"""How long a message waits for its window to be indexed."""

_AT_ONCE = 500


def losses(session: Session, windows: Collection[Window]) -> dict[Window, tuple[int, int]]:
    """Step and loss of those of some windows that the index has."""
    c = CheckpointRow
    wanted: list[Window] = list(windows)
    found: dict[Window, tuple[int, int]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        chosen = tuple_(c.beast_id, c.index).in_(wanted[start : start + _AT_ONCE])
        rows = select(c.beast_id, c.index, c.global_step, c.window_loss).where(
            chosen, c.status.in_(LIVE)
        )
        for beast, index, step, loss in session.execute(rows):
            found[beast, index] = step, loss
    return found


class Figures:
    """The messages that wait for the chain, and the last ones of each beast that it bears out."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Window, tuple[float, deque[TrainingMetrics]]] = OrderedDict()
        self._kept: OrderedDict[int, OrderedDict[int, TrainingMetrics]] = OrderedDict()

    @property
    def waiting(self) -> list[Window]:
        """The windows that are to be looked up."""
        return list(self._waiting)

    def of(self, beast: int | None) -> list[TrainingMetrics]:
        """What is kept of a beast, of all of them if None; the oldest window first."""
        chosen = list(self._kept) if beast is None else [beast]
        return [message for one in chosen for _, message in sorted(self._kept.get(one, {}).items())]

    def take(self, message: TrainingMetrics, now: float) -> None:
        """Let a message wait, if it is about a window at all."""
        if message.window is None or message.steps != WINDOW_STEPS:
            return
        if not 0 < message.beast <= LARGEST:
            return
        window = message.beast, message.window
        _, versions = self._waiting.get(window, (now, deque(maxlen=VERSIONS)))
        if message not in versions:
            versions.append(message)
        self._waiting[window] = now + PATIENCE_SECONDS, versions
        if len(self._waiting) > WAITING_WINDOWS:
            self._waiting.popitem(last=False)

    def confirm(self, found: Mapping[Window, tuple[int, int]], now: float) -> list[TrainingMetrics]:
        """The messages that prove right, in the order in which their windows were heard of.

        Args:
            found: what `losses` says of waiting windows.
        """
        right = []
        for window in list(self._waiting):
            until, versions = self._waiting[window]
            if window in found or until < now:
                del self._waiting[window]
            if window in found:
                right += self._first_right(window, versions, *found[window])
        return right

    def _first_right(
        self, window: Window, versions: Iterable[TrainingMetrics], step: int, loss: int
    ) -> list[TrainingMetrics]:
        """The first of some messages that the chain bears out, unless one was kept before."""
        beast, index = window
        kept = self._kept.setdefault(beast, OrderedDict())
        self._kept.move_to_end(beast)
        if len(self._kept) > KEPT_BEASTS:
            self._kept.popitem(last=False)
        exact = loss / WINDOW_STEPS
        before = kept.get(index)
        if before is not None and (before.step, before.loss) == (step, exact):
            return []
        for message in versions:
            if message.step == step and abs(message.loss * WINDOW_STEPS - loss) < 0.5:
                told = message.model_copy(update={"loss": exact})
                kept[index] = told
                if len(kept) > KEPT_WINDOWS:
                    del kept[min(kept)]
                return [told]
        return []
