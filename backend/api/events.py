"""Events of the chain as answers: what each is called, is about, and moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, select, tuple_, union_all
from sqlalchemy.orm import Session

from chainbeasts.backend.api.cursors import Place
from chainbeasts.backend.api.models import Activity, Amount, BeastName
from chainbeasts.backend.api.models.activity import Kind
from chainbeasts.backend.api.names import beast_names
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import ZERO_ADDRESS
from chainbeasts.backend.indexer.rollback import stored_log
from chainbeasts.backend.store.facts import BlockRow, EventRow

KINDS: Mapping[Kind, tuple[str, ...]] = {
    "beast": (
        "HatchRequested", "Hatched", "Transfer", "TrainerSet",
        "RecordsPublished", "DatasetRevealed", "StagedDatasetRevealed", "SecretRevealed",
    ),
    "checkpoint": (
        "CheckpointSubmitted", "CheckpointFinalized", "CheckpointSlashed", "EpochStarted",
        "Staked", "StakeWithdrawalAnnounced", "StakeWithdrawalCancelled", "StakeWithdrawn",
    ),
    "dispute": (
        "DisputeFiled", "FilingIgnored", "OpeningAccepted", "OpeningPaid", "ProofWindowOpened",
        "DisputeAdvanced", "DisputeUpheld", "DisputeDismissed", "DisputeProven", "DisputeVoided",
        "StakeTaken", "RewardSettled", "StepsClaimed",
    ),
    "match": (
        "OpenChallengeSet", "OpenChallengeClosed", "MatchChallenged", "MatchAccepted",
        "MatchSeeded", "MatchRecorded", "MatchDisproved", "MatchFinalized", "MatchCancelled",
        "MatchExpired", "RewardsClaimed",
    ),
    "season": ("SeasonAdded", "CallScheduled", "CallExecuted", "Cancelled"),
    "energy": ("EnergyBought",),
}  # fmt: skip
"""What is told of. Not the archive of states: nobody has checked what beast a published header
names. Nor money in and out of an escrow, and what only says again what another event says."""

KIND_OF: Mapping[str, Kind] = {name: kind for kind, names in KINDS.items() for name in names}

AMOUNTS: Mapping[str, Mapping[str, tuple[str, Literal["energy", "native"]]]] = {
    "EnergyBought": {"paid": ("paid", "native"), "out": ("bought", "energy")},
    "HatchRequested": {"cost": ("burned", "energy")},
    "CheckpointSlashed": {
        "filerReward": ("filing", "energy"),
        "proverReward": ("proof", "energy"),
        "burned": ("burned", "energy"),
    },
    "Staked": {"amount": ("stake", "native")},
    "StakeWithdrawn": {"amount": ("stake", "native")},
    "StakeTaken": {
        "amount": ("stake", "native"),
        "debts": ("debts", "native"),
        "burned": ("burned", "native"),
    },
    "DisputeFiled": {"bond": ("bond", "energy")},
    "OpeningPaid": {"paid": ("paid", "native"), "waiting": ("waiting", "native")},
    "StepsClaimed": {"energy": ("steps", "energy"), "coin": ("steps", "native")},
    "MatchRecorded": {"bond": ("bond", "energy")},
    "MatchDisproved": {"reward": ("reward", "energy"), "burned": ("burned", "energy")},
    "MatchFinalized": {"rewardA": ("reward_a", "energy"), "rewardB": ("reward_b", "energy")},
    "RewardsClaimed": {"amount": ("rewards", "energy")},
}
"""Arguments that are amounts, by what they are called here."""

ABOUT: Mapping[str, str] = {
    "index": "index",
    "disputeId": "dispute",
    "matchId": "match",
    "season": "season",
}
"""Arguments that name what an event is about, besides its beasts."""

Stored = tuple[EventRow, int]
"""An event and the time of its block."""


def kind_of(event: Event) -> Kind | None:
    """What an event is told of as; None if it is not told of."""
    if event.name == "Transfer" and event.args["from"] == ZERO_ADDRESS:
        return None  # the hatching says so
    return KIND_OF.get(event.name)


def event_id(row: EventRow | Event) -> str:
    """The name of an event, which it keeps unless its block is taken back."""
    return f"{row.block_number}-{row.log_index}"


def amounts_of(event: Event) -> list[Amount]:
    """What an event moved."""
    if event.name == "CheckpointSubmitted":
        record = event.args["checkpoint"]
        price, bond = record["payload"]["energyBurn"], record["bond"]
        return [
            Amount(name="price", wei=price, coin="energy"),
            Amount(name="bond", wei=bond, coin="energy"),
        ]
    if event.name == "RewardSettled":
        held = event.args["held"]
        return [Amount(name=name, wei=held[name], coin="native") for name in ("filing", "proof")]
    return [
        Amount(name=name, wei=int(event.args[argument]), coin=coin)
        for argument, (name, coin) in AMOUNTS.get(event.name, {}).items()
    ]


def newest_event(session: Session) -> str | None:
    """The id of the newest event that is known, told of or not."""
    e = EventRow
    row = session.scalar(select(e).order_by(e.block_number.desc(), e.log_index.desc()).limit(1))
    return None if row is None else event_id(row)


def is_known(session: Session, block: int, log_index: int) -> bool:
    """Whether there is an event of that id."""
    e = EventRow
    found = select(e.id).where(e.block_number == block, e.log_index == log_index)
    return session.scalar(found) is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for: those that fit all that is given.

    Attributes:
        since: block and log number of an event; only what came after it.
    """

    kinds: frozenset[Kind] = frozenset()
    beast: int | None = None
    match: int | None = None
    account: str | None = None
    since: tuple[int, ...] | None = None


