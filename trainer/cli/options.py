"""Arguments and options that the trainer's commands share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from chainbeasts.backend.chain.amounts import parse_coin
from chainbeasts.backend.chain.kernel_check import check_kernel
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.cli.output import note
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.trainer.plan.sources import Battle, TrainingSource
from chainbeasts.trainer.submit.stake import Stakes
from chainbeasts.trainer.submit.submitter import Submitter
from chainbeasts.trainer.train.loop import Trainer
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import TrainerWorkspace, open_workspace

BeastId = Annotated[int, typer.Argument(min=1, help="The beast's id.")]
Index = Annotated[int, typer.Argument(min=0, help="The checkpoint's index, from 0.")]


CURRICULUM = "curriculum"
SourceOption = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Where the samples come from: curriculum, self-play, private, or battle:7 for the "
        "positions of match 7.",
    ),
]
SnapshotsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE",
        help="Where states are published: a folder or s3://bucket/prefix; HOME/snapshots if not "
        "given. Repeatable: further ones, also https://host/path, are only read. In the "
        "environment: several with spaces between.",
        envvar="CHAINBEASTS_SNAPSHOTS",
    ),
]


PlanOption = Annotated[
    str | None,
    typer.Option(
        help="Sources by window, such as curriculum:0-40,self-play,battle#7; or a TOML file. "
        "Takes the place of --source.",
    ),
]
GrowOption = Annotated[
    str | None, typer.Option(help="Slots to wake: slot@window, such as s1@20,a2@40.")
]
WakeOption = Annotated[
    list[str] | None,
    typer.Option(help="Wake this slot with the first window: s0 to s3, a0 to a3."),
]
BatchOption = Annotated[int, typer.Option(min=1, max=64, help="Most windows in one transaction.")]
StakeOption = Annotated[
    str | None,
    typer.Option(
        metavar="COIN",
        help="Native coin that shall answer for your windows on this beast, where the ledger asks "
        "for a stake; by default twice what it asks for and the cost of one dispute's openings.",
    ),
]
AcceptForeignOption = Annotated[
    bool,
    typer.Option(
        "--accept-foreign-parent",
        help="Build on another trainer's pending window, though its fall would burn yours.",
    ),
]


def outbox_of(session: Session, workspace: TrainerWorkspace) -> Outbox:
    """Where the acting account's transactions go out."""
    return Outbox(workspace.database, session.sender)


def stakes_of(session: Session, outbox: Outbox, chosen: str | None = None) -> Stakes:
    """The acting account's stakes, which are told of before they are put up.

    Raises:
        ChainBeastsError: what was chosen is no amount.
    """
    wanted = None if chosen is None else parse_coin(chosen)
    return Stakes(session.chain, outbox, chosen=wanted, say=note)


def trainer_of(
    session: Session,
    beast_id: int,
    sources: TrainingSource | Collection[TrainingSource],
    snapshots: Sequence[str] | None = None,
    *,
    stake: str | None = None,
    accept_foreign_parent: bool = False,
) -> tuple[TrainerWorkspace, WindowStore, Submitter, Trainer]:
    """Everything that trains one beast.

    Args:
        stake: native coin that shall stand, where a stake is asked for.
        accept_foreign_parent: build even on another trainer's pending window.

    Raises:
        ChainBeastsError: the deployment has another kernel, the account may not train it, its
            dataset or a match's log is not at hand, a match is not final, or states cannot be
            published where they should.
    """
    check_kernel(session.chain)  # before a window is computed that its referee would find wrong
    wanted = set(sources) if isinstance(sources, Collection) else {sources}
    workspace = open_workspace(session.settings, session.chain, snapshots=snapshots or ())
    account = session.account.address
    session.chain.birth(beast_id)  # a beast that has not hatched is refused here, by name
    if not session.chain.is_trainer(beast_id, account):
        owner = session.chain.owner_of(beast_id)
        raise ChainBeastsError(
            f"{account} may not train beast {beast_id}; its owner is {owner}.",
            f"The owner can allow it: chainbeasts beast authorise {beast_id} {account}",
        )
    private = workspace.private_data(beast_id) if Source.PRIVATE in wanted else None
    for source in wanted:
        if isinstance(source, Battle):
            workspace.match_log(source.match_id)  # refused here, before anything is signed
    store = WindowStore(workspace.database, workspace.snapshots)
    outbox = outbox_of(session, workspace)
    submitter = Submitter(
        session.chain,
        outbox,
        stakes_of(session, outbox, stake),
        accept_foreign_parent=accept_foreign_parent,
    )
    trainer = Trainer(
        session.chain, workspace.snapshots, store, submitter, beast_id, private, workspace.match_log
    )
    return workspace, store, submitter, trainer
