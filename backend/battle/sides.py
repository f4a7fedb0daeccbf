"""Who fights off chain, as it is written: a beast, a checkpoint, a newborn, a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chainbeasts.backend.battle.fighter_files import MAX_BYTES, decode_fighter, is_fighter_file
from chainbeasts.backend.battle.workspace import ArenaWorkspace
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.store.state_files import open_packed

HELP = (
    "A beast's id (its latest final checkpoint), ID@INDEX (that checkpoint), ID@hatch (as it was "
    "born), a DNA of 64 hex digits (a newborn), a FILE that `trainer simulate -o` wrote, or a "
    "snapshot FILE. A fighter's file, a DNA and FILE:DNA (a brain in another body) need no node."
)
_DNA = "(?:0x)?([0-9a-fA-F]{64})"
_BEAST = re.compile(r"([1-9][0-9]{0,17})(?:@(hatch|[0-9]{1,9}))?")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a match.

    Attributes:
        name: for people.
        beast_id: on the chain; None for one that is only thought of.
        h: state hash of its brain.
        rules: that it brings along, from a fighter file.
    """

    name: str
    fighter: Fighter
    beast_id: int | None
    h: bytes
    rules: Rules | None = None


def read_side(text: str, workspace: Callable[[], ArenaWorkspace]) -> Side:
    """The side that a text names.

    Args:
        workspace: opened, and brought up to the chain's head, only if the chain is needed.

    Raises:
        ChainBeastsError: it names nobody, or the state is not at hand.
    """
    beast, newborn = _BEAST.fullmatch(text), re.fullmatch(_DNA, text)
    if beast is not None:
        return _beast(workspace(), int(beast[1]), beast[2])
    if newborn is not None:
        return _newborn(f"newborn {text[:10]}…", bytes.fromhex(newborn[1]), None)
    path, colon, dna = text.rpartition(":")
    body = re.fullmatch(_DNA, dna) if colon else None
    if body is not None:
        return _file(Path(path), bytes.fromhex(body[1]))
    if not Path(text).is_file():
        raise ChainBeastsError(f"{text!r} is no beast, no DNA and no file.", HELP)
    return _file(Path(text), workspace)


def _newborn(name: str, dna: bytes, beast_id: int | None) -> Side:
    state = genesis_state(beast_id or 0, dna)
    return Side(name, Fighter.of(dna, state), beast_id, state_hash(state))


def _beast(workspace: ArenaWorkspace, beast_id: int, which: str | None) -> Side:
    if which == "hatch":
        return _newborn(f"beast {beast_id} at hatch", workspace.chain.birth(beast_id).dna, beast_id)
    row = workspace.checkpoint(beast_id, None if which is None else int(which), final=which is None)
    name = f"beast {beast_id}, checkpoint {row.index}"
    return Side(name, workspace.fighter(beast_id, row.h128), beast_id, row.h128)


def _file(path: Path, body: bytes | Callable[[], ArenaWorkspace]) -> Side:
    """A file's brain: in the body of a DNA, else in the fighter's own or that of its beast."""
    data, rules = _read(path), None
    try:
        if is_fighter_file(data):
            found = decode_fighter(data)
            state, rules = found.state, found.rules
            body = body if isinstance(body, bytes) else found.dna
        else:
            state = open_packed(data)
    except ValueError as error:  # MalformedStateError is one
        raise ChainBeastsError(
            f"{path} is no fighter and no published state: {error}.",
            "Fighters are written by `chainbeasts trainer simulate -o FILE`; states are files "
            "named <hash>.state.zst, as trainers publish them.",
        ) from None
    h, beast_id = state_hash(state), state.header.beast_id
    if isinstance(body, bytes):
        return Side(path.name, Fighter.of(body, state), None, h, rules)
    dna = body().chain.birth(beast_id).dna
    return Side(f"beast {beast_id}, {path.name}", Fighter.of(dna, state), beast_id, h)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)[:MAX_BYTES]
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read: {error.strerror}.") from None