def read_events(session: Session, wanted: Wanted, place: Place, limit: int) -> Sequence[Stored]:
    """Events from a place on, newest first; before it backwards, oldest first."""
    e, falling = EventRow, not place.back
    key = tuple_(e.block_number, e.log_index)
    order = [one.desc() if falling else one.asc() for one in (e.block_number, e.log_index)]

    def bounded(part: Select[int]) -> Select[int]:
        if place.key is not None:
            part = part.where(key < tuple_(*place.key) if falling else key > tuple_(*place.key))
        if wanted.since is not None:
            part = part.where(key > tuple_(*wanted.since))
        return part.order_by(*order).limit(limit)

    # Each part is read off an index as far as a page may go, so none grows with history.
    parts = [bounded(part).subquery() for part in _lists(wanted)]
    if not parts:
        return []
    ids = union_all(*(select(part.c.id) for part in parts)).subquery()
    found = session.execute(
        select(e, BlockRow.timestamp)
        .join(BlockRow, BlockRow.number == e.block_number)
        .where(e.id.in_(select(ids.c.id)))
        .order_by(*order)
        .limit(limit)
    )
    return [(row, time) for row, time in found]


def _lists(wanted: Wanted) -> list[Select[int]]:
    """The lists, each in an index's order, that together are what is asked for."""
    e = EventRow
    names = [name for kind in wanted.kinds or KINDS for name in KINDS[kind]]
    if wanted.match is not None:
        found = [select(e.id).where(e.match_id == wanted.match, e.name.in_(names))]
    else:
        found = [select(e.id).where(e.name == name) for name in names]
    if wanted.beast is not None:
        mine = (e.beast_id == wanted.beast, e.rival_id == wanted.beast)
        found = [part.where(of) for part in found for of in mine]
    if wanted.account is not None:
        found = [part.where(e.account == wanted.account) for part in found]
    return found


def activity_answers(session: Session, chain: Chain, stored: Sequence[Stored]) -> list[Activity]:
    """The answers for events, in the order given; what is not told of is left out."""
    decoded = [(row, time, chain.decode(stored_log(row))) for row, time in stored]
    ids = {one for row, _ in stored for one in (row.beast_id, row.rival_id)} - {None}
    names = beast_names(session, {one for one in ids if one is not None})
    found = []
    for row, time, event in decoded:
        kind = None if event is None else kind_of(event)
        if event is None or kind is None:
            continue
        found.append(_activity(row, time, event, kind, names))
    return found


def _activity(
    row: EventRow, time: int, event: Event, kind: Kind, names: Mapping[int, BeastName]
) -> Activity:
    args = event.args
    about = {name: int(args[argument]) for argument, name in ABOUT.items() if argument in args}
    return Activity(
        id=event_id(row),
        kind=kind,
        event=row.name,
        block=row.block_number,
        time=time,
        tx=row.tx_hash,
        beasts=[
            names[one] for one in (row.beast_id, row.rival_id) if one is not None and one in names
        ],
        index=about.get("index"),
        dispute=about.get("dispute"),
        match=about.get("match"),
        season=about.get("season"),
        account=row.account,
        amounts=amounts_of(event),
    )
