"""Words as HDF5: one dataset ``words``, uint8[n][32], big-endian, and the hash of its bytes.

A file is opened from memory, so it can link to no other, and nothing is read before its shape,
filters and chunks are within bounds.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from backend.errors import ChainBeastsError
from backend.kernel.board import word_bytes
from backend.kernel.constants import MAX_RECORDS
from backend.store.private import WORD_BYTES, words_of

MAGIC = b"\x89HDF\r\n\x1a\n"
DATASET = "words"
FORMAT, VERSION = "chainbeasts.words", 1
MAX_CHUNK_BYTES = MAX_RECORDS * WORD_BYTES
FILTERS = (None, "gzip")


def encode(words: Sequence[int]) -> bytes:
    """The bytes of an HDF5 file; the same for the same words."""
    data = b"".join(map(word_bytes, words))
    rows = np.frombuffer(data, np.uint8).reshape(-1, WORD_BYTES)
    file = io.BytesIO()
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
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            rows = _rows(name, file)
            wanted = str(file.attrs.get("sha256", ""))
    except ChainBeastsError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _refuse(name, f"it is truncated or damaged ({reason})") from None
    if hashlib.sha256(rows).hexdigest() != wanted:
        raise _refuse(name, "its words are not those that its sha256 attribute names")
    return words_of(rows)


def _rows(name: str, file: Any) -> bytes:
    if str(file.attrs.get("format", "")) != FORMAT or int(file.attrs.get("version", 0)) != VERSION:
        raise _refuse(name, f"its attributes do not say format {FORMAT!r}, version {VERSION}")
    if not isinstance(file.get(DATASET, getlink=True), h5py.HardLink):
        raise _refuse(name, f"{DATASET!r} is missing or leads elsewhere")
    found = file[DATASET]
    if not isinstance(found, h5py.Dataset) or found.dtype != np.uint8 or found.ndim != 2:
        raise _refuse(name, f"{DATASET!r} is not uint8[n][{WORD_BYTES}]")
    count, width = found.shape
    if width != WORD_BYTES or not 1 <= count <= MAX_RECORDS:
        raise _refuse(name, f"{DATASET!r} is {count} × {width}, not 1 to {MAX_RECORDS} × 32")
    if found.is_virtual or found.external is not None:
        raise _refuse(name, f"{DATASET!r} takes its values from other files")
    if found.compression not in FILTERS or found.fletcher32 or found.scaleoffset is not None:
        raise _refuse(name, "it is compressed by another filter than gzip")
    if found.chunks is not None and int(np.prod(found.chunks)) > MAX_CHUNK_BYTES:
        raise _refuse(name, f"its chunks of {found.chunks} are too large")
    return bytes(np.ascontiguousarray(found[...]).tobytes())


def _refuse(name: str, reason: str) -> ChainBeastsError:
    return ChainBeastsError(
        f"{name} is not a dataset of ours: {reason}.",
        "Make one with `chainbeasts dataset convert`.",
    )
