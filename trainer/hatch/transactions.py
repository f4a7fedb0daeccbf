"""Hatches a beast in two transactions, and goes on where an interrupted hatch stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from web3.logs import DISCARD
from web3.types import TxReceipt

from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import GET_ENERGY, ensure_allowance
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import ZERO_ADDRESS, Birth
from chainbeasts.backend.chain.waiting import await_block
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.datasets.pack import PackedDataset
from chainbeasts.trainer.hatch import requests
from chainbeasts.trainer.hatch.requests import PendingHatch
from chainbeasts.trainer.workspace import TrainerWorkspace

REQUEST_KIND = "requestHatch"


@dataclass(frozen=True, slots=True)
class Hatched:
    """A beast that hatched; ``private`` is where its files lie, if it has any here."""

    beast_id: int
    private: Path | None


class Hatcher:
    """One account's hatches."""

    def __init__(self, workspace: TrainerWorkspace, outbox: Outbox) -> None:
        self._workspace = workspace
        self._chain = workspace.chain
        self._outbox = outbox

    @property
    def _chain_id(self) -> int:
        return self._chain.deployment.chain_id

    def pending_hatches(self) -> list[PendingHatch]:
        """Hatches that this account began here and did not end."""
        return requests.pending_hatches(self._workspace.home, self._chain_id, self._outbox.me)

    def begin(self, packed: PackedDataset | None) -> PendingHatch:
        """Put a hatch on record, its secret on disk."""
        return requests.begin(self._workspace.home, self._chain_id, self._outbox.me, packed)

    def is_requested(self, pending: PendingHatch) -> bool:
        """Whether the request stands on the chain, so that going on burns nothing more.

        What an earlier process signed for it comes to its end first.

        Raises:
            NodeUnavailableError, WrongChainError: the chain cannot be reached.
        """
        self._outbox.recover()
        return self._outbox.is_done(REQUEST_KIND, pending.token)

    def cost(self) -> int:
        """What a request burns now, wei of ENERGY.

        Raises:
            ChainBeastsError: the account's wallet does not hold as much.
        """
        cost, held = self._chain.hatch_cost(), self._chain.energy_of(self._outbox.me)
        if held < cost:
            raise ChainBeastsError(
                f"To hatch a beast burns {show_energy(cost)}; {self._outbox.me} has "
                f"{show_energy(held)} in its wallet.",
                f"Get {show_energy(cost - held)} more: {GET_ENERGY}; or out of escrow: chainbeasts "
                "energy withdraw AMOUNT",
            )
        return cost

    def carry_on(self, pending: PendingHatch, cost: int = 0) -> Hatched:
        """Bring a pending hatch to its end, however far it had come.

        Args:
            cost: wei of ENERGY that the request may burn, where it has not been made yet.

        Raises:
            ChainBeastsError: expired or refused; what to do is in the hint.
        """
        # Each step sees by itself whether it was done before. The folder is renamed last: after
        # that nothing here leads back to the request.
        beast_id = self._request(pending, cost)
        self._hatch(beast_id, pending)
        return Hatched(
            beast_id, requests.finish(pending, self._workspace.home, self._chain_id, beast_id)
        )

    def resume(self, beast_id: int) -> Hatched:
        """Hatch a beast whose request stands, by its number.

        Raises:
            ChainBeastsError: no such request, or it expired.
        """
        for pending in self.pending_hatches():
            receipt = self._outbox.find(REQUEST_KIND, pending.token)
            if receipt is not None and self._requested(receipt) == beast_id:
                return self.carry_on(pending)
        self._hatch(beast_id, None)
        folder = self._workspace.private_folder(beast_id)
        return Hatched(beast_id, folder if folder.exists() else None)

    # --- the two transactions -------------------------------------------------------------------

    def _request(self, pending: PendingHatch, cost: int) -> int:
        if not self.is_requested(pending):
            # The allowance is all that the request can burn, whatever season it is mined in: a
            # price that has risen since it was shown is refused. After a kill in between it stays
            # until the next hatch, which sets it anew.
            sender, beasts = self._outbox.sender, self._chain.beasts
            ensure_allowance(self._chain, sender, beasts, cost, exact=True)
        function = self._chain.beasts.functions.requestHatch(*pending.commitments.to_abi())
        receipt = self._outbox.send(
            REQUEST_KIND, pending.token, function, label="request the hatch"
        )
        return self._requested(receipt)

    def _requested(self, receipt: TxReceipt) -> int:
        event = self._chain.beasts.events.HatchRequested()
        found = event.process_receipt(receipt, errors=DISCARD)
        return int(found[0]["args"]["beastId"])

    def _hatch(self, beast_id: int, pending: PendingHatch | None) -> None:
        if self._birth(beast_id) is not None:
            return
        request = self._chain.hatch_request(beast_id)
        if request.requester == ZERO_ADDRESS:
            raise ChainBeastsError(
                f"Nobody asked for beast {beast_id}.", "See: chainbeasts beast list"
            )
        # The DNA is the hash of the request's block, which a later block alone can read.
        await_block(self._chain, request.request_block + 1)
        try:
            self._outbox.sender.send(
                self._chain.beasts.functions.hatch(beast_id), label=f"hatch beast {beast_id}"
            )
        except Reverted as error:
            if error.name == "NoHatchRequest" and self._birth(beast_id) is not None:
                return  # somebody else called it; it is ours all the same
            # On record before the error ends us: the same command then requests anew.
            if error.name == "HatchExpired" and pending is not None:
                pending.renew()
            raise

    def _birth(self, beast_id: int) -> Birth | None:
        try:
            return self._chain.birth(beast_id)
        except Reverted:
            return None
