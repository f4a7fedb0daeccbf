"""The cost games: what an attack on honest trainers and validators costs either side.

Amounts are in wei of native coin, ENERGY being reckoned at its price. Each game takes the choice
that is best for the attacker where there is one: the beast with the cheapest windows, the dearest
openings and proofs. The base fee stays what it is; what its leaps do is docs/spec/protocol.md's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from chainbeasts.backend.chain.gas_figures import GasFigures, Opening
from chainbeasts.backend.chain.prices import (
    BASIS_POINTS,
    MAX_BOND_MULTIPLE,
    dispute_bond,
    opening_bond,
    opening_gas,
    stake_price,
    window_price,
)
from chainbeasts.backend.chain.types import Economics, Season, opening_bit
from chainbeasts.backend.chain.types import Opening as OpeningKind
from chainbeasts.backend.kernel.constants import MAX_RECORDS

GWEI, UNIT = 10**9, 10**18
LEAST_MASK = 0x11
"""One sensor and one appendage: the beast whose windows are cheapest, hence its ENERGY bonds."""

RATIO = 6.46
"""What an attacker must lose for each unit that the honest side loses (as published for BoLD)."""

TAKEN_OVER_GAS = 2_500_000
"""What a proof is paid for when its reward is taken over (DisputeCourt.PROOF_GAS)."""

_ALL_OPENINGS = sum(opening_bit(opening) for opening in OpeningKind)

FARM = 5
"""Beasts of a farm that fight each other."""

MANY = 64
"""Windows of one beast that are disputed in a day; beasts of a storm of frauds."""


class Outcome(StrEnum):
    """How a game ends for the honest side."""

    RECOVERS = "no loss"
    DETERRED = "deterred"  # what it loses is little beside what the attacker loses
    BUDGET = "budget"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Prices:
    """What gas and ENERGY cost.

    Attributes:
        gas_price: wei per gas.
        energy_price: wei of native coin for one ENERGY.
    """

    name: str
    gas_price: int
    energy_price: int


MAINNET_REFERENCE = (
    Prices("a rollup, 0.01 gwei", GWEI // 100, UNIT // 1_000),
    Prices("an L1, 1 gwei", GWEI, UNIT // 1_000),
)
"""Where the mainnet profile wins every game; ENERGY at the 0.001 that its sale asks."""


@dataclass(frozen=True, slots=True)
class Game:
    """One attack, in wei of native coin.

    Attributes:
        attacker: what the attacker does not get back.
        outlay: what the honest side spends, in gas and bonds that it does not get back.
        reward: what it is paid: for openings, or out of what the offender lost.
        peak: most that it has tied up at once.
        budgeted: its own choice, which it limits by a budget.
    """

    attack: str
    story: str
    attacker: int
    outlay: int
    reward: int
    peak: int
    budgeted: bool = False

    @property
    def net(self) -> int:
        return self.reward - self.outlay

    @property
    def ratio(self) -> float | None:
        """What the attacker spends for each unit that the honest side spends."""
        return self.attacker / self.outlay if self.outlay else None

    @property
    def outcome(self) -> Outcome:
        if self.net >= 0:
            return Outcome.RECOVERS
        if self.attacker >= RATIO * -self.net:
            return Outcome.DETERRED
        return Outcome.BUDGET if self.budgeted else Outcome.LOST


@dataclass(frozen=True, slots=True)
class Table:
    """What every game is reckoned with: a season, a deployment's least fee, prices, and gas."""

    season: Season
    reference_fee: int
    prices: Prices
    gas: GasFigures

    @property
    def economics(self) -> Economics:
        return self.season.economics

    def energy(self, wei: int) -> int:
        """What ENERGY is worth."""
        return wei * self.prices.energy_price // UNIT

    def coin(self, gas: int) -> int:
        return gas * self.prices.gas_price

    @property
    def fee(self) -> int:
        """What bonds are reckoned at."""
        return max(self.prices.gas_price, self.reference_fee)

    @property
    def stake(self) -> int:
        """A trainer's, as its submission asks for it."""
        return stake_price(self.economics, self.fee)

    @property
    def window(self) -> int:
        """The price of the cheapest window."""
        return self.energy(window_price(self.economics, LEAST_MASK, LEAST_MASK))

    @property
    def at_risk(self) -> int:
        """What a cheat loses by a conviction: its stake, its window's price and bond."""
        return self.stake + self.window * (1 + self.economics.trainer_bond_multiple)

    @property
    def dispute_bond(self) -> int:
        return dispute_bond(self.economics, self.window)

    def opening_bond(self, opening: Opening) -> int:
        return opening_bond(opening.paid, self.fee)

    def filing_share(self, amount: int) -> int:
        return amount * self.economics.filing_bps // BASIS_POINTS

    def proof_share(self, amount: int) -> int:
        return amount * self.economics.proof_bps // BASIS_POINTS

    def shares(self, amount: int) -> int:
        return self.filing_share(amount) + self.proof_share(amount)


