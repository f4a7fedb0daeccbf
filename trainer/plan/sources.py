"""What a window trains on: a source, and of recorded matches which one."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.samples import Source


@dataclass(frozen=True, slots=True)
class Battle:
    """A final match."""

    match_id: int


TrainingSource = Source | Battle
"""A source that needs no more to be named (never ``Source.BATTLE`` itself), or a match."""


def source_of(lesson: TrainingSource) -> Source:
    """The source, as a checkpoint states it."""
    return Source.BATTLE if isinstance(lesson, Battle) else lesson


def source_id_of(lesson: TrainingSource) -> int:
    """The source's id, as a checkpoint states it: of the match, else 0."""
    return lesson.match_id if isinstance(lesson, Battle) else 0


def training_source_of(source: Source, source_id: int) -> TrainingSource:
    """The lesson that a checkpoint states."""
    return Battle(source_id) if source is Source.BATTLE else source


def source_text(lesson: TrainingSource) -> str:
    """A lesson as the command line spells it, such as ``self-play`` or ``battle#7``."""
    name = source_of(lesson).name.lower().replace("_", "-")
    return f"{name}#{lesson.match_id}" if isinstance(lesson, Battle) else name
