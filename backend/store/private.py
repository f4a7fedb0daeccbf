"""A beast's private dataset as files: where they lie, and a reader that trusts none of them.

The trainer writes them, trainer and validator read them. How a dataset is made is not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import zstandard
from eth_hash.auto import keccak

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.backend.kernel.rng import fold64

WORD_BYTES = 32
MAX_COMPRESSED = 524_288
"""Most bytes of the committed file (docs/spec/samples.md)."""

MAX_WINDOW = 1 << 23
"""Most memory a frame may ask of its decoder beyond its content."""

DATASET_FILE = "dataset.zst"
SECRET_FILE = "secret.hex"
COMMITMENTS_FILE = "commitments.json"


class DatasetCommitments(Protocol):
    """What a hatch fixed about the dataset: hash of the file, root, words, hash of the secret."""

    @property
    def c_dataset(self) -> bytes: ...
    @property
    def records_root(self) -> bytes: ...
    @property
    def dataset_length(self) -> int: ...
    @property
    def owner_secret_hash(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PrivateDataset:
    """A dataset that agrees with its commitments.

    Attributes:
        words: the records, 1 to 65,536 words.
        secret: ``S_owner``, 32 bytes.
        compressed: the exact bytes behind ``C_dataset``.
    """

    words: tuple[int, ...]
    secret: bytes
    compressed: bytes

    @property
    def fold(self) -> int:
        """``fold64(S_owner)``, which picks the records."""
        return fold64(self.secret)


def private_folder(home: Path, chain_id: int, beast_id: int) -> Path:
    """Where a home keeps the private files of a beast."""
    return home / "beasts" / str(chain_id) / str(beast_id)


def unpack_words(compressed: bytes) -> tuple[int, ...]:
    """The words of one zstd frame, decompressed no further than its announced, bounded size.

    Raises:
        ChainBeastsError: not exactly one frame of 1 to 65,536 words with its content size.
    """
    if len(compressed) > MAX_COMPRESSED:
        raise ChainBeastsError(
            f"The compressed dataset has {len(compressed)} bytes; {MAX_COMPRESSED} are allowed."
        )
    try:
        size = zstandard.frame_content_size(compressed)
        if size < 0:
            raise ChainBeastsError(
                "The dataset's zstd frame does not say how large its content is."
            )
        if size % WORD_BYTES or not WORD_BYTES <= size <= WORD_BYTES * MAX_RECORDS:
            raise ChainBeastsError(
                f"The dataset announces {size} bytes; it must be 1 to {MAX_RECORDS} words of "
                f"{WORD_BYTES} bytes."
            )
        reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        data = reader.decompress(compressed, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ChainBeastsError(f"The dataset is not one whole zstd frame: {error}.") from None
    if len(data) != size:
        raise ChainBeastsError(f"The dataset announces {size} bytes and has {len(data)}.")
    return words_of(data)


def words_of(data: bytes) -> tuple[int, ...]:
    """The 32-byte big-endian words of concatenated words."""
    starts = range(0, len(data), WORD_BYTES)
    return tuple(int.from_bytes(data[i : i + WORD_BYTES]) for i in starts)


def check_words(words: Sequence[int], commitments: DatasetCommitments) -> None:
    """Make sure that the records are the committed ones.

    Raises:
        ChainBeastsError: another number of them, or another root.
    """
    if len(words) != commitments.dataset_length:
        raise ChainBeastsError(
            f"The dataset has {len(words)} records; {commitments.dataset_length} were committed."
        )
    if merkle.root(words) != commitments.records_root:
        raise ChainBeastsError("The dataset's records do not have the committed Merkle root.")


def open_dataset(
    compressed: bytes, secret: bytes, commitments: DatasetCommitments
) -> PrivateDataset:
    """A dataset and secret from anywhere (a file, a dispute's calldata), fully checked.

    Raises:
        ChainBeastsError: they are not the committed ones, or the file does not open its root.
    """
    actual = bytes(keccak(compressed))
    if actual != commitments.c_dataset:
        raise ChainBeastsError(
            f"The dataset has the hash 0x{actual.hex()}; "
            f"0x{commitments.c_dataset.hex()} was committed.",
            "Use the exact compressed file from the hatch.",
        )
    if len(secret) != 32 or bytes(keccak(secret)) != commitments.owner_secret_hash:
        raise ChainBeastsError(
            "The owner's secret is not the committed one.", "Use the file from the hatch."
        )
    words = unpack_words(compressed)
    check_words(words, commitments)
    return PrivateDataset(words, secret, compressed)


def load_private(folder: Path, commitments: DatasetCommitments) -> PrivateDataset:
    """The private dataset kept in a beast's folder.

    Raises:
        ChainBeastsError: a file is missing or unreadable, or is not the committed one.
    """
    try:
        compressed = (folder / DATASET_FILE).read_bytes()
        secret = bytes.fromhex((folder / SECRET_FILE).read_text("ascii").strip())
    except OSError as error:
        raise ChainBeastsError(
            f"The private dataset cannot be read: {error.filename}: {error.strerror}.",
            "Copy the beast's folder from the machine where it was hatched.",
        ) from None
    except ValueError:
        raise ChainBeastsError(f"{folder / SECRET_FILE} is not a secret in hex digits.") from None
    return open_dataset(compressed, secret, commitments)
