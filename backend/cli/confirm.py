"""Asks before a command signs what costs much, burns, or cannot be taken back.

The one place that asks. Daemons are not asked: `trainer defend`, `validator run` and, without a
terminal, `trainer run` act within budgets of their own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from chainbeasts.backend.chain.amounts import show_coin, show_energy
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.seasons import parse_energy
from chainbeasts.backend.cli.output import note
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError

YesOption = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="Do not ask before what costs much, burns, or cannot be taken back; for scripts.",
        envvar="CHAINBEASTS_YES",
    ),
]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command is about to sign away.

    Attributes:
        energy: wei of ENERGY that leaves the account, for ever or for a time, burns included.
        burned: wei of ENERGY of that which is gone, whatever comes.
        coin: wei of native coin that is sent along; gas is not in it.
        gas: about what the transactions take.
    """

    energy: int = 0
    burned: int = 0
    coin: int = 0
    gas: int = 0


def confirm(
    session: Session,
    what: str,
    cost: Cost,
    *,
    yes: bool,
    always: bool = False,
    question: str = "Go on?",
    chain: Chain | None = None,
) -> None:
    """Show what something costs in both coins, and go on only if that is wanted.

    Nothing is shown or asked if it burns nothing and stays within the settings
    ``confirm_above_energy`` and ``confirm_above_coin``.

    Args:
        what: a sentence's beginning that says what is about to be done, such as "Send it to alice".
        yes: it was agreed to beforehand; the sum is shown all the same.
        always: ask whatever it costs, as it cannot be taken back.
        chain: whose gas it takes; the session's if None.

    Raises:
        ChainBeastsError: it is not wanted, or nobody can be asked; nothing was sent.
    """
    fee = cost.gas * gas_price(session.chain if chain is None else chain) if cost.gas else 0
    if not (always or cost.burned or _is_much(session, cost.energy, cost.coin + fee)):
        return
    note(f"{what}: {_sum(cost, fee)}.")
    require_yes(question, yes)


def require_yes(question: str, yes: bool) -> None:
    """Go on only if that is wanted, after the sum was shown in other words than ``confirm``'s.

    Raises:
        ChainBeastsError: it is not, or nobody can be asked; nothing was sent.
    """
    if yes:
        return
    if not at_terminal():
        raise ChainBeastsError(
            "Nothing was sent: there is no terminal to ask on.", "Say --yes to what is shown."
        )
    if not typer.confirm(question, err=True):
        raise ChainBeastsError("Nothing was sent.")


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def gas_price(chain: Chain) -> int:
    """Wei that a gas costs at present: the base fee, and a tip."""
    return int(chain.read(lambda: chain.w3.eth.gas_price))


def _is_much(session: Session, energy: int, coin: int) -> bool:
    settings = session.settings
    return energy > _limit("energy", settings.confirm_above_energy) or coin > _limit(
        "coin", settings.confirm_above_coin
    )


def _limit(name: str, text: str) -> int:
    try:
        return parse_energy(text)
    except ChainBeastsError:
        raise ChainBeastsError(
            f"CHAINBEASTS_CONFIRM_ABOVE_{name.upper()} is {text!r}, not an amount such as 12.5."
        ) from None


def _sum(cost: Cost, fee: int) -> str:
    parts = []
    if cost.energy:
        burns = ""
        if cost.burned:
            all_of_it = cost.burned == cost.energy
            burns = f" (burns{'' if all_of_it else f': {show_energy(cost.burned)}'})"
        parts.append(f"{show_energy(cost.energy)}{burns}")
    if cost.coin:
        parts.append(show_coin(cost.coin))
    if cost.gas:
        parts.append(f"{show_coin(fee)} for about {cost.gas:,} gas")
    return " and ".join(parts) or "no coin"