def _false_dispute(table: Table, filing: int, opening: Opening) -> tuple[int, int, int]:
    """A dispute over a right window: what its filer loses, its trainer spends, and is paid."""
    paid = table.coin(opening.paid)
    lost = table.coin(filing) + table.dispute_bond + paid
    return lost, table.coin(opening.gas), paid


def freezing(table: Table) -> Game:
    gas = table.gas
    lost, outlay, paid = _false_dispute(table, gas.file_public, gas.segments)
    return Game(
        "freezing",
        "A false dispute over a public window, for the delay of its finality alone.",
        *(lost, outlay, paid, table.stake + outlay),
    )


def false_dispute(table: Table) -> Game:
    gas = table.gas
    lost, outlay, paid = _false_dispute(table, gas.file_public, gas.segments + gas.state)
    return Game(
        "false dispute",
        "A false dispute over a public window behind a state that is not in the archive.",
        *(lost, outlay, paid, table.stake + outlay),
    )


def _everything(gas: GasFigures) -> Opening:
    return gas.segments + gas.state + gas.records


def forced_opening(table: Table) -> Game:
    gas = table.gas
    lost, outlay, paid = _false_dispute(table, gas.file_private, _everything(gas))
    return Game(
        "forced opening",
        "A private window disputed to read its records. Who copies the openings in front of its "
        "trainer's pays for a copy that the trainer is paid for.",
        *(lost, outlay, paid, table.stake + outlay),
    )


def _burned_again(table: Table, opening: Opening, others: int) -> int:
    """What burns of the surplus of a dispute over a right window: as much as openings took.

    Args:
        others: disputes of the beast that were open when it was filed.
    """
    surplus = min(others, MAX_BOND_MULTIPLE - 1) * table.opening_bond(opening)
    return min(surplus, table.coin(opening.paid))


def forced_openings(table: Table) -> Game:
    gas, opening = table.gas, _everything(table.gas)
    lost, outlay, paid = (MANY * part for part in _false_dispute(table, gas.file_private, opening))
    lost += sum(_burned_again(table, opening, others) for others in range(MANY))
    return Game(
        f"{MANY} forced openings",
        f"{MANY} private windows of one beast disputed in a day.",
        *(lost, outlay, paid, table.stake + outlay),
    )


def decoys(table: Table) -> Game:
    gas = table.gas
    back = table.filing_share(table.at_risk)
    outlay = table.coin(gas.commit + gas.prove + gas.collect)
    bonds = table.dispute_bond + MAX_BOND_MULTIPLE * table.opening_bond(_everything(gas))
    return Game(
        "decoys",
        f"The cheat files over its own lie and {MAX_BOND_MULTIPLE - 1} more of its windows, and "
        "answers in all; a stranger proves the lie in the cheat's own dispute.",
        attacker=table.at_risk - back + table.coin(MAX_BOND_MULTIPLE * gas.file_private),
        outlay=outlay,
        reward=table.proof_share(table.at_risk),
        peak=bonds + outlay,
    )


def draining(table: Table) -> Game:
    gas = table.gas
    outlay = table.coin(gas.commit + gas.costliest + gas.collect)
    return Game(
        "draining",
        "A right window, disputed by its own trainer and answered with hashes of nothing, built so "
        "that the proof against them is as dear as can be.",
        attacker=table.at_risk
        - table.filing_share(table.at_risk)
        + table.coin(gas.file_private + gas.submit),
        outlay=outlay,
        reward=table.proof_share(table.at_risk),
        peak=outlay,
    )


def storm(table: Table) -> Game:
    gas = table.gas
    one = table.coin(gas.file_private + gas.prove + gas.collect)
    bonds = table.dispute_bond + table.opening_bond(_everything(gas))
    return Game(
        "storm of frauds",
        f"A lie in a private window of each of {MANY} beasts at once, every one opened and proved.",
        attacker=MANY * table.at_risk,
        outlay=MANY * one,
        reward=MANY * table.shares(table.at_risk),
        peak=MANY * (bonds + one),
    )


