"""Shows what a run and its growth cost, and asks before it is paid."""

from __future__ import annotations

from chainbeasts.backend.chain.costs import plan_cost, window_cost
from chainbeasts.backend.chain.growth import slot_names
from chainbeasts.backend.chain.types import Head
from chainbeasts.backend.cli.confirm import Cost, at_terminal, confirm, require_yes
from chainbeasts.backend.cli.output import energy, note
from chainbeasts.backend.cli.session import Session
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.submit.funds import count
from chainbeasts.trainer.train.loop import Trainer


def agree_to_run(
    session: Session,
    trainer: Trainer,
    beast: int,
    head: Head,
    plan: Plan,
    wake: int,
    windows: int | None,
    *,
    yes: bool,
) -> None:
    """Show what a run burns, locks and stakes, and ask whether to go on.

    Growth is always asked about. Without any a run is a daemon where nobody sits at a terminal: it
    burns what its windows cost, which ``--windows`` and the account's ENERGY bound.

    Args:
        windows: how many are trained; None without end.

    Raises:
        ChainBeastsError: it is not wanted, or growth is and nobody is there to be asked.
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
        if at_terminal() and windows != 0:
            price = plan_cost(economics, plan.growth, first, mask, windows or 1, 0)
            asked = Cost(
                energy=price.price + price.bond,
                burned=price.price,
                coin=trainer.submitter.lacking_stake(beast),
            )
            endless = "Each window of a run without end"
            what = endless if windows is None else f"The run's {count(windows)}"
            confirm(session, what, asked, yes=yes)
        return
    horizon = windows if windows is not None else max(wakes) + 1 - first
    total = plan_cost(economics, plan.growth, first, head.active_mask, horizon, wake)
    note(
        f"The run's {count(horizon)}: {energy(total.price)} to burn ({energy(total.growth)} of it "
        f"for growth) and {energy(total.bond)} in bonds, at the present season's prices."
    )
    require_yes("Growth is for ever. Go on?", yes)
