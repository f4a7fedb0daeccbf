"""Private records that a validator knows: owners' files, told apart by hash, or opened on chain.

How a dataset is checked against its commitments is `backend.store.private`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from eth_hash.auto import keccak
from sqlalchemy import select
from web3 import Web3

from backend.chain.client import Chain
from backend.chain.openings import RecordsOpening
from backend.chain.types import Commitments
from backend.errors import ChainBeastsError
from backend.indexer.queries import published_records, revealed_secret
from backend.kernel.rng import fold64
from backend.store.facts import RevealedDatasetRow
from backend.store.private import MAX_COMPRESSED, PrivateDataset, open_dataset
from backend.store.session import Database

log = structlog.get_logger()

SECRET_BYTES = 32


def read_secret(data: bytes) -> bytes | None:
    """A 32-byte secret, raw or as 64 hex digits; None if the bytes are none."""
    if len(data) == SECRET_BYTES:
        return data
    text = data.decode("ascii", "ignore").strip().removeprefix("0x")
    try:
        return bytes.fromhex(text) if len(text) == 2 * SECRET_BYTES else None
    except ValueError:
        return None


class DatasetFolder:
    """Compressed datasets and secrets in a folder and below, under any names."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, committed: Commitments) -> PrivateDataset | None:
        """The dataset of a beast's commitments, None if its files are not here."""
        if self._folder is None or not committed:
            return None
        blob = secret = None
        for data in self._small_files(self._folder):
            if bytes(keccak(data)) == committed.c_dataset:
                blob = data
            candidate = read_secret(data)
            if candidate and bytes(keccak(candidate)) == committed.owner_secret_hash:
                secret = candidate
        if blob is None or secret is None:
            return None
        try:
            return open_dataset(blob, secret, committed)
        except ChainBeastsError as error:
            log.warning("dataset refused", reason=error.message)
            return None

    def _small_files(self, folder: Path) -> list[bytes]:
        found = []
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_file() and path.stat().st_size <= MAX_COMPRESSED:
                    found.append(path.read_bytes())
            except OSError as error:
                log.warning("file skipped", file=path.name, error=error.strerror)
        return found


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
    database: Database, beast_id: int, index: int, dna: bytes, length: int
) -> OpenedRecords | None:
    """The records of a private window; None if nobody opened them."""
    with database.session() as session:
        row = published_records(session, beast_id, index)
    if row is None:
        return None
    # The archive has checked them against the root, and the order against what the steps sample.
    words, siblings = tuple(row.word_list), tuple(row.sibling_hashes)
    opening = RecordsOpening(row.secret, row.order, words, siblings)
    return OpenedRecords.of(opening, dna, length, index)


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
    try:
        to = chain.records if sent["to"] == chain.records.address else chain.court
        _, given = to.decode_function_input(sent["input"])
        blob = bytes(given["dataset"])
    except (ValueError, KeyError):
        raise ChainBeastsError("It was revealed through another contract's call.") from None
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
