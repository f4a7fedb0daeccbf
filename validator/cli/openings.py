"""``chainbeasts dispute open``: everything that a dispute asks for, by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from chainbeasts.backend.chain.types import Opening, openings_of
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import SEGMENTS
from chainbeasts.validator.cli.display import show_transaction
from chainbeasts.validator.cli.options import DatasetsOption, DisputeId, SnapshotsOption
from chainbeasts.validator.cli.workspace import OpenedDispute, open_dispute


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    example = "chainbeasts dispute open 1 --account devnet:1"
    command(app, "open", signs=True, example=example)(open_all)


def open_all(
    session: Session,
    dispute_id: DisputeId,
    segments: Annotated[
        Path | None,
        typer.Option(help="JSON list of the 16 segment hashes; a replay's if not given."),
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """Open what a dispute asks for: the segments, as trainer or defender; state and records.

    What is opened already is left alone. The trainer is paid for each opening.
    """
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    owed = openings_of(disputed.row.missing)
    if not owed:
        raise ChainBeastsError(f"Dispute {dispute_id} has everything that it asked for.")
    calls: dict[Opening, Callable[[], Any]] = {
        Opening.SEGMENTS: lambda: _segments(disputed, segments),
        Opening.STATE: lambda: _state(disputed),
        Opening.RECORDS: lambda: _records(disputed),
    }
    # All are made before one is sent: half an opening costs gas and saves nothing.
    made = [(opening, calls[opening]()) for opening in owed]
    cost = Cost(gas=sum(session.sender.estimate(call) for _, call in made))
    what = ", ".join(opening.name.lower() for opening in owed)
    confirm(session, f"Opening {what}", cost, yes=yes)
    opened = []
    for opening, call in made:
        receipt = session.sender.send(call, label=f"open the {opening.name.lower()}")
        opened.append(opening.name.lower())
    if any(opening is not Opening.SEGMENTS for opening in owed):
        # In the archives already; noted by the court, they are paid to the trainer.
        accept = disputed.workspace.moves.accept(disputed.case, dispute_id)
        receipt = session.sender.send(accept, label="have the openings noted")
    show_transaction(session, receipt, "Openings", dispute=dispute_id, opened=opened)


def _segments(disputed: OpenedDispute, path: Path | None) -> Any:
    if path is not None:
        hashes = read_segments(path)
    else:
        hashes = list(disputed.replayed()[1].segments)
        if hashes[-1] != disputed.case.checkpoint.payload.h128:
            raise ChainBeastsError(
                "The replay does not end in the checkpoint's h128, so it cannot defend it.",
                "The trainer's own hashes of it: chainbeasts trainer defend --once, where they are "
                "kept, or --segments FILE.",
            )
    return disputed.workspace.moves.open_segments(disputed.case, disputed.row.dispute_id, hashes)


def _state(disputed: OpenedDispute) -> Any:
    state = disputed.workspace.states.parent_state(disputed.case)
    if state is None:
        raise ChainBeastsError(
            "The state that the window starts from is not known here.",
            "Name the place that has it: --snapshots.",
        )
    return disputed.workspace.moves.publish_state(state)


def _records(disputed: OpenedDispute) -> Any:
    data = disputed.workspace.states.private_data(disputed.case.beast_id)
    if data is None:
        raise ChainBeastsError(
            "The private dataset is not known here.", "Name the folder that has it: --datasets."
        )
    return disputed.workspace.moves.publish_records(disputed.case, data)


def read_segments(path: Path) -> list[bytes]:
    """16 hashes of 32 bytes from a JSON list of hex strings.

    Raises:
        ChainBeastsError: the file holds something else.
    """
    try:
        found = parse_json(path.read_bytes())
        hashes = [bytes.fromhex(str(value).removeprefix("0x")) for value in found]
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError):
        hashes = []
    if len(hashes) != SEGMENTS or any(len(h) != 32 for h in hashes):
        raise ChainBeastsError(f"{path} is not a JSON list of {SEGMENTS} hashes of 32 bytes.")
    return hashes
