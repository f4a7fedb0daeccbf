"""Publishing states before a match: what it costs is said, and agreed to, first."""

from __future__ import annotations

from collections.abc import Iterable

from chainbeasts.backend.battle.publication import Entry, publication, unpublished
from chainbeasts.backend.battle.workspace import ArenaWorkspace
from chainbeasts.backend.cli.confirm import Cost, confirm
from chainbeasts.backend.cli.session import Session


def published(
    session: Session, workspace: ArenaWorkspace, entries: Iterable[Entry], *, yes: bool
) -> list[int]:
    """Put the states into the archive that are not there, or have been for too long.

    Returns:
        The beasts whose states were published.

    Raises:
        ChainBeastsError: a state is not at hand, or it was not agreed to.
    """
    wanted = unpublished(workspace, entries)
    calls = [publication(workspace, entry) for entry in wanted]
    for entry, call in zip(wanted, calls, strict=True):
        what = (
            f"The state of beast {entry.beast_id} must be on chain before it fights, and shows the "
            "brain, not the dataset"
        )
        cost = Cost(gas=session.sender.estimate(call))
        # Whatever it costs: what was published is in public for ever.
        confirm(session, what, cost, yes=yes, always=True, question="Publish it?")
        session.sender.send(call, label="publish the state")
    return [entry.beast_id for entry in wanted]
