"""A season's constants by name, so that a client that misspells one is told when it is compiled.

The names are those of a season's TOML form; a test holds the two together.
"""

from __future__ import annotations

from chainbeasts.backend.api.models.base import Answer, Wei


class Rules(Answer):
    """Constants of combat, labels and self-play (docs/spec/rules.md)."""

    damage_k: int
    damage_curve: int
    block_gain: int
    block_cap: int
    crit_odds: int
    hazard_stamina: int
    rest_gain: int
    max_turns: int
    block_threshold_num: int
    block_threshold_den: int
    self_play_words: int


class Schedule(Answer):
    """How windows are cut into epochs, and what each epoch trains."""

    epoch_windows: int
    move_only_epochs: int
    attack_epochs: int
    lr_base: int
    lr_hold_epochs: int
    lr_epochs_per_decay: int
    lr_max: int


class Economics(Answer):
    """Prices in wei, periods in seconds, shares in basis points, gas in gas."""

    base_cost: Wei
    growth_cost: Wei
    trainer_bond_multiple: int
    dispute_bond_multiple: int
    stake_gas: int
    filing_bps: int
    proof_bps: int
    challenge_period: int
    response_window: int
    proof_window: int
    publication_age: int
    energy_price: Wei
    hatch_cost: Wei


class ArenaTerms(Answer):
    """What matches cost and pay; times in seconds."""

    winner_reward: Wei
    loser_reward: Wei
    disproof_period: int
    reward_cooldown: int
    record_bond: Wei
    reward_cap_bps: int
    record_window: int
