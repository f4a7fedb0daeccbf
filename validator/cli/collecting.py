"""``chainbeasts dispute collect``: what court, vault and arena owe an account, pulled by hand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.cli.output import energy, fields
from chainbeasts.backend.cli.sending import refuse_contracts
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.store.facts import StakeRewardRow
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.daemon import Collector
from chainbeasts.validator.enforce.stakes import StakeCollector
from chainbeasts.validator.enforce.value import Appraiser
from chainbeasts.validator.setup import payout_collectors

MOST_PASSES = 16
"""One settles, the next withdraws; an end in case the chain goes on meanwhile."""

WHATEVER = 0.0
"""Who collects by hand wants what there is, also where gas takes most of it."""


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    example = "chainbeasts dispute collect --account devnet:2"
    command(app, "collect", signs=True, example=example)(collect)


def collect(
    session: Session,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="WHO",
            help="Where rewards in ENERGY go instead; bonds and native coin come back to the "
            "account.",
        ),
    ] = None,
) -> None:
    """Collect what an account is owed as filer, prover, or trainer, of disputes and disproofs.

    Rewards, pay for steps and openings, returned bonds: ENERGY out of the escrows, native coin out
    of the vault. Only what is owed is pulled: deposits stay where they are.
    """
    workspace = synced_workspace(session)
    receiver = None if to is None else session.resolve(to)
    if receiver is not None:
        refuse_contracts(session, receiver)
    outbox = Outbox(workspace.database, session.sender)
    outbox.recover()
    stakes = StakeCollector(
        workspace.reader, workspace.database, outbox, Appraiser(workspace.reader), WHATEVER
    )
    collectors: list[Collector] = [stakes, *payout_collectors(workspace, outbox, receiver)]
    chain, me = session.chain, outbox.me
    wallets = {me, receiver or me}
    before, sent = sum(map(chain.energy_of, wallets)), 0
    coin = 0
    for _ in range(MOST_PASSES):
        owed = chain.credit_of(me)
        done = sum(collector.run() for collector in collectors)
        coin += max(owed - chain.credit_of(me), 0)
        if not done:
            break
        sent += done
        workspace.sync()
    held = stakes.held()
    value: dict[str, Any] = {
        "account": me,
        "energy": sum(map(chain.energy_of, wallets)) - before,
        "native": coin,
        "transactions": sent,
        "held": [_held(row) for row in held],
    }
    view: dict[str, Any] = {
        "account": me,
        "ENERGY": energy(value["energy"]),
        "native coin": show_coin(coin),
        "transactions": sent,
    }
    for row in held:
        view[f"held, dispute {row.dispute_id}"] = (
            f"{show_coin(row.filing + row.proof)} for filer and prover, until no window of beast "
            f"{row.beast_id} below {row.index} is pending"
        )
    session.show(value, lambda: fields("Collected", view))


def _held(row: StakeRewardRow) -> dict[str, Any]:
    return {
        "beast": row.beast_id,
        "checkpoint": row.index,
        "dispute": row.dispute_id,
        "trainer": row.trainer,
        "filing": row.filing,
        "proof": row.proof,
    }
