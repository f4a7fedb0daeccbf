"""Trained beasts in matches: against their untrained selves, and against the scripted teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.graph_cache.build import build
from backend.kernel.combat import DRAW, Action, Brain, decode_action, play_match
from backend.kernel.labels import label
from backend.kernel.native.graph import Graph
from backend.kernel.rng import draw, fold64
from backend.kernel.state import State
from backend.kernel.window import genesis_state
from scripts.lib.bench.beasts import BEAST, RULES, Birth, train
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import DOCUMENTED, PLANS

FIGHTERS = 32
DECISIVE, TEACHER_MATCHES = 500, 640
FULL_POWER = 15


def brain(state: State) -> Brain:
    """Acts as a beast's logits say."""
    kernel = build(Graph(state.header.active_mask)).kernel
    return lambda word: decode_action(kernel.logits(state.weights, [word])[0].tolist())


def teacher(word: int) -> Action:
    """Follows its labels: A* moves, the attack label doubled as a learned logit decodes, blocks."""
    wanted = label(word, RULES)
    return Action(wanted.move or 0, min(2 * wanted.attack, FULL_POWER), bool(wanted.block))


@dataclass(slots=True)
class Score:
    """Matches from the first side's view."""

    won: int = 0
    drawn: int = 0
    lost: int = 0

    @property
    def decisive(self) -> int:
        return self.won + self.lost

    @property
    def played(self) -> int:
        return self.decisive + self.drawn

    @property
    def points(self) -> float:
        """A win is 1, a draw ½; share of what was to be had."""
        return (self.won + self.drawn / 2) / self.played


def play(dna: bytes, ours: Brain, theirs: Brain, number: int, score: Score) -> None:
    """One match between two brains in bodies of the same DNA, on the number's battle seed."""
    winner = play_match(dna, dna, draw(fold64(dna), number), RULES, ours, theirs).winner
    score.won += winner == 0
    score.drawn += winner == DRAW
    score.lost += winner == 1


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """Play until there are enough decisive matches, then against the teacher."""
    fighters = []
    for birth in born:
        tell("training a fighter")
        state = train(birth, PLANS[DOCUMENTED])
        fighters.append((birth.dna, brain(state), brain(genesis_state(BEAST, birth.dna))))
    selves, scripted = Score(), Score()
    tell("matches against the untrained self")
    number = 0
    while selves.decisive < DECISIVE:
        for dna, trained, newborn in fighters:
            play(dna, trained, newborn, number, selves)
        number += 1
    tell("matches against the teacher")
    for number in range(TEACHER_MATCHES // len(fighters)):
        for dna, trained, _ in fighters:
            play(dna, trained, teacher, number, scripted)
    return [
        Figure(
            "trained against its untrained self, decisive matches won",
            100 * selves.won / selves.decisive,
            "%",
            90,
            method=f"{selves.played} matches of {len(fighters)} beasts, {selves.won} won, "
            f"{selves.lost} lost, {selves.drawn} drawn; both bodies have the beast's DNA",
        ),
        Figure(
            "trained against the scripted A* teacher, points",
            100 * scripted.points,
            "%",
            40,
            method=f"{scripted.played} matches, {scripted.won} won, {scripted.lost} lost, "
            f"{scripted.drawn} drawn",
        ),
    ]
