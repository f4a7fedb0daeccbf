"""After the trouble: what it began comes to its end, deadlines pass, and the audit is taken."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.store.private import PrivateDataset, load_private, private_folder
from scripts.lib.chaos.audit import Audit
from scripts.lib.chaos.cast import FUNDS, HONEST, VALIDATORS, Cast
from scripts.lib.deadlines import Deadlines
from scripts.lib.stage import Stage, StageError

TICK = 0.5
PATIENCE = 300.0
"""Seconds without any progress on the chain after which a run is given up."""


class Settlement:
    """Brings a run to its end.

    Args:
        ends: when it is given up in any case, by the monotonic clock.
    """

    def __init__(
        self,
        stage: Stage,
        cast: Cast,
        chain: Chain,
        deadlines: Deadlines,
        ends: float = math.inf,
    ) -> None:
        self._stage = stage
        self._cast = cast
        self._chain = chain
        self._deadlines = deadlines
        self._ends = ends

    def catch_up(self) -> None:
        """Wait until the honest trainers have done what they were asked, and nobody is busy.

        Raises:
            StageError: it does not come to that.
        """
        self._wait("the honest trainers reach their goals", self._caught_up)

    def reach(self) -> Audit:
        """Let every deadline pass that has to, and everybody do what is then due.

        Raises:
            StageError: something that had to end did not end.
        """
        self.catch_up()
        self._wait("every fraud is disputed and every honest window opened", self._answered)
        self._stage.travel(self._deadlines.response_window + 1)
        self._wait("every fraud is slashed", lambda: not self.audit().standing)
        self._stage.travel(self._deadlines.proof_window + 1)
        self._wait("every dispute is over", lambda: not self.audit().unsettled)
        self._stage.travel(self._deadlines.challenge_period + 1)
        self._wait("every honest window is final", self._all_final)
        self._wait("all rewards are collected", self._collected)
        self._wait(
            "every validator has found valid what is final",
            lambda: not unjudged(self._cast, self.audit()),
        )
        return self.audit()

    def audit(self) -> Audit:
        """The chain as it is now."""
        funds = {player.address: FUNDS * 10**18 for player in self._cast.players.values()}
        return Audit(self._chain, funds, self._datasets()).read()

    def trained(self, beast: int) -> int:
        """Windows that the chain has of a beast."""
        return self._chain.head(beast).head_count

    def _datasets(self) -> dict[int, PrivateDataset]:
        found = {}
        for beast, name in self._cast.beasts.items():
            if "private" in HONEST.get(name, ()):
                home, chain_id = self._cast.players[name].home, self._chain.deployment.chain_id
                folder = private_folder(home, chain_id, beast)
                found[beast] = load_private(folder, self._chain.commitments(beast))
        return found

    # --- what is waited for ---------------------------------------------------------------------

    def _caught_up(self) -> bool:
        goals = self._cast.goals.items()
        done = all(self.trained(beast) >= goal for beast, goal in goals)
        return done and not self._cast.attempting()

    def _answered(self) -> bool:
        audit = self.audit()
        return not audit.unanswered and not audit.undisputed

    def _all_final(self) -> bool:
        return all(window.found != "pending" for window in self.audit().windows)

    def _collected(self) -> bool:
        owed = self.audit().owed
        return not any(owed[self._cast.players[name].address] > 0 for name in VALIDATORS)

    def _progress(self) -> object:
        """What the chain has of all beasts and disputes; another value is progress."""
        chain, beasts = self._chain, self._cast.beasts
        disputes = chain.call(chain.court.functions.disputeCount())
        return disputes, [chain.head(beast) for beast in beasts]

    def _wait(self, what: str, look: Callable[[], bool]) -> None:
        """Look until it holds, with everybody alive.

        Raises:
            StageError: it does not hold in time.
        """
        seen, deadline = None, 0.0
        while not look():
            now, found = time.monotonic(), self._progress()
            if found != seen:
                seen, deadline = found, now + PATIENCE
            if now > min(deadline, self._ends):
                why = "the time is up" if now > self._ends else f"nothing for {PATIENCE:g} s"
                left = "\n".join(self.audit().unsettled)
                words = self._stage.last_words()
                raise StageError(f"Waited in vain, {why}: {what}.\n{left}\n{words}")
            time.sleep(TICK)
            self._cast.revive(self.trained)


def unjudged(cast: Cast, audit: Audit) -> list[str]:
    """Final windows that a validator has not found valid: silence is no verdict."""
    found = []
    for name in VALIDATORS:
        try:
            told = cast.players[name].do("validator", "status")
        except StageError as error:  # its node may be away at this moment
            found.append(f"{name} does not say what it has verified: {error}")
            continue
        valid = {job["h128"] for job in told["jobs"] if job["verdict"] == "valid"}
        for window in audit.windows:
            if window.found == "final" and "0x" + window.record.payload.h128.hex() not in valid:
                found.append(f"{name} has not verified {window.name}")
    return found


def lost_bonds(cast: Cast, audit: Audit) -> list[str]:
    """Bonds that honest validators lost; there must be none."""
    names = {cast.players[name].address: name for name in VALIDATORS}
    return [f"{names[who]} lost a bond" for who in audit.burned_bonds if who in names]
