"""Answers about disputes and battles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.api.models.base import (
    Account,
    Answer,
    Hex8,
    Hex32,
    Index,
    Moment,
    Page,
    Time,
    Wei,
)
from backend.api.models.beasts import Checkpoint, Rating


class Dispute(Answer):
    """A dispute over one checkpoint."""

    id: int
    beast: int
    index: Index
    generation: Index
    status: Literal["filed", "responded", "upheld", "dismissed", "voided"]
    open: bool
    challenger: Account
    trainer: Account | None
    bond: Wei
    deadline: Time = Field(description="For the response while filed, for proofs once responded.")
    steps_done: Index = Field(description="Micro-steps re-executed on chain by `advance`.")
    conviction: Literal["timeout", "segment", "advance", "header", "records"] | None
    segment: int | None = Field(description="The segment that was wrong or not opened (0 to 15).")
    steps: tuple[int, int] | None = Field(
        description="First and last micro-step of the window in that segment.", examples=[(24, 31)]
    )
    prover: Account | None
    filed: Moment


class DisputePage(Page):
    items: list[Dispute]


class Move(Moment):
    """One event of a dispute."""

    kind: Literal[
        "filed", "revealed", "responded", "advanced", "demanded", "supplied",
        "upheld", "dismissed", "voided",
    ]  # fmt: skip
    by: Account | None = Field(description="Who made it, where the event says so.")
    deadline: int | None = Field(description="The deadline that it set.")
    segment: int | None
    steps_done: int | None


class Slashing(Moment):
    """What a conviction took, and who got it."""

    offender: Account | None
    taken: Wei = Field(description="Price and bond of the checkpoint and of all after it.")
    burned: Wei
    challenger: Account
    challenger_reward: Wei
    prover: Account
    prover_reward: Wei
    voided: Index = Field(description="Later checkpoints that fell with it.")


class DisputeDetail(Dispute):
    """A dispute from its first move to its last."""

    checkpoint: Checkpoint | None
    segments: list[Hex32] = Field(description="The response's 16 state hashes; empty before it.")
    timeline: list[Move]
    slashing: Slashing | None
    bond_outcome: Literal["locked", "returned", "burned"]
    bundle: bool = Field(description="Whether an evidence bundle is published here.")


class Match(Answer):
    """A match, from challenge to finality; what is not known yet is null."""

    id: int
    status: Literal["challenged", "accepted", "seeded", "recorded", "final", "cancelled"]
    beast_a: int
    beast_b: int
    owner_a: Account
    owner_b: Account | None
    result: Literal["a", "b", "draw"] | None
    turns: int | None
    season: int | None
    reporter: Account | None
    final_at: int | None = Field(description="When the record of it may become final.")
    challenged: Moment
    recorded: Moment | None
    disproved: Index = Field(description="Records of it that were proved wrong.")


class MatchPage(Page):
    items: list[Match]


class Disproof(Moment):
    """A record that was proved wrong."""

    reporter: Account
    challenger: Account
    lie: Literal["first_word", "turn", "over", "end"]
    turn: int
    reward: Wei
    burned: Wei


class MatchDetail(Match):
    """All that is needed to play the match again and to compare it with the chain's record."""

    dna_a: Hex32
    dna_b: Hex32
    state_a: Hex32
    state_b: Hex32 | None
    seed_block: int | None
    battle_seed: Hex8 | None = Field(description="uint64, big-endian.")
    bond: Wei | None
    reward_a: Wei
    reward_b: Wei
    log_root: Hex32 | None
    log: list[Hex32] = Field(description="The word before each activation; empty before a record.")
    rules: dict[str, int] | None = Field(description="The combat constants of its season.")
    disproofs: list[Disproof]


class Ranked(Rating):
    """One line of the leaderboard."""

    beast: int
    owner: Account
    dna: Hex32


class Leaderboard(Page):
    """Beasts by rating; a cursor names the last rank that was given."""

    matches: Index = Field(description="Final matches that the ratings are from.")
    items: list[Ranked]
