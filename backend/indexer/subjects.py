"""What an event is about: its beasts, its match, and the account whose doing it is."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import ZERO_ADDRESS
from chainbeasts.backend.indexer.matches import match_of
from chainbeasts.backend.store.facts import DisputeRow
from chainbeasts.backend.store.matches import MatchRow

MAX_ID = 2**63 - 1
"""The largest number that a database's column of ids holds."""

ACTORS: Mapping[str, str] = {
    "EnergyBought": "buyer",
    "HatchRequested": "requester",
    "Hatched": "owner",
    "Transfer": "to",
    "TrainerSet": "owner",
    "Staked": "trainer",
    "StakeWithdrawalAnnounced": "trainer",
    "StakeWithdrawalCancelled": "trainer",
    "StakeWithdrawn": "trainer",
    "StakeTaken": "trainer",
    "OpeningPaid": "trainer",
    "RewardSettled": "trainer",
    "StepsClaimed": "account",
    "DisputeFiled": "filer",
    "FilingIgnored": "caller",
    "DisputeAdvanced": "account",
    "DisputeUpheld": "prover",
    "MatchChallenged": "ownerA",
    "MatchAccepted": "ownerB",
    "MatchRecorded": "reporter",
    "MatchDisproved": "challenger",
    "OpenChallengeSet": "owner",
    "OpenChallengeClosed": "owner",
    "RewardsClaimed": "account",
}
"""The argument of an event that names who did it, or whom it befell."""


def beast_of(session: Session, event: Event) -> int | None:
    """The beast that an event is about, of a match its first; None if it is about none."""
    args = event.args
    if "beastId" in args:
        # Anybody may publish a state whose header names any number: no beast has such an id.
        beast_id = int(args["beastId"])
        return beast_id if beast_id <= MAX_ID else None
    if event.contract == "Beasts" and "tokenId" in args:
        return int(args["tokenId"])
    if "disputeId" in args:  # of the court, and of the ledger and the vault about its bonds
        row = session.get(DisputeRow, int(args["disputeId"]))
        return None if row is None else row.beast_id
    match = _match(session, event)
    return None if match is None else match.beast_a


def rival_of(session: Session, event: Event) -> int | None:
    """The second beast of the match that an event is about; None if it is about none."""
    match = _match(session, event)
    return None if match is None else match.beast_b


def account_of(event: Event) -> str | None:
    """Whose doing an event is; None where it names nobody."""
    if event.name == "CheckpointSubmitted":
        return str(event.args["checkpoint"]["trainer"])
    argument = ACTORS.get(event.name)
    account = None if argument is None else str(event.args[argument])
    return None if account == ZERO_ADDRESS else account


def _match(session: Session, event: Event) -> MatchRow | None:
    number = match_of(event)
    return None if number is None else session.get(MatchRow, number)
