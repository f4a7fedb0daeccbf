"""Mends the file in which Anvil keeps its chain.

Anvil makes a genesis block of its own at every start, keeps it next to the one that it loads, and
writes both down: after the second restart, either may answer to number 0. The oldest is right.
"""

from __future__ import annotations

import json
from pathlib import Path

from backend.cache import write_atomic


def keep_one_genesis(state: Path) -> None:
    """Drop all blocks of number 0 but the oldest; a file that is not as expected is left alone."""
    try:
        kept = json.loads(state.read_text("utf-8"))
        blocks = kept["blocks"]
        zeros = [block for block in blocks if int(block["header"]["number"], 16) == 0]
        if len(zeros) < 2:
            return
        first = min(zeros, key=lambda block: int(block["header"]["timestamp"], 16))
        kept["blocks"] = [b for b in blocks if b is first or b not in zeros]
    except (OSError, ValueError, KeyError, TypeError):
        return
    write_atomic(state, json.dumps(kept).encode())
