"""``chainbeasts dispute bundle`` and ``verify-bundle``: evidence for those who trust nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from eth_hash.auto import keccak

from chainbeasts.backend.cli.output import fields
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.validator.cli.display import shown
from chainbeasts.validator.cli.options import DatasetsOption, DisputeId, SnapshotsOption
from chainbeasts.validator.cli.workspace import open_dispute
from chainbeasts.validator.evidence import archive
from chainbeasts.validator.evidence.bundle import make_bundle
from chainbeasts.validator.evidence.check import Finding, against_chain, verify

OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="The file to write."),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace another file of that name.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the noun."""
    command(app, "bundle", example="chainbeasts dispute bundle 1 -o evidence.zip")(bundle)
    command(app, "verify-bundle", example="chainbeasts dispute verify-bundle evidence.zip")(
        verify_bundle
    )


def bundle(
    session: Session,
    dispute_id: DisputeId,
    out: OutOption = None,
    force: ForceOption = False,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Write the evidence about a disputed window to one file, DISPUTE-ID.zip if not named.

    Anyone verifies it without a node: chainbeasts dispute verify-bundle FILE. The same facts give
    the same bytes. A private dataset is in it only if a dispute has revealed it.
    """
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    case = disputed.case
    window, judgement = disputed.judged()
    data = make_bundle(disputed.workspace.states, case, window, judgement, disputed.row)
    path = out or Path(f"dispute-{dispute_id}.zip")
    archive.write(path, data, force=force)
    value = {
        "file": str(path),
        "bytes": len(data),
        "keccak256": bytes(keccak(data)),
        "dispute": dispute_id,
        "beast": case.beast_id,
        "checkpoint": case.index,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
    }
    session.show(value, lambda: fields(f"Evidence on dispute {dispute_id}", shown(value)))


def verify_bundle(
    session: Session,
    file: Annotated[Path, typer.Argument(help="The bundle.")],
    chain: Annotated[
        bool,
        typer.Option(
            "--with-chain",
            help="Compare its facts with the chain that --rpc-url serves, too.",
        ),
    ] = False,
) -> None:
    """Replay a bundle here and say whether its verdict is true; needs no node.

    What only a chain can say (that the checkpoint was submitted, its epoch's seed, the season) is
    taken from the bundle, unless --with-chain. Ends with 1 if anything is not as claimed.
    """
    found = verify(archive.read(file))
    wrong = [f"the replay finds another {name}" for name in found.differences]
    if chain:
        wrong += against_chain(found.bundle, session.chain)
    value = _value(found, chain)
    session.show(value, lambda: fields(f"Evidence in {file.name}", _view(value)))
    if wrong:
        raise ChainBeastsError(
            f"The bundle does not hold: {'; '.join(wrong)}.", "Do not rely on it."
        )


def _value(found: Finding, compared: bool) -> dict[str, Any]:
    manifest = found.bundle.manifest
    dispute = manifest.dispute
    return {
        "verdict": found.judgement.verdict,
        "reason": found.judgement.reason,
        "first_wrong_segment": found.first_divergent,
        "beast": manifest.beast_id,
        "checkpoint": manifest.checkpoint.index,
        "h128": manifest.checkpoint.payload.h128,
        "replayed": found.judgement.segments[-1],
        "trainer": manifest.checkpoint.trainer,
        "dispute": None if dispute is None else dispute.dispute_id,
        "chain_id": manifest.chain_id,
        "ledger": manifest.ledger,
        "digest": manifest.digest,
        "epoch_seed": manifest.context.epoch_seed,
        "compared_with_chain": compared,
    }


def _view(value: dict[str, Any]) -> dict[str, Any]:
    view = shown(value)
    claimed = "the chain" if value["compared_with_chain"] else "the bundle alone"
    del view["compared_with_chain"]
    return view | {"seed, season and submission by": claimed}
