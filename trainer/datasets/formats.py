"""Writes words in the format that a file's name asks for."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.trainer.datasets import hdf5
from chainbeasts.trainer.datasets.columns import COLUMNS, row_of_word
from chainbeasts.trainer.datasets.pack import compress


def to_csv(words: Sequence[int]) -> bytes:
    """One column per field of a word, with a header."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(row_of_word(word) for word in words)
    return text.getvalue().encode("ascii")


def to_binary(words: Sequence[int]) -> bytes:
    """The words' 32 big-endian bytes, one after another: what a Merkle root is taken over."""
    return b"".join(map(word_bytes, words))


FORMATS: dict[str, Callable[[Sequence[int]], bytes]] = {
    ".csv": to_csv,
    ".hdf5": hdf5.encode,
    ".h5": hdf5.encode,
    ".bin": to_binary,
    ".zst": compress,
}
"""By suffix; ``.zst`` is the frame that a hatch commits to."""


def write_words(path: Path, words: Sequence[int], mode: int = 0o644) -> int:
    """Write a dataset, whole or not at all; its size in bytes.

    Args:
        mode: of the file, at most: that of the file that the words were in, if they are somebody's.

    Raises:
        ChainBeastsError: the suffix is none of ours, or the file cannot be written.
    """
    encode = FORMATS.get(path.suffix.lower())
    if encode is None:
        raise ChainBeastsError(
            f"{path.name} has none of the suffixes {', '.join(FORMATS)}.", "Choose one with -o."
        )
    data = encode(words)
    try:
        write_atomic(path, data, mode)
    except OSError as error:
        raise ChainBeastsError(
            f"{path} cannot be written: {error.strerror}.", "Choose another place with -o."
        ) from None
    return len(data)
