"""Money, over long random histories against a model written apart from the contracts.

After every action the ledger's tokens are exactly the escrows, the locks of live pending
checkpoints and the bonds of open disputes, and the supply fell by what the model burned.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.protocol import (
    FINAL,
    NO_CHECKPOINT,
    Checkpoint,
    World,
    garbage_segments,
)

ACTIONS = 70


@dataclass
class Open:
    """An open dispute of the model."""

    beast: int
    checkpoint: Checkpoint
    challenger: str
    bond: int
    deadline: int
    responded: bool = False
    void: bool = False


@dataclass
class Model:
    """What the books should say, by docs/spec/protocol.md §4, §5 and §8."""

    world: World
    chance: random.Random
    escrow: dict[str, int] = field(default_factory=dict)
    chains: dict[int, list[Checkpoint]] = field(default_factory=dict)
    final: dict[int, int] = field(default_factory=dict)
    disputes: dict[int, Open] = field(default_factory=dict)
    burned: int = 0
    done: list[str] = field(default_factory=list)

    def expected_balance(self) -> int:
        locked = sum(
            c.locked for beast, chain in self.chains.items() for c in chain[self.final[beast] :]
        )
        return sum(self.escrow.values()) + locked + sum(d.bond for d in self.disputes.values())

    # --- actions; each returns whether it applied ---------------------------------------------

    def submit(self) -> bool:
        beast = self.chance.choice(list(self.chains))
        owner = self.world.beasts.functions.ownerOf(beast).call()
        mask = self.world.head(beast).activeMask | 1 << self.chance.randrange(8)
        payload = self.world.payload(
            beast, activeMask=mask, windowLoss=self.chance.randrange(524_160)
        )
        checkpoint = self.world.submit(beast, owner, payload)
        self.escrow[owner] -= checkpoint.locked
        self.chains[beast].append(checkpoint)
        return True

    def transfer(self) -> bool:
        beast = self.chance.choice(list(self.chains))
        owner = self.world.beasts.functions.ownerOf(beast).call()
        buyer = self.chance.choice(list(self.escrow))
        call = self.world.beasts.functions.transferFrom(owner, buyer, beast)
        self.world.send(call, owner)
        return True

    def file(self) -> bool:
        beast = self.chance.choice(list(self.chains))
        disputed = {d.checkpoint for d in self.disputes.values()}
        pending = [c for c in self.chains[beast][self.final[beast] :] if c not in disputed]
        if not pending:
            return False
        checkpoint = self.chance.choice(pending)
        challenger = self.chance.choice(list(self.escrow))
        dispute = self.world.file(beast, checkpoint, challenger)
        economics = self.world.season.economics
        bond = economics.disputeBondMultiple * checkpoint.payload.energyBurn
        self.escrow[challenger] -= bond
        deadline = self.world.now() + economics.responseWindow
        self.disputes[dispute] = Open(beast, checkpoint, challenger, bond, deadline)
        return True

    def respond(self) -> bool:
        found = self._pick(lambda d: not d.responded and not d.void)
        if not found or self.world.now() + 5 >= found[1].deadline:
            return False
        number, d = found
        segments = garbage_segments(d.checkpoint.payload.h128)
        self.world.respond(number, d.beast, d.checkpoint, segments)
        d.responded = True
        d.deadline = self.world.now() + self.world.season.economics.proofWindow
        return True

    def timeout(self) -> bool:
        found = self._pick(lambda d: not d.responded and not d.void)
        if not found:
            return False
        number, d = found
        self._wait(d.deadline)
        prover = self.chance.choice(list(self.escrow))
        chain, index = self.chains[d.beast], d.checkpoint.index
        parent = chain[index - 1] if index else NO_CHECKPOINT
        self.world.claim_timeout(number, d.beast, d.checkpoint, parent, prover)
        self._slash(d, prover)
        del self.disputes[number]
        return True

    def _slash(self, d: Open, prover: str) -> None:
        chain, index = self.chains[d.beast], d.checkpoint.index
        economics = self.world.season.economics
        reward = d.checkpoint.locked * economics.rewardBps // 10_000
        share = d.checkpoint.locked * economics.proverBps // 10_000
        self.escrow[d.challenger] += d.bond + reward
        self.escrow[prover] += share
        self.burned += sum(c.locked for c in chain[index:]) - reward - share
        fallen = set(chain[index:])
        del chain[index:]
        for other in self.disputes.values():
            other.void = other.void or other.checkpoint in fallen

    def dismiss(self) -> bool:
        found = self._pick(lambda d: d.responded or d.void)
        if not found:
            return False
        number, d = found
        if not d.void:
            self._wait(d.deadline)
        call = self.world.court.functions.dismiss(number, d.beast, d.checkpoint)
        self.world.send(call, self.world.accounts[9])
        if d.void:
            self.escrow[d.challenger] += d.bond
        else:
            self.burned += d.bond
        del self.disputes[number]
        return True

    def finalize(self) -> bool:
        beast = self.chance.choice(list(self.chains))
        disputed = {d.checkpoint for d in self.disputes.values()}
        ready: list[Checkpoint] = []
        for c in self.chains[beast][self.final[beast] :]:
            if c in disputed:
                break
            ready.append(c)
        ready = ready[: self.chance.randint(1, 4)]
        if not ready:
            return False
        self._wait(ready[-1].submittedAt + self.world.season.economics.challengePeriod)
        self.world.finalize(beast, *ready)
        for c in ready:
            self.escrow[c.trainer] += c.bond
            self.burned += c.payload.energyBurn
            assert self.world.status(beast, c) == FINAL
        self.final[beast] += len(ready)
        return True

    def withdraw(self) -> bool:
        account = self.chance.choice(list(self.escrow))
        amount = self.chance.randrange(10**18)
        self.world.send(self.world.ledger.functions.withdraw(amount, account), account)
        self.escrow[account] -= amount
        return True

    def deposit(self) -> bool:
        account = self.chance.choice(list(self.escrow))
        amount = self.chance.randrange(10**18)
        self.world.fund(account, amount)
        self.escrow[account] += amount
        return True

    # --- helpers ------------------------------------------------------------------------------

    def _pick(self, wanted: Any) -> tuple[int, Open] | None:
        found = [item for item in self.disputes.items() if wanted(item[1])]
        return self.chance.choice(found) if found else None

    def _wait(self, timestamp: int) -> None:
        if self.world.now() <= timestamp:
            self.world.travel_to(timestamp + 1)


WEIGHTS = {
    "submit": 30,
    "file": 14,
    "respond": 10,
    "timeout": 4,
    "dismiss": 5,
    "finalize": 6,
    "transfer": 3,
    "withdraw": 3,
    "deposit": 3,
}


@pytest.mark.parametrize("seed", range(3))
def test_money_isConserved_toTheUnit(world: World, seed: int) -> None:
    """P13, P16, P17, P21, P28 and the solvency of the ledger, over random histories."""
    model = Model(world, random.Random(seed))
    model.escrow = {account: world.escrow(account) for account in world.accounts[1:6]}
    others = sum(world.escrow(account) for account in world.accounts if account not in model.escrow)
    for _ in range(3):
        beast = world.hatch(world.accounts[1])
        model.chains[beast], model.final[beast] = [], 0
    energy = world.energy.functions
    for _ in range(ACTIONS):
        supply, burned = energy.totalSupply().call(), model.burned
        name = model.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        before = sum(model.escrow.values())
        if not getattr(model, name)():
            continue
        model.done.append(name)
        minted = sum(model.escrow.values()) - before if name == "deposit" else 0
        assert energy.totalSupply().call() == supply - (model.burned - burned) + minted, name
        assert {a: world.escrow(a) for a in model.escrow} == model.escrow, name
        held = energy.balanceOf(world.ledger.address).call() - others
        assert held == model.expected_balance(), name
        for beast, chain in model.chains.items():
            assert world.head(beast).headCount == len(chain)
    assert {"submit", "file", "respond", "timeout", "dismiss", "finalize"} <= set(model.done)
