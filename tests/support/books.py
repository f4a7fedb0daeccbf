"""The books of ledger and vault as events alone tell them, held against what the contracts hold.

Whoever reads events, an explorer or an indexer, can know every wei; nothing is lost or made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chainbeasts.backend.chain.receipts import read_logs
from tests.support.batch import numbers
from tests.support.protocol import ZERO_ADDRESS, World
from tests.support.quick import decoded

BURN_AND_PROVE, REFUND = 1, 2
"""BondOutcome: what became of an ENERGY bond."""
RETURN, KEEP, VOID = range(3)
"""BondEnd: what became of an opening bond."""


@dataclass
class Bond:
    """The opening bond of an open dispute."""

    locked: int
    paid: int = 0
    waiting: int = 0


@dataclass
class Books:
    """Every pot of money, from the first block on."""

    vault: str
    escrow: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    locks: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Energy and bond of each pending checkpoint of a beast."""
    burned: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """By each beast's own final windows."""
    energy_bonds: dict[int, int] = field(default_factory=dict)
    stakes: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    credits: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    opening_bonds: dict[int, Bond] = field(default_factory=dict)
    rewards: dict[tuple[int, str], int] = field(default_factory=dict)
    pot: int = 0
    """Set aside out of slashed stakes to repay filers."""
    pools: int = 0
    """Coin that committed steps have not claimed."""
    _submitted: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    _final: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _carried: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def ledger_energy(self) -> int:
        locked = sum(map(sum, self.locks.values()))
        return sum(self.escrow.values()) + locked + sum(self.energy_bonds.values())

    @property
    def ledger_coin(self) -> int:
        return sum(self.stakes.values())

    @property
    def vault_coin(self) -> int:
        bonds = sum(bond.locked - bond.paid for bond in self.opening_bonds.values())
        held = sum(self.credits.values()) + sum(self.rewards.values())
        return held + bonds + self.pot + self.pools

    # --- the ledger's events ------------------------------------------------------------------

    def on_deposited(self, e: dict[str, Any]) -> None:
        self.escrow[e["account"]] += e["amount"]

    def on_withdrawn(self, e: dict[str, Any]) -> None:
        self.escrow[e["account"]] -= e["amount"]

    def on_escrow_moved(self, e: dict[str, Any]) -> None:
        self.escrow[e["from"]] -= e["amount"]
        self.escrow[e["to"]] += e["amount"]

    def on_checkpoint_submitted(self, e: dict[str, Any]) -> None:
        c = e["checkpoint"]
        locked = c["payload"]["energyBurn"] + c["bond"]
        self.escrow[c["trainer"]] -= locked
        self.locks[e["beastId"]].append(locked)
        self._submitted[e["beastId"], c["index"]] = c

    def on_checkpoint_finalized(self, e: dict[str, Any]) -> None:
        c = self._submitted[e["beastId"], e["index"]]
        self.locks[e["beastId"]].pop(0)
        self.escrow[c["trainer"]] += c["bond"]
        self.burned[e["beastId"]] += c["payload"]["energyBurn"]
        self._final[e["beastId"]] += 1

    def on_checkpoint_slashed(self, e: dict[str, Any]) -> None:
        pending = self.locks[e["beastId"]]
        first = e["index"] - self._final[e["beastId"]]
        fallen = sum(pending[first:])
        del pending[first:]
        assert fallen == e["burned"] + e["filerReward"] + e["proverReward"]
        self.escrow[e["filer"]] += e["filerReward"]
        # Without a prover the share is in the pool of committed steps, in the vault's escrow.
        prover = e["prover"] if e["prover"] != ZERO_ADDRESS else self.vault
        self.escrow[prover] += e["proverReward"]

    def on_dispute_bond_locked(self, e: dict[str, Any]) -> None:
        self.escrow[e["filer"]] -= e["bond"]
        self.energy_bonds[e["disputeId"]] = e["bond"]

    def on_dispute_bond_released(self, e: dict[str, Any]) -> None:
        bond = self.energy_bonds.pop(e["disputeId"])
        self.escrow[self.vault] += e["stepPay"] if e["outcome"] == BURN_AND_PROVE else 0
        self.escrow[e["filer"]] += bond if e["outcome"] == REFUND else 0

    def on_staked(self, e: dict[str, Any]) -> None:
        self.stakes[e["beastId"], e["trainer"]] += e["amount"]

    def on_stake_withdrawn(self, e: dict[str, Any]) -> None:
        self.stakes[e["beastId"], e["trainer"]] -= e["amount"]

    # --- the vault's events -------------------------------------------------------------------

    def on_credited(self, e: dict[str, Any]) -> None:
        self.credits[e["account"]] += e["amount"]

    def on_credit_withdrawn(self, e: dict[str, Any]) -> None:
        self.credits[e["account"]] -= e["amount"]

    def on_opening_bond_locked(self, e: dict[str, Any]) -> None:
        self.opening_bonds[e["disputeId"]] = Bond(e["base"] + e["surplus"])

    def on_opening_paid(self, e: dict[str, Any]) -> None:
        self.opening_bonds[e["disputeId"]].paid += e["paid"]
        self.opening_bonds[e["disputeId"]].waiting += e["waiting"]

    def on_opening_bond_released(self, e: dict[str, Any]) -> None:
        bond = self.opening_bonds.pop(e["disputeId"])
        assert e["kept"] == bond.paid + (0 if e["end"] == RETURN else bond.waiting)
        # What comes out of the bond beyond what was in it, slashed stakes had set aside.
        self.pot -= e["returned"] + e["kept"] + e["burned"] - bond.locked

    def on_stake_taken(self, e: dict[str, Any]) -> None:
        key = e["beastId"], e["trainer"]
        assert self.stakes[key] == e["amount"]
        self.stakes[key] = 0
        self.pot += e["debts"]
        held = e["held"]["filing"] + e["held"]["proof"]
        carried = self._carried.pop(key, 0)
        assert e["amount"] + carried == e["debts"] + e["burned"] + held
        if held:
            self.rewards[key] = held

    def on_reward_taken_over(self, e: dict[str, Any]) -> None:
        key = e["beastId"], e["trainer"]
        self._carried[key] = self.rewards.pop(key) - e["gasPaid"]

    def on_reward_settled(self, e: dict[str, Any]) -> None:
        held = e["held"]
        total = self.rewards.pop((e["beastId"], e["trainer"]))
        assert total == held["filing"] + held["proof"]

    def on_step_pool_filled(self, e: dict[str, Any]) -> None:
        self.pools += e["coin"]

    def on_steps_claimed(self, e: dict[str, Any]) -> None:
        self.pools -= e["coin"]  # the ENERGY moves by EscrowMoved


