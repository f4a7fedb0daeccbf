"""A training run on a file: the brain, and how far it has come in its dataset.

Not a checkpoint of the ledger: for runs on a dataset, off chain.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    MalformedStateError,
    State,
    decode_state,
    encode_state,
)
from chainbeasts.backend.kernel.tables import KERNEL_ID, kernel_name

MAGIC = b"CHAINBEASTS TRAINING 1\n"
DIGEST_BYTES = 32
MAX_HEADER = 4096


@dataclass(frozen=True, slots=True)
class TrainingCheckpoint:
    """Where a run stands.

    Attributes:
        dna: of the brain, 32 bytes.
        dataset: SHA-256 of the dataset's words, hex.
        position: micro-steps made; the next word is ``position mod length``.
    """

    dna: bytes
    dataset: str
    position: int
    state: State


def save(path: Path, checkpoint: TrainingCheckpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        ChainBeastsError: it cannot be written; an older one is as it was.
    """
    header = {
        "kernel": KERNEL_ID.hex(),
        "dna": checkpoint.dna.hex(),
        "dataset": checkpoint.dataset,
        "position": checkpoint.position,
    }
    data = MAGIC + json.dumps(header).encode() + b"\n" + encode_state(checkpoint.state)
    try:
        write_atomic(path, data + hashlib.sha256(data).digest())
    except OSError as error:
        raise ChainBeastsError(
            f"The checkpoint {path} cannot be written: {error.strerror}.",
            "Make room or name another file; the last one is as it was.",
        ) from None


def load(path: Path, dna: bytes, dataset: str) -> TrainingCheckpoint | None:
    """The checkpoint of a file; None if there is no file.

    Raises:
        ChainBeastsError: damaged, or of another kernel, beast or dataset. The file is not touched.
    """
    try:
        with path.open("rb") as file:
            data = file.read(len(MAGIC) + MAX_HEADER + ENCODED_BYTES + DIGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ChainBeastsError(f"The checkpoint {path} cannot be read: {error.strerror}.") from None
    header, body = _open(path, data)
    for name, ours, theirs in (
        (f"kernel{_named(header.get('kernel'))}", KERNEL_ID.hex(), header.get("kernel")),
        ("beast", dna.hex(), header.get("dna")),
        ("dataset", dataset, header.get("dataset")),
    ):
        if ours != theirs:
            raise ChainBeastsError(
                f"The checkpoint {path} is of another {name}.",
                "Name another file for this run; this one is not touched.",
            )
    position = header.get("position")
    if type(position) is not int or position < 0:
        raise _damaged(path)
    try:
        state = decode_state(body)
    except MalformedStateError:
        raise _damaged(path) from None
    if state.header.global_step != position % (1 << 32):
        raise _damaged(path)
    return TrainingCheckpoint(dna, dataset, position, state)


def _named(kernel: object) -> str:
    """Which kernel a checkpoint says that it is of, if that is an id."""
    if not isinstance(kernel, str) or re.fullmatch("[0-9a-f]{64}", kernel) is None:
        return ""
    return f", {kernel_name(bytes.fromhex(kernel))}"


def _open(path: Path, data: bytes) -> tuple[dict[str, Any], bytes]:
    signed, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if not signed.startswith(MAGIC) or hashlib.sha256(signed).digest() != digest:
        raise _damaged(path)
    line, _, body = signed[len(MAGIC) :].partition(b"\n")
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        raise _damaged(path) from None
    if not isinstance(header, dict):
        raise _damaged(path)
    return header, body


def _damaged(path: Path) -> ChainBeastsError:
    return ChainBeastsError(
        f"{path} is no training checkpoint, or is damaged.",
        "Move it away to begin anew; it is not touched.",
    )
