"""Checks of who may do what to the deployment."""

from __future__ import annotations

from collections.abc import Iterator

from chainbeasts.backend.chain.amounts import show_span
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.powers import names_of, powers_of, violations
from chainbeasts.backend.doctor.report import Check, failed, ok, warning

FIX = "Do not trust this deployment with money until whoever made it has explained it."


def check_powers(chain: Chain) -> Iterator[Check]:
    """Every role's holders, and whether a deployment would have left them so."""
    powers = powers_of(chain)
    yield ok(
        "minters",
        f"ENERGY is minted by {names_of(chain, powers.minters)}; "
        f"{names_of(chain, powers.minter_admins)} can change that.",
    )
    yield ok(
        "governor",
        f"Proposals come from {names_of(chain, powers.proposers)}, wait "
        f"{show_span(powers.delay)}, can be cancelled by {names_of(chain, powers.cancellers)} and "
        f"executed by {names_of(chain, powers.executors)}.",
    )
    yield ok(
        "timelock",
        f"It can {'; '.join(powers.timelock_can)}. It cannot {'; '.join(powers.timelock_cannot)}.",
    )
    yield ok("deployer", f"The deployer may: {', '.join(powers.deployer_keeps) or 'nothing'}.")
    if not powers.complete:
        yield warning(
            "powers",
            "The node does not serve the logs since the deployment: others may have roles in the "
            "timelock, too, or have minted ENERGY.",
            "Ask a node that serves old logs.",
        )
    for sentence in violations(chain, powers):
        yield failed("powers", sentence, FIX)
