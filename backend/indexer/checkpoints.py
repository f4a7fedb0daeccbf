"""Checkpoints and epochs of a range of blocks, written together: they are what a chain is full of.

What they stand on is looked up once for the whole range. Every other event is applied by itself,
after what came before it has been written (``CheckpointWriter.flush``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import Checkpoint
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.indexer.tallies import count_in
from chainbeasts.backend.store.columns import given_pairs, insert_rows, listed_pairs, replace_rows
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, EpochRow, SourceRow

SUBMITTED, FINALIZED = "CheckpointSubmitted", "CheckpointFinalized"
SLASHED, EPOCH = "CheckpointSlashed", "EpochStarted"
LEDGER = "CheckpointLedger"
RECORD_BYTES = 17 * 32
"""Of a record as the event has it, before the loss-drop flag."""

Pair = tuple[int, int]


class CheckpointWriter:
    """Writes one range's checkpoints.

    Args:
        events: all events of the range.
    """

    def __init__(self, session: Session, events: Iterable[Event]) -> None:
        self._session = session
        submitted = [event for event in events if _is(event, SUBMITTED)]
        records = [event.args["checkpoint"] for event in submitted]
        beasts = [int(event.args["beastId"]) for event in submitted]
        pairs = list(zip(beasts, records, strict=True))
        parents = {(beast, record["index"] - 1) for beast, record in pairs if record["index"]}
        epochs = {(beast, record["payload"]["epoch"]) for beast, record in pairs}
        self._heads = _live(session, parents)
        self._seeds = _seeds(session, epochs)
        self._chain_id = _chain_id(session) if submitted else 0
        self._checkpoints: list[dict[str, Any]] = []
        self._final: list[dict[str, Any]] = []
        self._epochs: dict[Pair, dict[str, Any]] = {}

    def take(self, event: Event) -> bool:
        """Note what an event means; whether it is one that is written here.

        Raises:
            IncompleteLogsError: an event that must come before it has not been read.
        """
        if event.contract != LEDGER:
            return False
        if event.name == SUBMITTED:
            self._submitted(event, event.args)
        elif event.name == FINALIZED:
            # The block is kept with it: a reorg below it makes the checkpoint pending again.
            self._final.append(
                {
                    "beast": int(event.args["beastId"]),
                    "at": event.args["index"],
                    "block": event.block_number,
                }
            )
        elif event.name == EPOCH:
            row = epoch_row(event.args)
            self._epochs[row["beast_id"], row["epoch"]] = row
            self._seeds[row["beast_id"], row["epoch"]] = row["epoch_seed"]
        elif event.name == SLASHED:
            self._fall(int(event.args["beastId"]), event.args["index"])
            return False
        else:
            return False
        return True

    def _fall(self, beast_id: int, index: int) -> None:
        """Forget a beast's checkpoints from an index on: they stand no more."""
        for key in [key for key in self._heads if key[0] == beast_id and key[1] >= index]:
            del self._heads[key]

    def _submitted(self, event: Event, args: Mapping[str, Any]) -> None:
        record = Checkpoint.from_abi(args["checkpoint"])
        beast_id, payload = int(args["beastId"]), record.payload
        seed = self._seed(beast_id, payload.epoch)
        if seed is None:
            raise IncompleteLogsError(f"beast {beast_id}'s epoch {payload.epoch} never started")
        # The ledger accepts nothing else, so a gap means that the node left an event out. Better to
        # stop than to have a head on nothing, by which a validator would judge and a trainer
        # submit.
        if record.index and self._heads.get((beast_id, record.index - 1)) != record.parent:
            raise IncompleteLogsError(
                f"checkpoint {record.index} of beast {beast_id} stands on another than the last"
            )
        self._heads[beast_id, record.index] = payload.h128
        self._checkpoints.append(
            {
                "digest": self._digest(event, beast_id),
                "beast_id": beast_id,
                "index": record.index,
                "generation": record.generation,
                "parent": record.parent,
                "epoch": payload.epoch,
                "h128": payload.h128,
                "energy_burn": payload.energy_burn,
                "lr_shift": payload.lr_shift,
                "active_mask": payload.active_mask,
                "global_step": payload.global_step,
                "window_loss": payload.window_loss,
                "source": int(payload.source),
                "source_id": payload.source_id,
                "season": record.season,
                "trainer": record.trainer,
                "submitted_at": record.submitted_at,
                "bond": record.bond,
                "locked_sum": record.locked_sum,
                "epoch_seed": seed,
                "loss_drop": args["lossDrop"],
                "proven": False,
                "status": CheckpointStatus.PENDING,
                "block_number": event.block_number,
                "tx_hash": event.tx_hash,
            }
        )

    def _seed(self, beast_id: int, epoch: int) -> bytes | None:
        key = beast_id, epoch
        if key not in self._seeds:  # as of a beast that hatched in this range
            self._seeds.update(_seeds(self._session, [key]))
        return self._seeds.get(key)

    def _digest(self, event: Event, beast_id: int) -> bytes:
        """The ledger's name for a record: all that it hashes is in the log, encoded as it is."""
        ledger = bytes.fromhex(event.raw.address[2:]).rjust(32, b"\0")
        place = self._chain_id.to_bytes(32) + ledger + beast_id.to_bytes(32)
        return bytes(keccak(place + event.raw.data[:RECORD_BYTES]))

    def flush(self) -> None:
        """Write what was noted."""
        session = self._session
        if self._epochs:
            replace_rows(session, EpochRow, list(self._epochs.values()))
        if self._checkpoints:
            session.flush()  # a beast of the same blocks may not have its row yet
            insert_rows(session, CheckpointRow, self._checkpoints)
            count_in(session, self._checkpoints)
        if self._final:
            session.connection().execute(_FINAL, self._final)
        self._epochs, self._checkpoints, self._final = {}, [], []


