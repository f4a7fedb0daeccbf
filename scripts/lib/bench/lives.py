"""Beasts trained off chain by a plan, with the fighters that they were on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.replay import WINDOW, Windows, state_rows, window_row
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State, decode_state, encode_state, state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.kernels import replay_windows
from scripts.lib.bench.beasts import ALL_AWAKE, BEAST, SCHEDULE, Birth, context
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


def live(born: Sequence[Birth], life: Life) -> list[Ages]:
    """Lead a life with some beasts side by side, newborns at 0 included."""
    states = [genesis_state(BEAST, birth.dna) for birth in born]
    found: list[Ages] = [{0: _fighter(b, s)} for b, s in zip(born, states, strict=True)]
    encoded = state_rows([encode_state(state) for state in states])
    parents = np.array([list(state_hash(state)) for state in states], np.uint8)
    masks = [ALL_AWAKE if life.grown else state.header.active_mask for state in states]
    for window in range(LONG):
        if window % SCHEDULE.epoch_windows == 0:
            rows = _epoch_rows(born, masks, window, life)
        rows["parent"] = parents
        replayed = replay_windows(rows, encoded)
        assert not replayed.status.any(), "an honest window has an end"
        encoded, parents = replayed.ends, replayed.hashes[:, 0]
        if window + 1 in (SHORT, LONG):
            for ages, birth, end in zip(found, born, encoded, strict=True):
                ages[window + 1] = _fighter(birth, decode_state(end.tobytes()))
    return found


def _epoch_rows(born: Sequence[Birth], masks: Sequence[int], window: int, life: Life) -> Windows:
    """The windows of an epoch's beasts but for their parents; a plan's epochs have one source."""
    rows = np.zeros(len(born), WINDOW)
    for number, birth in enumerate(born):
        ctx = context(birth, window, PLANS[life.plan](window), rules=life.rules)
        rows[number] = window_row(ctx, masks[number], bytes(32), number)
    return rows


def _fighter(birth: Birth, state: State) -> Fighter:
    return Fighter.of(birth.dna, state)


def lead(born: Sequence[Birth], life: Life, tell: Callable[[str], None]) -> list[Ages]:
    """A life of every beast, on all cores."""
    tell(f"{len(born)} lives: {life}")
    workers = os.cpu_count() or 1
    parts = [part for part in (born[at::workers] for at in range(workers)) if part]
    with ThreadPoolExecutor(workers) as pool:  # C runs without the interpreter's lock
        told = list(pool.map(live, parts, [life] * len(parts)))
    return [told[n % len(parts)][n // len(parts)] for n in range(len(born))]
