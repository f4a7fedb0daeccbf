"""What training costs, and what it binds, as people and scripts read it."""

from __future__ import annotations

from collections.abc import Iterable

from chainbeasts.backend.chain.amounts import show_coin, show_span, show_time
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.costs import TrainingQuote, next_windows
from chainbeasts.backend.chain.growth import Growth
from chainbeasts.backend.chain.types import Head
from chainbeasts.backend.cli.output import energy
from chainbeasts.backend.indexer.locks import Locks


def quote_of(
    chain: Chain,
    head: Head,
    windows: int = 1,
    growth: Iterable[Growth] = (),
    wake: int = 0,
) -> TrainingQuote:
    """What a beast's next windows cost, each sent by itself."""
    return next_windows(
        chain.season(head.season),
        first=head.head_count,
        mask=head.active_mask,
        epoch_end=head.epoch_end,
        windows=windows,
        energy_price=chain.energy_price(),
        growth=growth,
        wake=wake,
    )


def with_coin(wei: int, coin: int | None) -> str:
    """An amount of ENERGY, and what the sale asks for it."""
    return energy(wei) + (f" (for sale at {show_coin(coin)})" if coin is not None else "")


def quote_view(quote: TrainingQuote) -> dict[str, object]:
    """A quote's lines for people."""
    cost = quote.cost
    shown: dict[str, object] = {"burns": with_coin(cost.price, quote.coin_price)}
    if cost.growth:
        shown["of it growth"] = energy(cost.growth)
    return shown | {
        "locks at most": f"{with_coin(cost.lock, quote.coin_lock)}, {energy(cost.bond)} of it a "
        "bond that comes back",
        "locked": f"each window for {show_span(quote.locked_seconds)}, if it is disputed for "
        f"{show_span(quote.locked_seconds_most)} at most",
        "gas, about": f"{quote.gas:,}",
    }


def locks_view(locks: Locks) -> str:
    """What is locked, in a sentence."""
    if locks.first_at is None or locks.last_at is None or locks.last_at_most is None:
        return "nothing"
    first, last = show_time(locks.first_at), show_time(locks.last_at)
    until = first if first == last else f"{first} to {last}"
    return (
        f"{energy(locks.energy)} by {locks.windows} pending windows, until {until}; by "
        f"{show_time(locks.last_at_most)} whatever is disputed"
    )
