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
        self._balance = self.gauge("native_balance", "Native coin of the account, in whole coins.")
        self._openings = self.gauge(
            "payable_openings", "Disputes whose openings that coin can pay at present fees."
        )

    def waiting(self, disputes: int) -> None:
        """So many disputes of ours have no answer yet."""
        self._unanswered.set(disputes)

    def funds(self, balance: int, openings: int) -> None:
        """The account has that many wei, enough for the openings of so many disputes."""
        self._balance.set(balance / 10**18)
        self._openings.set(openings)
