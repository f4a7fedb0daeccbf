"""Submits trained windows, each once, with stake and ENERGY in place first."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from web3.types import TxReceipt

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.costs import DEPOSIT_GAS, submission_gas
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.receipts import read_receipt
from chainbeasts.backend.chain.transactions import GAS_MARGIN
from chainbeasts.backend.chain.types import Head
from chainbeasts.trainer.submit.funds import Funds, check_gas, funds_of, out_of_energy
from chainbeasts.trainer.submit.parents import check_parent
from chainbeasts.trainer.submit.stake import Stakes
from chainbeasts.trainer.submit.window import TrainedWindow

log = structlog.get_logger()

SPARE_WINDOWS = 8
"""Windows' worth of ENERGY that a deposit adds if the wallet has it, so that not every one needs
its own."""

STAKE_LACKS = ("StakeTooSmall", "StakeIsLeaving")
RACED = ("InsufficientEscrow", "ERC20InsufficientAllowance", *STAKE_LACKS)
FUNDINGS = 4
"""So often escrow and stake are filled for one submission: another process of the account may lock
what was meant for it, and the base fee, which the stake is asked for in, may rise."""


class Submitter:
    """Submits one account's windows.

    Args:
        outbox: remembers what was signed, so that a killed run sends nothing twice.
        stakes: puts up what the ledger asks for.
        accept_foreign_parent: build even on another trainer's pending window.
    """

    def __init__(
        self,
        chain: Chain,
        outbox: Outbox,
        stakes: Stakes | None = None,
        *,
        accept_foreign_parent: bool = False,
    ) -> None:
        self.chain = chain
        self._outbox = outbox
        self._stakes = stakes or Stakes(chain, outbox)
        self._accept_foreign_parent = accept_foreign_parent

    @property
    def me(self) -> str:
        return self._outbox.me

    def recover(self) -> int:
        """Bring to its end what an earlier process signed; returns how many transactions."""
        return self._outbox.recover()

    def lacking_stake(self, beast_id: int) -> int:
        """Native coin that the next submission would put up as a stake, wei."""
        return self._stakes.lacking(beast_id)

    def funds(self) -> Funds:
        """The ENERGY that the account can lock."""
        return funds_of(self.chain, self.me)

    def check_parent(self, beast_id: int, head: Head) -> None:
        """Make sure, before anything is trained, that this head may be built on.

        Raises:
            ForeignParentError: it is another trainer's pending window, and that was not accepted.
        """
        if not self._accept_foreign_parent:
            check_parent(beast_id, head, self.me)

    def stands(self, tx_hash: bytes) -> bool:
        """Whether a transaction is still on the chain."""
        return self.chain.read(lambda: read_receipt(self.chain.w3, tx_hash)) is not None

    def submit(self, windows: Sequence[TrainedWindow], locks: int) -> TxReceipt:
        """Submit consecutive windows of one epoch, one or a batch.

        Args:
            locks: what they lock together, wei of ENERGY.

        Returns:
            The receipt, of an earlier process if that had submitted them.

        Raises:
            Reverted: the ledger refuses; ``StaleParent`` where the head has moved meanwhile.
            OutOfEnergyError, OutOfGasError, StakeError: the account cannot pay, or not stake.
            ChainBeastsError: no node.
        """
        first, last = windows[0], windows[-1]
        call = self._call(windows)
        label = f"submit checkpoint {first.index}"
        if len(windows) > 1:
            label = f"submit checkpoints {first.index} to {last.index}"
        key = self._key(windows)
        for _ in range(FUNDINGS - 1):
            # Killed between deposit and submission, ENERGY and stake stand there for the next run.
            try:
                self._fund(call, windows, locks)
                return self._outbox.send("submit", key, call, label=label)
            except Reverted as error:
                if error.name not in RACED:
                    raise
                log.info("funding the submission again", label=label, reason=error.name)
        self._fund(call, windows, locks)
        return self._outbox.send("submit", key, call, label=label)

    def submitted(self, windows: Sequence[TrainedWindow]) -> TxReceipt | None:
        """The receipt of a submission that stands, whoever saw it mined; None if there is none.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        return self._outbox.find("submit", self._key(windows))

    def _key(self, windows: Sequence[TrainedWindow]) -> str:
        """Names a submission. After a slashing the same windows are another one, by generation."""
        first, last = windows[0], windows[-1]
        generation = self.chain.head(first.beast_id).generation
        return f"{first.beast_id}/{first.index}/{last.h128.hex()}/{generation}"

    def _call(self, windows: Sequence[TrainedWindow]) -> object:
        first = windows[0]
        functions = self.chain.ledger.functions
        # The ledger refuses every other head: no reorg puts windows and bond where they are wrong.
        place = (first.beast_id, first.parent, first.epoch_seed)
        if len(windows) == 1:
            return functions.submit(*place, first.payload.to_abi(), self._accept_foreign_parent)
        payloads = [window.payload.to_abi() for window in windows]
        return functions.submitBatch(*place, payloads, self._accept_foreign_parent)

    def _fund(self, call: object, windows: Sequence[TrainedWindow], locks: int) -> None:
        """See that gas can be paid, and add to stake and escrow if they are all that lacks."""
        number, first = len(windows), windows[0]
        # The estimate simulates it: what the ledger refuses costs neither gas, stake nor a deposit.
        try:
            gas = self._estimate(call, first.beast_id)
        except Reverted as error:
            if error.name != "InsufficientEscrow":
                raise
            funds = self.funds()
            if funds.total < locks:
                raise out_of_energy(first.beast_id, funds, locks // number, locks, number) from None
            # Without escrow there is no estimate: by the gas report, an epoch's end included.
            gas = DEPOSIT_GAS + submission_gas(first.index, number, ends_epoch=True)
            check_gas(self.chain, self._outbox.sender, int(gas * GAS_MARGIN), number)
            spare = locks // number * SPARE_WINDOWS
            ensure_escrow(self.chain, self._outbox.sender, locks, spare, outbox=self._outbox)
        else:
            check_gas(self.chain, self._outbox.sender, int(gas * GAS_MARGIN), number)

    def _estimate(self, call: object, beast_id: int) -> int:
        """Gas of a submission, with a stake put up before if there is too little of it."""
        gas = None
        try:
            gas = self._outbox.sender.estimate(call)
        except Reverted as error:
            if error.name not in STAKE_LACKS:
                raise
        # The ledger looks at the stake after parent and seed: no stale window puts one up.
        self._stakes.ensure(beast_id)
        return self._outbox.sender.estimate(call) if gas is None else gas
