"""The figures of one validator. Amounts are in ENERGY, as floats that only people read."""

from __future__ import annotations

import math
from collections.abc import Mapping

from prometheus_client import Histogram

from chainbeasts.backend.monitoring.health import AccountHealth

VERDICTS = ("waiting", "valid", "invalid", "unavailable")
BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class ValidatorMetrics(AccountHealth):
    """What a validator reports besides what all daemons do."""

    def __init__(self) -> None:
        super().__init__("validator")
        self._jobs = self.gauge("jobs", "Windows by verdict.", ["verdict"])
        self._matches = self.gauge("match_jobs", "Records of matches by verdict.", ["verdict"])
        self._unjudged = self.gauge(
            "unjudged_matches", "Records that may still be disproved and have no verdict."
        )
        self._at_risk = self.gauge("bonds_at_risk_energy", "Bonds in our open disputes.")
        self._cap = self.gauge("bonds_cap_energy", "Most that may be at risk (--max-bonds).")
        self._cap.set(math.inf)
        self._overdue = self.gauge(
            "overdue_windows", "Windows without a verdict after half of their challenge period."
        )
        self._unverified = self.gauge(
            "unverified_windows", "Windows that became final before they had a verdict here."
        )
        self._unverified_matches = self.gauge(
            "unverified_matches", "Records of matches that became final before they had a verdict."
        )
        self._wrong = self.gauge(
            "wrong_final_windows", "Wrong windows that stand and that nobody can dispute any more."
        )
        self._wrong_matches = self.gauge(
            "wrong_final_matches", "Wrong records of matches that are final."
        )
        self._refused = self.gauge(
            "refused_moves", "Cases whose next move is refused: bond cap, no funds, or the court."
        )
        self._timelock = self.gauge(
            "timelock_operations",
            "Operations that wait in the timelock: to add a season, or to do something else.",
            ["kind"],
        )
        self._payable = self.gauge(
            "payable_filings", "Disputes that the account's coin can pay to file at present fees."
        )
        self._payable.set(math.nan)  # a validator that only watches has no account
        self._replay = Histogram(
            "chainbeasts_validator_replay_seconds",
            "Time of a batch of replays by the number of its windows, once for each of them.",
            registry=self.registry,
            buckets=BUCKETS,
        )

    def counted(self, jobs: Mapping[str, int], matches: Mapping[str, int] | None = None) -> None:
        """So many windows, and so many records of matches, have each verdict."""
        for verdict in VERDICTS:
            self._jobs.labels(verdict).set(jobs.get(verdict, 0))
            self._matches.labels(verdict).set((matches or {}).get(verdict, 0))

    def alarmed(self, overdue: int, unverified: int, unjudged: int = 0) -> None:
        """So many windows have waited too long for a verdict, and so many waited in vain.

        Args:
            unjudged: records of matches that wait for one.
        """
        self._overdue.set(overdue)
        self._unverified.set(unverified)
        self._unjudged.set(unjudged)

    def beyond_dispute(self, windows: int, matches: int, unverified_matches: int) -> None:
        """So many windows, and records of matches, are wrong and stand for good.

        Args:
            unverified_matches: records that became final without a verdict.
        """
        self._wrong.set(windows)
        self._wrong_matches.set(matches)
        self._unverified_matches.set(unverified_matches)

    def governed(self, seasons: int, others: int) -> None:
        """So many operations wait in the timelock that add seasons, and that do something else."""
        self._timelock.labels("season").set(seasons)
        self._timelock.labels("other").set(others)

    def refused(self, cases: int) -> None:
        """In so many cases the move that is due was refused."""
        self._refused.set(cases)

    def risked(self, at_risk: int, cap: int | None) -> None:
        """Bonds in open disputes, and how much may be in them, wei of ENERGY."""
        self._at_risk.set(at_risk / 10**18)
        self._cap.set(math.inf if cap is None else cap / 10**18)

    def payable(self, filings: int) -> None:
        """The account's native coin pays for filing so many disputes."""
        self._payable.set(filings)

    def replayed(self, windows: int, seconds: float) -> None:
        """A batch of windows was replayed."""
        for _ in range(windows):
            self._replay.observe(seconds / windows)
