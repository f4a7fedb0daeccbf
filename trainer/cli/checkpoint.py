"""``chainbeasts checkpoint``: look at checkpoints, submit one, make them final."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.types import CheckpointPayload
from chainbeasts.backend.chain.waiting import await_time
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import energy, fields, note, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.trainer.cli.options import (
    CURRICULUM,
    AcceptForeignOption,
    BeastId,
    Index,
    SnapshotsOption,
    SourceOption,
    StakeOption,
    outbox_of,
    stakes_of,
    trainer_of,
)
from chainbeasts.trainer.cli.submitted import loss_of, show_submitted
from chainbeasts.trainer.plan.sources import source_text, training_source_of
from chainbeasts.trainer.plan.text import parse_training_source
from chainbeasts.trainer.submit.finality import Finalizer
from chainbeasts.trainer.submit.parents import check_parent
from chainbeasts.trainer.submit.submitter import STAKE_LACKS
from chainbeasts.trainer.train.window_store import payload_from_json
from chainbeasts.trainer.workspace import open_workspace

app = typer.Typer(help="Checkpoints: list, show, submit, finalize.", no_args_is_help=True)


def _facts(row: CheckpointRow) -> dict[str, Any]:
    return {
        "beast": row.beast_id,
        "checkpoint": row.index,
        "status": str(row.status),
        "proven": row.proven,
        "h128": row.h128,
        "parent": row.parent,
        "epoch": row.epoch,
        "season": row.season,
        "source": Source(row.source),
        "source_id": row.source_id,
        "active_mask": row.active_mask,
        "lr_shift": row.lr_shift,
        "global_step": row.global_step,
        "window_loss": row.window_loss,
        "loss": row.window_loss / WINDOW_STEPS,
        "loss_drop": row.loss_drop,
        "energy_burn": row.energy_burn,
        "bond": row.bond,
        "trainer": row.trainer,
        "submitted_at": row.submitted_at,
        "generation": row.generation,
        "tx": row.tx_hash,
    }


@command(app, "list", example="chainbeasts checkpoint list 1")
def list_(
    session: Session,
    beast: BeastId,
    every: Annotated[
        bool, typer.Option("--all", help="Slashed and void ones too, in order of submission.")
    ] = False,
) -> None:
    """List a beast's checkpoints."""
    session.chain.birth(beast)
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    rows = workspace.ever(beast) if every else workspace.live(beast)
    columns = ("checkpoint", "status", "epoch", "source", "loss", "h128", "burns")
    view = [
        (
            row.index,
            row.status,
            row.epoch,
            source_text(training_source_of(Source(row.source), row.source_id)),
            loss_of(row.window_loss),
            "0x" + row.h128.hex()[:16] + "…",
            energy(row.energy_burn),
        )
        for row in rows
    ]
    session.show([_facts(row) for row in rows], lambda: table(f"Beast {beast}", columns, view))


@command(app, "show", example="chainbeasts checkpoint show 1 0")
def show(session: Session, beast: BeastId, index: Index) -> None:
    """Show every field of a checkpoint; of a slashed place, the latest one."""
    session.chain.birth(beast)
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    found = [row for row in workspace.live(beast) if row.index == index]
    found = found or [row for row in workspace.ever(beast) if row.index == index]
    if not found:
        raise ChainBeastsError(
            f"Beast {beast} has no checkpoint {index}.",
            f"List them: chainbeasts checkpoint list {beast} --all",
        )
    row = found[-1]
    facts = _facts(row)
    view = {k: "0x" + v.hex() if isinstance(v, bytes) else v for k, v in facts.items()}
    view |= {
        "source": source_text(training_source_of(Source(row.source), row.source_id)),
        "active_mask": f"{row.active_mask:#04x}",
        "energy_burn": energy(row.energy_burn),
        "bond": energy(row.bond),
        "submitted_at": show_time(row.submitted_at),
    }
    view["loss"] = loss_of(row.window_loss)
    del view["source_id"], view["window_loss"]
    session.show(facts, lambda: fields(f"Checkpoint {index} of beast {beast}", view))


