"""Positional Merkle trees: one index has exactly one word (K7)."""

from __future__ import annotations

import math

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.merkle import (
    Tree,
    depth,
    leaf,
    multiproof,
    multiproof_root,
    proof,
    root,
    verify,
)
from tests.support.strategies import u256

lists = st.lists(u256, min_size=1, max_size=20)


def slow_root(words: list[int]) -> bytes:
    """By recursion over the padded range."""

    def over(start: int, size: int) -> bytes:
        if size == 1:
            if start >= len(words):
                return bytes(32)
            return bytes(keccak(b"\x00" + words[start].to_bytes(32, "big")))
        half = size // 2
        return bytes(keccak(b"\x01" + over(start, half) + over(start + half, half)))

    return over(0, 2 ** math.ceil(math.log2(len(words))))


@given(lists)
def test_root_and_every_proof(words: list[int]) -> None:
    tree = Tree(words)
    assert tree.root == root(words) == slow_root(words)
    for index, word in enumerate(words):
        siblings = tree.proof(index)
        assert siblings == proof(words, index)
        assert len(siblings) == depth(len(words))
        assert verify(tree.root, len(words), index, word, siblings)


@given(st.lists(u256, min_size=1, max_size=20, unique=True), st.data())
def test_nothing_else_verifies(words: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(words) - 1))
    word, siblings, top = words[index], proof(words, index), root(words)
    assert not verify(top, len(words), index, word ^ 1 << data.draw(st.integers(0, 255)), siblings)
    assert not verify(top, len(words), index, word, [*siblings, bytes(32)])
    assert not verify(top, len(words), len(words), word, siblings)
    assert not verify(top, len(words), -1, word, siblings)
    if siblings:
        assert not verify(top, len(words), index, word, siblings[:-1])
        height = data.draw(st.integers(0, len(siblings) - 1))
        wrong = list(siblings)
        wrong[height] = bytes([wrong[height][0] ^ 1]) + wrong[height][1:]
        assert not verify(top, len(words), index, word, wrong)
        other = data.draw(st.integers(0, len(words) - 1).filter(lambda i: i != index))
        assert not verify(top, len(words), other, word, siblings)


@given(lists.filter(lambda words: len(words) & (len(words) - 1) != 0))
def test_padding_is_no_word(words: list[int]) -> None:
    """Padding opens under no index: its leaf is not the hash of any word."""
    assert root(words) != root([*words, 0])
    assert not verify(root(words), len(words), len(words), 0, proof(words, len(words) - 1))


def test_an_inner_node_is_no_leaf() -> None:
    words = [1, 2, 3, 4]
    siblings = proof(words, 0)
    assert not verify(root(words), 2, 0, int.from_bytes(siblings[1]), siblings[:1])


def test_no_words() -> None:
    with pytest.raises(ValueError, match="at least one"):
        root([])
    with pytest.raises(IndexError, match="beyond 3"):
        proof([1, 2, 3], 3)


@st.composite
def opened(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Words, and ascending indices of some of them."""
    words = draw(lists)
    chosen = draw(st.sets(st.integers(0, len(words) - 1), min_size=1))
    return words, sorted(chosen)


@given(opened())
def test_a_multiproof_leads_to_the_root(given_: tuple[list[int], list[int]]) -> None:
    words, indices = given_
    siblings = multiproof(words, indices)
    leaves = [leaf(words[index]) for index in indices]
    assert multiproof_root(indices, leaves, len(words), siblings) == root(words)
    # What is shared comes once: never more siblings than the paths apart have.
    assert len(siblings) <= len(indices) * depth(len(words))
    if len(indices) == 1:
        assert siblings == proof(words, indices[0])
    if len(indices) == len(words) == 1 << depth(len(words)):
        assert siblings == []


@given(opened(), st.data())
def test_no_other_multiproof_leads_there(
    given_: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    words, indices = given_
    siblings, top = multiproof(words, indices), root(words)
    leaves = [leaf(words[index]) for index in indices]
    place = data.draw(st.integers(0, len(leaves) - 1))
    wrong = [*leaves[:place], leaf(words[indices[place]] ^ 1), *leaves[place + 1 :]]
    assert multiproof_root(indices, wrong, len(words), siblings) != top
    with pytest.raises(ValueError, match="too many"):
        multiproof_root(indices, leaves, len(words), [*siblings, bytes(32)])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        multiproof_root(indices, [*leaves, leaves[0]], len(words), siblings)
    if siblings:
        with pytest.raises(ValueError, match="too few"):
            multiproof_root(indices, leaves, len(words), siblings[:-1])
        number = data.draw(st.integers(0, len(siblings) - 1))
        bent = [s if n != number else bytes([s[0] ^ 1]) + s[1:] for n, s in enumerate(siblings)]
        assert multiproof_root(indices, leaves, len(words), bent) != top


@pytest.mark.parametrize("indices", [[], [1, 1], [2, 1]])
def test_indices_of_a_multiproof_ascend(indices: list[int]) -> None:
    with pytest.raises(ValueError, match="multiproof"):
        multiproof([5, 6, 7], indices)
    with pytest.raises(ValueError, match="multiproof"):
        multiproof_root(indices, [leaf(5)] * len(indices), 3, [])


@pytest.mark.parametrize("indices", [[3], [0, 7], [-1, 2]])
def test_a_multiproof_opens_only_what_there_is(indices: list[int]) -> None:
    with pytest.raises(IndexError, match="beyond 3 words"):
        multiproof([5, 6, 7], indices)
    with pytest.raises(IndexError, match="beyond 3 words"):
        multiproof_root(indices, [leaf(5)] * len(indices), 3, [])
