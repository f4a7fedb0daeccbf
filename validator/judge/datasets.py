"""Private records that a validator knows: owners' files, told apart by hash, or opened on chain.

How a dataset is checked against its commitments is `backend.store.private`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from stat import S_ISREG

import structlog
from eth_hash.auto import keccak
from sqlalchemy import select
from web3 import Web3

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.inputs import decode_input
from chainbeasts.backend.chain.openings import RecordsOpening
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.published import HINT
from chainbeasts.backend.indexer.queries import records_publications, revealed_secret
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.store.facts import RevealedDatasetRow
from chainbeasts.backend.store.private import MAX_COMPRESSED, PrivateDataset, open_dataset
from chainbeasts.backend.store.session import Database

log = structlog.get_logger()

SECRET_BYTES = 32

SCAN_SECONDS = 1.0
"""A folder that was looked through a shorter time ago is not looked through for the next beast."""

UNSETTLED_SECONDS = 2.0
"""Coarser than any file system's times."""


def read_secret(data: bytes) -> bytes | None:
    """A 32-byte secret, raw or as 64 hex digits; None if the bytes are none."""
    if len(data) == SECRET_BYTES:
        return data
    text = data.decode("ascii", "ignore").strip().removeprefix("0x")
    try:
        return bytes.fromhex(text) if len(text) == 2 * SECRET_BYTES else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _SmallFile:
    """What a file holds, as far as it names a dataset or a secret.

    Attributes:
        stamp: changes with the file: its inode, size, and times.
        data_hash: keccak-256 of all of it; empty if it cannot be read.
        secret_hash: keccak-256 of the secret that it holds; None if it holds none.
    """

    stamp: tuple[int, ...]
    data_hash: bytes
    secret_hash: bytes | None


class DatasetFolder:
    """Compressed datasets and secrets in a folder and below, under any names.

    Each file is hashed once, and again when it has changed; what it holds is not kept.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._files: dict[Path, _SmallFile] = {}
        self._scanned_at: float | None = None

    def find(self, committed: Commitments) -> PrivateDataset | None:
        """The dataset of a beast's commitments, None if its files are not here."""
        if self._folder is None or not committed:
            return None
        self._scan(self._folder)
        blob = self._read(lambda file: file.data_hash == committed.c_dataset)
        secret = self._read(lambda file: file.secret_hash == committed.owner_secret_hash)
        if blob is None or secret is None:
            return None
        try:
            return open_dataset(blob, read_secret(secret) or b"", committed)
        except ChainBeastsError as error:
            log.warning("dataset refused", reason=error.message)
            return None

    def _read(self, wanted: Callable[[_SmallFile], bool]) -> bytes | None:
        """The bytes of a file; None if there is none, or it has changed since it was hashed."""
        for path, file in self._files.items():
            if wanted(file):
                data = _bytes_of(path)
                return data if data is not None and keccak(data) == file.data_hash else None
        return None

    def _scan(self, folder: Path) -> None:
        """Hash the files that are new, unless that was just looked at, for another beast."""
        now = self._clock()
        if self._scanned_at is not None and 0 <= now - self._scanned_at < SCAN_SECONDS:
            return
        self._scanned_at = now
        known, self._files = self._files, {}
        for path in sorted(folder.rglob("*")):
            try:
                stat = path.stat()
            except OSError as error:
                log.warning("file skipped", file=path.name, error=error.strerror)
                continue
            if not S_ISREG(stat.st_mode) or stat.st_size > MAX_COMPRESSED:
                continue
            stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            before = known.get(path)
            # One that was written a moment ago may be written to again without its times telling.
            settled = now - max(stat.st_mtime, stat.st_ctime) > UNSETTLED_SECONDS
            if before is not None and before.stamp == stamp:
                self._files[path] = before
                continue
            data = _bytes_of(path)
            secret = None if data is None else read_secret(data)
            self._files[path] = _SmallFile(
                stamp if settled else (),
                b"" if data is None else bytes(keccak(data)),
                None if secret is None else bytes(keccak(secret)),
            )


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        log.warning("file skipped", file=path.name, error=error.strerror)
        return None


