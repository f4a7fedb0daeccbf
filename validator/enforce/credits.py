"""What court and arena credited to an account in ENERGY, read from their events. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from web3.contract import Contract

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import BondOutcome
from chainbeasts.backend.indexer.positions import Position, position, stands
from chainbeasts.backend.indexer.rollback import stored_log
from chainbeasts.backend.store.facts import EventRow
from chainbeasts.backend.store.session import Database


@dataclass(frozen=True, slots=True)
class Credit:
    """What one transaction credited to us, wei of ENERGY."""

    reward: int = 0
    refund: int = 0

    def __add__(self, other: Credit) -> Credit:
        return Credit(self.reward + other.reward, self.refund + other.refund)


@dataclass(frozen=True, slots=True)
class CreditSource:
    """One escrow, and what is credited there.

    Attributes:
        prefix: of the keys of its withdrawals, which tells them from another's.
        events: that tell of credits.
        credited: what an event, by name and values, credits to an account.
    """

    escrow: Contract
    prefix: str
    events: tuple[str, ...]
    credited: Callable[[str, Mapping[str, Any], str], Credit]


def ledger_credits(chain: Chain) -> CreditSource:
    """The ledger's escrow, where the court's verdicts are paid, and re-executed steps."""
    events = ("CheckpointSlashed", "DisputeBondReleased", "StepsClaimed")
    return CreditSource(chain.ledger, "", events, _by_court)


def arena_credits(chain: Chain) -> CreditSource:
    """The arena's escrow, where disproofs are paid."""
    return CreditSource(chain.arena, "arena:", ("MatchDisproved",), _by_arena)


def _by_court(name: str, args: Mapping[str, Any], me: str) -> Credit:
    if name == "StepsClaimed":
        return Credit(int(args["energy"]) if args["account"] == me else 0)
    if name == "DisputeBondReleased":
        ours = args["filer"] == me and args["outcome"] == BondOutcome.REFUND
        return Credit(refund=int(args["bond"]) if ours else 0)
    reward = int(args["filerReward"]) if args["filer"] == me else 0
    share = int(args["proverReward"]) if args["prover"] == me else 0
    return Credit(reward + share)


def _by_arena(name: str, args: Mapping[str, Any], me: str) -> Credit:
    return Credit(int(args["reward"]) if args["challenger"] == me else 0)


class CreditLog:
    """The credits of one account in one escrow.

    Events of all time and of everybody are looked through once, and after that new blocks alone.
    """

    def __init__(
        self, chain: Chain, database: Database, source: CreditSource, account: str
    ) -> None:
        self._chain = chain
        self._database = database
        self._source = source
        self._account = account
        self._found: dict[bytes, Credit] = {}
        self._seen: Position | None = None

    def read(self) -> dict[bytes, Credit]:
        """What was credited so far, by transaction."""
        # From events, not from the balance, which would mix rewards with our own deposits.
        with self._database.reading() as session:
            rows, seen = self._new(session), position(session)
        for row in rows:
            self._add(row)
        self._seen = seen
        return dict(self._found)

    def _new(self, session: Session) -> Sequence[EventRow]:
        """The events that were not looked at yet; all of them after a reorg."""
        ordered = select(EventRow).order_by(EventRow.block_number, EventRow.log_index)
        if self._seen is not None and stands(session, self._seen):
            # By block alone: else SQLite takes the other index, and reads all of these names.
            found = session.scalars(ordered.where(EventRow.block_number > self._seen.number))
            return [row for row in found if row.name in self._source.events]
        self._found = {}
        return session.scalars(ordered.where(EventRow.name.in_(self._source.events))).all()

    def _add(self, row: EventRow) -> None:
        # Whom an event credits it names: to decode those of strangers would cost seconds.
        if bytes.fromhex(self._account.removeprefix("0x")) not in row.topics + row.data:
            return
        event = self._chain.decode(stored_log(row))
        if event is None:
            return
        credit = self._source.credited(event.name, event.args, self._account)
        if credit.reward or credit.refund:
            self._found[row.tx_hash] = self._found.get(row.tx_hash, Credit()) + credit
