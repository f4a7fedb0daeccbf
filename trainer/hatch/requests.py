"""Hatches that have begun: written down before the request goes out, found after a kill.

A pending hatch is a folder, named by a random token, in which secret and dataset wait until the
request is mined and the beast has a number; then the folder becomes the beast's.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.private import DATASET_FILE, SECRET_FILE, private_folder
from chainbeasts.trainer.datasets.pack import PackedDataset, commitments_record, save_dataset

REQUEST_FILE = "request.json"
PREFIX = "hatching-"
TOKEN_BYTES = 8


@dataclass(slots=True)
class PendingHatch:
    """One begun hatch of one account."""

    folder: Path
    token: str
    requester: str
    commitments: Commitments

    def write(self) -> None:
        """Put the pending hatch on record."""
        record = {
            "token": self.token,
            "requester": self.requester,
            "commitments": commitments_record(self.commitments),
        }
        text = json.dumps(record, indent=2) + "\n"
        write_atomic(self.folder / REQUEST_FILE, text.encode("ascii"), mode=0o600)

    def renew(self) -> None:
        """Make it a new request (the old one expired, or a reorg took it back)."""
        # The outbox makes a second transaction only under a new key; secret and commitments stay.
        self.token = secrets.token_hex(TOKEN_BYTES)
        self.write()


def _folder(home: Path, chain_id: int) -> Path:
    return private_folder(home, chain_id, 0).parent


def _load(folder: Path) -> PendingHatch:
    try:
        record: dict[str, Any] = parse_json((folder / REQUEST_FILE).read_bytes())
        given = record["commitments"]
        commitments = Commitments(
            bytes.fromhex(given["c_dataset"][2:]),
            bytes.fromhex(given["records_root"][2:]),
            int(given["dataset_length"]),
            bytes.fromhex(given["owner_secret_hash"][2:]),
        )
        return PendingHatch(folder, str(record["token"]), str(record["requester"]), commitments)
    except (OSError, ValueError, KeyError, TypeError):
        raise ChainBeastsError(
            f"{folder / REQUEST_FILE} is no record of a hatch.",
            f"If it was damaged, move {folder} away; it may hold a dataset and its secret.",
        ) from None


def pending_hatches(home: Path, chain_id: int, requester: str) -> list[PendingHatch]:
    """The hatches that an account began and did not end, oldest first.

    Raises:
        ChainBeastsError: a record is damaged.
    """
    folders = [f for f in _folder(home, chain_id).glob(f"{PREFIX}*") if (f / REQUEST_FILE).exists()]
    folders.sort(key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
    return [pending for pending in map(_load, folders) if pending.requester == requester]


def begin(home: Path, chain_id: int, requester: str, packed: PackedDataset | None) -> PendingHatch:
    """Write a new pending hatch, its dataset and its secret to disk."""
    token = secrets.token_hex(TOKEN_BYTES)
    folder = _folder(home, chain_id) / f"{PREFIX}{token}"
    folder.mkdir(parents=True, mode=0o700)
    # Before anything is sent: commitments on chain whose secret is on no disk would leave a beast
    # that can never train on its records.
    if packed is not None:
        save_dataset(folder, packed)
    commitments = Commitments() if packed is None else packed.commitments
    pending = PendingHatch(folder, token, requester, commitments)
    pending.write()  # last: a folder without it was never requested
    return pending


def finish(pending: PendingHatch, home: Path, chain_id: int, beast_id: int) -> Path | None:
    """Make the pending hatch's folder the beast's; None if there is nothing private to keep.

    Raises:
        ChainBeastsError: the beast has another secret already.
    """
    if not pending.commitments:
        shutil.rmtree(pending.folder)
        return None
    target = private_folder(home, chain_id, beast_id)
    if (target / SECRET_FILE).exists() or (target / DATASET_FILE).exists():
        raise ChainBeastsError(
            f"{target} holds private files already.",
            "They are never overwritten; they may be of an older chain: move them away, then "
            f"chainbeasts beast hatch --resume {beast_id}",
        )
    # One rename: a crash leaves the pending hatch, which is found and finished again, or the
    # beast's folder, and never a secret in a place that nothing looks at.
    pending.folder.replace(target)
    return target
