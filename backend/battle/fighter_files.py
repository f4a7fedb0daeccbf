"""Fighter files: a body, a brain and the rules it was trained by, in one JSON document.

docs/spec/state.md has the format. Who is given one needs no node, no season and no DNA beside it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import MalformedStateError, State, state_hash
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.store.state_files import pack, unpack

FORMAT = "chainbeasts-fighter-1"
MAX_BYTES = 65_536
"""More than any fighter file needs: 40,000 bytes of state in base64, and the rest."""

FIELDS = frozenset({"format", "kernel_id", "dna", "active_mask", "rules", "h", "state"})


@dataclass(frozen=True, slots=True, eq=False)
class FighterFile:
    """What a fighter file holds.

    Attributes:
        rules: of the season that the brain was trained in.
    """

    dna: bytes
    state: State
    rules: Rules

    @property
    def fighter(self) -> Fighter:
        return Fighter.of(self.dna, self.state)


def is_fighter_file(data: bytes) -> bool:
    """Whether a file's bytes look like a fighter file; a snapshot's begin with zstd's magic."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def encode_fighter(one: FighterFile) -> bytes:
    """The bytes of a fighter file."""
    document = {
        "format": FORMAT,
        "kernel_id": _hex(KERNEL_ID),
        "dna": _hex(one.dna),
        "active_mask": one.state.header.active_mask,
        "rules": asdict(one.rules),
        "h": _hex(state_hash(one.state)),
        "state": base64.b64encode(pack(one.state)).decode(),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def decode_fighter(data: bytes) -> FighterFile:
    """The fighter of a file's bytes.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    document = parse_json(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    if document.keys() != FIELDS:
        odd = sorted(document.keys() ^ FIELDS)
        raise ValueError(f"it lacks, or has beside what it should, {', '.join(odd)}")
    if _bytes(document, "kernel_id") != KERNEL_ID:
        raise ValueError(
            f"it was written by the kernel {document['kernel_id']}, this is {_hex(KERNEL_ID)}"
        )
    # The brain is known by its hash, so a file that was damaged, or put together by hand from two,
    # is refused here and not when it fights.
    try:
        packed = base64.b64decode(document["state"], validate=True)
        state = unpack(packed, _bytes(document, "h"))
    except (TypeError, binascii.Error):
        raise ValueError("its state is not base64") from None
    except MalformedStateError as error:
        raise ValueError(f"its state is none: {error}") from None
    if document["active_mask"] != state.header.active_mask:
        raise ValueError("its active_mask is not its state's")
    return FighterFile(_bytes(document, "dna"), state, _rules(document["rules"]))


def write_fighter(path: Path, one: FighterFile) -> None:
    """Write a fighter file, in place of one that is there.

    Raises:
        ChainBeastsError: it cannot be written.
    """
    try:
        write_atomic(path, encode_fighter(one))
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be written ({error.strerror}).") from None


def _rules(given: Any) -> Rules:
    names = {field.name for field in fields(Rules)}
    if not isinstance(given, dict) or given.keys() != names:
        raise ValueError("its rules are not this kernel's")
    if not all(type(value) is int for value in given.values()):
        raise ValueError("its rules are not all integers")
    return Rules(**given)


def _bytes(document: dict[str, Any], name: str) -> bytes:
    """32 bytes in hex after 0x."""
    value = document[name]
    if not isinstance(value, str) or not value.startswith("0x") or len(value) != 66:
        raise ValueError(f"its {name} is not 32 bytes in hex after 0x")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise ValueError(f"its {name} is not 32 bytes in hex after 0x") from None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
