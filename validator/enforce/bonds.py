"""The validator's moves, the bonds that they put at risk, and what they cost in the last day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.outbox import SETTLED_BLOCKS, Outbox
from chainbeasts.backend.chain.prices import FEE_HEADROOM
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.monitoring.health import Spent, spent
from chainbeasts.backend.store.columns import AT_ONCE
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.facts import BlockRow, DisputeRow
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.enforce.pauses import Pauses
from chainbeasts.validator.enforce.strategy import Action

log = structlog.get_logger()

FILINGS = (Action.FILE, Action.OPEN)
DAY = timedelta(days=1)

UNPAID = "-unpaid"
"""At the end of a move's kind: it did not pay for itself, and counts against the gas budget."""

_OUT = (IntentState.SIGNED, IntentState.MINED)
"""Signed ones count, since a node may mine them at any time; planned ones are not out yet."""

_RIGHT = ("dismissed", "proven")


@dataclass(frozen=True, slots=True)
class Openings:
    """Our filings on doubt.

    Attributes:
        coin: wei of native coin that those of the last day cost, or may cost.
        energy: the same in wei of ENERGY.
        digests: of the records that those of the last day are over.
        right: how many windows of each beast, that we disputed, were right after all; ever.
    """

    coin: int
    energy: int
    digests: frozenset[bytes]
    right: Counter[int]


