"""The kernel's tables, read from ``tables.json``: the one source for Python and Solidity."""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from eth_hash.auto import keccak

VERSION: Final = "chainbeasts-kernel-2"


def _load() -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    text = resources.files("backend.kernel").joinpath("tables.json").read_text("utf-8")
    tables = json.loads(text)
    templates = tuple((int(t["walls"], 16), int(t["hazards"], 16)) for t in tables["templates"])
    return tuple(tables["exp"]), templates


EXP, TEMPLATES = _load()
"""EXP: 256 values ⌊32767·exp(−d/32) + ½⌋. TEMPLATES: 64 pairs (walls, hazards), before clearing."""


def exp_bytes() -> bytes:
    """The EXP table, 256 big-endian uint16."""
    return b"".join(value.to_bytes(2) for value in EXP)


def template_bytes() -> bytes:
    """The templates, 64 × (walls, hazards) as big-endian uint64."""
    return b"".join(board.to_bytes(8) for pair in TEMPLATES for board in pair)


# Tables and version are inside: two kernels that could compute different bits never share a hash.
KERNEL_ID: Final = bytes(keccak(VERSION.encode() + exp_bytes() + template_bytes()))
"""Names this kernel in every state hash (docs/spec/state.md)."""
