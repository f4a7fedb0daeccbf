"""Answers about accounts and prices: who has what, what can be collected, what things cost."""

from __future__ import annotations

from pydantic import Field

from chainbeasts.backend.api.models.base import Account, Answer, BeastName, Index, Time, Wei
from chainbeasts.backend.api.models.beasts import Beast
from chainbeasts.backend.api.models.contests import Dispute, Match


class Balances(Answer):
    """What the node says that an account holds."""

    coin: Wei = Field(description="Native coin in its wallet.")
    energy: Wei = Field(description="ENERGY in its wallet.")
    escrow: Wei = Field(description="ENERGY in the ledger, for windows and bonds of disputes.")
    arena_escrow: Wei = Field(description="ENERGY in the arena, for bonds of records.")
    rewards: Wei = Field(description="ENERGY that it can claim from the arena.")


class StakeHeld(BeastName):
    """A stake on a beast, native coin."""

    amount: Wei
    withdrawable_at: int | None = Field(
        description="From then on it can be withdrawn, once no window of its is pending; null if "
        "no withdrawal is announced."
    )


class RewardHeld(BeastName):
    """Shares of a slashed stake that are held until no window below is pending; native coin."""

    offender: Account
    filing: Wei = Field(description="This account's, as the filer.")
    proof: Wei = Field(description="This account's, as the prover.")


class TrainerWork(Answer):
    """Windows that an account submitted and that wait for their end."""

    pending: Index
    locked: Wei = Field(description="ENERGY: price and bond of them.")
    finalizable: Index = Field(
        description="Of them, those whose challenge period is over: anybody may finalize them, "
        "those in a dispute when it has ended."
    )


class AccountDetail(Answer):
    """What an account has and did. Lists have the newest 50 at most: for more, ask for pages.

    Stakes and rewards are those of the newest beasts, 200 at most.
    """

    account: Account
    time: Time | None = Field(description="Of the indexed block; null before the first.")
    balances: Balances | None = Field(
        description="As the node says in its latest block; null while it does not answer."
    )
    credit: Wei = Field(description="Native coin that it can withdraw from the vault.")
    beasts: list[Beast] = Field(description="More at /v1/beasts?owner=")
    stakes: list[StakeHeld]
    stake_count: Index = Field(description="How many stakes there are in all.")
    rewards: list[RewardHeld] = Field(description="What convictions will pay it.")
    reward_count: Index = Field(description="How many rewards there are in all.")
    training: TrainerWork
    disputes: list[Dispute] = Field(description="Filed by it; more at /v1/disputes?filer=")
    matches: list[Match] = Field(description="Fought by its beasts; more at /v1/matches?owner=")


class WindowPrice(Answer):
    """What a window costs with so many slots awake, ENERGY; waking one costs `growth` besides."""

    sensors: int = Field(ge=1, le=4)
    limbs: int = Field(ge=1, le=4)
    price: Wei = Field(description="Burned when it is final.")
    bond: Wei = Field(description="Locked besides, and comes back.")
    coin_price: Wei | None = Field(description="Native coin for the price; null: closed.")
    dispute_bond: Wei = Field(description="What doubting it locks.")


class HatchPrice(Answer):
    """What hatching costs; gas besides."""

    energy: Wei = Field(description="Burned by the request.")
    coin: Wei | None = Field(description="Native coin for which the sale gives it; null: closed.")
    gas: Index = Field(description="About, of approval, request and hatch.")


class OpeningBonds(Answer):
    """What filing asks for in native coin, while the beast has no other open dispute."""

    first: Wei = Field(description="Over a public window that starts from a genesis state.")
    public: Wei = Field(description="Over any other public window: its start may be owed, too.")
    private: Wei = Field(description="Over a private window, at most: of the largest dataset.")


class Prices(Answer):
    """What things cost now, by the newest season and the latest base fee."""

    season: int
    energy_price: Wei = Field(
        description="Native coin that the sale asks for one ENERGY (10^18 wei); 0: it is closed."
    )
    hatch: HatchPrice
    growth: Wei = Field(description="ENERGY that waking a slot burns.")
    windows: list[WindowPrice]
    record_bond: Wei = Field(description="ENERGY that recording a match locks.")
    base_fee: Wei | None = Field(description="Of the latest block; null until the node told.")
    fee: Wei | None = Field(
        description="That stakes and opening bonds are reckoned at: never below the deployment's "
        "reference fee; null until the node told."
    )
    stake: Wei | None = Field(description="Native coin that submitting asks for, at that fee.")
    opening_bonds: OpeningBonds | None
