"""Shows what growth costs, and asks before it is paid."""

from __future__ import annotations

import sys

from backend.chain.costs import plan_cost, window_cost
from backend.chain.growth import slot_names
from backend.chain.types import Head
from backend.cli.confirm import require_yes
from backend.cli.output import energy, note
from trainer.plan.plan import Plan
from trainer.submit.funds import count
from trainer.train.loop import Trainer


def agree_to_growth(
    trainer: Trainer, head: Head, plan: Plan, wake: int, windows: int | None, *, yes: bool
) -> None:
    """Show what the growth in a run costs, and ask whether to go on.

    Slots to wake with the first window (``wake``) are asked for on a terminal only.

    Raises:
        ChainBeastsError: it is not wanted, or planned and nobody is there to be asked.
    """
    economics = trainer.chain.season(head.season).economics
    first, mask = head.head_count, head.active_mask
    planned = plan.growth_in(first, windows)
    wakes = {one.window: one.mask for one in planned}
    if wake & ~mask and windows != 0:
        wakes[first] = wakes.get(first, 0) | wake
    for window, slots in sorted(wakes.items()):
        cost = window_cost(economics, mask, mask | slots)
        note(
            f"Window {window} wakes {slot_names(slots & ~mask)} for {energy(cost.growth)}; "
            f"the window burns {energy(cost.price)} and locks a bond of {energy(cost.bond)}."
        )
        mask |= slots
    if not wakes:
        return
    horizon = windows if windows is not None else max(wakes) + 1 - first
    total = plan_cost(economics, plan.growth, first, head.active_mask, horizon, wake)
    note(
        f"The run's {count(horizon)}: {energy(total.price)} to burn ({energy(total.growth)} of it "
        f"for growth) and {energy(total.bond)} in bonds, at the present season's prices."
    )
    # What was named on the command line alone is asked for only where somebody can answer.
    if planned or sys.stdin.isatty():
        require_yes("Growth is for ever. Go on?", yes)
