"""What a brain got right: loss, moves, attack power and blocks, counted over positions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Self

from eth_hash.auto import keccak

from backend.kernel.board import adjacent, unpack
from backend.kernel.combat import decode_action
from backend.kernel.features import features
from backend.kernel.labels import Label, label
from backend.kernel.network import forward
from backend.kernel.rng import draw, fold64
from backend.kernel.rules import Rules
from backend.kernel.samples import random_position
from backend.kernel.state import State
from backend.kernel.window import RecordSource, StepTrace, WindowContext, step_window

BOARDS_TAG = b"chainbeasts/held-out-boards/1"
"""Its keccak-256, folded, seeds the positions that brains are compared on."""

ATTACK_UNIT = 4
"""Fourth logit per unit of attack power."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over positions; tallies add up.

    Attributes:
        loss: Σ|e_k| in the kernel's unit (1024 = 1.0).
        moves, blocks: positions with such a label; ``…_right`` of them the brain met.
        attacks: positions with the enemy in reach; ``attack_error`` sums 4·|z4/4 − label|.
    """

    steps: int = 0
    loss: int = 0
    moves: int = 0
    moves_right: int = 0
    attacks: int = 0
    attack_error: int = 0
    blocks: int = 0
    blocks_right: int = 0

    def __add__(self, other: Self) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def mean_loss(self) -> float:
        """Loss per micro-step; 0 without any."""
        return self.loss / self.steps if self.steps else 0.0

    @property
    def move_accuracy(self) -> float | None:
        """Share of labelled moves that the brain chose; None without any."""
        return self.moves_right / self.moves if self.moves else None

    @property
    def attack_mae(self) -> float | None:
        """Mean |z4/4 − label| with the enemy in reach; None without any."""
        return self.attack_error / (ATTACK_UNIT * self.attacks) if self.attacks else None

    @property
    def block_accuracy(self) -> float | None:
        """Share of block labels that the brain met; None without any."""
        return self.blocks_right / self.blocks if self.blocks else None


def judge(word: int, wanted: Label, logits: Sequence[int], loss: int = 0) -> Tally:
    """The tally of one valid position."""
    position, chosen = unpack(word), decode_action(logits)
    reach = adjacent(position.self_.pos, position.enemy.pos)
    return Tally(
        steps=1,
        loss=loss,
        moves=int(wanted.move is not None),
        moves_right=int(wanted.move == chosen.direction),
        attacks=int(reach),
        attack_error=abs(int(logits[4]) - ATTACK_UNIT * wanted.attack) if reach else 0,
        blocks=1,
        blocks_right=int(chosen.block == bool(wanted.block)),
    )


def tally(traces: Iterable[StepTrace]) -> Tally:
    """What some micro-steps got right before they learned; a null step counts by its loss alone."""
    total = Tally()
    for trace in traces:
        if trace.label is None or trace.logits is None:
            total += Tally(steps=1, loss=trace.loss)
        else:
            total += judge(trace.word, trace.label, trace.logits, trace.loss)
    return total


class Tracer:
    """Makes micro-steps as ``step_window`` does, and keeps what they did."""

    def __init__(self) -> None:
        self.traces: list[StepTrace] = []

    def __call__(self, ctx: WindowContext, state: State, records: RecordSource | None) -> StepTrace:
        trace = step_window(ctx, state, records)
        self.traces.append(trace)
        return trace


def held_out(count: int, rules: Rules) -> list[int]:
    """Random boards, the same for every beast; hardly one of them is ever trained on."""
    seed = fold64(bytes(keccak(BOARDS_TAG)))
    return [random_position(draw(seed, number), None, rules) for number in range(count)]


def examine(state: State, words: Iterable[int], rules: Rules) -> Tally:
    """What a brain gets right on some boards, without learning; its loss is not counted."""
    total = Tally()
    for word in words:
        logits = forward(state.weights, state.header.active_mask, features(word))[-1]
        total += judge(word, label(word, rules), logits.tolist())
    return total
