"""The trainer's own book: windows it computed, kept before they are submitted.

A defender answers disputes from it. Windows are never submitted from it: training them again gives
the same bits.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from backend.chain.types import CheckpointPayload
from backend.kernel.samples import Source
from backend.store.daemons import WindowRow
from backend.store.session import Database
from backend.store.snapshots import SnapshotStore
from trainer.windows import TrainedWindow


class WindowBook:
    """Computed windows in the database, their end states in the snapshots."""

    def __init__(self, database: Database, snapshots: SnapshotStore) -> None:
        self._database = database
        self._snapshots = snapshots

    def keep(self, window: TrainedWindow) -> None:
        """Write a window down and publish the state it ends in."""
        self._snapshots.put(window.end)
        payload = window.payload
        row = WindowRow(
            h128=window.h128,
            beast_id=window.beast_id,
            index=window.index,
            parent=window.parent,
            segments=b"".join(window.segments),
            payload=json.dumps(payload_to_json(payload)),
            epoch_seed=window.epoch_seed,
            created_at=datetime.now(UTC),
        )
        with self._database.session() as session:
            session.merge(row)

    def segments(self, h128: bytes) -> list[bytes] | None:
        """The 16 segment hashes of a window that we computed; None for any other."""
        with self._database.session() as session:
            row = session.get(WindowRow, h128)
            return None if row is None else row.segment_hashes

    def forget(self, h128: bytes) -> None:
        """Drop a window, so that no dispute over it is ever answered."""
        with self._database.session() as session:
            row = session.get(WindowRow, h128)
            if row is not None:
                session.delete(row)


def payload_to_json(payload: CheckpointPayload) -> dict[str, object]:
    """A payload's fields under their Solidity names; amounts as decimal strings."""
    return {
        "epoch": payload.epoch,
        "h128": "0x" + payload.h128.hex(),
        "energyBurn": str(payload.energy_burn),
        "lrShift": payload.lr_shift,
        "activeMask": payload.active_mask,
        "globalStep": payload.global_step,
        "windowLoss": payload.window_loss,
        "source": int(payload.source),
        "sourceId": payload.source_id,
    }


def payload_from_json(values: dict[str, object]) -> CheckpointPayload:
    """The payload of such fields.

    Raises:
        KeyError, ValueError: a field is missing or no number.
    """

    def number(name: str) -> int:
        return int(str(values[name]), 0)

    h128 = bytes.fromhex(str(values["h128"]).removeprefix("0x"))
    if len(h128) != 32:
        raise ValueError("h128 is not 32 bytes long")
    return CheckpointPayload(
        number("epoch"),
        h128,
        number("energyBurn"),
        number("lrShift"),
        number("activeMask"),
        number("globalStep"),
        number("windowLoss"),
        Source(number("source")),
        number("sourceId") if "sourceId" in values else 0,
    )
