"""Beasts trained off chain by a plan, with the fighters that they were on the way."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from backend.kernel.fighters import Fighter
from backend.kernel.rules import Rules
from backend.kernel.state import State
from scripts.lib.bench.beasts import Birth, all_at_once, asleep, train
from scripts.lib.bench.learning import PLANS

SHORT, LONG = 400, 2_000
"""Windows after which a life is looked at."""


@dataclass(frozen=True, slots=True)
class Life:
    """How a beast lives.

    Attributes:
        plan: by its name in ``PLANS``.
        grown: every slot wakes with the first window; else none ever does.
        words: the season's ``selfPlayWords``.
    """

    plan: str
    grown: bool = False
    words: int = Rules().self_play_words

    @property
    def rules(self) -> Rules:
        return Rules(self_play_words=self.words)


Ages = dict[int, Fighter]
"""A life's fighters by how many windows they had trained."""


def live(birth: Birth, life: Life) -> Ages:
    """Lead a life, newborn at 0 included."""
    found: Ages = {}

    def look(window: int, state: State) -> None:
        if window in (0, SHORT):
            found[window] = Fighter.of(birth.dna, state.copy())

    woken = all_at_once if life.grown else asleep
    end = train(birth, PLANS[life.plan], woken, windows=LONG, rules=life.rules, on_window=look)
    return {**found, LONG: Fighter.of(birth.dna, end)}


def _live(job: tuple[Birth, Life]) -> Ages:
    return live(*job)


def lead(
    born: Sequence[Birth], lives: Sequence[Life], tell: Callable[[str], None]
) -> dict[Life, list[Ages]]:
    """Every life of every beast, on all cores."""
    # Processes of their own: between two windows of C a trainer holds the interpreter.
    pool = ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"))
    found = {}
    with pool:
        for life in lives:
            tell(f"{len(born)} lives: {life}")
            found[life] = list(pool.map(_live, [(birth, life) for birth in born]))
    return found
