"""The figures of runs over their steps, as far as they are known: what watch and plot draw."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from chainbeasts.backend.monitoring.training import TrainingMetrics

Figure = Literal["loss", "move_accuracy", "attack_mae", "block_accuracy"]


@dataclass(frozen=True)
class Head:
    """How a figure is presented."""

    figure: Figure
    title: str
    axis: str
    share: bool

    def show(self, value: float) -> str:
        """A value with its unit."""
        if self.share:
            return f"{value:.1%}"
        return f"{value:,.0f}" if self.figure == "loss" else f"{value:.2f}"


HEADS = (
    Head("loss", "loss", "mean Σ|e| per micro-step\n(1024 = 1.0)", share=False),
    Head("move_accuracy", "move accuracy", "share of labelled moves (%)", share=True),
    Head("attack_mae", "attack error", "mean |z4/4 − label|", share=False),
    Head("block_accuracy", "block accuracy", "share of block labels (%)", share=True),
)


class Run:
    """One run's messages, with steps that only rise."""

    def __init__(self, keep: int | None = None) -> None:
        self.messages: deque[TrainingMetrics] = deque(maxlen=keep)

    @property
    def latest(self) -> TrainingMetrics:
        return self.messages[-1]

    def add(self, metrics: TrainingMetrics) -> None:
        """Add a message; a run that went back to a checkpoint replaces what came after it."""
        while self.messages and self.messages[-1].step >= metrics.step:
            self.messages.pop()
        self.messages.append(metrics)

    def curve(self, figure: Figure) -> tuple[list[int], list[float]]:
        """Steps and values where the figure is known."""
        known = [(m.step, v) for m in self.messages if (v := getattr(m, figure)) is not None]
        return [step for step, _ in known], [value for _, value in known]


class Runs:
    """Runs by name, in the order in which they were first heard of.

    Args:
        keep: messages of each run, all if None.
        most: how many runs; the one that was silent the longest makes room.
    """

    def __init__(self, keep: int | None = None, most: int | None = None) -> None:
        self._keep = keep
        self._most = most
        self._runs: dict[str, Run] = {}
        self._heard: dict[str, None] = {}  # in order of the last message

    def add(self, metrics: TrainingMetrics) -> None:
        """Add a message to its run."""
        name = metrics.run
        self._runs.setdefault(name, Run(self._keep)).add(metrics)
        self._heard.pop(name, None)
        self._heard[name] = None
        if self._most is not None and len(self._runs) > self._most:
            silent = next(iter(self._heard))
            del self._heard[silent], self._runs[silent]

    def items(self) -> list[tuple[str, Run]]:
        """The runs with their names."""
        return list(self._runs.items())


def printable(text: str) -> str:
    """A name from somebody else's message, without characters that steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
