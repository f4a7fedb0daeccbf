"""What a training run is to do, and what it has done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from chainbeasts.backend.chain.types import CheckpointPayload
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.metrics.accuracy import Tally
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.submit.funds import Pause
from chainbeasts.trainer.submit.window import TrainedWindow


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submitted window.

    Attributes:
        lock: what its submission locked, wei of ENERGY.
        gas: its share of the transaction's.
        learned: figures of its steps, if the run made them and was to count them.
    """

    beast_id: int
    index: int
    payload: CheckpointPayload
    lock: int
    gas: int
    tx_hash: bytes
    learned: Tally | None = None

    @classmethod
    def of(
        cls, window: TrainedWindow, lock: int, gas: int, tx: bytes, learned: Tally | None = None
    ) -> Self:
        """The record of a window whose transaction is mined."""
        return cls(window.beast_id, window.index, window.payload, lock, gas, tx, learned)


def _never(_: float) -> bool:
    return False


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training run to be made.

    Attributes:
        windows: how many; None: without end.
        wake: slots that wake with the first window besides the plan's, as a mask.
        batch: most windows in one transaction; an epoch's end cuts a batch short.
        in_flight: most windows trained and not mined, ``batch`` at least; twice ``batch`` if None.
        max_fee: base fee above which nothing is submitted, wei per gas.
        counted: keep figures of the steps of each window.
        pause: waits, and tells when the run is to stop.
        on_taken_back: told how many of the last submitted windows the chain no longer has.
    """

    plan: Plan
    windows: int | None = 1
    wake: int = 0
    batch: int = 1
    in_flight: int | None = None
    max_fee: int | None = None
    counted: bool = False
    pause: Pause = _never
    on_submitted: Callable[[Submitted], None] = _ignore
    on_taken_back: Callable[[int], None] = _ignore

    def __post_init__(self) -> None:
        if self.in_flight is not None and self.in_flight < self.batch:
            raise ChainBeastsError(
                f"A batch of {self.batch} windows does not fit {self.in_flight} in flight.",
                "Let --in-flight be --batch at least.",
            )

    @property
    def capacity(self) -> int:
        """Most windows in flight."""
        return 2 * self.batch if self.in_flight is None else self.in_flight
