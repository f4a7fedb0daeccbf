"""Plays a schedule on a stage: each act is done when its time comes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, AnvilError, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from scripts.lib.chaos.audit import Audit
from scripts.lib.chaos.cast import CHALLENGER, CHEATERS, Cast
from scripts.lib.chaos.reorg import reorg
from scripts.lib.chaos.schedule import Act, Kind
from scripts.lib.chaos.settle import TICK, Settlement, lost_bonds
from scripts.lib.deadlines import Deadlines
from scripts.lib.stage import Stage

TROUBLE = 0.1
"""Chance of each answer to be an error, to be cut off, and to be of a wrong shape, while a gate
misbehaves."""

WRONG_LOGS = 0.5
"""Chance of an answer with logs to have some twice, some that are none, or too few, meanwhile."""

SLOWNESS = 1.0
"""Seconds that half of the answers of a slow gate are late."""

LATE_BLOCKS, LATE_SHARE = 2, 0.3
"""How far a second node behind a gate is behind, and its share of the answers."""

LIES = 3
"""Times that a fraud is tried in the end, if there is none."""

QUIET_BLOCKS = 2
"""Between the players' entrance and the first block that a reorg may take."""


@dataclass
class Report:
    """What a run did and what the audit found.

    Attributes:
        faults: what is not as the rules have it; empty if all is well.
    """

    seed: int
    seconds: float
    happened: list[str] = field(default_factory=list)
    windows: dict[str, int] = field(default_factory=dict)
    disputes: dict[str, int] = field(default_factory=dict)
    blocks: int = 0
    faults: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