@command(app, "submit", signs=True, example="chainbeasts checkpoint submit 1 --payload window.json")
def submit(
    session: Session,
    beast: BeastId,
    payload: Annotated[
        Path | None,
        typer.Option(help="JSON of a payload made elsewhere; a window is trained if not given."),
    ] = None,
    source: SourceOption = CURRICULUM,
    stake: StakeOption = None,
    accept_foreign_parent: AcceptForeignOption = False,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """Submit one checkpoint: of a window trained now, or of a payload from a file."""
    if payload is None:
        training_source = parse_training_source(source)
        _, _, _, trainer = trainer_of(
            session,
            beast,
            training_source,
            snapshots,
            stake=stake,
            accept_foreign_parent=accept_foreign_parent,
        )
        _agree(session, beast, session.chain.head(beast).active_mask, yes)
        show_submitted(session, trainer.run(1, training_source))
        return
    stated = _read_payload(payload)
    chain = session.chain
    head = chain.head(beast)
    if not accept_foreign_parent:
        check_parent(beast, head, session.account.address)
    seed = chain.epoch(beast, head.epoch).epoch_seed
    place = (beast, head.h128, seed)
    call = chain.ledger.functions.submit(*place, stated.to_abi(), accept_foreign_parent)
    _agree(session, beast, stated.active_mask, yes)
    _fund(session, call, beast, stated, stake)
    receipt = session.sender.send(call, label="submit the checkpoint")
    facts = {
        "beast": beast,
        "checkpoint": head.head_count,
        "h128": "0x" + stated.h128.hex(),
        "gas": receipt.gas_used,
        "tx": "0x" + receipt.hash.hex(),
    }
    session.show(facts, lambda: fields("Submitted", facts))


def _agree(session: Session, beast: int, mask: int, yes: bool) -> None:
    """Ask before a window's price is locked, all of which burns once the window is final.

    Raises:
        ChainBeastsError: it is not wanted, or nobody can be asked.
    """
    burn, bond = session.chain.quote(beast, mask)
    cost = Cost(energy=burn + bond, burned=burn)
    confirm(session, f"Submitting a window of beast {beast}", cost, yes=yes)


def _fund(
    session: Session, call: Any, beast: int, stated: CheckpointPayload, stake: str | None
) -> None:
    """Put up stake and escrow if they are all that the submission lacks."""
    chain = session.chain
    for _ in range(2):
        try:
            session.sender.simulate(call)
            return
        except Reverted as error:
            if error.name in STAKE_LACKS:
                workspace = open_workspace(session.settings, chain)
                stakes_of(session, outbox_of(session, workspace), stake).ensure(beast)
            elif error.name == "InsufficientEscrow":
                _, bond = chain.quote(beast, stated.active_mask)
                ensure_escrow(chain, session.sender, stated.energy_burn + bond)
            else:
                raise


def _read_payload(path: Path) -> CheckpointPayload:
    try:
        return payload_from_json(parse_json(path.read_bytes()))
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read: {error.strerror}.") from None
    except KeyError as error:
        raise ChainBeastsError(f"The payload in {path} has no field {error}.") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ChainBeastsError(
            f"{path} is not a checkpoint's payload: {error}.",
            "It is a JSON object with epoch, h128, energyBurn, lrShift, activeMask, globalStep, "
            "windowLoss, source and sourceId.",
        ) from None


@command(app, "finalize", signs=True, example="chainbeasts checkpoint finalize 1")
def finalize(
    session: Session,
    beast: BeastId,
    wait: Annotated[
        bool, typer.Option("--wait", help="First wait for the challenge periods of all pending.")
    ] = False,
) -> None:
    """Make the checkpoints final whose challenge period is over. Anyone may."""
    session.chain.birth(beast)
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    finalizer = Finalizer(workspace, outbox_of(session, workspace))
    if wait and (at := finalizer.due_at(beast)) > session.chain.now():
        note(f"Waiting until the last challenge period is over, {show_time(at)}…")
        await_time(session.chain, at)
    finalized = finalizer.beast(beast)
    if not finalized:
        raise ChainBeastsError(
            f"No checkpoint of beast {beast} may be final yet.",
            f"See how they stand: chainbeasts checkpoint list {beast}",
        )
    rows = [(f"{done.first} to {done.last}", done.gas) for done in finalized]
    session.show(finalized, lambda: table("Final", ("checkpoints", "gas"), rows))
