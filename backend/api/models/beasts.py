"""Answers about beasts: where they stand, their checkpoints, their ratings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chainbeasts.backend.api.models.base import (
    Account,
    Answer,
    Hex32,
    Index,
    Loss,
    Page,
    Source,
    Time,
    Wei,
)


class Stats(Answer):
    """What the DNA gave the beast."""

    power: int
    defense: int
    hp: int
    stamina: int


class Rating(Answer):
    """Strength by Plackett-Luce over all final matches, in the order in which they became final."""

    rank: int = Field(ge=1)
    rating: float = Field(description="mu − 3 sigma, what the leaderboard sorts by.")
    mu: float
    sigma: float
    matches: Index
    won: Index
    lost: Index
    drawn: Index
    last_match: int = Field(description="The latest match that counts.")


class Openness(Answer):
    """What is public about a beast's standing windows; it does not say that they were replayed."""

    replayable: Index = Field(
        description="Anybody has what it takes to compute them: public samples and start, or a "
        "revealed dataset."
    )
    opened: Index = Field(description="Private ones that a dispute opened.")
    unopened: Index = Field(
        description="Private ones, and those that start from a state which only the owner knows."
    )


class Beast(Answer):
    """A beast and where its training stands."""

    id: int = Field(examples=[1])
    name: str = Field(
        description="A nickname read out of the DNA; two may share one.", examples=["Morvak"]
    )
    owner: Account
    dna: Hex32
    stats: Stats
    season: int = Field(description="Season of its present epoch.")
    epoch: Index
    hatched_block: Index
    head: Hex32 = Field(description="State hash of the last live checkpoint; the DNA before any.")
    head_count: Index = Field(description="Live checkpoints, pending and final.")
    final_count: Index
    pending_count: Index
    disputed_count: Index = Field(description="Of the pending ones, those in an open dispute.")
    slashed_count: Index
    void_count: Index
    active_mask: int = Field(
        ge=0, le=255, description="Awake slots: low 4 bits sensors, high 4 limbs."
    )
    energy_spent: Wei = Field(description="Price of all checkpoints ever submitted, void ones too.")
    energy_locked: Wei = Field(description="Price and bond of the pending ones.")
    last_loss: Loss | None = Field(description="Of the last live window.")
    last_submitted: int | None = Field(description="Time of the last live checkpoint.")
    private: bool = Field(description="It was submitted windows of a private dataset.")
    openness: Openness
    believed_since: int | None = Field(
        description="Its first private window that became final without having been opened: it and "
        "all that grew from it was believed, not checked. null if there is none."
    )
    rating: Rating | None = Field(description="null before its first final match")


class PendingLocks(Answer):
    """What a beast's pending windows have locked; times are null without any."""

    windows: Index
    energy: Wei = Field(description="Price and bond of all of them.")
    first_at: int | None = Field(description="From then on the first may be final.")
    last_at: int | None = Field(description="From then on the last may be final.")
    last_at_most: int | None = Field(description="The same, whatever is disputed.")


class TrainingPrice(Answer):
    """What a beast's next windows cost, at the prices of its epoch's season, and what is locked."""

    beast: int
    first: Index = Field(description="Index of the next window.")
    season: int = Field(description="Season of its present epoch.")
    windows: Index
    price: Wei = Field(description="ENERGY that they burn when they are final, growth included.")
    growth: Wei = Field(description="The part of it that wakes slots.")
    bond: Wei = Field(description="ENERGY that is locked besides, and comes back.")
    lock: Wei = Field(description="Price and bond.")
    energy_price: Wei = Field(
        description="Native coin that the sale asks for one ENERGY (10^18 wei); 0: it is closed."
    )
    coin_price: Wei | None = Field(
        description="Native coin for which the sale gives the price; null: it is closed."
    )
    coin_lock: Wei | None = Field(description="The same of the lock.")
    gas: Index = Field(
        description="Of submitting each by itself, about; stake and deposit not counted."
    )
    locked_seconds: Index = Field(
        description="How long a window's price and bond are locked if nobody disputes it."
    )
    locked_seconds_most: Index = Field(description="The same if it is disputed, at most.")
    pending: PendingLocks


class BeastPage(Page):
    items: list[Beast]


class Checkpoint(Answer):
    """One submitted window of 128 micro-steps."""

    beast: int
    dna: Hex32 = Field(description="The beast's.")
    index: Index
    generation: Index = Field(description="Slashings of the beast before it was submitted.")
    state: Literal["pending", "disputed", "proven", "final", "slashed", "void"]
    proven: bool = Field(description="A dispute re-executed it to its end and it was right.")
    openness: Literal["replayable", "opened", "unopened"] = Field(
        description="replayable: anybody has what it takes to compute every step again; opened: a "
        "dispute put its private samples in public; unopened: only the owner can compute it. None "
        "of them says that somebody did."
    )
    h128: Hex32
    parent: Hex32
    epoch: Index
    global_step: Index
    loss: Loss
    loss_drop: bool
    energy_burn: Wei
    bond: Wei
    lr_shift: int
    active_mask: int
    source: Source
    source_id: Index = Field(description="The match of a battle window, else 0.")
    season: int
    trainer: Account
    submitted_at: Time
    final_from: Time = Field(description="When the challenge period ends.")
    settled_block: int | None
    dispute: int | None = Field(description="The latest dispute about it.")
    block: Index
    tx: Hex32


class CheckpointPage(Page):
    items: list[Checkpoint]


class Changes(Answer):
    """The windows of a beast at which something happened, oldest first; columns of equal length.

    Those that another epoch, source or mask begins with, the first and the last, all that were
    disputed, and all that fell.
    """

    beast: int
    windows: Index = Field(description="How many live windows there are in all.")
    index: list[int]
    generation: list[int]
    step: list[int]
    state: list[Literal["pending", "final", "slashed", "void"]]
    dispute: list[int | None] = Field(description="The latest one about the window.")
    epoch: list[int]
    source: list[Source]
    active_mask: list[int]


class Curve(Answer):
    """The loss over a beast's live windows, thinned out for a chart; columns of equal length."""

    beast: int
    windows: Index = Field(description="How many windows there are in all.")
    index: list[int]
    step: list[int]
    loss: list[Loss]
    low: list[Loss] = Field(description="Least loss of the windows that a point stands for.")
    high: list[Loss]
    hash: list[Hex32] = Field(description="State of the last window that a point stands for.")
    epoch: list[int]
    source: list[Source]
    lr_shift: list[int] = Field(description="The learning rate is 2^-lr_shift.")
