"""Answers about disputes and battles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chainbeasts.backend.api.models.base import (
    Account,
    Answer,
    BeastName,
    Hex8,
    Hex32,
    Index,
    Moment,
    Page,
    Time,
    Wei,
)
from chainbeasts.backend.api.models.beasts import Checkpoint, Rating
from chainbeasts.backend.api.models.constants import Rules

OpeningName = Literal["segments", "state", "records"]


class Dispute(Answer):
    """A dispute over one checkpoint, with a bond in ENERGY and one in native coin."""

    id: int
    beast: int
    dna: Hex32 = Field(description="The beast's.")
    index: Index
    generation: Index
    status: Literal["filed", "opened", "upheld", "dismissed", "proven", "voided"]
    open: bool
    filer: Account
    trainer: Account | None
    bond: Wei = Field(description="Of ENERGY: burns unless the checkpoint falls.")
    opening_bond: Wei = Field(description="Of native coin: pays for openings.")
    opening_surplus: Wei = Field(description="Of native coin, for the beast's other open disputes.")
    missing: list[OpeningName] = Field(description="What is still to be opened.")
    response_deadline: Time = Field(description="Last second for openings.")
    head_start_end: int | None = Field(
        description="Until then a proof pays the filer, whoever sends it; null before all is open."
    )
    proof_deadline: int | None = Field(
        description="Last second for `prove`; null before all is open."
    )
    deadline: Time = Field(description="For openings while some are missing, for proofs then.")
    steps_done: Index = Field(description="Micro-steps re-executed on chain by `advance`.")
    conviction: Literal["timeout", "segment", "advance", "header"] | None
    segment: int | None = Field(description="The segment that was wrong (0 to 15).")
    steps: tuple[int, int] | None = Field(
        description="First and last micro-step of the window in that segment.", examples=[(24, 31)]
    )
    prover: Account | None = Field(description="Who gets the proof share, if one account does.")
    filed: Moment


class DisputePage(Page):
    items: list[Dispute]


class Move(Moment):
    """One event of a dispute."""

    kind: Literal[
        "filed", "filed_again", "revealed", "opened", "proofs", "advanced",
        "upheld", "dismissed", "proven", "voided",
    ]  # fmt: skip
    by: Account | None = Field(description="Who made it, where the event says so.")
    deadline: int | None = Field(description="The deadline that it set.")
    opening: OpeningName | None
    steps_done: int | None
    counted: bool | None = Field(description="Whether those steps are paid for.")


class OpeningOwed(Answer):
    """Something that the window was computed from, and that the dispute asked for."""

    opening: OpeningName
    made: bool
    published_at: int | None = Field(description="When it came into public; null for the segments.")
    paid: Wei = Field(description="Of native coin, to the trainer at once.")
    waiting: Wei = Field(description="Of native coin, to the trainer when the dispute ends.")


class OpeningOutcome(Answer):
    """What became of an opening bond, native coin."""

    returned: Wei = Field(description="To the filer, with what a slashed stake repaid.")
    kept: Wei = Field(description="By the trainer.")
    burned: Wei


class EnergyShares(Answer):
    """What a conviction took in ENERGY."""

    taken: Wei = Field(description="Price and bond of the checkpoint and of all after it.")
    filing: Wei
    proof: Wei = Field(description="To the prover, or to who re-executed the steps.")
    burned: Wei


class StakeShares(Answer):
    """What a conviction took of the trainer's stake, native coin."""

    taken: Wei
    debts: Wei = Field(description="Set aside for filers who had paid for the trainer's openings.")
    filing: Wei = Field(description="With what it took over from a later window's conviction.")
    proof: Wei = Field(description="The same.")
    burned: Wei


class Slashing(Moment):
    """What a conviction took, and who got it."""

    offender: Account | None
    filer: Account | None = Field(description="Gets the filing shares.")
    prover: Account | None = Field(description="Gets the proof shares; null: see `proof`.")
    energy: EnergyShares
    stake: StakeShares
    reward: Literal["none", "held", "settled", "taken_over"] = Field(
        description="Of the stake's shares: held until no window below is pending; credited; or "
        "taken over by the conviction of an earlier window."
    )
    voided: Index = Field(description="Later checkpoints that fell with it.")


class DisputeDetail(Dispute):
    """A dispute from its first move to its last."""

    checkpoint: Checkpoint | None
    openings: list[OpeningOwed]
    segments: list[Hex32] = Field(description="The 16 opened state hashes; empty before.")
    timeline: list[Move] = Field(description="Its moves; of those that are filed_again the newest.")
    filed_again: Index = Field(description="How often it was filed once more while it was open.")
    slashing: Slashing | None
    bond_outcome: Literal["locked", "returned", "burned"]
    step_pay: Wei = Field(description="ENERGY for those who re-executed the steps.")
    opening_outcome: OpeningOutcome | None = Field(description="null while the dispute is open.")
    bundle: bool = Field(description="Whether an evidence bundle is published here.")


class Match(Answer):
    """A match, from challenge to finality; what is not known yet is null."""

    id: int
    status: Literal["challenged", "accepted", "seeded", "recorded", "final", "cancelled", "expired"]
    beast_a: int
    beast_b: int
    dna_a: Hex32
    dna_b: Hex32
    owner_a: Account
    owner_b: Account | None
    result: Literal["a", "b", "draw"] | None
    turns: int | None
    season: int | None
    reporter: Account | None
    record_until: int | None = Field(
        description="While it is seeded: from then on it can be recorded no more, and only expire."
    )
    final_at: int | None = Field(description="When the record of it may become final.")
    challenged: Moment
    recorded: Moment | None
    disproved: Index = Field(description="Records of it that were proved wrong.")
    reward_a: Wei = Field(description="ENERGY credited to the owner of A when it became final.")
    reward_b: Wei


class MatchPage(Page):
    items: list[Match]


class OpenChallenge(BeastName):
    """A beast that takes on everybody."""

    state: Hex32 = Field(description="It fights with.")
    since: Moment
    rating: Rating | None = Field(description="null before its first final match")


class OpenChallengePage(Page):
    items: list[OpenChallenge]


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

    state_a: Hex32
    state_b: Hex32 | None
    seed_block: int | None
    seed_hash: Hex32 | None = Field(
        description="Hash of that block: what the seed is made of, so that anybody can play the "
        "match before its seed is drawn."
    )
    battle_seed: Hex8 | None = Field(description="uint64, big-endian.")
    bond: Wei | None
    log_root: Hex32 | None
    log: list[Hex32] = Field(description="The word before each activation; empty before a record.")
    rules: Rules | None = Field(description="The combat constants of its season.")
    disproofs: list[Disproof]


class Ranked(Rating):
    """One line of the leaderboard."""

    beast: int
    owner: Account
    dna: Hex32
    believed_since: int | None = Field(description="As of the beast.")


class Leaderboard(Page):
    """Beasts by rating; a cursor names the last rank that was given."""

    matches: Index = Field(description="Final matches that the ratings are from.")
    items: list[Ranked]
