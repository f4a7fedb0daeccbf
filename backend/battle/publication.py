"""States that have to stand in the archive before their beasts fight: which do not, and the calls.

A match can be replayed and disproved by everybody, so the arena takes only states that anybody can
read on chain, and no older publications than nodes are trusted to serve.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.battle.workspace import ArenaWorkspace
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.state import serialize_weights

MARGIN = 3_600
"""Seconds that a publication must have left, so that the match itself finds it young enough."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A beast with the state that it fights with."""

    beast_id: int
    h: bytes


def is_published(workspace: ArenaWorkspace, h: bytes) -> bool:
    """Whether the arena takes the state as it stands in the archive."""
    chain = workspace.chain
    age = chain.season(chain.current_season()).economics.publication_age
    published_at = chain.state_publication(h).time
    return published_at != 0 and published_at + age >= chain.now() + MARGIN


def unpublished(workspace: ArenaWorkspace, entries: Iterable[Entry]) -> list[Entry]:
    """The entries whose states have to be published, each once."""
    return [entry for entry in dict.fromkeys(entries) if not is_published(workspace, entry.h)]


def publication(workspace: ArenaWorkspace, entry: Entry) -> Any:
    """The call that puts a state into the archive.

    Raises:
        MissingStateError: the state is not at hand.
    """
    state = workspace.state(entry.beast_id, entry.h)
    opened = (header_to_abi(state.header), serialize_weights(state.weights))
    return workspace.chain.states.functions.publish(*opened)
