"""Trained beasts in matches: against their untrained selves and the teacher, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.kernel.combat import DRAW, Action, Brain, decode_action, play_match
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.rng import draw, fold64
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.kernels import play
from scripts.lib.bench.beasts import BEAST, RULES, Birth, train
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import DOCUMENTED, PLANS

FIGHTERS = 32
DECISIVE, TEACHER_MATCHES = 500, 640
FULL_POWER = 15
SPEED_SECONDS, SPEED_ROUNDS = 2.0, 3
REFERENCE_MATCHES = 20


def brain(fighter: Fighter) -> Brain:
    """Acts as a beast's logits say."""
    kernel = build(Graph(fighter.active_mask)).kernel
    return lambda word: decode_action(kernel.logits(fighter.weights, [word])[0].tolist(), word)


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

    def add(self, winner: int) -> None:
        """Count a match."""
        self.won += winner == 0
        self.drawn += winner == DRAW
        self.lost += winner == 1


def battle_seed(fighter: Fighter, number: int) -> int:
    """Seeds of a fighter's matches: both bodies have its DNA, so they depend on nothing else."""
    return draw(fold64(fighter.dna), number)


def speed(fighters: Sequence[Fighter]) -> tuple[float, float, float]:
    """Matches a second on one core, their mean number of turns, and seconds of the reference's."""
    pairs = list(pairwise([*fighters, fighters[0]]))

    def run() -> tuple[float, int, int]:
        done = turns = 0
        begun = time.perf_counter()
        while time.perf_counter() - begun < SPEED_SECONDS:
            for a, b in pairs:
                turns += play(a, b, battle_seed(a, done), RULES).turns
                done += 1
        return done / (time.perf_counter() - begun), done, turns

    found = [run() for _ in range(SPEED_ROUNDS)]
    begun = time.perf_counter()
    for number in range(REFERENCE_MATCHES):
        a, b = pairs[number % len(pairs)]
        fight(a, b, battle_seed(a, number), RULES)
    reference = (time.perf_counter() - begun) / REFERENCE_MATCHES
    _, done, turns = found[0]
    return max(rate for rate, _, _ in found), turns / done, reference


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """Play until there are enough decisive matches, then against the teacher."""
    fighters = []
    for birth in born:
        tell("training a fighter")
        state = train(birth, PLANS[DOCUMENTED])
        fighters.append(Fighter.of(birth.dna, state))
    newborns = [Fighter.of(birth.dna, genesis_state(BEAST, birth.dna)) for birth in born]
    selves, scripted = Score(), Score()
    tell("matches against the untrained self")
    number = 0
    while selves.decisive < DECISIVE:
        for trained, newborn in zip(fighters, newborns, strict=True):
            selves.add(play(trained, newborn, battle_seed(trained, number), RULES).winner)
        number += 1
    tell("matches against the teacher")
    for number in range(TEACHER_MATCHES // len(fighters)):
        for trained in fighters:
            dna, seed = trained.dna, battle_seed(trained, number)
            scripted.add(play_match(dna, dna, seed, RULES, brain(trained), teacher).winner)
    tell("speed of matches")
    rate, turns, reference = speed(fighters)
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
        Figure(
            "full matches, one core",
            rate,
            "matches/s",
            1_500,
            method=f"trained beasts, every slot awake, {turns:.1f} turns a match, with log, winner "
            f"and Merkle root; the best of {SPEED_ROUNDS} times {SPEED_SECONDS:g} seconds; the "
            f"NumPy reference takes {reference * 1e3:,.0f} ms a match",
        ),
    ]
