"""What the protocol stands on, held against what a chain shows; pure.

What would let a fraud stand, or a seed be chosen, fails; what makes deadlines tight only warns. On
a chain of this machine, which is for play, a history of block hashes may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from chainbeasts.backend.chain.amounts import show_span
from chainbeasts.backend.chain.types import Economics
from chainbeasts.backend.doctor.chain_facts import TX_GAS_CAP, YOUNG, ChainFacts, Kind, Needs
from chainbeasts.backend.doctor.report import Check, failed, ok, warning

GUIDE = "docs/guides/chains.md says which chains serve."

RESPONSE_BLOCKS = 100
"""Least blocks of a response window: three openings, each mined, buried three deep and perhaps
replaced for a higher fee several times, while others fill the blocks."""

FORCED_INCLUSION = {Kind.OP: 43_200, Kind.ARBITRUM: 86_400}
"""Seconds after which a transaction sent by way of the parent chain is in a rollup at the latest:
OP Mainnet's sequencing window of 3,600 blocks of 12 s, Arbitrum One's delay of a day."""

GAS_TOLERANCE = 50
"""An estimate that is off by more than a fiftieth is not made by Ethereum's gas schedule."""


def judge(facts: ChainFacts, needs: Needs, economics: Economics | None) -> Iterator[Check]:
    """Every requirement, in an order in which the first that fails explains the others.

    Args:
        economics: of the season that is there or to come; None leaves the deadlines out.
    """
    yield check_opcodes(facts)
    yield check_numbers(facts)
    yield check_hashes(facts)
    yield check_history(facts)
    yield check_gas(facts, needs)
    yield check_sizes(facts, needs)
    yield check_fee(facts)
    yield check_time(facts)
    yield check_logs(facts)
    if economics is not None:
        yield from check_deadlines(facts, economics)


def check_opcodes(facts: ChainFacts) -> Check:
    """The chain runs the opcodes that the contracts are compiled to."""
    name = "opcodes"
    if not facts.simulates:
        do = "Use a node that simulates creations (eth_call without a receiver), then look again."
        return warning(name, "The node simulates no creation, so opcodes were not tried.", do)
    missing = [YOUNG[opcode] for opcode, works in facts.opcodes.items() if not works]
    if missing:
        listed = ", ".join(f"{opcode} ({fork})" for opcode, fork, _ in missing)
        return failed(name, f"The chain does not run {listed}, which the contracts use.", GUIDE)
    names = ", ".join(YOUNG[opcode][0] for opcode in facts.opcodes)
    return ok(name, f"The chain runs {names}.")


def check_numbers(facts: ChainFacts) -> Check:
    """``block.number`` counts the chain's own blocks: commitments and hatches wait for blocks."""
    name, seen = "block number", facts.called_number
    if seen is None:
        return warning(name, "No call told block.number.", "Name another node, then look again.")
    if seen not in (facts.number, facts.number + 1):
        found = f"block.number is {seen} in block {facts.number}: another chain's."
        return failed(name, found, f"This is {facts.kind.value}. {GUIDE}")
    return ok(name, "block.number is the chain's own.")


def check_hashes(facts: ChainFacts) -> Check:
    """BLOCKHASH gives the hashes of the chain's own blocks, which seed DNA, epochs and matches."""
    name = "block hash"
    if facts.called_hash is None or facts.true_hash is None:
        if facts.called_number == 0:
            return ok(name, "There is no block yet whose hash could be asked for.")
        return warning(name, "No hash could be compared.", "Name another node, then look again.")
    if facts.called_hash != facts.true_hash:
        found = "blockhash(block.number - 1) is not the hash of the block before."
        return failed(name, found, f"Seeds could be foreseen. {GUIDE}")
    return ok(name, "blockhash gives the hashes of the chain's own blocks.")


def check_history(facts: ChainFacts) -> Check:
    """The history contract has the hashes that BLOCKHASH no longer knows (EIP-2935)."""
    name = "block hash history"
    wrong = {depth for depth, (found, true) in facts.history.items() if found not in (true, b"")}
    lacking = {depth for depth, (found, _) in facts.history.items() if not any(found)}
    problem, do = "", f"Hatches and matches would be seeded by what it answers. {GUIDE}"
    if any(facts.future):
        problem = "The history contract answers about a block that does not exist."
    elif wrong - lacking:
        problem = f"The history contract has a wrong hash, {min(wrong - lacking)} blocks back."
    elif not facts.history_code or 1 in lacking:
        problem = "The chain has no history of block hashes (EIP-2935)."
        do = f"A hatch or a match would lapse after 256 blocks. {GUIDE}"
    if problem and facts.local:
        return warning(name, problem, "Hatch and draw seeds within 256 blocks on this chain.")
    if problem:
        return failed(name, problem, do)
    if lacking:
        found = f"The history does not reach {min(lacking)} blocks back yet."
        return warning(name, found, "Wait until it has filled: 8,191 blocks after its hardfork.")
    return ok(name, "The history contract has the chain's own hashes.")


