"""Beasts to measure on: DNA and epoch seeds from a real local chain, training as a plan says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_hash.auto import keccak

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deploy import Deployer, prepare
from chainbeasts.backend.chain.escrow import ensure_allowance
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for

BEAST = 1
ALL_AWAKE = 0xFF
WINDOWS = 2_000
"""256,000 micro-steps, 31 epochs and a quarter by the default schedule."""

RULES, SCHEDULE = Rules(), Schedule()
EPOCHS = -(-WINDOWS // SCHEDULE.epoch_windows)

Sources = Callable[[int], Source]
Woken = Callable[[int], int]
OnWindow = Callable[[int, State], None]


@dataclass(frozen=True, slots=True)
class Birth:
    """What the chain decides about a beast: its DNA, and a block hash for each epoch."""

    dna: bytes
    epoch_seeds: tuple[bytes, ...]


DRAWN_TAG = b"chainbeasts/benchmark-births/1"
"""Begins what the births are hashed from that need no chain."""


def all_at_once(window: int) -> int:
    """Every slot wakes with the first window."""
    return ALL_AWAKE if window == 0 else 0


def drawn_births(count: int) -> list[Birth]:
    """Beasts as a chain would decide them, hashes all through, and the same ones in each run."""

    def drawn(*what: int) -> bytes:
        return bytes(keccak(DRAWN_TAG + b"".join(number.to_bytes(4) for number in what)))

    return [
        Birth(drawn(beast), tuple(drawn(beast, epoch) for epoch in range(EPOCHS)))
        for beast in range(count)
    ]


def births(count: int) -> list[Birth]:
    """Beasts hatched on a fresh local chain; each epoch's seed is a block's hash of that chain."""
    with hatchery() as (chain, sender):
        found = []
        cost = count * chain.hatch_cost()
        sender.send(chain.energy.functions.mint(sender.address, cost), label="mint")
        ensure_allowance(chain, sender, chain.beasts, cost)
        for _ in range(count):
            request = chain.beasts.functions.requestHatch(*Commitments().to_abi())
            sender.send(request, label="request a hatch")
            rpc(chain.rpc_url, "anvil_mine", "0x1")
            beast = chain.beast_count()
            sender.send(chain.beasts.functions.hatch(beast), label="hatch")
            first = chain.w3.eth.block_number
            rpc(chain.rpc_url, "anvil_mine", hex(EPOCHS))
            numbers = range(first + 1, first + 1 + EPOCHS)
            seeds = tuple(bytes(chain.w3.eth.get_block(n)["hash"]) for n in numbers)
            found.append(Birth(chain.birth(beast).dna, seeds))
        return found


@contextmanager
def hatchery() -> Iterator[tuple[Chain, TransactionManager]]:
    """A fresh local chain with the contracts, and the account that deployed them."""
    account, profile = devnet_account(0), load_profile("devnet")
    with tempfile.TemporaryDirectory() as folder, Anvil() as node:
        place = Path(folder)
        chain = prepare(node.url, place, profile, account.address, fresh=True)
        sender = TransactionManager(chain, account, place / "locks")
        for _ in Deployer(chain, sender, profile, place).run():
            pass
        yield chain, sender


def context(
    birth: Birth, window: int, source: Source, records: int = 0, rules: Rules = RULES
) -> WindowContext:
    """What a window of a run is computed with."""
    epoch = window // SCHEDULE.epoch_windows
    return WindowContext(
        dna=birth.dna,
        epoch_seed=birth.epoch_seeds[epoch],
        heads=SCHEDULE.heads(epoch),
        lr_shift=SCHEDULE.lr_shift(epoch),
        source=source,
        rules=rules,
        owner_secret_fold=fold64(birth.dna[::-1]),
        records_length=records,
    )


def train(
    birth: Birth,
    sources: Sources,
    woken: Woken = all_at_once,
    *,
    records: Sequence[int] = (),
    windows: int = WINDOWS,
    on_window: OnWindow = lambda window, state: None,
    on_traces: Callable[[int, Traces], None] | None = None,
) -> State:
    """A beast after that many windows; ``on_window`` sees each as it opens."""
    state = genesis_state(BEAST, birth.dna)
    for window in range(windows):
        source = sources(window)
        reads = source is Source.PRIVATE
        ctx = context(birth, window, source, len(records) if reads else 0)
        state = open_window(state, state.header.active_mask | woken(window))
        on_window(window, state)
        kernel = kernel_for(state.header.active_mask)
        traces = kernel.run(
            ctx, state, records=records if reads else None, traced=on_traces is not None
        )
        if on_traces is not None and traces is not None:
            on_traces(window, traces)
    return state
