"""A validator's own secret: salts of its commitments, and draws that nobody can foresee.

Both follow from it alone, so that a daemon that was killed finds the salt of what it has committed
to, and whoever submits windows cannot tell which of them will be opened by chance.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from eth_hash.auto import keccak

from chainbeasts.backend.errors import ChainBeastsError

SECRET_BYTES = 32
_SALT, _DRAW = b"salt", b"draw"


def own_secret(path: Path) -> bytes:
    """The secret kept in a file, made on first use.

    Raises:
        ChainBeastsError: the file cannot be written, or holds something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written in full under another name first: two processes that begin at once must not end
        # up with two secrets, nor a killed one leave half of it.
        made = path.with_suffix(f".{os.getpid()}")
        made.write_bytes(secrets.token_bytes(SECRET_BYTES))
        made.chmod(0o600)
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
        found = path.read_bytes()
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be written ({error.strerror}).") from None
    if len(found) != SECRET_BYTES:
        raise ChainBeastsError(
            f"{path} has {len(found)} bytes, not {SECRET_BYTES}.",
            "Remove it; another one is made.",
        )
    return found


def salt_of(secret: bytes, digest: bytes, name: str) -> bytes:
    """The salt of a commitment to a move over a record."""
    return bytes(keccak(secret + _SALT + digest + name.encode()))


def draw_of(secret: bytes, digest: bytes) -> float:
    """A number from 0 to 1 for a record, the same each time."""
    return int.from_bytes(keccak(secret + _DRAW + digest)[:6]) / (1 << 48)
