"""Private datasets that a validator knows: from a folder of owners' files, or revealed in a dispute.

A file is recognised by its hash, not by its name, and refused unless it opens ``recordsRoot`` too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
import zstandard
from eth_hash.auto import keccak

from backend.chain.types import Commitments
from backend.kernel import merkle
from backend.kernel.constants import MAX_RECORDS
from backend.kernel.rng import fold64

log = structlog.get_logger()

WORD_BYTES = 32
SECRET_BYTES = 32
MAX_FILE_BYTES = 524_288
"""Most bytes a compressed dataset may have (docs/spec/samples.md)."""


class DatasetError(ValueError):
    """Bytes that are not the committed dataset, with the reason."""


@dataclass(frozen=True, slots=True)
class PrivateData:
    """A dataset that matches all of a beast's commitments.

    Attributes:
        blob: the exact compressed bytes behind C_dataset.
        words: its records in order.
        secret: S_owner, 32 bytes.
    """

    blob: bytes
    words: tuple[int, ...]
    secret: bytes

    @property
    def fold(self) -> int:
        """``fold64(S_owner)``."""
        return fold64(self.secret)


def unpack_dataset(blob: bytes, length: int) -> tuple[int, ...]:
    """The words of one zstd frame that decompresses to exactly 32·length bytes.

    Raises:
        DatasetError: another size, trailing bytes, or no zstd frame.
    """
    size = WORD_BYTES * length
    if not 1 <= length <= MAX_RECORDS or len(blob) > MAX_FILE_BYTES:
        raise DatasetError(f"{len(blob)} bytes for {length} records are out of range")
    try:
        announced = zstandard.frame_content_size(blob)
        if announced != size:
            raise DatasetError(f"the frame announces {announced} bytes, {size} are committed")
        data = zstandard.ZstdDecompressor().decompress(
            blob, max_output_size=size, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise DatasetError(f"it is not exactly one zstd frame ({error})") from None
    return tuple(int.from_bytes(data[i : i + 32]) for i in range(0, size, WORD_BYTES))


def match(blob: bytes, secret: bytes, committed: Commitments) -> PrivateData:
    """The dataset, checked against C_dataset, the length, the Merkle root and the secret's hash.

    Raises:
        DatasetError: one of them does not fit.
    """
    if bytes(keccak(blob)) != committed.c_dataset:
        raise DatasetError("it does not hash to C_dataset")
    if bytes(keccak(secret)) != committed.owner_secret_hash:
        raise DatasetError("the secret is not the committed one")
    words = unpack_dataset(blob, committed.dataset_length)
    if merkle.root(words) != committed.records_root:
        raise DatasetError("it matches C_dataset but not the records' Merkle root")
    return PrivateData(blob, words, secret)


def read_secret(path: Path) -> bytes | None:
    """A 32-byte secret of a file, raw or as 64 hex digits; None if it holds none."""
    data = path.read_bytes()
    if len(data) == SECRET_BYTES:
        return data
    text = data.decode("ascii", "ignore").strip().removeprefix("0x")
    try:
        return bytes.fromhex(text) if len(text) == 2 * SECRET_BYTES else None
    except ValueError:
        return None


class DatasetFolder:
    """Owners' files in a folder and below: compressed datasets and secrets, told apart by hash."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, committed: Commitments) -> PrivateData | None:
        """The dataset of a beast's commitments, None if its files are not here."""
        if self._folder is None or not committed:
            return None
        blob = secret = None
        for path in sorted(self._folder.rglob("*")):
            if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
                continue
            try:
                if blob is None and bytes(keccak(path.read_bytes())) == committed.c_dataset:
                    blob = path.read_bytes()
                    continue
                candidate = read_secret(path)
            except OSError as error:
                log.warning("file skipped", file=path.name, error=error.strerror)
                continue
            if candidate and bytes(keccak(candidate)) == committed.owner_secret_hash:
                secret = candidate
        if blob is None or secret is None:
            return None
        try:
            return match(blob, secret, committed)
        except DatasetError as error:
            log.warning("dataset refused", reason=str(error))
            return None
