"""Private datasets that a validator knows: owners' files, told apart by hash, or revealed on chain.

How a dataset is checked against its commitments is `backend.store.private`'s.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from eth_hash.auto import keccak
from sqlalchemy import select

from backend.chain.client import Chain
from backend.chain.types import Commitments
from backend.errors import ChainBeastsError
from backend.store.facts import EventRow
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


def revealed_dataset(
    chain: Chain, database: Database, beast_id: int, committed: Commitments
) -> PrivateDataset | None:
    """The dataset that a dispute revealed in its calldata, checked against all commitments.

    Raises:
        ChainBeastsError: the revealed file does not fit the commitments.
    """
    with database.session() as session:
        tx_hash = session.scalar(
            select(EventRow.tx_hash)
            .where(EventRow.name == "PrivateDatasetRevealed", EventRow.beast_id == beast_id)
            .limit(1)
        )
    if tx_hash is None:
        return None
    sent = chain.read(lambda: chain.w3.eth.get_transaction(tx_hash))  # type: ignore[arg-type]
    try:
        _, given = chain.court.decode_function_input(sent["input"])
        blob, secret = bytes(given["dataset"]), bytes(given["ownerSecret"])
    except (ValueError, KeyError):
        raise ChainBeastsError("It was revealed through another contract's call.") from None
    return open_dataset(blob, secret, committed)
