"""Positional Merkle trees: one index has exactly one word (K7)."""

from __future__ import annotations

import math

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.merkle import Tree, depth, proof, root, verify
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
