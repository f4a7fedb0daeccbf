"""Every answer's shape, as OpenAPI documents it.

Hashes, words and seeds are ``0x`` hex, amounts are wei of ENERGY as decimal strings (JSON numbers
end at 2^53), times are unix seconds of the chain's clock. Lists come in pages.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

_HASH = "0x" + "1f" * 32
_ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def hexadecimal(data: bytes) -> str:
    """Bytes as every answer spells them."""
    return "0x" + data.hex()


def _hex_of(size: int) -> WithJsonSchema:
    pattern = f"^0x[0-9a-f]{{{2 * size}}}$"
    return WithJsonSchema(
        {"type": "string", "pattern": pattern, "examples": ["0x" + "1f" * size]},
        mode="serialization",
    )


Hex32 = Annotated[
    bytes, PlainSerializer(hexadecimal, return_type=str, when_used="json"), _hex_of(32)
]
"""A hash, or a board word, which has the same 32 bytes."""

Hex8 = Annotated[bytes, PlainSerializer(hexadecimal, return_type=str, when_used="json"), _hex_of(8)]

Wei = Annotated[
    int,
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": "^[0-9]+$", "examples": ["2500000000000000000"]},
        mode="serialization",
    ),
]
Account = Annotated[str, Field(examples=[_ACCOUNT])]
Time = Annotated[
    int, Field(description="Unix seconds of the chain's clock.", examples=[1767225600])
]
Index = Annotated[int, Field(ge=0, examples=[7])]
Source = Literal["curriculum", "self_play", "battle", "private"]


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Answer):
    """Every error, in two sentences."""

    error: str = Field(description="What is wrong.", examples=["There is no beast 99."])
    hint: str = Field(
        description="What to do next; empty if nothing can be done.",
        examples=["GET /v1/beasts lists those there are."],
    )


class Page(Answer):
    """A part of a list."""

    next: str | None = Field(
        description="Pass it as ?cursor= for what follows; null at the end.",
        examples=["50"],
    )


class Moment(Answer):
    """Where on the chain something happened."""

    block: Index
    time: Time
    tx: Hex32


# --- status -------------------------------------------------------------------------------------


class IndexedBlock(Answer):
    """The newest block that the answers know."""

    number: Index
    hash: Hex32
    time: Time


class NodeHead(Answer):
    """The node's newest block, as last asked; ``answers`` is false while the node is away."""

    answers: bool
    number: int | None
    time: int | None


class Counts(Answer):
    """How many of each there are up to the indexed block."""

    beasts: Index
    checkpoints: Index
    pending: Index
    disputes: Index
    open_disputes: Index
    matches: Index


class Status(Answer):
    """Which chain this is about, and how far it has been read."""

    chain_id: int
    genesis: Hex32
    kernel_id: Hex32
    addresses: dict[str, Account]
    indexed: IndexedBlock | None = Field(description="null until a first block has been read")
    node: NodeHead
    blocks_behind: int | None = Field(description="null while it is not known")
    seconds_behind: int | None = Field(description="Chain time between the two; null if not known.")
    problem: str = Field(description="Why the chain is not being read; empty if it is.")
    season: int | None
    counts: Counts
    version: str


# --- beasts and checkpoints ---------------------------------------------------------------------


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


class Beast(Answer):
    """A beast and where its training stands."""

    id: int = Field(examples=[1])
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
    last_loss: int | None = Field(description="Σ|e| of the last live window.")
    last_submitted: int | None = Field(description="Time of the last live checkpoint.")
    private: bool = Field(description="It was submitted windows of a private dataset.")
    rating: Rating | None = Field(description="null before its first final match")


class BeastPage(Page):
    items: list[Beast]


class Checkpoint(Answer):
    """One submitted window of 128 micro-steps."""

    beast: int
    index: Index
    generation: Index = Field(description="Slashings of the beast before it was submitted.")
    state: Literal["pending", "disputed", "proven", "final", "slashed", "void"]
    proven: bool = Field(description="A dispute re-executed it to its end and it was right.")
    audit: Literal["full", "light"] = Field(
        description="full: everybody can replay every step (public samples, or a dataset that a "
        "dispute revealed); light: private samples, lineage and loss only."
    )
    h128: Hex32
    parent: Hex32
    epoch: Index
    global_step: Index
    loss: Index = Field(description="Σ|e| of the window.")
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


class Curve(Answer):
    """The loss over a beast's live windows, thinned out for a chart; columns of equal length."""

    beast: int
    windows: Index = Field(description="How many windows there are in all.")
    index: list[int]
    step: list[int]
    loss: list[int] = Field(description="Σ|e| per window.")
    low: list[int] = Field(description="Least loss of the windows that a point stands for.")
    high: list[int]
    source: list[Source]


# --- disputes -----------------------------------------------------------------------------------


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


# --- battles ------------------------------------------------------------------------------------


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


# --- seasons ------------------------------------------------------------------------------------


class Season(Answer):
    """One version of every constant; amounts of ENERGY in wei, periods in seconds."""

    season: int
    added: Moment
    rules: dict[str, int]
    schedule: dict[str, int]
    economics: dict[str, int | str] = Field(description="Amounts are decimal strings.")
    arena: dict[str, int | str] = Field(description="Amounts are decimal strings.")


class Seasons(Answer):
    items: list[Season]


class Change(Answer):
    """One constant that a proposal changes; amounts of ENERGY in wei."""

    part: Literal["rules", "schedule", "economics", "arena"]
    name: str
    now: str
    then: str


class Proposal(Answer):
    """A call on its way through the timelock."""

    operation: Hex32
    target: Account
    contract: str | None = Field(description="Our name of the target; null for another's.")
    ready_at: Time = Field(description="From then on anybody may execute it.")
    seconds_left: int = Field(description="By the chain's clock at the indexed block.")
    changes: list[Change] | None = Field(
        description="Against the newest season; null if it adds no season."
    )
    scheduled: Moment


class CurrentSeason(Season):
    """The newest season and what is proposed."""

    pending: list[Proposal]


# --- states -------------------------------------------------------------------------------------


class StateHeader(Answer):
    """A published state without its weights; the hash is keccak256 of header and weights' hash."""

    hash: Hex32
    beast: str = Field(description="uint256 as a decimal string.")
    parent: Hex32
    global_step: Index
    active_mask: int
    window_loss: Index
    arena: Hex32 = Field(description="Board word that self-play goes on from, or zero.")
    weights_hash: Hex32
    weights_bytes: int = Field(examples=[33792])


# --- live ---------------------------------------------------------------------------------------


class Live(Answer):
    """One message of /v1/events: what is new, so that a reader asks for it."""

    type: Literal["hello", "block", "reorg", "beast", "checkpoint", "dispute", "match", "season"]
    block: int | None = Field(
        default=None, description="Of the news; on reorg the first block that was taken back."
    )
    time: int | None = None
    event: str | None = Field(default=None, description="The contract's event.")
    beast: int | None = None
    index: int | None = None
    dispute: int | None = None
    match: int | None = None
    season: int | None = None
    tx: Hex32 | None = None


class Relayed(Answer):
    """One message of /v1/metrics: a figure of a run, or how the metrics server is."""

    type: Literal["metrics", "connected", "away"]
    message: dict[str, object] | None = Field(
        default=None, description="As the trainer sent it (docs/guides/metrics.md)."
    )
    hint: str | None = Field(default=None, description="What to do while it is away.")
