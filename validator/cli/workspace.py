"""What the validator's commands open first: the workspace, and in it the dispute that is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chainbeasts.backend.chain.kernel_check import check_kernel
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.facts import DisputeRow
from chainbeasts.validator.cli.options import DISK_MB, MEMORY_MB
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.replay import Judgement, Window
from chainbeasts.validator.judge.windows import check
from chainbeasts.validator.setup import ValidatorWorkspace, open_workspace


def _folder(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_dir():
        raise ChainBeastsError(f"{path} is not a folder.", f"Give {option} an existing one.")
    return path


def workspace_of(
    session: Session,
    *,
    datasets: Path | None = None,
    snapshots: Sequence[str] | None = None,
    confirmations: int = 0,
    memory_budget: int = MEMORY_MB,
    disk_budget: int = DISK_MB,
) -> ValidatorWorkspace:
    """The workspace of a command, with the deployment's kernel checked; nothing is read yet.

    Args:
        memory_budget, disk_budget: for states of our own, MB.

    Raises:
        ChainBeastsError: no node, another kernel, or a place that is none.
    """
    datasets = _folder(datasets, "--datasets")
    for place in snapshots or ():
        if "://" not in place:
            _folder(Path(place), "--snapshots")
    check_kernel(session.chain)
    return open_workspace(
        session.settings,
        session.chain,
        datasets=datasets,
        snapshots=snapshots or (),
        confirmations=confirmations,
        memory=memory_budget << 20,
        disk=disk_budget << 20,
    )


def synced_workspace(
    session: Session,
    *,
    datasets: Path | None = None,
    snapshots: Sequence[str] | None = None,
    confirmations: int = 0,
) -> ValidatorWorkspace:
    """The same, with the database at the chain's head.

    Raises:
        ChainBeastsError: as above, or the node went away.
    """
    workspace = workspace_of(
        session, datasets=datasets, snapshots=snapshots, confirmations=confirmations
    )
    workspace.sync()
    return workspace


@dataclass(frozen=True, slots=True)
class OpenedDispute:
    """A dispute and the checkpoint that it is about, standing or not."""

    workspace: ValidatorWorkspace
    row: DisputeRow
    case: Case

    def judged(self) -> tuple[Window | None, Judgement]:
        """The window, if it can be replayed, and its judgement by the reference."""
        return check(self.workspace.states, self.case)

    def replayed(self) -> tuple[Window, Judgement]:
        """The window and its judgement, with all segments.

        Raises:
            ChainBeastsError: it cannot be replayed here.
        """
        window, judgement = self.judged()
        if window is None or not judgement.segments:
            raise ChainBeastsError(
                f"The window cannot be replayed: {judgement.reason}.",
                "Name the places that have what is missing: --snapshots, --datasets.",
            )
        return window, judgement


def open_dispute(
    session: Session,
    dispute_id: int,
    datasets: Path | None = None,
    snapshots: Sequence[str] | None = None,
) -> OpenedDispute:
    """A dispute by its number.

    Raises:
        ChainBeastsError: there is none, or the workspace cannot be opened.
    """
    workspace = synced_workspace(session, datasets=datasets, snapshots=snapshots)
    row = workspace.reader.dispute(dispute_id)
    return OpenedDispute(workspace, row, workspace.reader.of_dispute(row))
