"""What a dispute opens and proves with, in the contracts' bytes (docs/spec/protocol.md, disputes).

The records of a private window as the archive takes them, the witnesses of its steps once they are
open, and the commitments by which a prover keeps its reward. Reads nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from eth_abi.abi import encode
from eth_hash.auto import keccak

from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, SEGMENTS, WINDOW_STEPS
from chainbeasts.backend.kernel.merkle import Tree, leaf, multiproof_root
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.samples import Source, record_index
from chainbeasts.backend.kernel.state import Header
from chainbeasts.backend.kernel.window import MASK32, WindowContext, witnesses
from chainbeasts.backend.store.private import PrivateDataset

MERKLE_PATHS = b"\x00"
"""First byte of a PRIVATE window's witnesses: per step a word and its siblings follow."""

OPENED_WORDS = b"\x01"
"""The same: 16 segment digests follow, then all words of every touched segment."""

HEADER_PROOF = 16
"""Where a commitment to a proof names its segment, a challenge of the header has this."""


def window_indices(dna: bytes, fold: int, length: int, index: int) -> list[int]:
    """The record that each of the 128 steps of a PRIVATE window samples.

    Args:
        fold: ``fold64(S_owner)``.
        length: records of the dataset.
        index: of the window in the beast's life.
    """
    first = index * WINDOW_STEPS
    return [
        record_index(Source.PRIVATE, dna, (first + step) & MASK32, length, fold)
        for step in range(WINDOW_STEPS)
    ]


@dataclass(frozen=True, slots=True)
class RecordsOpening:
    """What ``RecordArchive.publish`` takes, and what its event tells.

    Attributes:
        secret: ``S_owner``, 32 bytes.
        order: 128 bytes: per step the place of its record in ``words``.
        words: the distinct records, by ascending index in the dataset.
        siblings: the multiproof that leads from them to the committed root.
    """

    secret: bytes
    order: bytes
    words: tuple[int, ...]
    siblings: tuple[bytes, ...]

    @classmethod
    def from_event(cls, args: Mapping[str, Any]) -> Self:
        """Of a ``RecordsPublished`` event's values."""
        words = tuple(int.from_bytes(word) for word in args["words"])
        siblings = tuple(bytes(sibling) for sibling in args["siblings"])
        return cls(bytes(args["ownerSecret"]), bytes(args["order"]), words, siblings)

    def arguments(self) -> tuple[bytes, bytes, list[bytes], list[bytes]]:
        """What follows beast and index in a call of ``publish``."""
        words = [word_bytes(word) for word in self.words]
        return self.secret, self.order, words, list(self.siblings)

    @property
    def step_words(self) -> tuple[int, ...]:
        """The words of the 128 steps, in their order."""
        return tuple(self.words[place] for place in self.order)

    def records(self, dna: bytes, length: int, index: int) -> dict[int, int]:
        """The opened records by their index in the dataset, enough to run the window with."""
        indices = window_indices(dna, fold64(self.secret), length, index)
        return dict(zip(indices, self.step_words, strict=True))

    def root(self, dna: bytes, length: int, index: int) -> bytes:
        """The root that the opening leads to, which is the committed one.

        Raises:
            IndexError, ValueError: it is no opening of that window.
        """
        sampled = window_indices(dna, fold64(self.secret), length, index)
        indices = sorted(set(sampled))
        # The root fixes which word is where, and not which step it is given to.
        if [indices[place] for place in self.order] != sampled:
            raise ValueError("its order gives a step another record than it samples")
        return multiproof_root(indices, [leaf(word) for word in self.words], length, self.siblings)


def records_opening(dataset: PrivateDataset, dna: bytes, index: int) -> RecordsOpening:
    """The opening of the records that a PRIVATE window samples.

    Args:
        index: of the window in the beast's life.
    """
    sampled = window_indices(dna, dataset.fold, len(dataset.words), index)
    distinct = sorted(set(sampled))
    places = {record: place for place, record in enumerate(distinct)}
    return RecordsOpening(
        secret=dataset.secret,
        order=bytes(places[record] for record in sampled),
        words=tuple(dataset.words[record] for record in distinct),
        siblings=tuple(Tree(dataset.words).multiproof(distinct)),
    )


def segment_digests(words: Sequence[int]) -> bytes:
    """16 digests of 32 bytes, each keccak256 of a segment's eight words.

    Args:
        words: of the window's 128 steps, in their order.

    Raises:
        ValueError: there are not 128.
    """
    if len(words) != WINDOW_STEPS:
        raise ValueError(f"a window has {WINDOW_STEPS} words, not {len(words)}")
    return b"".join(keccak(_segment(words, segment)) for segment in range(SEGMENTS))


def words_hash(words: Sequence[int]) -> bytes:
    """What the archive keeps of a window's opened words: keccak256 of the segment digests."""
    return bytes(keccak(segment_digests(words)))


def dataset_witnesses(
    ctx: WindowContext, global_step: int, steps: int, words: Sequence[int]
) -> bytes:
    """The witnesses of steps for whoever has all words of the dataset, or of the match's log.

    A PRIVATE window's are believed once the owner's secret is public.
    """
    form = MERKLE_PATHS if ctx.source is Source.PRIVATE else b""
    return form + witnesses(ctx, global_step, steps, words)


def opened_witnesses(words: Sequence[int], first_step: int, steps: int) -> bytes:
    """The witnesses of a PRIVATE window whose records are open.

    Args:
        words: of the window's 128 steps, in their order.
        first_step: steps of the window before the ones that run.

    Raises:
        ValueError: there are not 128 words, or the steps leave the window.
    """
    end = first_step + steps
    if not 0 <= first_step < end <= WINDOW_STEPS:
        raise ValueError(f"steps {first_step} to {end} are no part of a window")
    touched = range(first_step // SEGMENT_STEPS, -(-end // SEGMENT_STEPS))
    segments = b"".join(_segment(words, segment) for segment in touched)
    return OPENED_WORDS + segment_digests(words) + segments


def _segment(words: Sequence[int], segment: int) -> bytes:
    first = segment * SEGMENT_STEPS
    return b"".join(word_bytes(word) for word in words[first : first + SEGMENT_STEPS])


def proof_commitment(sender: str, digest: bytes, segment: int, result: bytes, salt: bytes) -> bytes:
    """What a prover commits to before it proves a segment wrong.

    Args:
        digest: of the disputed checkpoint.
        result: true state hash after the segment.
    """
    types = ("address", "bytes32", "uint8", "bytes32", "bytes32")
    return bytes(keccak(encode(types, (sender, digest, segment, result, salt))))


def header_commitment(
    sender: str, digest: bytes, header: Header, root: bytes, salt: bytes
) -> bytes:
    """The same, before it challenges a header: to the preimage of h128, ``root`` its weights'."""
    struct = "(uint256,bytes32,uint32,uint8,uint32,uint256)"
    opened = keccak(encode((struct, "bytes32"), (header_to_abi(header), root)))
    return proof_commitment(sender, digest, HEADER_PROOF, bytes(opened), salt)


def steps_commitment(
    sender: str, digest: bytes, first_step: int, steps: int, result: bytes, salt: bytes
) -> bytes:
    """What somebody commits to before re-executing steps, so that they are paid.

    Args:
        digest: of the disputed checkpoint.
        first_step: steps of the window before them.
        result: true state hash after them.
    """
    types = ("address", "bytes32", "uint8", "uint8", "bytes32", "bytes32")
    return bytes(keccak(encode(types, (sender, digest, first_step, steps, result, salt))))
