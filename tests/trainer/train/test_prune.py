"""A trainer's folder of published states keeps what somebody may ask for, and no more."""

from __future__ import annotations

import os
import time
from typing import Any

from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from tests.trainer.conftest import Farm
from tests.trainer.train.test_run import hatch

HOURS = 7_200.0


def grown_old(farm: Farm, beast: int) -> list[bytes]:
    """A beast's four windows, of which the first three are final; all states two hours old."""
    made = farm.done("trainer", "run", str(beast), "--windows", "4", "--batch", "4")
    workspace = farm.workspace()
    workspace.snapshots.put(genesis_state(7, bytes(32)))  # of who knows which trainer
    with workspace.database.session() as session:
        for row in session.query(CheckpointRow).where(CheckpointRow.index < 3):
            row.status = CheckpointStatus.FINAL
    for h in workspace.snapshots.hashes():
        old = time.time() - HOURS
        os.utime(workspace.snapshots.path(h), (old, old))
    return [bytes.fromhex(row["h128"][2:]) for row in made]


def test_states_that_nobody_needs_are_pruned_by_command_and_daemon(farm: Farm) -> None:
    beast = hatch(farm)
    first, second, third, fourth = grown_old(farm, beast)
    snapshots = farm.workspace().snapshots
    young: dict[str, Any] = farm.done("trainer", "prune", "--older-than", str(2 * HOURS), who=None)
    assert (young["removed"], young["kept"]) == (0, 5)
    assert farm.done("trainer", "prune", who=None)["removed"] == 2
    assert not {first, second} & set(snapshots.hashes())
    assert {third, fourth} < set(snapshots.hashes())  # and the one that is not this trainer's
    assert farm.done("trainer", "prune", who=None)["removed"] == 0

    snapshots.path(first).write_bytes(b"")
    os.utime(snapshots.path(first), (1, 1))
    farm.done("trainer", "defend", "--once", "--no-finalize")
    assert not snapshots.has(first)
    assert snapshots.has(fourth)
