"""The protocol's books in Python, by docs/spec/protocol.md and apart from the contracts: accounts,
training, stakes, payouts. Disputes are in model_court.py.

Each method is one transaction: it returns the custom error that the contracts must give, or
changes the books and returns None. Nothing here asks the chain anything.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.protocol import (
    FILED,
    GWEI,
    OPENED,
    PRIVATE,
    PROVEN_RIGHT,
    UPHELD,
    Checkpoint,
    Economics,
)

ENERGY_UNIT = 10**18


class Block(NamedTuple):
    """Where a transaction is mined."""

    number: int
    time: int
    base_fee: int
    tip: int

    @property
    def bond_fee(self) -> int:
        return max(self.base_fee, GWEI)

    @property
    def opening_fee(self) -> int:
        return max(GWEI, self.base_fee + min(self.tip, self.base_fee // 4))


@dataclass(frozen=True)
class Publication:
    time: int
    before: int
    pay: int

    def in_time(self, filed_at: int, deadline: int, age: int) -> int:
        """Second of the one that a dispute can rely on, 0 if none is."""
        for time in (self.time, self.before):
            if time and time <= deadline and time + age >= filed_at:
                return time
        return 0


@dataclass(eq=False)
class Window:
    """A submitted checkpoint and what is true of it."""

    beast: int
    record: Checkpoint
    parent: Checkpoint
    proven: bool = False
    dispute: int = 0
    """The open dispute over it, if any."""
    wrong_segment: int | None = None
    """Of its own segments the first that re-execution contradicts."""
    wrong_header: bool = False
    """Whether its state hash opens into another window than its payload says."""

    @property
    def index(self) -> int:
        return self.record.index

    @property
    def private(self) -> bool:
        return self.record.payload.source == PRIVATE

    @property
    def right(self) -> bool:
        return self.wrong_segment is None


@dataclass
class Stake:
    amount: int = 0
    barred_at: int = 0
    withdrawable_at: int = 0


@dataclass
class Account:
    """Openings of one trainer on one beast."""

    debt: int = 0
    pot: int = 0
    slashings: int = 0


@dataclass
class Reward:
    filing: int
    proof: int
    index: int
    dispute: int
    filer: str
    prover: str
    gas_cap: int

    @property
    def total(self) -> int:
        return self.filing + self.proof


@dataclass
class Dispute:
    number: int
    window: Window
    filer: str
    filed_in: int
    filed_at: int
    deadline: int
    missing: int
    energy_bond: int
    base: int
    surplus: int
    slashings: int
    paid: int = 0
    waiting: int = 0
    status: int = FILED
    proof_start: int = 0
    proof_deadline: int = 0
    steps_done: int = 0
    steps: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Committed steps of each account."""
    energy_pool: int = 0
    coin_pool: int = 0
    claimed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def counted(self) -> int:
        return sum(self.steps.values())

    @property
    def live(self) -> bool:
        return self.status in (FILED, OPENED)

    def missed(self, block: Block) -> bool:
        return self.status == FILED and block.time > self.deadline


@dataclass
class Beast:
    owner: str
    trainers: set[str] = field(default_factory=set)
    chain: list[Window] = field(default_factory=list)
    final: int = 0
    burned: int = 0
    """By its own final windows."""
    open_disputes: int = 0
    records: int = 0
    """Length of its private dataset."""

    def is_live(self, window: Window) -> bool:
        return window in self.chain