class Chaos:
    """One run on a stage whose contracts are deployed."""

    def __init__(
        self, stage: Stage, deadlines: Deadlines, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.cast = Cast(stage)
        self._stage = stage
        self._deadlines = deadlines
        self._say = say
        self._troubled: list[tuple[float, int]] = []

    def run(self, seed: int, seconds: float, acts: Sequence[Act], ends: float = math.inf) -> Report:
        """Play the acts, wait for the end of what they began, and audit the chain.

        Args:
            ends: when it is given up in any case, by the monotonic clock.

        Raises:
            StageError: something that had to end did not end.
        """
        report, stage = Report(seed, seconds), self._stage
        self._say("everybody enters and hatches")
        self.cast.enter()
        deployment = Deployment.load(stage.host.home / "deployments", DEVNET_CHAIN_ID)
        self._chain = Chain.connect(stage.rpc_url, deployment)
        rpc(stage.rpc_url, "anvil_mine", hex(QUIET_BLOCKS))
        self._floor = self._chain.block().number
        self._settlement = Settlement(stage, self.cast, self._chain, self._deadlines, ends)
        self.cast.start()
        self._play(acts, report)
        self._say("the trouble is over; waiting for everybody to come to an end")
        self._heal(everything=True)
        self._settlement.catch_up()
        self._say(self._force_fraud())
        self._say(self._force_openings())
        audit = self._settlement.reach()
        self._sum_up(audit, report)
        while self._acted_since(audit.head) and time.monotonic() < ends:
            audit = self._settlement.audit()  # somebody was slow: that one was of two times
            self._sum_up(audit, report)
        return report

    def _sum_up(self, audit: Audit, report: Report) -> None:
        report.windows = dict(Counter(window.found for window in audit.windows))
        report.disputes = {
            "filed": audit.filed,
            "upheld": audit.upheld,
            "dismissed": audit.dismissed,
            "openings": audit.opened,
        }
        report.blocks = self._chain.block().number
        report.faults = audit.faults() + lost_bonds(self.cast, audit)

    def _acted_since(self, block: int) -> bool:
        head = self._chain.block().number
        return head > block and bool(self._chain.events(block + 1, head))

    def _play(self, acts: Sequence[Act], report: Report) -> None:
        begun = time.monotonic()
        for act in acts:
            while True:  # at least once, also where the acts come late
                left = begun + act.at - time.monotonic()
                time.sleep(min(max(left, 0.0), TICK))
                self._heal()
                self.cast.revive(self._settlement.trained)
                if left <= TICK:
                    break
            told = f"{act.at:6.1f} s  {self._do(act)}"
            report.happened.append(told)
            self._say(told)

    def _heal(self, *, everything: bool = False) -> None:
        """Give good answers again where the time of bad ones is up."""
        now = time.monotonic()
        over = [entry for entry in self._troubled if everything or entry[0] <= now]
        self._troubled = [entry for entry in self._troubled if entry not in over]
        for number in {number for _, number in over} - {number for _, number in self._troubled}:
            self.cast.gates[number].behave()

    # --- the acts -------------------------------------------------------------------------------

    def _do(self, act: Act) -> str:
        """Do one thing; what it was."""
        match act.kind:
            case Kind.TRAIN:
                beasts = sorted(self.cast.goals)
                return self.cast.train(beasts[act.who % len(beasts)], act.amount, act.who)
            case Kind.DRILL:
                return self._drill(act)
            case Kind.FALSE_DISPUTE:
                return self._dispute_falsely(act)
            case Kind.REORG:
                return self._reorg(act.amount)
            case Kind.RESTART_NODE:
                self._stage.restart_node()
                return "the node is restarted"
            case Kind.KILL:
                return self._kill(act)
            case Kind.DROP_SOCKETS:
                for gate in self.cast.gates:
                    gate.drop_websockets()
                return "all sockets are dropped"
            case Kind.BAD_ANSWERS | Kind.SLOW_ANSWERS:
                return self._trouble(act)

    def _drill(self, act: Act) -> str:
        beasts = [beast for beast, name in self.cast.beasts.items() if name in CHEATERS]
        beast = beasts[act.who % len(beasts)]
        name, step = self.cast.beasts[beast], act.who % 128
        words = ("trainer", "drill", act.lie, beast, "--step", step)
        begun = self.cast.attempt(name, *words)
        return f"{name} lies about a {act.lie}, beast {beast}" if begun else f"{name} is busy"

    def _force_fraud(self) -> str:
        """Lie again, if each lie failed, or a reorg took it: nobody sends one anew by himself."""
        beast, name = next(one for one in self.cast.beasts.items() if one[1] in CHEATERS)
        for _ in range(LIES):
            if any(window.fate == "slashed" for window in self._settlement.audit().windows):
                return "there is a fraud on the chain"
            self.cast.attempt(name, "trainer", "drill", "weight", beast, "--step", 0)
            self._settlement.catch_up()
        return f"{name} has lied once more"

    def _dispute_falsely(self, act: Act) -> str:
        beasts = sorted(self.cast.goals)
        beast = beasts[act.who % len(beasts)]
        count = self._settlement.trained(beast)
        if count == 0:
            return f"{CHALLENGER} finds nothing to dispute"
        index = act.who % count
        begun = self.cast.attempt(CHALLENGER, "dispute", "file", beast, index, "--yes")
        told = f"{CHALLENGER} disputes the honest checkpoint {index} of beast {beast}"
        return told if begun else f"{CHALLENGER} is busy"

    def _force_openings(self) -> str:
        """The newest window of each honest beast has to be opened, private ones too."""
        for beast in sorted(self.cast.goals):
            count = self._settlement.trained(beast)
            if count:
                self.cast.attempt(CHALLENGER, "dispute", "file", beast, count - 1, "--yes")
                self._settlement.catch_up()
        return f"{CHALLENGER} has disputed the newest honest windows"

    def _reorg(self, depth: int) -> str:
        depth = min(depth, self._chain.block().number - self._floor)
        if depth < 1:
            return "too early for a reorg"
        try:
            reorg(self._stage.rpc_url, self.cast.gates, depth)
        except AnvilError as error:
            return f"no reorg: {error.message}"
        return f"{depth} blocks are replaced"

    def _kill(self, act: Act) -> str:
        running = [daemon for daemon in self.cast.daemons if daemon.runs]
        if not running:
            return "nobody to kill"
        victim = running[act.who % len(running)]
        victim.kill()
        return f"{victim.title} is killed"

    def _trouble(self, act: Act) -> str:
        which, number = divmod(act.who, len(self.cast.gates))
        gate, name = self.cast.gates[number], list(self.cast.players)[number]
        if act.kind is Kind.SLOW_ANSWERS:
            gate.misbehave(slow=0.5, delay=SLOWNESS)
            told = "slow answers"
        else:
            half = TROUBLE / 2
            gate.misbehave(
                errors=half, errors_after=half, drops_before=half, drops_after=half, odd=TROUBLE
            )
            gate.misreport_logs(WRONG_LOGS)
            gate.drop_websockets()
            told = "bad answers"
            if which % 3 == 1:
                gate.lag, gate.lag_share = LATE_BLOCKS, LATE_SHARE
                told += ", some of a node that is late"
            elif which % 3 == 2:
                gate.hides_receipts = True
                told += " and no receipts"
        self._troubled.append((time.monotonic() + act.amount, number))
        return f"{name} gets {told} for {act.amount} s"
