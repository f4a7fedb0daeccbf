"""What happens in a run and when, all of it drawn from the seed before the run begins."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

MAX_REORG = 5
FIRST_ACT = 1.0


class Kind(StrEnum):
    """What can happen."""

    TRAIN = "train"
    DRILL = "drill"
    FALSE_DISPUTE = "false dispute"
    REORG = "reorg"
    RESTART_NODE = "restart node"
    KILL = "kill"
    DROP_SOCKETS = "drop sockets"
    BAD_ANSWERS = "bad answers"
    SLOW_ANSWERS = "slow answers"


LIES = ("weight", "label", "sample", "growth", "loss")
WEIGHTS = {
    Kind.TRAIN: 5,
    Kind.DRILL: 4,
    Kind.FALSE_DISPUTE: 1,
    Kind.REORG: 4,
    Kind.RESTART_NODE: 1,
    Kind.KILL: 5,
    Kind.DROP_SOCKETS: 2,
    Kind.BAD_ANSWERS: 2,
    Kind.SLOW_ANSWERS: 2,
}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens.

    Attributes:
        at: seconds after the start.
        who: picks a player, a daemon or a beast among those that can be meant.
        amount: windows to train, blocks to take back, or seconds of trouble.
        lie: the drill's kind.
    """

    at: float
    kind: Kind
    who: int
    amount: int
    lie: str


def draw(seed: int, seconds: float, pace: float = 1.5) -> list[Act]:
    """The acts of a run, in their order; one in ``pace`` seconds on average.

    Each kind comes at least once, at a time of its own.
    """
    rng = random.Random(seed)
    number = max(len(Kind), round(seconds / pace))
    kinds = list(Kind) + rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=number - len(Kind))
    rng.shuffle(kinds)
    times = sorted(rng.uniform(FIRST_ACT, seconds) for _ in kinds)
    return [
        Act(at, kind, rng.randrange(1 << 16), rng.randint(1, MAX_REORG), rng.choice(LIES))
        for at, kind in zip(times, kinds, strict=True)
    ]
