"""Answers about the deployment: how far it is read, its seasons, its states; and the streams."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chainbeasts.backend.api.models.base import (
    Account,
    Answer,
    Hex32,
    Index,
    Moment,
    Time,
    Wei,
)
from chainbeasts.backend.api.models.constants import ArenaTerms, Economics, Rules, Schedule
from chainbeasts.backend.monitoring.training import TrainingMetrics


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
    wallet: bool = Field(
        description="Whether the page acts through its reader's wallet; the server signs nothing."
    )
    version: str


class Season(Answer):
    """One version of every constant; amounts of ENERGY in wei, periods in seconds."""

    season: int
    added: Moment
    rules: Rules
    schedule: Schedule
    economics: Economics
    arena: ArenaTerms


class Seasons(Answer):
    items: list[Season]


class Energy(Answer):
    """What ENERGY costs in the newest season, and what was sold, burned and earned so far."""

    season: int
    price: Wei = Field(
        description="Native coin that the sale asks for one ENERGY (10^18 wei); 0: it is closed."
    )
    hatch_cost: Wei = Field(description="ENERGY that a request to hatch burns.")
    sold: Wei = Field(description="ENERGY, by the sale.")
    proceeds: Wei = Field(description="Native coin that was paid for it; it went to the timelock.")
    burned_by_hatching: Wei = Field(description="ENERGY, by requests that lapsed, too.")
    burned_by_training: Wei = Field(description="ENERGY, by windows that became final.")
    rewards: Wei = Field(description="ENERGY credited for matches, claimed or not.")


class Change(Answer):
    """One constant that a proposal changes; amounts of ENERGY in wei."""

    part: Literal["rules", "schedule", "economics", "arena"]
    name: str
    now: str
    then: str


class CallArgument(Answer):
    """A value of a call; ``shown`` is how people read it: amounts and times with their unit."""

    name: str
    type: str = Field(examples=["uint256"])
    shown: str


class ScheduledCall(Answer):
    """What an operation calls; raw, if it is not a function of a contract of ours."""

    target: Account
    contract: str | None = Field(description="Our name of the target; null for another's.")
    function: str | None = Field(description="null if it is not known: then only data tells.")
    arguments: list[CallArgument]
    value: Wei = Field(description="Native coin of the timelock's that goes along.")
    data: str = Field(description="0x-hex.")
    changes: list[Change] | None = Field(
        description="Against the newest season; null if it adds no season."
    )


class Proposal(Answer):
    """An operation in the timelock: one or several calls, of which all are made or none."""

    operation: Hex32
    calls: list[ScheduledCall]
    predecessor: Hex32 | None = Field(description="Operation that has to be executed before.")
    ready_at: Time = Field(description="From then on anybody may execute it.")
    seconds_left: int = Field(description="By the chain's clock at the indexed block.")
    scheduled: Moment
    scheduled_by: Account | None = Field(
        description="Who sent the transaction; null until the node has told."
    )


class CurrentSeason(Season):
    """The newest season and what is proposed."""

    pending: list[Proposal]


class StateHeader(Answer):
    """A published state without its weights; the hash is keccak256 of header and weights' root."""

    hash: Hex32
    beast: str = Field(description="uint256 as a decimal string.")
    parent: Hex32
    global_step: Index
    active_mask: int
    window_loss: Index
    arena: Hex32 = Field(description="Board word that self-play goes on from, or zero.")
    weights_root: Hex32
    weights_bytes: int = Field(examples=[33792])


class Live(Answer):
    """One message of /v1/events: what is new, so that a reader asks for it."""

    type: Literal[
        "hello", "block", "reorg", "gap",
        "beast", "checkpoint", "dispute", "match", "season", "energy",
    ]  # fmt: skip
    id: str | None = Field(
        default=None,
        description="Of the event, as in /v1/activity; of hello and gap, of the newest event "
        "that was told. The last one that was seen is the ?since= of the next connection.",
    )
    block: int | None = Field(
        default=None, description="Of the news; on reorg the first block that was taken back."
    )
    time: int | None = None
    event: str | None = Field(default=None, description="The contract's event.")
    beast: int | None = Field(default=None, description="Of a match A.")
    rival: int | None = Field(default=None, description="Of a match B.")
    index: int | None = None
    dispute: int | None = None
    match: int | None = None
    season: int | None = None
    tx: Hex32 | None = None


class Relayed(Answer):
    """One message of /v1/metrics: a figure of a run, or how the metrics server is."""

    type: Literal["metrics", "connected", "away"]
    message: TrainingMetrics | None = Field(
        default=None,
        description="A window's figures (docs/guides/metrics.md); step and loss are the chain's.",
    )
    past: bool = Field(
        default=False, description="It was told before this connection: what a stream begins with."
    )
    unverified: tuple[str, ...] = Field(
        default=(), description="Fields of the message that are only somebody's word."
    )
    hint: str | None = Field(default=None, description="What to do while it is away.")
