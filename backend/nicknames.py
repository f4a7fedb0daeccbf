"""Nicknames of beasts, read out of their DNA; page/portrait.js reads the same ones.

Nothing on chain knows them and two beasts may share one: everything else calls a beast by its id.
"""

from __future__ import annotations

_FIRST = (
    "mor", "ka", "thul", "bri", "zo", "gru", "sel", "vex",
    "om", "pip", "rax", "ny", "hob", "ish", "quil", "dro",
)  # fmt: skip
_MIDDLE = (
    "va", "ri", "go", "ma", "li", "zu", "ne", "ba",
    "ki", "do", "ra", "fe", "mu", "sha", "lo", "ti",
)  # fmt: skip
_LAST = (
    "k", "nth", "x", "bo", "rr", "s", "th", "mp",
    "sk", "dle", "zz", "n", "gg", "wyn", "ll", "oth",
)  # fmt: skip

LONGEST = max(map(len, _FIRST)) + max(map(len, _MIDDLE)) + max(map(len, _LAST))


def nickname(dna: bytes) -> str:
    """The nickname of a 32-byte DNA."""
    last = (dna[18] >> 4) ^ (dna[19] >> 4)
    return (_FIRST[dna[18] % 16] + _MIDDLE[dna[19] % 16] + _LAST[last]).capitalize()
