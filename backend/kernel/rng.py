"""Random numbers: one counter-based generator, nothing else (docs/spec/rules.md §1)."""

from __future__ import annotations

MASK64 = 0xFFFF_FFFF_FFFF_FFFF
GOLDEN = 0x9E37_79B9_7F4A_7C15


def split_mix64(x: int) -> int:
    """Vigna's SplitMix64 output for state ``x``; both are unsigned 64-bit integers."""
    # Python's integers do not wrap: each sum and product is cut to 64 bits where uint64 would be.
    z = (x + GOLDEN) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & MASK64
    return z ^ (z >> 31)


def draw(s: int, n: int) -> int:
    """The ``n``-th 64-bit number of the sequence that starts from state ``s``."""
    return split_mix64((s + n * GOLDEN) & MASK64)


def fold64(value: bytes) -> int:
    """XOR of the four big-endian 64-bit words of a 32-byte value.

    Raises:
        ValueError: ``value`` is not 32 bytes long.
    """
    if len(value) != 32:
        raise ValueError(f"fold64 takes 32 bytes, got {len(value)}")
    return (
        int.from_bytes(value[0:8])
        ^ int.from_bytes(value[8:16])
        ^ int.from_bytes(value[16:24])
        ^ int.from_bytes(value[24:32])
    )
