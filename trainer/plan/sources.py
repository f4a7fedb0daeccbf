"""What a window trains on: a source, and of recorded matches which one."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.kernel.samples import Source


@dataclass(frozen=True, slots=True)
class Battle:
    """A final match."""

    match_id: int


TrainingSource = Source | Battle
"""A source that needs no more to be named (never ``Source.BATTLE`` itself), or a match."""


def source_of(training_source: TrainingSource) -> Source:
    """The source, as a checkpoint states it."""
    return Source.BATTLE if isinstance(training_source, Battle) else training_source


def source_id_of(training_source: TrainingSource) -> int:
    """The source's id, as a checkpoint states it: of the match, else 0."""
    return training_source.match_id if isinstance(training_source, Battle) else 0


def training_source_of(source: Source, source_id: int) -> TrainingSource:
    """The training source that a checkpoint states."""
    return Battle(source_id) if source is Source.BATTLE else source


def source_text(training_source: TrainingSource) -> str:
    """A training source as the command line spells it, such as ``self-play`` or ``battle#7``."""
    name = source_of(training_source).name.lower().replace("_", "-")
    return f"{name}#{training_source.match_id}" if isinstance(training_source, Battle) else name