def read(world: World) -> Books:
    """The books of the deployment, from its events."""
    books = Books(vault=world.vault.address)
    for name, event in events(world, "ledger", "vault"):
        handler = getattr(books, "on" + "".join(map(_snake, name)), None)
        if handler:
            handler(event)
    return books


def events(world: World, *contracts: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All events of the contracts in the order of the chain."""
    found = {world.contracts[name].address: world.contracts[name] for name in contracts}
    query: Any = {"fromBlock": 0, "toBlock": "latest", "address": list(found)}
    for log in read_logs(world.w3, query):
        event = decoded(found[log["address"]], log)
        if event is not None:
            yield event


def _snake(letter: str) -> str:
    return "_" + letter.lower() if letter.isupper() else letter


def check(world: World) -> Books:
    """Assert that the contracts hold exactly what the events say, account by account."""
    books, accounts = read(world), [*world.accounts, world.vault.address]
    ledger, vault, stakes = world.ledger.address, world.vault.address, list(books.stakes.items())
    burned = list(books.burned.items())
    held, *found = numbers(
        world.w3,
        [
            (world.energy.address, "balanceOf(address)", (ledger,)),
            *((ledger, "escrowOf(address)", (account,)) for account in accounts),
            *((vault, "creditOf(address)", (account,)) for account in accounts),
            *((ledger, "burnedOf(uint256)", (beast,)) for beast, _ in burned),
            *((ledger, "stakeOf(uint256,address)", key) for key, _ in stakes),
        ],
    )
    n = len(accounts)
    assert dict(zip(accounts, found[:n], strict=True)) == {a: books.escrow[a] for a in accounts}
    credits = dict(zip(accounts, found[n : 2 * n], strict=True))
    assert credits == {a: books.credits[a] for a in accounts}
    found = found[2 * n :]
    assert found[: len(burned)] == [amount for _, amount in burned], "burned by final windows"
    assert found[len(burned) :] == [amount for _, amount in stakes], "stakes"
    assert held == books.ledger_energy, "ENERGY in the ledger"
    assert world.coin(ledger) == books.ledger_coin, "coin in the ledger"
    assert world.coin(vault) == books.vault_coin, "coin in the vault"
    return books
