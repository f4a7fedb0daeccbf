"""Files a dispute with both its bonds: ENERGY out of escrow, native coin sent along."""

from __future__ import annotations

from typing import Any

import structlog

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import FilingQuote
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.window import WindowContext
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.validator.enforce.bonds import MoveSender, filing_key
from chainbeasts.validator.enforce.moves import MoveBuilder
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.staging import Staging
from chainbeasts.validator.enforce.strategy import Action
from chainbeasts.validator.enforce.value import GAS
from chainbeasts.validator.judge.cases import Case, CaseReader

log = structlog.get_logger()

VALUE_HEADROOM, DOUBT_HEADROOM = 200, 150
"""Percent of the quoted opening bond that is sent; what is too much is credited.

Over a wrong window all of it comes back: twice the bond, which is what six full blocks make of the
base fee, or another dispute over the beast of the bond of the first. A doubt may be wrong, so a
decoy that gets in front of the first filing must make it revert, not pay twice what was weighed:
the next pass weighs the new price. Half as much again still bears three full blocks; where others
are open already, one more costs a doubt nothing and is borne, too.
"""

FILING_MARGIN, FILING_MARGIN_BLOCKS = 3_600, 64
MARGIN_DIVISOR = 10
"""The last filing comes an hour and 64 blocks before the challenge period ends, so that a reorg or
a full chain leaves time for another one; where periods are short, a tenth of them before it."""


def filing_deadline(submitted_at: int, challenge_period: int, block_seconds: float) -> int:
    """Last second in which a dispute is filed here."""
    margin = FILING_MARGIN + int(FILING_MARGIN_BLOCKS * block_seconds)
    return submitted_at + challenge_period - min(margin, challenge_period // MARGIN_DIVISOR)


def value_to_send(
    chain: Chain, sender: TransactionManager, quote: FilingQuote, *, doubt: bool
) -> int:
    """The native coin that goes along with a filing: with head-room, as far as there is some.

    Args:
        doubt: the window may be right.

    Raises:
        ChainBeastsError: the account does not hold the opening bond and the filing's gas.
    """
    address = sender.address
    balance = int(chain.read(lambda: chain.w3.eth.get_balance(address)))  # type: ignore[arg-type]
    available = balance - GAS[Action.FILE] * sender.offer().most
    if available < quote.opening_bond:
        raise ChainBeastsError(
            f"{address} holds {balance} wei of native coin; the opening bond of "
            f"{quote.opening_bond} wei and the filing's gas are more.",
            "Send some to it.",
        )
    headroom = DOUBT_HEADROOM if doubt else VALUE_HEADROOM
    return min(quote.opening_bond * headroom // 100, available)


def fund_bond(
    chain: Chain,
    sender: TransactionManager,
    filing: Any,
    bond: int,
    value: int = 0,
    outbox: Outbox | None = None,
) -> None:
    """Make sure that the escrow covers a filing, if that is all that it lacks.

    Args:
        value: wei of native coin that goes along with it.
        outbox: a daemon's, whose journal has the deposit.

    Raises:
        Reverted: the court refuses the filing for another reason; nothing was deposited.
        ChainBeastsError: wallet and escrow together do not cover the bond.
    """
    # Before the deposit, which a filing that is refused anyway must not cause. The ledger debits
    # escrow after all its checks, and the value covers the quote, so this one error means that
    # nothing else is wrong.
    try:
        sender.simulate(filing, value=value)
    except Reverted as error:
        if error.name != "InsufficientEscrow":
            raise
        ensure_escrow(chain, sender, bond, outbox=outbox)


class Filer:
    """Files disputes within a policy."""

    def __init__(self, reader: CaseReader, moves: MoveBuilder, policy: Policy) -> None:
        self._reader = reader
        self._moves = moves
        self._policy = policy

    def file(
        self,
        sender: MoveSender,
        case: Case,
        *,
        context: WindowContext | None,
        data: PrivateDataset | None,
        due: int,
    ) -> bool:
        """File over a case, if the court would judge by the same facts and the bonds fit.

        Args:
            context: that the window was found wrong by; None for a filing on doubt.
            data: to reveal with it.
            due: chain time after which filing is of no use.

        Raises:
            ChainBeastsError: it would not, or they do not.
        """
        # The order is that of the costs. First whether we are right in the court's eyes: with a
        # seed, season or root misread from a lying node, an honest window replays to another hash.
        if context is not None and not self._reader.court_agrees(case, context):
            raise ChainBeastsError("The court would judge by another context; no bond is risked.")
        chain = self._reader.chain
        # Then whether somebody was faster: one dispute is open over a record at a time.
        standing = chain.standing(case.digest)
        if standing.dispute_id or standing.proven:
            return False  # news that the next reading brings
        quote = self._moves.quote(case)
        self._require_room(sender, quote.bond)
        action = Action.OPEN if context is None else Action.FILE
        key = filing_key(case.digest, len(self._reader.disputes_over(case.digest)))
        with sender.pauses.before(f"{action} {key}"):
            value = value_to_send(chain, sender.transactions, quote, doubt=context is None)
            if data is not None and self._moves.stages(case, data):
                self._stage(sender, case, data, quote.bond)
            call = self._moves.file(case, data)
            fund_bond(chain, sender.transactions, call, quote.bond, value, sender.outbox)
            return sender.send(action, key, call, bond=quote.bond, value=value, due=due)

    def _require_room(self, sender: MoveSender, bond: int) -> None:
        """Make sure that a bond fits under the cap, before anything is paid for: the cap bounds
        what an error of ours can lose at a time."""
        cap, at_risk = self._policy.max_bonds, sender.bonds_at_risk()
        if cap is not None and at_risk + bond > cap:
            raise ChainBeastsError(
                f"The bond of {bond} wei does not fit under --max-bonds: {at_risk} of {cap} wei "
                "are at risk."
            )

    def _stage(self, sender: MoveSender, case: Case, data: PrivateDataset, bond: int) -> None:
        """Put a large dataset on chain, which is worth its gas only if the filing can follow."""
        chain, outbox = self._reader.chain, sender.outbox
        # The bond first: up to 116 million gas of chunks would be lost if it turned out to be
        # missing.
        ensure_escrow(chain, sender.transactions, bond, outbox=sender.outbox)

        def report(done: int, total: int) -> None:
            log.info("staging", beast=case.beast_id, checkpoint=case.index, done=done, of=total)

        Staging(chain, sender.me, data).run(
            lambda move: outbox.send_once("stage", move.key, move.call, label=move.label),
            report,
            lambda: self._moves.stages(case, data),
        )
