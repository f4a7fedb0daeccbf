"""The kernel's tables, read from ``tables.json``: the one source for Python and Solidity."""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from eth_hash.auto import keccak

VERSION: Final = "chainbeasts-kernel-2"


def _load() -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    text = resources.files("chainbeasts.backend.kernel").joinpath("tables.json").read_text("utf-8")
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

FORMER_KERNELS: Final = {
    bytes.fromhex("cb485e445de339c271e4ada837057280e221655ca1c711ecafbe5412b1f803fb"): (
        "chainbeasts-kernel-1"
    ),
}
"""Kernels before this one. Nothing of theirs is read here; their ids are for saying so."""


def kernel_name(kernel_id: bytes) -> str:
    """A kernel's id as people read it, with its version if it is known."""
    version = {KERNEL_ID: VERSION, **FORMER_KERNELS}.get(kernel_id)
    short = f"0x{kernel_id.hex()[:16]}…"
    return short if version is None else f"{version} ({short})"