def check_gas(facts: ChainFacts, needs: Needs) -> Check:
    """The dearest transaction fits a block and the chain's cap, at Ethereum's gas schedule."""
    name, heaviest = "gas", f"{needs.heaviest:,}"
    if facts.gas_limit < needs.heaviest:
        found = f"A block has {facts.gas_limit:,} gas; the dearest transaction takes {heaviest}."
        return failed(name, found, GUIDE)
    if facts.estimate is None and not facts.simulates:
        do = "Use a node that estimates creations (eth_estimateGas without a receiver)."
        return warning(name, "The node estimates no creation, so its cap was not tried.", do)
    if facts.estimate is None:
        found = f"The node estimates no transaction of {facts.due:,} gas: its cap may be lower."
        return failed(name, found, f"A transaction may have to take {heaviest} gas. {GUIDE}")
    if abs(facts.estimate - facts.due) * GAS_TOLERANCE > facts.due:
        found = f"{facts.due:,} gas by Ethereum's rules are {facts.estimate:,} here."
        do = f"Openings are paid, and stakes reckoned, by Ethereum's gas. {GUIDE}"
        return warning(name, found, do)
    if facts.gas_limit < 2 * TX_GAS_CAP:
        found = f"A block has {facts.gas_limit:,} gas, hardly more than one transaction may take."
        return warning(name, found, "A full chain can hold proofs up: choose long windows.")
    return ok(name, f"The dearest transaction, {heaviest} gas, fits.")


def check_sizes(facts: ChainFacts, needs: Needs) -> Check:
    """Contracts and transactions of the largest size are taken."""
    name = "sizes"
    if facts.simulates and not facts.creates:
        found = f"A contract of {needs.code:,} bytes, created by {needs.creation:,}, is refused."
        return failed(name, found, GUIDE)
    if not facts.carries:
        found = f"The node answers no call with {needs.calldata:,} bytes of calldata."
        do = "Name a node that takes large requests: private datasets are revealed by such."
        return warning(name, found, do)
    return ok(name, "The largest contract and the largest transaction are taken.")


def check_fee(facts: ChainFacts) -> Check:
    """Blocks have a base fee (EIP-1559), by which stakes and opening bonds are reckoned."""
    name = "base fee"
    if facts.base_fee is None:
        return failed(name, "The chain's blocks have no base fee (EIP-1559).", GUIDE)
    if facts.base_fee == 0:
        do = "Stakes and bonds stay at the reference fee: set it to what a gas really costs."
        return warning(name, "The base fee is 0.", do)
    return ok(name, "Blocks have a base fee.")


def check_time(facts: ChainFacts) -> Check:
    """Time goes forward: every deadline is a block's timestamp."""
    name = "block time"
    if facts.backwards:
        return failed(name, "The head block is older than the one before it.", GUIDE)
    if facts.seconds is None or facts.local:
        return ok(name, "Timestamps go forward.")
    return ok(name, f"Timestamps go forward; a block takes {facts.seconds:.1f} s.")


def check_logs(facts: ChainFacts) -> Check:
    """The node serves the logs of old blocks, where states, records and frauds are found."""
    name = "old logs"
    if facts.logs:
        do = "Name a node that keeps logs from the deployment's first block on."
        return failed(name, f"The node lacks old logs: {facts.logs}.", do)
    return ok(name, "The node serves the logs that were asked for.")


def check_deadlines(facts: ChainFacts, economics: Economics) -> Iterator[Check]:
    """A response has blocks enough, also while a rollup's sequencer is away."""
    name, window = "response window", economics.response_window
    has = f"A response has {show_span(window)}"
    if facts.local:
        yield ok(name, f"{has}; the blocks of a local chain come when they are asked for.")
        return
    least = 2 * FORCED_INCLUSION.get(facts.kind, 0)
    blocks = int(window / facts.seconds) if facts.seconds else None
    if blocks is not None and blocks < RESPONSE_BLOCKS:
        found = f"{has}, {blocks} blocks at {facts.seconds:.1f} s each."
        do = f"Propose a season with a response_window of {RESPONSE_BLOCKS} blocks or more."
        yield warning(name, found, do)
    elif window < least:
        found = f"{has}, less than {show_span(least)} on {facts.kind.value}."
        do = "Choose twice the time after which the chain includes what its sequencer left out."
        yield warning(name, found, do)
    else:
        yield ok(name, f"{has}, {blocks or 'an unknown number of'} blocks.")
