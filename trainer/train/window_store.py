"""The trainer's own book: windows it computed, kept before they are submitted.

A defender answers disputes from it, and a run that was killed takes up from it what it had trained
ahead. Only honest windows are noted with their season and taken up; a drill's never are.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sqlalchemy import select

from backend.chain.types import CheckpointPayload
from backend.kernel.samples import Source
from backend.store.daemons import WindowRow
from backend.store.session import Database
from backend.store.snapshots import SnapshotStore
from trainer.submit.window import TrainedWindow
from trainer.train.windows import WindowStart

SEASON = "season"
"""Beside the payload's fields: the season of an honest window's epoch."""


class WindowStore:
    """Computed windows in the database, their end states in the snapshots."""

    def __init__(self, database: Database, snapshots: SnapshotStore) -> None:
        self._database = database
        self._snapshots = snapshots

    def keep(self, window: TrainedWindow, season: int | None = None) -> None:
        """Publish the state a window ends in, then write the window down.

        Args:
            season: of its epoch, if a later run may submit it; None for what is wrong on purpose.
        """
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
        with self._database.session() as session:
            session.merge(row)

    def find(
        self, bench: WindowStart, mask: int, energy_burn: int, season: int
    ) -> TrainedWindow | None:
        """The window that an earlier process trained from a bench, if all of it is still here.

        Args:
            season: of the bench's epoch.
        """
        head, ctx = bench.head, bench.ctx
        wanted = (
            select(WindowRow)
            .where(WindowRow.beast_id == bench.beast_id, WindowRow.index == head.head_count)
            .where(WindowRow.parent == head.h128, WindowRow.epoch_seed == ctx.epoch_seed)
        )
        with self._database.session() as session:
            rows = session.scalars(wanted).all()
        for row in rows:
            noted = json.loads(row.payload)
            payload = payload_from_json(noted)
            source = (ctx.source, bench.source_id)
            asked = (season, head.epoch, ctx.lr_shift, mask, energy_burn, *source)
            if asked != (
                noted.get(SEASON),
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
