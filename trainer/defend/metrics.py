"""The figures of one defender."""

from __future__ import annotations

from backend.monitoring.health import Health


class DefenderMetrics(Health):
    """What a defender reports besides what all daemons do; its disputes are those it answers."""

    def __init__(self) -> None:
        super().__init__("defender")
        self._unanswered = self.gauge(
            "unanswered_disputes", "Disputes of ours that wait for an answer."
        )

    def waiting(self, disputes: int) -> None:
        """So many disputes of ours have no answer yet."""
        self._unanswered.set(disputes)