@dataclass(frozen=True, slots=True)
class OpenedRecords:
    """The records that one private window samples, as they were opened on chain.

    Attributes:
        fold: ``fold64(S_owner)``.
        in_order: 128 words, one for each step.
        by_index: the same as a dataset: a word for each index, 0 where none was opened.
    """

    opening: RecordsOpening
    fold: int
    in_order: tuple[int, ...]
    by_index: tuple[int, ...]

    @classmethod
    def of(cls, opening: RecordsOpening, dna: bytes, length: int, index: int) -> OpenedRecords:
        """The records of an opening that has been checked against their root."""
        by_index = [0] * length
        for record, word in opening.records(dna, length, index).items():
            by_index[record] = word
        return cls(opening, fold64(opening.secret), opening.step_words, tuple(by_index))


def opened_records(
    database: Database, beast_id: int, index: int, dna: bytes, committed: Commitments
) -> OpenedRecords | None:
    """The records of a private window, checked against the beast's commitments; None if nobody
    opened them.

    The archive has checked the same. What a node said, or a database keeps, is not believed.
    """
    with database.session() as session:
        rows = records_publications(session, beast_id, index)
    length = committed.dataset_length
    for row in rows:
        try:
            words, siblings = tuple(row.word_list), tuple(row.sibling_hashes)
            opening = RecordsOpening(row.secret, row.order, words, siblings)
            found = opening.root(dna, length, index), bytes(keccak(opening.secret))
            if found == (committed.records_root, committed.owner_secret_hash):
                return OpenedRecords.of(opening, dna, length, index)
        except (IndexError, ValueError, TypeError):  # no opening of this window
            pass
        log.warning(
            "opened records are not the committed ones", beast=beast_id, checkpoint=index, hint=HINT
        )
    return None


def revealed_dataset(
    chain: Chain, database: Database, beast_id: int, committed: Commitments
) -> PrivateDataset | None:
    """The dataset that somebody revealed, checked against all commitments; None if none did.

    It is in the transaction's calldata, or in the chunks that the archive named.

    Raises:
        ChainBeastsError: the revealed file does not fit the commitments.
    """
    with database.session() as session:
        row = session.scalar(
            select(RevealedDatasetRow)
            .where(RevealedDatasetRow.beast_id == beast_id)
            .order_by(RevealedDatasetRow.block_number, RevealedDatasetRow.log_index)
            .limit(1)
        )
        secret = revealed_secret(session, beast_id)
    if row is None or secret is None:
        return None
    if row.chunk_addresses:
        return open_dataset(_read_chunks(chain, row.chunk_addresses), secret, committed)
    tx_hash = row.tx_hash
    sent = chain.read(lambda: chain.w3.eth.get_transaction(tx_hash))  # type: ignore[arg-type]
    to = chain.records if sent.get("to") == chain.records.address else chain.court
    found = decode_input(to, bytes(sent["input"]))
    blob = None if found is None else found[1].get("dataset")
    if not isinstance(blob, bytes):
        raise ChainBeastsError("It was revealed through another contract's call.")
    return open_dataset(blob, secret, committed)


def _read_chunks(chain: Chain, pointers: Sequence[str]) -> bytes:
    """What the code of chunk contracts holds behind its first byte.

    Raises:
        ChainBeastsError: more than a dataset may have.
    """
    data = bytearray()
    for pointer in pointers:
        address = Web3.to_checksum_address(pointer)
        data += bytes(chain.read(partial(chain.w3.eth.get_code, address)))[1:]
        if len(data) > MAX_COMPRESSED:
            raise ChainBeastsError(f"It has more than {MAX_COMPRESSED} bytes.")
    return bytes(data)
