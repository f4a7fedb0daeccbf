"""A short run of scripts/chaos: everybody at once on a chain that misbehaves, then an audit."""

from __future__ import annotations

import os

from scripts.lib.chaos.play import Chaos
from scripts.lib.chaos.schedule import Kind, draw
from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage

SECONDS = 10.0
SEED = int(os.environ.get("CHAINBEASTS_CHAOS_SEED", "4"))


def test_the_seed_fixes_what_happens() -> None:
    acts = draw(SEED, SECONDS)
    assert acts == draw(SEED, SECONDS)
    assert acts != draw(SEED + 1, SECONDS)
    assert {act.kind for act in acts} == set(Kind)
    assert all(0 < act.at <= SECONDS for act in acts)


def test_every_fraud_is_slashed_and_every_honest_window_final(stage: Stage) -> None:
    chaos = Chaos(stage, PATIENT)
    try:
        report = chaos.run(SEED, SECONDS, draw(SEED, SECONDS))
    finally:
        chaos.cast.close()
    told = "\n".join([f"seed {report.seed}", *report.happened])
    assert report.faults == [], told
    assert report.windows["final"] > 0, told
    assert report.windows["slashed"] > 0, told
    assert report.disputes["openings"] > 0, told
    assert report.disputes["upheld"] == report.windows["slashed"], told
