"""The windows that a trainer computed, kept before they are submitted.

A defender answers disputes from them, and a run that was killed takes up what it had trained ahead.
Only honest windows are stored with their season and taken up; a drill's never are.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sqlalchemy import select

from chainbeasts.backend.chain.types import CheckpointPayload
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.daemons import WindowRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.trainer.submit.window import TrainedWindow
from chainbeasts.trainer.train.windows import WindowStart

SEASON = "season"
"""Beside the payload's fields: the season of an honest window's epoch."""


class WindowStore:
    """Computed windows in the database, their end states in the snapshots."""

    def __init__(self, database: Database, snapshots: SnapshotStore) -> None:
        self._database = database
        self._snapshots = snapshots

    def keep(self, window: TrainedWindow, season: int | None = None) -> None:
        """Publish the state a window ends in, then store the window.

        Args:
            season: of its epoch, if a later run may submit it; None for what is wrong on purpose.
        """
        # State first: killed in between, there is a state that nobody refers to. The other way
        # round there would be a row, and perhaps a checkpoint, whose next window nobody can train.
        self._snapshots.put(window.end)
        payload = payload_to_json(window.payload)
        if season is not None:
            payload[SEASON] = season
        row = WindowRow(
            h128=window.h128,
            beast_id=window.beast_id,
            index=window.index,
            parent=window.parent,
            segments=b"".join(window.segments),
            payload=json.dumps(payload),
            epoch_seed=window.epoch_seed,
            created_at=datetime.now(UTC),
        )
        # By h128: a window that a drill had stored gets its season once it is trained for real.
        with self._database.session() as session:
            session.merge(row)

    def find(
        self, start: WindowStart, mask: int, energy_burn: int, season: int
    ) -> TrainedWindow | None:
        """The window that an earlier process trained from ``start``, if all of it is still here.

        Args:
            season: of the epoch of ``start``.
        """
        head, ctx = start.head, start.ctx
        # Everything that the end state or the payload depends on is compared, here or below: a
        # stored window that differed in one thing would be refused by the ledger, or would be
        # wrong and cost the bond. A final match's log and a beast's dataset do not change.
        wanted = (
            select(WindowRow)
            .where(WindowRow.beast_id == start.beast_id, WindowRow.index == head.head_count)
            .where(WindowRow.parent == head.h128, WindowRow.epoch_seed == ctx.epoch_seed)
        )
        with self._database.session() as session:
            rows = session.scalars(wanted).all()
        for row in rows:
            stored = json.loads(row.payload)
            payload = payload_from_json(stored)
            source = (ctx.source, start.source_id)
            expected = (season, head.epoch, ctx.lr_shift, mask, energy_burn, *source)
            if expected != (
                stored.get(SEASON),
                payload.epoch,
                payload.lr_shift,
                payload.active_mask,
                payload.energy_burn,
                payload.source,
                payload.source_id,
            ):
                continue
            end = self._snapshots.get(row.h128)
            if end is not None:
                segments = tuple(row.segment_hashes)
                return TrainedWindow(
                    row.beast_id, row.index, row.parent, row.epoch_seed, payload, segments, end
                )
        return None

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

    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")

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
