"""keccak by the backends that eth-hash knows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.hashing import CHOICE

pysha3 = pytest.importorskip("eth_hash.backends.pysha3", reason="there is no wheel of it here")
pycryptodome = pytest.importorskip("eth_hash.backends.pycryptodome")
WHO = """
from eth_hash.auto import keccak
import chainbeasts.backend
keccak(b"")
print(keccak.hasher)
"""


@given(st.binary(max_size=700))
def test_backends_agree(data: bytes) -> None:
    assert pysha3.keccak256(data) == pycryptodome.keccak256(data) == keccak(data)
    parts = keccak.new(data[:100])
    parts.update(data[100:])
    assert parts.digest() == keccak(data)


@pytest.mark.parametrize(
    ("chosen", "taken"), [("", "PySha3Backend"), ("pycryptodome", "CryptodomeBackend")]
)
def test_the_fast_one_is_taken_unless_another_is_chosen(chosen: str, taken: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHO],
        env=os.environ | {CHOICE: chosen},
        capture_output=True,
        text=True,
        check=True,
    )
    assert taken in done.stdout
