"""A trainer's stake on a beast: native coin that answers for its windows beside their bonds.

The ledger asks for it at every submission, in gas at the base fee of the block. What stands above
that is what openings of a dispute are paid from at once; without it their pay waits until the
dispute ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from web3.types import BlockIdentifier, TxReceipt

from chainbeasts.backend.chain.amounts import show_coin, show_time
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.costs import STAKE_GAS, full_opening_gas
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import keep_in_step
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.prices import stake_price
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.submit.funds import OutOfGasError

log = structlog.get_logger()

REQUIRED_MULTIPLE = 2
"""Of the required stake, so that the base fee may double before the ledger asks for more."""

RISE = (9, 8)
"""What a full block does to the base fee: so much more than is required is asked of a stake, since
the submission is mined in a later block than the one that was looked at."""

Say = Callable[[str], None]
"""Tells the user something before it is done."""


class StakeError(ChainBeastsError):
    """The stake cannot be put up, or not be withdrawn yet."""


@dataclass(frozen=True, slots=True)
class StakeView:
    """One account's stake on one beast.

    Attributes:
        amount: wei that stand.
        required: wei that a submission asks for now.
        withdrawable_at: unix second from which it may be withdrawn; 0: not announced.
        barred_at: head count at the announcement.
    """

    beast_id: int
    account: str
    amount: int
    required: int
    withdrawable_at: int
    barred_at: int

    @property
    def is_leaving(self) -> bool:
        """Whether its withdrawal is announced, which bars the account from submitting."""
        return self.withdrawable_at != 0


def required_stake(chain: Chain, beast_id: int) -> int:
    """The stake that a submission asks for at the latest block's base fee, wei.

    By the ledger's formula and not by a call of it: some nodes let calls see a base fee of zero.
    """
    economics = chain.season(chain.head(beast_id).season).economics
    return stake_price(economics, reckoned_fee(chain))


def stake_view(
    chain: Chain, beast_id: int, account: str, block: BlockIdentifier = "latest"
) -> StakeView:
    """A stake as the ledger has it."""
    stake = chain.stake_of(beast_id, account, block)
    required = required_stake(chain, beast_id)
    at = (stake.withdrawable_at, stake.barred_at)
    return StakeView(beast_id, account, stake.amount, required, *at)


def reckoned_fee(chain: Chain) -> int:
    """Wei per gas at which stakes are reckoned: the base fee, never below the reference."""
    return max(chain.base_fee(), chain.limits().reference_fee)


def default_stake(chain: Chain, beast_id: int) -> int:
    """What is put up if nothing else is chosen, wei: twice what is required, and a full opening.

    The vault pays an opening at once only out of what exceeds the required stake, and a tip up to
    a quarter of the base fee with it.
    """
    length = chain.commitments(beast_id).dataset_length
    opening = full_opening_gas(length) * reckoned_fee(chain) * 5 // 4
    return REQUIRED_MULTIPLE * required_stake(chain, beast_id) + opening


class Stakes:
    """Puts up, tops up and takes back one account's stakes.

    Args:
        chosen: wei that shall stand after a top-up; the default above if None.
        say: told the sum before it leaves the account.
    """

    def __init__(
        self, chain: Chain, outbox: Outbox, *, chosen: int | None = None, say: Say | None = None
    ) -> None:
        self._chain = chain
        self._outbox = outbox
        self._chosen = chosen
        self._say = say or (lambda text: log.info(text))

    def view(self, beast_id: int) -> StakeView:
        """The account's stake on a beast."""
        return stake_view(self._chain, beast_id, self._outbox.me)

    def ensure(self, beast_id: int) -> None:
        """See that the stake suffices for a submission in the next blocks; else bring it to what
        was chosen.

        Raises:
            StakeError: it is leaving, a reward out of an earlier one is held, or the sum that was
                chosen is less than the ledger asks for.
            OutOfGasError: the account does not hold as much.
        """
        block = keep_in_step(self._outbox, "stake")
        view = stake_view(self._chain, beast_id, self._outbox.me, block)
        if view.is_leaving:
            raise _leaving(view)
        if _suffices(view):
            return
        total = self._total(beast_id)
        if total < view.required:
            raise StakeError(
                f"A submission for beast {beast_id} asks for a stake of {show_coin(view.required)} "
                f"now; --stake allows {show_coin(total)}.",
                "Choose a larger one, or leave --stake away.",
            )
        if total > view.amount:
            self.add(beast_id, total - view.amount)

    def lacking(self, beast_id: int) -> int:
        """What ``ensure`` would put up now, wei."""
        view = self.view(beast_id)
        return 0 if _suffices(view) else max(self._total(beast_id) - view.amount, 0)

    def _total(self, beast_id: int) -> int:
        return default_stake(self._chain, beast_id) if self._chosen is None else self._chosen

    def add(self, beast_id: int, amount: int) -> TxReceipt:
        """Add to the stake.

        Raises:
            StakeError: a reward out of an earlier stake is held.
            OutOfGasError: the account does not hold as much.
        """
        view = self.view(beast_id)
        self._check_balance(beast_id, amount)
        self._say(
            f"Staking {show_coin(amount)} on beast {beast_id}: {show_coin(view.amount + amount)} "
            f"then answer for your windows ({show_coin(view.required)} are required now). It comes "
            f"back with: chainbeasts trainer unstake {beast_id}"
        )
        call = self._chain.ledger.functions.stake(beast_id)
        try:
            return self._send("stake", beast_id, call, value=amount)
        except Reverted as error:
            if error.name != "StakeRewardHeld":
                raise
        self._settle(beast_id)
        return self._send("stake", beast_id, call, value=amount)

    def stay(self, beast_id: int) -> TxReceipt:
        """Take the announcement of a withdrawal back."""
        call = self._chain.ledger.functions.cancelWithdrawal(beast_id)
        return self._send("stake-stay", beast_id, call)

    def announce(self, beast_id: int) -> TxReceipt:
        """Announce the withdrawal; from here on the account may not submit for the beast."""
        call = self._chain.ledger.functions.announceWithdrawal(beast_id)
        return self._send("stake-leave", beast_id, call)

    def withdraw(self, beast_id: int) -> TxReceipt:
        """Withdraw an announced stake to the account.

        Raises:
            StakeError: it is still needed; says until when.
        """
        call = self._chain.ledger.functions.withdrawStake(beast_id, self._outbox.me)
        try:
            return self._send("unstake", beast_id, call)
        except Reverted as error:
            if error.name != "StakeStillNeeded":
                raise
        raise StakeError(self.due(self.view(beast_id)), "The same command takes it then.")

    def due(self, view: StakeView) -> str:
        """When an announced stake comes back, in a sentence."""
        head = self._chain.head(view.beast_id)
        needed = min(view.barred_at, head.head_count)
        sentence = (
            f"The stake of {show_coin(view.amount)} on beast {view.beast_id} can be withdrawn from "
            f"{show_time(view.withdrawable_at)} on"
        )
        if head.final_count < needed:
            sentence += (
                f", once the beast's first {needed} windows are final ({head.final_count} are)"
            )
        return f"{sentence}."

    def _check_balance(self, beast_id: int, amount: int) -> None:
        chain, me = self._chain, self._outbox.me
        balance = int(chain.read(lambda: chain.w3.eth.get_balance(me)))  # type: ignore[arg-type]
        needed = amount + STAKE_GAS * self._outbox.sender.offer().most
        if balance < needed:
            raise OutOfGasError(
                f"{me} cannot put up the stake on beast {beast_id}: {show_coin(amount)} and gas "
                f"are needed, up to {show_coin(needed)} in all; it has {show_coin(balance)}.",
                "Send it some of the chain's native coin, or choose less with --stake.",
            )

    def _settle(self, beast_id: int) -> None:
        """Have the reward out of an earlier, slashed stake paid, which bars a new one."""
        call = self._chain.vault.functions.settleReward(beast_id, self._outbox.me)
        try:
            self._send("settle", beast_id, call)
        except Reverted as error:
            if error.name != "RewardNotDue":
                raise
            values = error.args_by_name
            raise StakeError(
                f"Your stake on beast {beast_id} was slashed, and the reward out of it is held "
                f"until {values['needed']} of the beast's windows are final "
                f"({values['finalCount']} are); no new stake is taken before.",
                f"Wait, and finalize them: chainbeasts checkpoint finalize {beast_id}",
            ) from None

    def _send(self, kind: str, beast_id: int, call: Any, *, value: int = 0) -> TxReceipt:
        # By the account's next nonce: what an earlier process signed is brought to its end first
        # (``Outbox.recover``), and the ledger is read after that, so what still lacks is another
        # move. A key by sums alone would take a stake that left meanwhile for one that stands.
        chain, me = self._chain, self._outbox.me
        nonce = chain.read(lambda: chain.w3.eth.get_transaction_count(me))  # type: ignore[arg-type]
        key = f"{beast_id}/{nonce}"
        return self._outbox.send(kind, key, call, label=kind.replace("-", " "), value=value)


def _suffices(view: StakeView) -> bool:
    """Whether a stake is enough for a submission in the next blocks."""
    return view.amount * RISE[1] >= view.required * RISE[0]


def _leaving(view: StakeView) -> StakeError:
    return StakeError(
        f"The withdrawal of your stake on beast {view.beast_id} is announced, which bars you from "
        "submitting.",
        f"Take it back: chainbeasts trainer stake {view.beast_id}",
    )
