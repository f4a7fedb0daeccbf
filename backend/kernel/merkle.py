"""Positional Merkle trees over words: one index has exactly one word (docs/spec/merkle.md)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from eth_hash.auto import keccak

from chainbeasts.backend.kernel.board import word_bytes

PADDING = bytes(32)


def leaf(word: int) -> bytes:
    """Hash of one word."""
    # The prefixes of leaves and nodes differ, so an inner node cannot be passed off as a word.
    return bytes(keccak(b"\x00" + word_bytes(word)))


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return bytes(keccak(b"\x01" + left + right))


def depth(length: int) -> int:
    """Siblings in a proof for a tree of ``length`` words: ⌈log2 length⌉."""
    return (length - 1).bit_length()


def _levels(words: Sequence[int]) -> list[list[bytes]]:
    if not words:
        raise ValueError("a Merkle tree needs at least one word")
    level = [leaf(word) for word in words]
    # Nobody knows a word whose hash is 32 zeros: a padding leaf cannot be opened as a record.
    level += [PADDING] * ((1 << depth(len(words))) - len(words))
    levels = [level]
    while len(level) > 1:
        level = [node(level[i], level[i + 1]) for i in range(0, len(level), 2)]
        levels.append(level)
    return levels


def root(words: Sequence[int]) -> bytes:
    """Root over a non-empty sequence of words."""
    return _levels(words)[-1][0]


class Tree:
    """All levels of a tree, for whoever opens many words of it."""

    def __init__(self, words: Sequence[int]) -> None:
        self._words = words
        self._levels = _levels(words)

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def proof(self, index: int) -> list[bytes]:
        """Siblings of word ``index`` from the leaves up.

        Raises:
            IndexError: there is no such word.
        """
        if not 0 <= index < len(self._words):
            raise IndexError(f"index {index} is beyond {len(self._words)} words")
        return [level[(index >> height) ^ 1] for height, level in enumerate(self._levels[:-1])]

    def multiproof(self, indices: Sequence[int]) -> list[bytes]:
        """Siblings that words at several indices lack: level by level from the leaves up, by
        ascending index; what their own paths lead to is left out.

        Raises:
            IndexError: there is no such word.
            ValueError: the indices do not ascend strictly.
        """
        _check_ascending(indices, len(self._words))
        siblings, known = [], list(indices)
        for level in self._levels[:-1]:
            here = set(known)
            siblings += [level[index ^ 1] for index in known if index ^ 1 not in here]
            known = sorted({index >> 1 for index in known})
        return siblings


def proof(words: Sequence[int], index: int) -> list[bytes]:
    """Siblings of word ``index`` from the leaves up; see ``Tree`` for many of them."""
    return Tree(words).proof(index)


def multiproof(words: Sequence[int], indices: Sequence[int]) -> list[bytes]:
    """Siblings of words at strictly ascending indices; see ``Tree.multiproof``."""
    return Tree(words).multiproof(indices)


def multiproof_root(
    indices: Sequence[int], leaves: Sequence[bytes], length: int, siblings: Sequence[bytes]
) -> bytes:
    """The root that leaves at strictly ascending indices and a multiproof lead to.

    Args:
        leaves: hashes of the words, see ``leaf``.
        length: words in the tree, which fixes its depth.

    Raises:
        IndexError: an index is beyond the length.
        ValueError: the indices do not ascend strictly, or there are more or fewer siblings or
            leaves than they ask for.
    """
    _check_ascending(indices, length)
    left = iter(siblings)
    nodes = dict(zip(indices, leaves, strict=True))
    for _ in range(depth(length)):
        above: dict[int, bytes] = {}
        # Ascending, so that siblings are taken in the order in which ``multiproof`` lists them.
        for index, hash_ in nodes.items():
            if index >> 1 in above:
                continue  # a right child whose left one has made the node
            sibling = nodes.get(index ^ 1)
            if sibling is None:
                sibling = next(left, None)
            if sibling is None:
                raise ValueError(f"{len(siblings)} siblings are too few")
            above[index >> 1] = node(sibling, hash_) if index & 1 else node(hash_, sibling)
        nodes = above
    if next(left, None) is not None:
        raise ValueError(f"{len(siblings)} siblings are too many")
    return nodes[0]


def _check_ascending(indices: Sequence[int], length: int) -> None:
    if not indices:
        raise ValueError("a multiproof opens at least one word")
    if any(after <= before for before, after in pairwise(indices)):
        raise ValueError("the indices of a multiproof ascend strictly")
    if indices[0] < 0 or indices[-1] >= length:
        raise IndexError(f"an index is beyond {length} words")


def verify(root_: bytes, length: int, index: int, word: int, siblings: Sequence[bytes]) -> bool:
    """Whether ``word`` stands at ``index`` of the tree with this root and length."""
    # With the depth fixed by the length, a longer or shorter path cannot reach the root elsewhere.
    if not 0 <= index < length or len(siblings) != depth(length):
        return False
    hash_ = leaf(word)
    for height, sibling in enumerate(siblings):
        right = (index >> height) & 1
        hash_ = node(sibling, hash_) if right else node(hash_, sibling)
    return hash_ == root_
