"""``chainbeasts dispute file``: judges, says what filing costs and may win, asks, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from web3.logs import DISCARD

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.prices import MAX_BOND_MULTIPLE
from chainbeasts.backend.chain.types import FilingQuote, openings_of
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import energy, note, progress
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.backend.store.private import PrivateDataset, open_dataset
from chainbeasts.validator.cli.display import show_transaction
from chainbeasts.validator.cli.options import (
    BeastId,
    CheckpointIndex,
    DatasetsOption,
    SnapshotsOption,
)
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.enforce.bonds import opening_cost
from chainbeasts.validator.enforce.filing import fund_bond, value_to_send
from chainbeasts.validator.enforce.staging import Staging
from chainbeasts.validator.enforce.strategy import Action
from chainbeasts.validator.enforce.value import GAS, Appraiser
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.datasets import read_secret
from chainbeasts.validator.judge.replay import Judgement
from chainbeasts.validator.judge.windows import check
from chainbeasts.validator.setup import ValidatorWorkspace


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    example = "chainbeasts dispute file 1 0 --account devnet:2"
    command(app, "file", signs=True, example=example)(file)


def file(
    session: Session,
    beast: BeastId,
    index: CheckpointIndex,
    dataset: Annotated[
        Path | None,
        typer.Option(help="The compressed dataset of a private window, to make public with it."),
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="The owner's secret that goes with --dataset.")
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """Dispute a pending checkpoint: its trainer opens the window, or falls.

    The window is judged first, and what filing costs and may win is shown; over a right window the
    ENERGY bond burns and the openings are paid. A dataset above 120,000 bytes is staged first, over
    several transactions; interrupted, the same command goes on where it stopped.
    """
    workspace = synced_workspace(session, datasets=datasets, snapshots=snapshots)
    case = workspace.reader.find(beast, index)
    data = _to_reveal(workspace, case, dataset, secret_file)
    _, judgement = check(workspace.states, case)
    quote = workspace.moves.quote(case)
    doubt = judgement.verdict is not Verdict.INVALID
    value = value_to_send(session.chain, session.sender, quote, doubt=doubt)
    call = workspace.moves.file(case, data)
    if data is None or not workspace.moves.stages(case, data):
        # A filing that the court refuses is refused before anybody is asked.
        _refuse_early(session, call, value)
    _tell(session, workspace, case, judgement, quote)
    cost = Cost(energy=quote.bond, coin=value, gas=GAS[Action.FILE])
    # Whatever it costs: a dispute over a right window is lost.
    confirm(session, "Filing", cost, yes=yes, always=True, question="File the dispute?")
    if data is not None and workspace.moves.stages(case, data):
        _stage(workspace, session, case, data, quote.bond)
    fund_bond(session.chain, session.sender, call, quote.bond, value)
    receipt = session.sender.send(call, label="file a dispute", value=value)
    events = session.chain.court.events
    filed = events.DisputeFiled().process_receipt(receipt.raw, errors=DISCARD)
    if not filed:
        ignored = events.FilingIgnored().process_receipt(receipt.raw, errors=DISCARD)[0]
        raise ChainBeastsError(
            f"Dispute {ignored['args']['disputeId']} was filed meanwhile; nothing was locked."
        )
    show_transaction(
        session,
        receipt,
        dispute=int(filed[0]["args"]["disputeId"]),
        beast=beast,
        checkpoint=index,
        verdict=judgement.verdict,
        bond=quote.bond,
        opening_bond=quote.opening_bond,
    )


def _refuse_early(session: Session, call: object, value: int) -> None:
    """Let the court refuse what it would refuse; a bond that is missing is not asked for yet."""
    try:
        session.sender.simulate(call, value=value)
    except Reverted as error:
        if error.name != "InsufficientEscrow":
            raise


def _tell(
    session: Session,
    workspace: ValidatorWorkspace,
    case: Case,
    judgement: Judgement,
    quote: FilingQuote,
) -> None:
    """Say what is known of the window, and what filing costs and may win."""
    standing = session.chain.standing(case.digest)
    if standing.dispute_id:
        raise ChainBeastsError(
            f"Dispute {standing.dispute_id} is open over this checkpoint.",
            f"See what is due in it: chainbeasts dispute next {standing.dispute_id}",
        )
    note(f"Verdict here: {judgement.verdict} ({judgement.reason}).")
    if (judgement.verdict, judgement.mode) == (Verdict.VALID, Mode.FULL):
        note("The window is right, so the dispute will be lost.")
    price = Appraiser(workspace.reader)
    surplus = quote.opening_bond - quote.opening_bond // _multiple(workspace, case)
    lost = opening_cost(quote.opening_bond - surplus, surplus)
    coin, won = price.reward(case, filed=True)
    owed = ", ".join(opening.name.lower() for opening in openings_of(quote.missing))
    note(
        f"Filing locks {energy(quote.bond)} and an opening bond of {show_coin(quote.opening_bond)} "
        f"(to be opened: {owed}); more is sent along and credited."
    )
    note(f"If the window is right, the ENERGY bond burns, and about {show_coin(lost)} are paid.")
    note(f"If it falls, both come back; filer and prover win {energy(won)} and {show_coin(coin)}.")


def _multiple(workspace: ValidatorWorkspace, case: Case) -> int:
    """Opening bonds that the filing asks for."""
    others = sum(row.beast_id == case.beast_id for row in workspace.reader.open_disputes())
    return min(others + 1, MAX_BOND_MULTIPLE)


def _stage(
    workspace: ValidatorWorkspace, session: Session, case: Case, data: PrivateDataset, bond: int
) -> None:
    """Put a large dataset on chain, with a bar."""
    chain, sender = session.chain, session.sender
    ensure_escrow(chain, sender, bond)
    with progress() as bar:
        task = bar.add_task("staging the dataset", total=None)
        Staging(chain, sender.address, data).run(
            lambda move: sender.send(move.call, label=move.label),
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda: workspace.moves.stages(case, data),
        )


def _to_reveal(
    workspace: ValidatorWorkspace, case: Case, dataset: Path | None, secret_file: Path | None
) -> PrivateDataset | None:
    """The dataset that is made public with the filing, if one is named."""
    if dataset is None and secret_file is None:
        return None
    if dataset is None or secret_file is None:
        raise ChainBeastsError("--dataset and --secret-file go together.")
    if not case.private:
        raise ChainBeastsError("The window is not private: there is no dataset to reveal.")
    try:
        compressed, secret = dataset.read_bytes(), read_secret(secret_file.read_bytes())
    except OSError as error:
        raise ChainBeastsError(f"{error.filename} cannot be read ({error.strerror}).") from None
    return open_dataset(compressed, secret or b"", workspace.reader.commitments(case.beast_id))
