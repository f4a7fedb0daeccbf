"""The season's constants as the kernel sees them, and the schedule of heads and learning rate.

Ranges are those of docs/spec/rules.md §3; prices and periods are not the kernel's business.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from chainbeasts.backend.kernel.constants import HEAD_ATTACK, HEAD_BLOCK, HEAD_MOVE


def _check(owner: object, ranges: dict[str, tuple[int, int]]) -> None:
    for name, (low, high) in ranges.items():
        value = getattr(owner, name)
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}, it must be {low} to {high}")


# What the kernels rely on. No divisor is 0 (damage_k, crit_odds), no byte overflows (block_cap
# keeps a word valid, turn counts to max_turns), no rest leaves a creature exhausted for ever
# (rest_gain).
_RULE_RANGES = {
    "damage_k": (1, 2184),  # 15 · 2184 fits int16
    "damage_curve": (0, 1),
    "block_gain": (0, 255),
    "block_cap": (0, 127),
    "crit_odds": (1, 65_535),
    "hazard_stamina": (0, 15),  # a path's step costs 16 at most: 32 waves in a ring are enough
    "rest_gain": (1, 255),
    "max_turns": (1, 254),
    "block_threshold_num": (1, 255),
    "block_threshold_den": (1, 255),
    "self_play_words": (1, 127),  # twice as many turns, which fit their byte
}

_SCHEDULE_RANGES = {
    "epoch_windows": (1, 65_535),
    "move_only_epochs": (0, 65_535),
    "attack_epochs": (0, 65_535),
    "lr_base": (3, 15),  # at 3 an update is within 16,256; the rounding half needs 1 at least
    "lr_hold_epochs": (0, 65_535),
    "lr_epochs_per_decay": (1, 65_535),
    "lr_max": (3, 15),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Constants of one season for combat, labels and self-play.

    Raises:
        ValueError: a value is outside its range.
    """

    damage_k: int = 256
    damage_curve: int = 0
    block_gain: int = 32
    block_cap: int = 96
    crit_odds: int = 16
    hazard_stamina: int = 2
    rest_gain: int = 2
    max_turns: int = 60
    block_threshold_num: int = 4
    block_threshold_den: int = 5
    self_play_words: int = 2

    def __post_init__(self) -> None:
        _check(self, _RULE_RANGES)

    def values(self) -> tuple[int, ...]:
        """The constants in the order of the contract's struct."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a beast's windows are cut into epochs, and what each epoch trains.

    Raises:
        ValueError: a value is outside its range, or ``lr_base`` exceeds ``lr_max``.
    """

    epoch_windows: int = 64
    move_only_epochs: int = 3
    attack_epochs: int = 3
    lr_base: int = 9
    lr_hold_epochs: int = 12
    lr_epochs_per_decay: int = 4
    lr_max: int = 13

    def __post_init__(self) -> None:
        _check(self, _SCHEDULE_RANGES)
        if self.lr_base > self.lr_max:
            raise ValueError(f"lr_base is {self.lr_base}, over lr_max {self.lr_max}")

    def heads(self, epoch: int) -> int:
        """The label heads that learn in an epoch, as a bit mask (1 move, 2 attack, 4 block)."""
        if epoch < self.move_only_epochs:
            return HEAD_MOVE
        if epoch < self.move_only_epochs + self.attack_epochs:
            return HEAD_MOVE | HEAD_ATTACK
        return HEAD_MOVE | HEAD_ATTACK | HEAD_BLOCK

    def lr_shift(self, epoch: int) -> int:
        """The learning-rate shift of an epoch (docs/spec/network.md §4)."""
        decays = max(0, epoch - self.lr_hold_epochs) // self.lr_epochs_per_decay
        return min(self.lr_max, self.lr_base + decays)

    def values(self) -> tuple[int, ...]:
        """The constants in the order of the contract's struct."""
        return tuple(getattr(self, field.name) for field in fields(self))
