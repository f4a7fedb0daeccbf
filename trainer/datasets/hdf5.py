"""Words as HDF5: one dataset ``words``, uint8[n][32], big-endian, and the hash of its bytes.

A file is opened from memory, so it can link to no other, and nothing is read before its shape,
filters and chunks are within bounds. It is opened in a process of its own with bounded time and
memory, because a damaged file can make the HDF5 library crash or run for ever.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.store.private import words_of
from chainbeasts.trainer.datasets import hdf5_child
from chainbeasts.trainer.datasets.hdf5_child import DATASET, FORMAT, VERSION, WORD_BYTES

MAGIC = b"\x89HDF\r\n\x1a\n"
SECONDS = 10
"""Most CPU time that reading a file may take; a good one takes a fraction of one."""

CHILD_SECONDS = 60.0
"""For all of it, on a machine that has much else to do."""


def encode(words: Sequence[int]) -> bytes:
    """The bytes of an HDF5 file; the same for the same words."""
    data = b"".join(map(word_bytes, words))
    rows = np.frombuffer(data, np.uint8).reshape(-1, WORD_BYTES)
    file = io.BytesIO()
    import h5py  # for those datasets alone

    with h5py.File(file, "w", track_order=False) as made:
        made.attrs["format"] = FORMAT
        made.attrs["version"] = VERSION
        made.attrs["sha256"] = hashlib.sha256(data).hexdigest()
        made.create_dataset(DATASET, data=rows, compression="gzip", track_times=False)
    return file.getvalue()


def decode(name: str, data: bytes) -> tuple[int, ...]:
    """The words of an HDF5 file's bytes; whether each is valid is for the caller to see.

    Raises:
        ChainBeastsError: not such a file, beyond the bounds, or not the bytes that were hashed.
    """
    # -P: without it -m would import what lies in the folder that the user happens to be in
    command = [sys.executable, "-P", "-m", hdf5_child.__name__, str(SECONDS)]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=CHILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refuse(name, "it cannot be read in a reasonable time") from None
    verdict, _, rows = done.stdout.partition(b"\n")
    if done.returncode != 0 or verdict != b"ok":
        reason = verdict.decode("utf-8", "replace") or "it makes the HDF5 library crash or hang"
        raise _refuse(name, reason)
    return words_of(rows)


def _refuse(name: str, reason: str) -> ChainBeastsError:
    return ChainBeastsError(
        f"{name} is not a dataset of ours: {reason}.",
        "Make one with `chainbeasts dataset convert`.",
    )
