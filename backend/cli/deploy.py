"""``chainbeasts deploy``: put the contracts on a chain, or finish an interrupted deployment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from chainbeasts.backend.chain.amounts import show_span
from chainbeasts.backend.chain.anvil import is_local_chain
from chainbeasts.backend.chain.client import Chain, read
from chainbeasts.backend.chain.deploy import Deployer, deployment_gas, prepare
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.powers import Powers, holder_name, names_of, powers_of
from chainbeasts.backend.chain.seasons import Profile, load_profile
from chainbeasts.backend.cli.compiling import compile_contracts
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import fields, note, progress
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.doctor.examine import chain_rules
from chainbeasts.backend.doctor.report import Result

app = typer.Typer(help="Deploy the contracts.")


@command(app, "deploy", signs=True, example="chainbeasts deploy --profile devnet")
def deploy(
    session: Session,
    profile: Annotated[
        str | None,
        typer.Option(
            help="First season: devnet, mainnet or a file NAME.toml. Without it, the recorded one, "
            "else devnet."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option(help="Forget the recorded deployment and make a new one.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Deploy, or go on where an interrupted deployment stopped. A second run only checks."""
    settings, url = session.settings, session.rpc_url
    w3 = session.connect()
    chain_id = read(lambda: w3.eth.chain_id, url)
    kept = None if fresh else Deployment.find(settings.deployments_dir, chain_id)
    chosen = load_profile(profile or (kept.profile if kept is not None else "devnet"))
    account = session.deployer_account(chain_id)
    chain = prepare(url, settings.deployments_dir, chosen, account.address, fresh=fresh)
    compile_contracts()
    if not chain.deployment.complete:
        _check_chain(chain, chosen)
    if not chain.deployment.complete and not is_local_chain(chain_id, url):
        gas = deployment_gas(chain.deployment)
        confirm(session, "Deploying", Cost(gas=gas), yes=yes, chain=chain)
    deployer = Deployer(chain, session.sender_for(chain, account), chosen, settings.deployments_dir)
    with progress() as bar:
        steps = deployer.steps()
        task = bar.add_task("deploying", total=len(steps))
        for name in deployer.run():
            bar.update(task, advance=1, description=name)
    record = chain.deployment
    note(f"Recorded in {record.path(settings.deployments_dir, record.chain_id)}")
    powers = powers_of(chain)
    title = f"Deployed on chain {record.chain_id} ({record.profile})"
    session.show(
        asdict(record) | {"powers": powers},
        lambda: Group(fields(title, record.addresses), _powers_view(chain, powers)),
    )


def _powers_view(chain: Chain, powers: Powers) -> Table:
    """Who may do what from here on."""
    rows = {
        "mint ENERGY": names_of(chain, powers.minters),
        "change who mints": names_of(chain, powers.minter_admins),
        "add seasons": holder_name(chain, powers.registry_owner),
        "receive the sale's proceeds": holder_name(chain, powers.treasury),
        f"propose, {show_span(powers.delay)} ahead": names_of(chain, powers.proposers),
        "cancel proposals": names_of(chain, powers.cancellers),
        "execute proposals that are due": names_of(chain, powers.executors),
        "change the timelock's roles": names_of(chain, powers.timelock_admins),
        "the timelock can": "\n".join(powers.timelock_can),
        "the timelock cannot": "\n".join(powers.timelock_cannot),
        "the deployer keeps": "\n".join(powers.deployer_keeps) or "nothing",
    }
    return fields("Who may do what", rows)


def _check_chain(chain: Chain, profile: Profile) -> None:
    """See that the chain carries the protocol, before anything is sent; warnings are told.

    Raises:
        ChainError: it does not.
    """
    found = list(chain_rules(chain.w3, chain.rpc_url, profile.season.economics))
    for check in found:
        if check.result is Result.WARNING:
            note(f"Warning: {check.found} {check.do}")
    failures = [check for check in found if check.result is Result.FAILED]
    if failures:
        reasons = " ".join(check.found for check in failures)
        raise ChainError(f"The chain does not carry the protocol: {reasons}", failures[0].do)
