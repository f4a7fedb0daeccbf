"""Reads one HDF5 file of words, as a process that may crash or be stopped: see ``hdf5``."""

from __future__ import annotations

import hashlib
import io
import math
import resource
import sys
from typing import Any

import numpy as np

from chainbeasts.backend.kernel.constants import MAX_RECORDS

WORD_BYTES = 32
DATASET = "words"
FORMAT, VERSION = "chainbeasts.words", 1
MAX_CHUNK_BYTES = MAX_RECORDS * WORD_BYTES
FILTERS = (None, "gzip")
MEMORY = 4 << 30


class RefusedError(Exception):
    """The file is not taken; the message is the reason."""


def read(data: bytes) -> bytes:
    """The words' bytes.

    Raises:
        RefusedError: with the reason.
    """
    import h5py  # by the child alone: commands that only name the format do without

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            rows = _rows(file)
            wanted = _text(file, "sha256")
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RefusedError(f"it is truncated or damaged ({reason})") from None
    if hashlib.sha256(rows).hexdigest() != wanted:
        raise RefusedError("its words are not those that its sha256 attribute names")
    return rows


def _attribute(file: Any, name: str) -> Any:
    """An attribute's one value; R and MATLAB write it as an array of one."""
    found = file.attrs.get(name)
    if isinstance(found, np.ndarray):
        found = found.reshape(-1)[0] if found.size == 1 else None
    return found


def _text(file: Any, name: str) -> str:
    """A text, of any length or of a fixed one as C, Julia and R write it: padded, and bytes."""
    found = _attribute(file, name)
    if isinstance(found, bytes):  # NumPy's fixed-length text is one of these
        return found.decode("utf-8", "replace").rstrip("\0 ")
    return str(found) if isinstance(found, str) else ""


def _whole(file: Any, name: str) -> int:
    found = _attribute(file, name)
    return int(found) if isinstance(found, (int, float, np.number)) else -1


def _rows(file: Any) -> bytes:
    if _text(file, "format") != FORMAT or _whole(file, "version") != VERSION:
        raise RefusedError(f"its attributes do not say format {FORMAT!r}, version {VERSION}")
    import h5py

    if not isinstance(file.get(DATASET, getlink=True), h5py.HardLink):
        raise RefusedError(f"{DATASET!r} is missing or leads elsewhere")
    found = file[DATASET]
    if not isinstance(found, h5py.Dataset) or found.dtype != np.uint8 or found.ndim != 2:
        raise RefusedError(f"{DATASET!r} is not uint8[n][{WORD_BYTES}]")
    count, width = found.shape
    if width != WORD_BYTES or not 1 <= count <= MAX_RECORDS:
        raise RefusedError(f"{DATASET!r} is {count} × {width}, not 1 to {MAX_RECORDS} × 32")
    if found.is_virtual or found.external is not None:
        raise RefusedError(f"{DATASET!r} takes its values from other files")
    if found.compression not in FILTERS or found.fletcher32 or found.scaleoffset is not None:
        raise RefusedError("it is compressed by another filter than gzip")
    if found.chunks is not None and math.prod(found.chunks) > MAX_CHUNK_BYTES:
        raise RefusedError(f"its chunks of {found.chunks} are too large")
    return bytes(np.ascontiguousarray(found[...]).tobytes())


def _main() -> int:
    """The child: a file on stdin; on stdout ``ok`` and the words, or the reason against them."""
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        answer = b"ok\n" + read(sys.stdin.buffer.read())
    except RefusedError as error:
        answer = str(error).encode() + b"\n"
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
