"""``chainbeasts trainer stake``, ``unstake`` and ``status``: the account's native coin at work."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group

from chainbeasts.backend.chain.amounts import parse_coin, show_coin, show_time
from chainbeasts.backend.chain.costs import STAKE_GAS
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import fields, note, table
from chainbeasts.backend.cli.session import Session
from chainbeasts.trainer.cli.options import BeastId, outbox_of, stakes_of
from chainbeasts.trainer.defend.purse import Purse
from chainbeasts.trainer.submit.stake import StakeError, Stakes, StakeView, default_stake
from chainbeasts.trainer.workspace import open_workspace

STAKE_EXAMPLE = "chainbeasts trainer stake 1 --amount 0.2"
UNSTAKE_EXAMPLE = "chainbeasts trainer unstake 1"
STATUS_EXAMPLE = "chainbeasts trainer status --account trainer"


def stake(
    session: Session,
    beast: BeastId,
    amount: Annotated[
        str | None,
        typer.Option(
            metavar="COIN",
            help="Native coin to add; by default what lacks to twice the required stake and the "
            "cost of one dispute's openings.",
        ),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Add to the stake on a beast, or take an announced withdrawal of it back."""
    stakes = _stakes(session)
    view = stakes.view(beast)
    added = _lacking(session, view) if amount is None else parse_coin(amount)
    if added:
        cost = Cost(coin=added, gas=STAKE_GAS)
        confirm(session, f"Staking on beast {beast}", cost, yes=yes)
    if view.is_leaving:
        stakes.stay(beast)
        note(f"The stake on beast {beast} stays.")
    if added:
        stakes.add(beast, added)
    elif not view.is_leaving:
        note(f"The stake on beast {beast} is large enough.")
    _show(session, stakes.view(beast), "Stake")


def unstake(session: Session, beast: BeastId) -> None:
    """Announce the withdrawal of the stake on a beast; once it is due, withdraw it."""
    stakes = _stakes(session)
    view = stakes.view(beast)
    if not view.amount:
        raise StakeError(f"You have no stake on beast {beast}.", "See: chainbeasts trainer status")
    if view.is_leaving:
        stakes.withdraw(beast)
        note(f"{show_coin(view.amount)} came back from beast {beast}.")
    else:
        stakes.announce(beast)
        view = stakes.view(beast)
        note(f"You may not submit for beast {beast} from here on. {stakes.due(view)}")
        note(f"Then: chainbeasts trainer unstake {beast}")
    _show(session, stakes.view(beast), "Stake")


def status(session: Session) -> None:
    """Show the account's stakes, its native coin, and how many disputes' openings it can pay."""
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    outbox = outbox_of(session, workspace)
    views = [stakes_of(session, outbox).view(beast) for beast in workspace.staked(outbox.me)]
    purse = Purse(workspace, outbox).look()
    facts = {
        "account": outbox.me,
        "balance": purse.balance,
        "credit": purse.credit,
        "opening_cost": purse.opening_cost,
        "openings": purse.openings,
        "stakes": [_facts(view) for view in views],
    }
    coin = {
        "account": outbox.me,
        "native coin": show_coin(purse.balance),
        "credit in the vault": show_coin(purse.credit),
        "opening a dispute costs up to": show_coin(purse.opening_cost),
        "openings that can be paid": purse.openings,
    }
    columns = ("beast", "stake", "required now", "withdrawal")
    rows = [
        (view.beast_id, show_coin(view.amount), show_coin(view.required), _leaving(view))
        for view in views
    ]
    session.show(facts, lambda: Group(fields("Trainer", coin), table("Stakes", columns, rows)))


def _stakes(session: Session) -> Stakes:
    """The account's stakes, once what an earlier process signed has come to its end."""
    workspace = open_workspace(session.settings, session.chain)
    outbox = outbox_of(session, workspace)
    outbox.recover()
    return stakes_of(session, outbox)


def _lacking(session: Session, view: StakeView) -> int:
    return max(default_stake(session.chain, view.beast_id) - view.amount, 0)


def _leaving(view: StakeView) -> str:
    return f"from {show_time(view.withdrawable_at)}" if view.is_leaving else "not announced"


def _facts(view: StakeView) -> dict[str, Any]:
    return {
        "beast": view.beast_id,
        "amount": view.amount,
        "required": view.required,
        "withdrawable_at": view.withdrawable_at or None,
    }


def _show(session: Session, view: StakeView, title: str) -> None:
    shown = {
        "beast": view.beast_id,
        "stake": show_coin(view.amount),
        "required now": show_coin(view.required),
        "withdrawal": _leaving(view),
    }
    session.show(_facts(view), lambda: fields(title, shown))