def epoch_row(args: Mapping[str, Any]) -> dict[str, Any]:
    """An epoch's row, by its event."""
    return {
        "beast_id": int(args["beastId"]),
        "epoch": args["epoch"],
        "epoch_seed": bytes(args["epochSeed"]),
        "season": args["season"],
        "start_index": args["startIndex"],
    }


_FINAL = (
    update(CheckpointRow.__table__)  # type: ignore[arg-type]
    .where(
        CheckpointRow.beast_id == bindparam("beast"),
        CheckpointRow.index == bindparam("at"),
        CheckpointRow.status == CheckpointStatus.PENDING,
    )
    .values(status=CheckpointStatus.FINAL, settled_block=bindparam("block"))
)


def _is(event: Event, name: str) -> bool:
    return event.contract == LEDGER and event.name == name


def _chain_id(session: Session) -> int:
    return session.scalars(select(SourceRow.chain_id)).one()


def _live(session: Session, wanted: Iterable[Pair]) -> dict[Pair, bytes]:
    """h128 of the standing checkpoints at these indices of beasts."""
    # Which of them stand is seen here: told to look for it, SQLite goes through all that do.
    row = CheckpointRow
    asked = select(row.beast_id, row.index, row.h128, row.status)
    found = _at(session, asked, row.index, wanted)
    return {(beast_id, index): h for beast_id, index, h, status in found if status in LIVE}


def _seeds(session: Session, wanted: Iterable[Pair]) -> dict[Pair, bytes]:
    """Seeds of these epochs of beasts."""
    row = EpochRow
    asked = select(row.beast_id, row.epoch, row.epoch_seed)
    return {
        (beast_id, epoch): seed for beast_id, epoch, seed in _at(session, asked, row.epoch, wanted)
    }


def _at(session: Session, asked: Any, number: Any, wanted: Iterable[Pair]) -> Iterable[Any]:
    """The rows of a statement for these pairs of beast and number."""
    given = list(wanted)
    if not given:
        return ()
    pair = listed_pairs(session.get_bind().dialect.name, "beast", "at")
    beast = asked.selected_columns.beast_id
    both = asked.join(pair, and_(beast == pair.c.beast, number == pair.c.at))
    return session.execute(both, given_pairs(given))