def rescue(table: Table) -> Game:
    gas = table.gas
    taken = table.shares(table.stake)
    kept = min(TAKEN_OVER_GAS * table.fee, table.proof_share(table.stake))
    lock = table.at_risk - table.stake
    outlay = table.coin(gas.file_private + gas.commit + gas.prove + gas.collect)
    return Game(
        "stake rescue",
        "The cheat convicts a later window of its own to take its stake back; the conviction of "
        "the earlier one takes that over.",
        # What an own conviction pays back of the later window's lock is left out: that lock is lost
        # besides.
        attacker=table.at_risk - kept,
        outlay=outlay,
        reward=taken - kept + table.shares(lock),
        peak=table.dispute_bond + table.opening_bond(_everything(gas)) + outlay,
    )


def own_conviction(table: Table) -> Game:
    gas = table.gas
    outlay = table.coin(gas.file_private + gas.dismiss_void)
    return Game(
        "self-conviction",
        "The cheat convicts an earlier window of its own once it is disputed: the dispute is void, "
        "and nobody is paid.",
        attacker=table.at_risk - table.shares(table.at_risk) + table.coin(gas.challenge_header),
        outlay=outlay,
        reward=0,
        peak=table.dispute_bond + table.opening_bond(_everything(gas)) + outlay,
    )


def planted_ancestor(table: Table) -> Game:
    gas = table.gas
    opened = table.coin(opening_gas(_ALL_OPENINGS, MAX_RECORDS))
    lock = table.at_risk - table.stake
    return Game(
        "planted ancestor",
        "A second address of the cheat has a wrong window below the disputed one, which is opened "
        "whole, and then convicts it: the upper trainer, who was not slashed, keeps its pay.",
        # Besides the plant the upper window's lock burns whole; two submissions and a conviction.
        attacker=table.at_risk
        - table.shares(table.at_risk)
        + lock
        + table.coin(2 * gas.submit + gas.challenge_header),
        outlay=table.coin(gas.file_private + gas.dismiss_void) + opened,
        reward=0,
        peak=table.dispute_bond + table.opening_bond(_everything(gas)),
    )


def bait(table: Table) -> Game:
    gas = table.gas
    lost, _, _ = _false_dispute(table, gas.file_private, _everything(gas))
    return Game(
        "bait",
        "Private windows that look implausible and are right, for validators who dispute such.",
        attacker=table.window + table.coin(gas.submit),
        outlay=lost,
        reward=0,
        peak=table.dispute_bond + table.opening_bond(_everything(gas)),
        budgeted=True,
    )


def decoyed_bait(table: Table) -> Game:
    gas, opening = table.gas, _everything(table.gas)
    lost, _, _ = _false_dispute(table, gas.file_private, opening)
    # One decoy makes the doubt as dear as any number; what is paid for the decoy's openings goes
    # from the cheat to itself.
    decoy = table.dispute_bond + table.coin(gas.file_public + gas.segments.gas)
    return Game(
        "bait and a decoy",
        "The same, and its trainer disputes and opens another window of the beast before, so that "
        "the doubt asks for two bonds.",
        attacker=table.window + table.coin(gas.submit) + decoy,
        outlay=lost + _burned_again(table, opening, 1),
        reward=0,
        peak=table.dispute_bond + 2 * table.opening_bond(opening),
        budgeted=True,
    )


def farm(table: Table) -> Game:
    burned = FARM * (table.window + table.energy(table.economics.hatch_cost))
    # Whatever they win, whenever: no beast is credited more than the cap.
    earned = FARM * table.window * table.season.arena.reward_cap_bps // BASIS_POINTS
    return Game(
        "farm",
        f"{FARM} beasts, each hatched and trained for one window, fight each other for rewards. "
        "The honest side is whoever holds ENERGY: what is minted dilutes it, what burns does the "
        "opposite.",
        attacker=burned - earned + FARM * table.coin(table.gas.submit),
        outlay=earned,
        reward=burned,
        peak=0,
    )


GAMES: tuple[Callable[[Table], Game], ...] = (
    freezing,
    false_dispute,
    forced_opening,
    forced_openings,
    decoys,
    draining,
    storm,
    rescue,
    own_conviction,
    planted_ancestor,
    bait,
    decoyed_bait,
    farm,
)


def play(
    season: Season, reference_fee: int, prices: Prices, gas: GasFigures | None = None
) -> list[Game]:
    """Every game of a season at given prices."""
    table = Table(season, reference_fee, prices, gas or GasFigures.load())
    return [game(table) for game in GAMES]


def lost(games: Iterable[Game]) -> list[Game]:
    """Those that the honest side loses."""
    return [game for game in games if game.outcome is Outcome.LOST]
