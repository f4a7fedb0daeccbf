"""What the program is called, and which one it is; importing this costs next to nothing."""

from __future__ import annotations

from importlib import metadata

PROGRAM = "chainbeasts"


def version_line() -> str:
    """What `--version` prints."""
    return f"{PROGRAM} {metadata.version(PROGRAM)}"
