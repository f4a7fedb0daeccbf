"""Published states in a folder, each under its own state hash; nothing unverified leaves it."""

from __future__ import annotations

from pathlib import Path

import structlog
import zstandard

from backend.cache import write_atomic
from backend.kernel.state import (
    ENCODED_BYTES,
    MalformedStateError,
    State,
    decode_state,
    encode_state,
    state_hash,
)

log = structlog.get_logger()

SUFFIX = ".state.zst"
LEVEL = 9


class SnapshotStore:
    """A content-addressed folder of states (docs/spec/state.md gives the file's format)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, h: bytes) -> Path:
        """The file of a state hash."""
        return self.folder / f"{h.hex()}{SUFFIX}"

    def put(self, state: State) -> bytes:
        """Publish a state; returns its state hash."""
        h = state_hash(state)
        path = self.path(h)
        if not path.exists():
            packed = zstandard.ZstdCompressor(level=LEVEL).compress(encode_state(state))
            write_atomic(path, packed)
        return h

    def get(self, h: bytes) -> State | None:
        """The state of a hash; None if it is absent. A file that is not that state is set aside."""
        path = self.path(h)
        try:
            packed = path.read_bytes()
        except OSError:
            return None
        try:
            state = decode_state(_unpack(packed))
            if state_hash(state) == h:
                return state
            reason = "its state has another hash"
        except (MalformedStateError, zstandard.ZstdError) as error:
            reason = str(error)
        log.warning("snapshot set aside", file=path.name, reason=reason)
        path.rename(path.with_suffix(".corrupt"))
        return None


def _unpack(packed: bytes) -> bytes:
    """Decompress exactly one state's bytes; a bomb never gets further than that size."""
    size = zstandard.frame_content_size(packed)
    if size != ENCODED_BYTES:
        raise MalformedStateError(f"the file announces {size} bytes, a state has {ENCODED_BYTES}")
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=ENCODED_BYTES)
