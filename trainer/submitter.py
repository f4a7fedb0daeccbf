"""Submits trained windows, each once, with the ENERGY they lock in escrow first."""

from __future__ import annotations

from collections.abc import Sequence

from web3.types import TxReceipt

from backend.chain.amounts import show_energy
from backend.chain.client import Chain
from backend.chain.errors import Reverted
from backend.chain.escrow import ensure_escrow
from backend.chain.outbox import Outbox
from backend.errors import ChainBeastsError
from trainer.windows import TrainedWindow

SPARE_WINDOWS = 8
"""Windows' worth of ENERGY that a deposit adds if the wallet has it, so that not every one needs
its own."""


class Submitter:
    """Submits one account's windows.

    Args:
        outbox: remembers what was signed, so that a killed run sends nothing twice.
    """

    def __init__(self, chain: Chain, outbox: Outbox) -> None:
        self.chain = chain
        self._outbox = outbox

    def recover(self) -> int:
        """Bring to its end what an earlier process signed; returns how many transactions."""
        return self._outbox.intents.recover()

    def submit(self, windows: Sequence[TrainedWindow], locks: int) -> TxReceipt:
        """Submit consecutive windows of one epoch, one or a batch.

        Args:
            locks: what they lock together, wei of ENERGY.

        Returns:
            The receipt, of an earlier process if that had submitted them.

        Raises:
            Reverted: the ledger refuses; ``StaleParent`` where the head has moved meanwhile.
            ChainBeastsError: not enough ENERGY, or no node.
        """
        first, last = windows[0], windows[-1]
        call = self._call(windows)
        self._fund(call, locks, len(windows))
        label = f"submit checkpoint {first.index}"
        if len(windows) > 1:
            label = f"submit checkpoints {first.index} to {last.index}"
        generation = self.chain.head(first.beast_id).generation
        key = f"{first.beast_id}/{first.index}/{last.h128.hex()}/{generation}"
        return self._outbox.send("submit", key, call, label=label)

    def _call(self, windows: Sequence[TrainedWindow]) -> object:
        first = windows[0]
        functions = self.chain.ledger.functions
        place = (first.beast_id, first.parent, first.epoch_seed)
        if len(windows) == 1:
            return functions.submit(*place, first.payload.to_abi())
        return functions.submitBatch(*place, [window.payload.to_abi() for window in windows])

    def _fund(self, call: object, locks: int, count: int) -> None:
        """Deposit what is missing, if ENERGY is all that the submission lacks."""
        try:
            self._outbox.sender.simulate(call)
        except Reverted as error:
            if error.name != "InsufficientEscrow":
                raise
            try:
                ensure_escrow(
                    self.chain, self._outbox.sender, locks, locks // count * SPARE_WINDOWS
                )
            except ChainBeastsError as refused:
                raise ChainBeastsError(
                    f"The window locks {show_energy(locks)} (its price and the trainer's bond). "
                    f"{refused.message}",
                    refused.hint,
                ) from None
