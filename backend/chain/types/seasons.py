"""What governance decides: the constants of a season, and what none may fall below."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.types.structs import AbiStruct
from chainbeasts.backend.kernel.rules import Rules, Schedule


@dataclass(frozen=True, slots=True)
class Economics(AbiStruct):
    """Prices in wei of ENERGY, periods in seconds, shares in basis points, gas in gas.

    Attributes:
        stake_gas: a trainer's stake, as the gas that it pays at the base fee of a submission.
        filing_bps: the filer's share of what an offender loses.
        proof_bps: the prover's share of the same.
        publication_age: age up to which a publication in an archive still counts as an opening.
        energy_price: wei of native coin for 10^18 wei of ENERGY; 0 where none is sold.
        hatch_cost: burned by a request to hatch.
    """

    base_cost: int
    growth_cost: int
    trainer_bond_multiple: int
    dispute_bond_multiple: int
    stake_gas: int
    filing_bps: int
    proof_bps: int
    challenge_period: int
    response_window: int
    proof_window: int
    publication_age: int
    energy_price: int
    hatch_cost: int


@dataclass(frozen=True, slots=True)
class Limits(AbiStruct):
    """What no season of a deployment may fall below, fixed for ever; periods in seconds.

    Attributes:
        reference_fee: least wei per gas at which stakes and opening bonds are reckoned.
        max_publication_age: how long nodes of the chain can be trusted to serve a publication.
    """

    reference_fee: int
    min_challenge_period: int
    min_response_window: int
    min_proof_window: int
    min_stake_gas: int
    min_trainer_bond_multiple: int
    min_dispute_bond_multiple: int
    max_publication_age: int


@dataclass(frozen=True, slots=True)
class ArenaTerms(AbiStruct):
    """What matches cost and pay: rewards and bond in wei of ENERGY, times in seconds.

    Attributes:
        reward_cap_bps: share, in basis points, of what a beast's own final training burned that it
            may ever be credited.
        record_window: time in which a seeded match can be recorded.
    """

    winner_reward: int
    loser_reward: int
    disproof_period: int
    reward_cooldown: int
    record_bond: int
    reward_cap_bps: int
    record_window: int


@dataclass(frozen=True, slots=True)
class Season(AbiStruct):
    """One version of every constant that governance may change."""

    rules: Rules
    schedule: Schedule
    economics: Economics
    arena: ArenaTerms