@dataclass
class Books:
    """All money and all that moves it."""

    economics: Economics
    energy: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """In the ledger's escrow."""
    purse: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """ENERGY outside of it."""
    wallet: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    credit: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    energy_burned: int = 0
    energy_sold: int = 0
    proceeds: int = 0
    coin_burned: int = 0
    beasts: dict[int, Beast] = field(default_factory=dict)
    stakes: dict[tuple[int, str], Stake] = field(default_factory=lambda: defaultdict(Stake))
    accounts: dict[tuple[int, str], Account] = field(default_factory=lambda: defaultdict(Account))
    rewards: dict[tuple[int, str], Reward] = field(default_factory=dict)
    disputes: dict[int, Dispute] = field(default_factory=dict)
    states: dict[bytes, Publication] = field(default_factory=dict)
    records: dict[tuple[int, int], Publication] = field(default_factory=dict)
    commitments: dict[tuple[object, ...], int] = field(default_factory=dict)
    defenders: dict[str, str] = field(default_factory=dict)
    revealed: set[int] = field(default_factory=set)
    """Beasts whose owner's secret is public."""
    _energy_pools: dict[int, int] = field(default_factory=dict)
    _coin_pools: dict[int, int] = field(default_factory=dict)

    # --- what ledger and vault must hold ------------------------------------------------------

    @property
    def ledger_energy(self) -> int:
        pending = (w for b in self.beasts.values() for w in b.chain[b.final :])
        bonds = sum(d.energy_bond for d in self.disputes.values())
        pools = sum(d.energy_pool for d in self.disputes.values())
        return sum(self.energy.values()) + sum(w.record.locked for w in pending) + bonds + pools

    @property
    def ledger_coin(self) -> int:
        return sum(stake.amount for stake in self.stakes.values())

    @property
    def vault_coin(self) -> int:
        bonds = sum(d.base + d.surplus - d.paid for d in self.disputes.values() if d.live)
        pools = sum(d.coin_pool for d in self.disputes.values())
        pots = sum(account.pot for account in self.accounts.values())
        held = sum(reward.total for reward in self.rewards.values())
        return sum(self.credit.values()) + bonds + pools + pots + held

    def burn_energy(self, amount: int) -> None:
        self.energy_burned += amount

    # --- ENERGY's own moves -------------------------------------------------------------------

    def buy(self, buyer: str, to: str, paid: int, min_out: int) -> str | None:
        out = paid * ENERGY_UNIT // self.economics.energyPrice
        if not out:
            return "NothingBought"
        if out < min_out:
            return "TooLittleEnergy"
        self.wallet[buyer] -= paid
        self.proceeds += paid
        self.purse[to] += out
        self.energy_sold += out
        return None

    def deposit(self, account: str, amount: int) -> str | None:
        if self.purse[account] < amount:
            return "ERC20InsufficientBalance"
        self.purse[account] -= amount
        self.energy[account] += amount
        return None

    def request_hatch(self, account: str) -> str | None:
        cost = self.economics.hatchCost
        if self.purse[account] < cost:
            return "ERC20InsufficientBalance"
        self.purse[account] -= cost
        self.burn_energy(cost)
        return None

    # --- training -----------------------------------------------------------------------------

    def submit(
        self, beast: Beast, number: int, trainer: str, locked: int, accept: bool, block: Block
    ) -> str | None:
        """What refuses a right payload; the window is entered by `enter`."""
        if trainer != beast.owner and trainer not in beast.trainers:
            return "NotTrainer"
        pending = beast.chain[beast.final :]
        if pending and pending[-1].record.trainer != trainer and not accept:
            return "ForeignPendingParent"
        stake = self.stakes[number, trainer]
        if stake.withdrawable_at:
            return "StakeIsLeaving"
        if stake.amount < self.economics.stakeGas * block.bond_fee:
            return "StakeTooSmall"
        return None if self.energy[trainer] >= locked else "InsufficientEscrow"

    def enter(self, window: Window) -> None:
        self.energy[window.record.trainer] -= window.record.locked
        self.beasts[window.beast].chain.append(window)

    def finalize(self, beast: Beast, count: int, block: Block) -> str | None:
        ready = beast.chain[beast.final : beast.final + count]
        for window in ready:
            if window.dispute:
                return "DisputeIsOpen"
            ends = window.record.submittedAt + self.economics.challengePeriod
            if not window.proven and block.time < ends:
                return "ChallengePeriodOpen"
        for window in ready:
            self.energy[window.record.trainer] += window.record.bond
            self.burn_energy(window.record.payload.energyBurn)
            beast.burned += window.record.payload.energyBurn
        beast.final += len(ready)
        return None

    # --- stakes -------------------------------------------------------------------------------

    def stake(self, beast: int, trainer: str, amount: int) -> str | None:
        if (beast, trainer) in self.rewards:
            return "StakeRewardHeld"
        self.wallet[trainer] -= amount
        self.stakes[beast, trainer].amount += amount
        return None

    def announce(self, beast: int, trainer: str, block: Block) -> str | None:
        stake, e = self.stakes[beast, trainer], self.economics
        if not stake.amount:
            return "NoStake"
        if stake.withdrawable_at:
            return "StakeIsLeaving"
        stake.barred_at = len(self.beasts[beast].chain)
        bound = e.challengePeriod + e.responseWindow + e.proofWindow
        stake.withdrawable_at = block.time + bound
        return None

    def cancel(self, beast: int, trainer: str) -> str | None:
        stake = self.stakes[beast, trainer]
        if not stake.withdrawable_at:
            return "WithdrawalNotAnnounced"
        stake.withdrawable_at = stake.barred_at = 0
        return None

    def withdraw(self, beast: int, trainer: str, block: Block) -> str | None:
        stake, b = self.stakes[beast, trainer], self.beasts[beast]
        if not stake.withdrawable_at:
            return "WithdrawalNotAnnounced"
        needed = min(stake.barred_at, len(b.chain))
        if block.time < stake.withdrawable_at or b.final < needed:
            return "StakeStillNeeded"
        if self.accounts[beast, trainer].debt:
            return "OpeningDebtsOpen"
        self.wallet[trainer] += stake.amount
        del self.stakes[beast, trainer]
        return None

    # --- payouts ------------------------------------------------------------------------------

    def settle(self, beast: int, trainer: str) -> str | None:
        reward, b = self.rewards.get((beast, trainer)), self.beasts[beast]
        if not reward:
            return "NoReward"
        if b.final < min(reward.index, len(b.chain)):
            return "RewardNotDue"
        del self.rewards[beast, trainer]
        # With no filer nothing was held for one.
        self.credit[reward.filer] += reward.filing
        if reward.prover:
            self.credit[reward.prover] += reward.proof
        else:
            self.disputes[reward.dispute].coin_pool = reward.proof
            self._coin_pools[reward.dispute] = reward.proof
        return None

    def claim_steps(self, d: Dispute, account: str) -> str | None:
        steps, total = d.steps[account], d.counted
        energy = coin = 0
        if d.status not in (UPHELD, PROVEN_RIGHT) or not total:
            return "NothingToClaim"
        pool = self._energy_pools.setdefault(d.number, d.energy_pool)
        if (account, "energy") not in d.claimed and pool:
            energy = pool * steps // total
        coins = self._coin_pools.get(d.number, 0)
        if (account, "coin") not in d.claimed and coins:
            coin = coins * steps // total
        if not energy + coin:
            return "NothingToClaim"
        d.claimed |= {(account, "energy")} if pool else set()
        d.claimed |= {(account, "coin")} if coins else set()
        d.energy_pool -= energy
        d.coin_pool -= coin
        self.energy[account] += energy
        self.credit[account] += coin
        return None

    def withdraw_credit(self, account: str) -> str | None:
        amount = self.credit[account]
        if not amount:
            return "NoCredit"
        self.credit[account] = 0
        self.wallet[account] += amount
        return None

    # --- ownership ----------------------------------------------------------------------------

    def transfer(self, beast: int, to: str) -> None:
        """Authorisations end with the ownership."""
        self.beasts[beast].owner = to
        self.beasts[beast].trainers.clear()
