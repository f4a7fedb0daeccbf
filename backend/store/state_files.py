"""A published state's file: its name is its hash, and its bytes are checked before they are used.

docs/spec/state.md gives the format.
"""

from __future__ import annotations

import zstandard

from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    MalformedStateError,
    State,
    decode_state,
    encode_state,
    state_hash,
)

SUFFIX = ".state.zst"
LEVEL = 3
MAX_FILE_BYTES = 40_000
"""More than any frame of one state's 33,984 bytes; larger files are not read."""


def file_name(h: bytes) -> str:
    """The name of a state hash's file."""
    return f"{h.hex()}{SUFFIX}"


def pack(state: State) -> bytes:
    """A state as its file has it."""
    return compress(encode_state(state))


def compress(encoded: bytes) -> bytes:
    """An encoded state as its file has it."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(encoded)


def open_packed(packed: bytes) -> State:
    """The state of a file, whatever its hash is; a bomb never gets further than one state's size.

    Raises:
        MalformedStateError: the file is no state.
    """
    return decode_state(_decompressed(packed))


def _decompressed(packed: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(packed)
        if size != ENCODED_BYTES:
            raise MalformedStateError(
                f"the file announces {size} bytes, a state has {ENCODED_BYTES}"
            )
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=ENCODED_BYTES)
    except zstandard.ZstdError as error:
        raise MalformedStateError(str(error)) from None


def unpack(packed: bytes, h: bytes) -> State:
    """The state of a file that is known by its hash.

    Raises:
        MalformedStateError: the file is not the state of that hash.
    """
    state = open_packed(packed)
    if state_hash(state) != h:
        raise MalformedStateError("its state has another hash")
    return state
