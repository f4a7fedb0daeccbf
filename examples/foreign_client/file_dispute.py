"""Disputes a checkpoint with plain web3.py: no import of ChainBeasts, only its ABI and addresses.

    FOREIGN_KEY=0x… python file_dispute.py --rpc URL --deployment 31337.json --abi docs/abi 1 0

files over window 0 of beast 1. What a dispute costs is asked of the court first: an ENERGY bond,
which has to lie in the ledger's escrow, and an opening bond in native coin, which goes along. Both
come back if the window falls. Whether it is wrong is yours to know, by docs/spec.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import Web3
from web3.contract.contract import Contract

HEADROOM = 2
"""Of the opening bond: the court reckons it at the base fee of the block that mines the filing, and
credits what is too much."""


class Client:
    """One account on one deployment."""

    def __init__(self, rpc: str, deployment: Path, abi: Path, key: str) -> None:
        self.w3 = Web3(Web3.HTTPProvider(rpc))
        self.account = Account.from_key(key)
        record = json.loads(deployment.read_text("utf-8"))
        self._addresses, self._start, self._abi = record["addresses"], record["start_block"], abi

    def contract(self, name: str) -> Contract:
        """A contract of the deployment, by its published ABI."""
        abi = json.loads((self._abi / f"{name}.json").read_text("utf-8"))
        found: Contract = self.w3.eth.contract(address=self._addresses[name], abi=abi)
        return found

    def send(self, call: Any, value: int = 0) -> Any:
        """Sign, send, and wait until it is mined."""
        me = self.account.address
        nonce = self.w3.eth.get_transaction_count(me)
        transaction = call.build_transaction({"from": me, "value": value, "nonce": nonce})
        signed = self.account.sign_transaction(transaction)
        sent = self.w3.eth.send_raw_transaction(signed.raw_transaction)
        receipt = self.w3.eth.wait_for_transaction_receipt(sent)
        if receipt["status"] != 1:
            raise SystemExit(f"{sent.to_0x_hex()} failed.")
        return receipt

    def checkpoint(self, beast: int, index: int) -> Any:
        """The record of a window as its submission's event has it; the last one, if it was
        submitted again after a slashing.
        """
        submitted = self.contract("CheckpointLedger").events.CheckpointSubmitted
        filters = {"beastId": beast, "index": index}
        logs = submitted.get_logs(from_block=self._start, argument_filters=filters)
        if not logs:
            raise SystemExit(f"Beast {beast} has no window {index}.")
        return logs[-1]["args"]["checkpoint"]

    def ensure_escrow(self, needed: int) -> None:
        """Deposit what the ledger's escrow lacks of the ENERGY bond."""
        ledger, energy = self.contract("CheckpointLedger"), self.contract("Energy")
        lacking = needed - ledger.functions.escrowOf(self.account.address).call()
        if lacking > 0:
            self.send(energy.functions.approve(ledger.address, lacking))
            self.send(ledger.functions.deposit(lacking))

    def file(self, beast: int, index: int) -> Any:
        """Dispute a window; the arguments of ``DisputeFiled``."""
        court, record = self.contract("DisputeCourt"), self.checkpoint(beast, index)
        bond, opening_bond, _ = court.functions.quote(beast, record).call()
        self.ensure_escrow(bond)
        receipt = self.send(court.functions.file(beast, record), HEADROOM * opening_bond)
        (filed,) = court.events.DisputeFiled().process_receipt(receipt)
        return filed["args"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Dispute a checkpoint.")
    parser.add_argument("--rpc", default="http://127.0.0.1:8545")
    parser.add_argument("--deployment", type=Path, required=True, help="record of the deployment")
    parser.add_argument("--abi", type=Path, default=Path("docs/abi"), help="folder of NAME.json")
    parser.add_argument("beast", type=int)
    parser.add_argument("index", type=int)
    given = parser.parse_args()
    client = Client(given.rpc, given.deployment, given.abi, os.environ["FOREIGN_KEY"])
    filed = client.file(given.beast, given.index)
    print(f"dispute {filed['disputeId']}: openings are due by {filed['responseDeadline']}")


if __name__ == "__main__":
    main()
