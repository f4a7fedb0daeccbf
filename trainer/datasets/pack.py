"""Turns records into what a hatch commits to: one zstd frame, its hash, a Merkle root, a secret.

Writes the private files, of which the secret is never overwritten, printed or logged. How they are
read again and checked is `backend.store.private`'s.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import zstandard
from eth_hash.auto import keccak

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.store.private import (
    COMMITMENTS_FILE,
    DATASET_FILE,
    MAX_COMPRESSED,
    SECRET_FILE,
    open_dataset,
)

LEVEL = 19
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class PackedDataset:
    """A dataset ready to be committed to.

    Attributes:
        compressed: the exact bytes behind ``C_dataset``.
        secret: ``S_owner``, 32 bytes; not in the repr.
    """

    compressed: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    commitments: Commitments


def compress(words: Sequence[int]) -> bytes:
    """One zstd frame with its content size over the words' big-endian bytes.

    Raises:
        ChainBeastsError: it is longer than a disputed dataset may be.
    """
    data = b"".join(word_bytes(word) for word in words)
    packed = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(data)
    if len(packed) > MAX_COMPRESSED:
        raise ChainBeastsError(
            f"The compressed dataset has {len(packed)} bytes; {MAX_COMPRESSED} are allowed.",
            "Leave records out.",
        )
    return packed


def pack_dataset(words: Sequence[int], secret: bytes | None = None) -> PackedDataset:
    """Compress records and commit to them with a fresh secret (or a given one).

    Args:
        words: 1 to 65,536 valid board words.

    Raises:
        ChainBeastsError: they do not fit the limits.
    """
    chosen = secrets.token_bytes(SECRET_BYTES) if secret is None else secret
    compressed = compress(words)
    commitments = Commitments(
        bytes(keccak(compressed)), merkle.root(words), len(words), bytes(keccak(chosen))
    )
    open_dataset(compressed, chosen, commitments)  # as strictly as every validator will
    return PackedDataset(compressed, chosen, commitments)


def write_secret(path: Path, secret: bytes) -> None:
    """Create the secret's file with mode 0600, on disk when this returns.

    Raises:
        ChainBeastsError: there is one already; it may belong to a beast.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ChainBeastsError(
            f"There is already a secret in {path}.", "It is never overwritten; move it away."
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def save_dataset(folder: Path, packed: PackedDataset) -> None:
    """Write the three private files into a folder that only its owner can enter.

    Raises:
        ChainBeastsError: the folder holds a secret already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_secret(folder / SECRET_FILE, packed.secret)
    write_atomic(folder / DATASET_FILE, packed.compressed, mode=0o600)
    text = json.dumps(commitments_record(packed.commitments), indent=2) + "\n"
    write_atomic(folder / COMMITMENTS_FILE, text.encode("ascii"), mode=0o600)


def commitments_record(commitments: Commitments) -> dict[str, str | int]:
    """Commitments as they are written down: hashes in hex."""
    return {
        "c_dataset": "0x" + commitments.c_dataset.hex(),
        "records_root": "0x" + commitments.records_root.hex(),
        "dataset_length": commitments.dataset_length,
        "owner_secret_hash": "0x" + commitments.owner_secret_hash.hex(),
    }
