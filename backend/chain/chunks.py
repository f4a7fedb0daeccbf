"""How a dataset's compressed bytes go on chain in a dispute: whole, or in chunks on a stage.

Sizes only, as DisputeCourt and DatasetStage have them; sends nothing.
"""

from __future__ import annotations

MAX_WHOLE = 120_000
"""Most bytes that the court takes in the filing itself (DisputeCourt.MAX_WHOLE_DATASET)."""

CHUNK_BYTES = 24_575
"""Bytes of every chunk but the last: EIP-170's limit on code, less the STOP byte before them."""

CHUNKS_AT_ONCE = 3
"""As many as fit the gas cap of a transaction: about 5.4 million gas each."""


def is_large(size: int) -> bool:
    """Whether a dataset of ``size`` compressed bytes has to be staged."""
    return size > MAX_WHOLE


def chunks_of(compressed: bytes) -> list[bytes]:
    """A dataset as the stage takes it."""
    return [compressed[i : i + CHUNK_BYTES] for i in range(0, len(compressed), CHUNK_BYTES)]


def transactions_for(size: int) -> int:
    """Transactions that filing a dispute takes with a dataset of ``size`` compressed bytes."""
    if not is_large(size):
        return 1
    chunks = -(-size // CHUNK_BYTES)
    return 2 + -(-chunks // CHUNKS_AT_ONCE)
