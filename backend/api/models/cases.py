"""What a disputed window is computed from, and what is at risk over it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chainbeasts.backend.api.models.base import Account, Answer, Hex32, Index, Wei
from chainbeasts.backend.api.models.constants import Rules


class RecordsOpened(Answer):
    """The records of a private window as a dispute opened them (docs/spec/protocol.md §7.4)."""

    records_root: Hex32 = Field(description="That the owner committed to before the hatch.")
    dataset_length: int
    owner_secret_hash: Hex32
    secret: Hex32
    order: list[int] = Field(description="Of each of the 128 steps, the place of its word.")
    words: list[Hex32] = Field(description="The distinct records, by ascending index.")
    siblings: list[Hex32] = Field(description="Their multiproof.")


class WindowInputs(Answer):
    """All that a window's computation depends on besides its parent's state and its payload.

    The log of the match that a battle window samples is an answer of its own: see `source_id`.
    """

    dispute: int
    beast: int
    index: Index
    dna: Hex32
    epoch_seed: Hex32
    heads: Literal[1, 3, 7] = Field(description="Unlocked: 1 move, 2 attack, 4 block.")
    season: int
    rules: Rules
    opened: RecordsOpened | None = Field(
        description="null of a window that is not private, or whose records nobody has opened."
    )


class Risk(Answer):
    """What stands to be lost over a disputed window at the indexed block; nothing once it ended."""

    dispute: int
    trainer: Account
    windows: Index = Field(description="Live checkpoints from this one on: they fall together.")
    lock: Wei = Field(description="ENERGY: price and bond of all of them.")
    own_lock: Wei = Field(description="ENERGY: price and bond of this one.")
    stake: Wei = Field(description="Native coin: the trainer's stake on the beast.")
    debts: Wei = Field(
        description="Native coin: what the stake repays first, to filers who paid for openings."
    )
    filing_bps: int = Field(description="Of lock and stake, to the filer; of 10,000.")
    proof_bps: int = Field(description="Of lock and stake, to the prover; of 10,000.")