class MoveSender:
    """The moves of one account.

    Attributes:
        pauses: before those that failed on the chain.
    """

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self.outbox = outbox
        self.pauses = Pauses()

    @property
    def transactions(self) -> TransactionManager:
        return self.outbox.sender

    @property
    def me(self) -> str:
        return self.outbox.me

    def send(
        self,
        action: Action,
        key: str,
        call: Any,
        *,
        bond: int = 0,
        value: int = 0,
        spare_gas: int = 0,
        due: int | None = None,
        unpaid: bool = False,
    ) -> bool:
        """Make a move unless it stands on the chain already; whether it was made now.

        Args:
            bond: wei of ENERGY that the move puts at risk.
            value: wei of native coin sent along.
            spare_gas: see ``TransactionManager.send``.
            due: chain time (unix seconds) after which the move is of no use.
            unpaid: it counts against the gas budget.

        Raises:
            Reverted: the court refuses.
            ChainBeastsError: no funds, no node, or not mined in time.
        """
        kind = str(action)
        # The intent and its bond are in the database before the transaction is signed, its hash
        # before it goes out: after a kill the bond is counted, and the move not made twice.
        with self.pauses.before(f"{kind} {key}"):
            receipt = self.outbox.send_once(
                kind + UNPAID if unpaid else kind,
                key,
                call,
                label=kind,
                bond=bond,
                value=value,
                spare_gas=spare_gas,
                due=due,
            )
        if receipt is None:
            return False
        log.info("move made", action=kind, gas=receipt.gas_used, tx="0x" + receipt.hash.hex())
        return True

    def spent(self) -> dict[str, Spent]:
        """What our moves have cost so far, by action."""
        return spent(self._database, self.me)

    def unpaid_gas(self) -> int:
        """Gas of the last day's moves that did not pay, among them all that failed."""
        failed = IntentRow.state == IntentState.FAILED
        made = IntentRow.kind.endswith(UNPAID) & (IntentRow.state == IntentState.MINED)
        found = select(func.sum(IntentRow.gas_used)).where(
            IntentRow.account == self.me,
            failed | made,
            IntentRow.updated_at >= datetime.now(UTC) - DAY,
        )
        with self._database.session() as session:
            return int(session.scalar(found) or 0)

    def bonds_at_risk(self) -> int:
        """Wei of ENERGY in our open disputes, those included that are not indexed yet."""
        # By what is open and by what we filed: strangers' disputes of all time are not read.
        mine = select(DisputeRow.bond).where(
            DisputeRow.status.in_(OPEN), DisputeRow.filer == self.me
        )
        with self._database.session() as session:
            sent = session.execute(self._filed).all()
            over = self._disputes_over(session, {_digest_of(key) for key, _ in sent})
            # A filing is on its way until its dispute is indexed.
            coming = (bond for key, bond in sent if _earlier(key) >= over[_digest_of(key)])
            return int(sum(coming) + sum(session.scalars(mine)))

    @property
    def _filed(self) -> Select[str, int]:
        """Key and bond of our filings that may not be indexed yet.

        Those of all time are not read: so deep, their disputes are indexed, or stand no more.
        """
        indexed = select(func.max(BlockRow.number)).scalar_subquery()
        return select(IntentRow.key, IntentRow.bond).where(
            IntentRow.account == self.me,
            IntentRow.kind.in_([str(action) for action in FILINGS]),
            IntentRow.state.in_(_OUT),
            or_(
                IntentRow.state == IntentState.SIGNED,
                IntentRow.block_number.is_(None),
                IntentRow.block_number > func.coalesce(indexed, 0) - SETTLED_BLOCKS,
            ),
        )

    @staticmethod
    def _disputes_over(session: Session, digests: Iterable[bytes]) -> Counter[bytes]:
        """How many disputes there are over each of some records."""
        found, wanted = Counter[bytes](), sorted(digests)
        counts = select(DisputeRow.digest, func.count()).group_by(DisputeRow.digest)
        for start in range(0, len(wanted), AT_ONCE):
            some = counts.where(DisputeRow.digest.in_(wanted[start : start + AT_ONCE]))
            found.update({bytes(digest): int(count) for digest, count in session.execute(some)})
        return found

    def openings(self) -> Openings:
        """What we filed on doubt, and how it ended."""
        coin = energy = 0
        today = set[bytes]()
        with self._database.session() as session:
            right = Counter({int(beast): int(n) for beast, n in session.execute(self._right)})
            for intent in session.scalars(self._on_doubt_today):
                digest = _digest_of(intent.key)
                wanted = select(DisputeRow).where(
                    DisputeRow.digest == digest, DisputeRow.filer == self.me
                )
                row = session.scalars(wanted.order_by(DisputeRow.dispute_id.desc())).first()
                today.add(digest)
                # A conviction gives both bonds back. What is open may still cost them.
                if row is not None and row.status in OPEN:
                    coin += opening_cost(row.opening_bond, row.opening_surplus)
                elif row is not None and row.opening_returned is not None:
                    coin += max(row.opening_bond + row.opening_surplus - row.opening_returned, 0)
                if row is not None and (row.status in OPEN or row.status in _RIGHT):
                    energy += row.bond
        return Openings(coin, energy, frozenset(today), right)

    @property
    def _right(self) -> Select[int, int]:
        """How many disputes of ours each beast's windows withstood."""
        return (
            select(DisputeRow.beast_id, func.count())
            .where(DisputeRow.filer == self.me, DisputeRow.status.in_(_RIGHT))
            .group_by(DisputeRow.beast_id)
        )

    @property
    def _on_doubt_today(self) -> Select[IntentRow]:
        return select(IntentRow).where(
            IntentRow.account == self.me,
            IntentRow.kind == str(Action.OPEN),
            IntentRow.state.in_(_OUT),
            IntentRow.updated_at >= datetime.now(UTC) - DAY,
        )


def opening_cost(base: int, surplus: int) -> int:
    """What openings cost a filer over a right window, wei of native coin.

    The bond's base asks for more than the present fee, in case it rises; of the surplus, asked for
    because of other disputes, as much burns as the openings took.
    """
    opened = base // FEE_HEADROOM
    return opened + min(surplus, opened)


def filing_key(digest: bytes, earlier: int) -> str:
    """Names a filing over a record that ``earlier`` disputes have been about."""
    # With the digest alone, a record whose first dispute was dismissed could never be filed again;
    # with a random part, a restarted daemon would file, and bond, twice.
    return f"{digest.hex()}:{earlier}"


def _earlier(key: str) -> int:
    """How many disputes there were over the record of a filing before it."""
    return int(key.split(":")[1])


def _digest_of(key: str) -> bytes:
    return bytes.fromhex(key.split(":")[0])
