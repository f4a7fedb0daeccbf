"""Has keccak computed in C where that is installed.

eth-hash takes pycryptodome wherever both are there, and pycryptodome always is: keystores need it.
It goes to its C through ctypes, which takes eight times as long for the nodes of a Merkle tree.
"""

from __future__ import annotations

import importlib
import os
from contextlib import suppress

from eth_hash.auto import keccak
from eth_hash.main import Keccak256

CHOICE = "ETH_HASH_BACKEND"
"""Who names a backend here, as eth-hash has it, gets that one."""


def prefer_fast_keccak() -> None:
    """Let everybody's one hasher use safe-pysha3, if it is installed and no other one is chosen."""
    if os.environ.get(CHOICE):
        return
    with suppress(ImportError):
        fast = Keccak256(importlib.import_module("eth_hash.backends.pysha3").backend)
        fast(b"")  # of which the hash is known, and compared
        keccak.hasher, keccak.preimage = fast.hasher, fast.preimage
