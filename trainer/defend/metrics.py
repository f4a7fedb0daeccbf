"""The figures of one defender."""

from __future__ import annotations

from chainbeasts.backend.monitoring.health import AccountHealth


class DefenderMetrics(AccountHealth):
    """What a defender reports besides what all daemons do; its disputes are those it answers."""

    def __init__(self) -> None:
        super().__init__("defender")
        self._unanswered = self.gauge(
            "unanswered_disputes", "Disputes of ours that wait for an answer."
        )
        self._openings = self.gauge(
            "payable_openings", "Disputes whose openings that coin can pay at present fees."
        )

    def waiting(self, disputes: int) -> None:
        """So many disputes of ours have no answer yet."""
        self._unanswered.set(disputes)

    def payable(self, openings: int) -> None:
        """The account's native coin pays for the openings of so many disputes."""
        self._openings.set(openings)
