"""The arena as tests see it: fighters with states that can be opened, and matches played by NumPy.

Nothing here judges; assertions are in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from chainbeasts.backend.kernel import combat
from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.combat import Action, decode_action
from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.network import Weights, forward, layers
from chainbeasts.backend.kernel.row_opening import open_pass, open_rows
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import Header, State, state_hash
from tests.support.protocol import Checkpoint, World
from tests.support.training import header_of, opening

CHALLENGED, ACCEPTED, SEEDED, RECORDED, FINISHED, CANCELLED, EXPIRED = range(1, 8)
A, B, DRAW = range(3)
FIRST_WORD, TURN, OVER, END = range(4)


class Match(NamedTuple):
    """The contract's struct."""

    beastA: int
    beastB: int
    stateA: bytes
    stateB: bytes
    ownerA: str
    ownerB: str
    season: int
    status: int
    seedBlock: int
    battleSeed: int
    reporter: str
    bond: int
    recordUntil: int
    finalAt: int
    turns: int
    result: int
    logRoot: bytes


def hunter(power: int = 32) -> Weights:
    """Weights that walk straight at the enemy and hit it, with half of ``power``.

    One unit a layer carries each input that counts, so one slot of each kind is enough; 4,096 is
    the factor 1.
    """
    weights = np.zeros(WEIGHTS, dtype=np.int16)
    w1, w2, w3, w4 = layers(weights)
    for unit, source in enumerate((22, 23, 20, 21)):  # south, north, east, west of it
        w1[source, unit] = w2[unit, unit] = w3[unit, unit] = 4_096
    w1[28, 4] = w2[4, 4] = w3[4, 4] = 4_096  # 32, always
    for unit, logit in enumerate((1, 0, 2, 3)):
        w4[unit, logit] = 4_096
    w4[4, 4] = 128 * power
    return weights


def idle() -> Weights:
    """Weights that take the first way that is open, and never strike or block."""
    return np.zeros(WEIGHTS, dtype=np.int16)


@dataclass(frozen=True)
class Fighter:
    """A beast with one final checkpoint, whose state is known."""

    beast: int
    owner: str
    dna: bytes
    checkpoint: Checkpoint
    state: State

    @classmethod
    def train(cls, world: World, owner: str, weights: Weights, **changes: int) -> Self:
        """Hatch a beast, submit a state made by hand, publish it, and wait until it is final.

        Args:
            changes: of the payload.
        """
        beast = world.hatch(owner)
        fighter = cls.submit(world, owner, weights, beast, **changes)
        world.travel(world.season.economics.challengePeriod)
        world.finalize(beast, fighter.checkpoint)
        world.publish_state(*opening(fighter.state), owner)
        return fighter

    @classmethod
    def submit(cls, world: World, owner: str, weights: Weights, beast: int, **changes: Any) -> Self:
        """The next state of a beast, still pending."""
        payload = world.payload(beast, **changes)
        facts = (payload.globalStep, payload.activeMask, payload.windowLoss)
        state = State(Header(beast, world.head(beast).h128, *facts, 0), weights)
        checkpoint = world.submit(beast, owner, payload._replace(h128=state_hash(state)))
        dna = bytes(world.beasts.functions.birthOf(beast).call()[0])
        return cls(beast, owner, dna, checkpoint, state)

    def act(self, word: int) -> Action:
        return decode_action(self.logits(word), word)

    def logits(self, word: int) -> Sequence[int]:
        mask = self.state.header.active_mask
        return [int(z) for z in forward(self.state.weights, mask, features(word))[-1]]


@dataclass(frozen=True)
class Record:
    """What a reporter states about a match."""

    result: int
    words: tuple[int, ...]

    @property
    def tree(self) -> Tree:
        return Tree(self.words)

    def with_word(self, turn: int, word: int) -> Record:
        return replace(self, words=(*self.words[:turn], word, *self.words[turn + 1 :]))


@dataclass(frozen=True)
class Bout:
    """A match on the chain, and how it goes."""

    world: World
    number: int
    a: Fighter
    b: Fighter
    seed: int
    played: combat.Match

    @classmethod
    def arrange(cls, world: World, a: Fighter, b: Fighter) -> Self:
        """Challenge, accept, draw the seed; and play it off chain."""
        number = challenge(world, a, b)
        world.send(
            world.arena.functions.accept(number, a.checkpoint.payload.h128, b.checkpoint), b.owner
        )
        return cls.draw(world, number, a, b)

    @classmethod
    def draw(cls, world: World, number: int, a: Fighter, b: Fighter) -> Self:
        """An accepted match: draw its seed and play it off chain."""
        world.send(world.arena.functions.drawSeed(number), world.accounts[9])
        return cls.seeded(world, number, a, b)

    @classmethod
    def seeded(cls, world: World, number: int, a: Fighter, b: Fighter) -> Self:
        """A match whose seed is drawn: play it off chain."""
        seed = match_of(world, number).battleSeed
        rules = Rules(*world.season.rules)
        return cls(
            world, number, a, b, seed, combat.play_match(a.dna, b.dna, seed, rules, a.act, b.act)
        )

    @property
    def truth(self) -> Record:
        winner = self.played.winner
        return Record(DRAW if winner == combat.DRAW else winner, self.played.words)

    def actor(self, turn: int) -> Fighter:
        """Whose turn it is."""
        return self.a if combat.a_acts_first(self.seed) == (turn % 2 == 0) else self.b

    @property
    def reporter(self) -> str:
        return self.world.accounts[3]

    @property
    def challenger(self) -> str:
        return self.world.accounts[4]

    @property
    def stranger(self) -> str:
        return self.world.accounts[5]

    @property
    def state(self) -> Match:
        """As the chain has it now."""
        return match_of(self.world, self.number)

    # --- calls --------------------------------------------------------------------------------

    def record_call(self, record: Record, **changes: Any) -> Any:
        values = {
            "matchId": self.number,
            "expectedSeed": self.seed,
            "result": record.result,
            "turns": len(record.words),
            "logRoot": record.tree.root,
            "log": list(record.words),
        }
        return self.world.arena.functions.record(*(values | changes).values())

    def report(self, record: Record, reporter: str) -> Any:
        """Record it; the receipt."""
        return self.world.send(self.record_call(record), reporter)

    def first_word_call(self, record: Record) -> Any:
        tree = record.tree
        return self.world.arena.functions.disproveFirstWord(
            self.number, record.words[0], tree.proof(0)
        )

    def over_call(self, record: Record, turn: int) -> Any:
        return self.world.arena.functions.disproveOver(
            self.number, turn, record.words[turn], record.tree.proof(turn)
        )

    def turn_call(self, record: Record, at: int, **changes: Any) -> Any:
        """The disproof of a turn's activation, whatever the record says."""
        tree, last = record.tree, at + 1 == len(record.words)
        acting = self.actor(at).state
        word = record.words[at]
        # Nobody acts on a word that is none, so nothing is opened for it.
        rows = open_pass(acting, word) if is_valid(word) else open_rows(acting.weights, ())
        values = {
            "matchId": self.number,
            "turn": at,
            "word": word,
            "nextWord": 0 if last else record.words[at + 1],
            "proof": tree.proof(at),
            "nextProof": [] if last else tree.proof(at + 1),
            "header": header_of(acting.header),
            "opening": rows.to_abi(),
        }
        return self.world.arena.functions.disproveTurn(*(values | changes).values())

    def conclude(self, reporter: str) -> Any:
        """Record the truth and make it final; the last receipt."""
        self.report(self.truth, reporter)
        self.world.travel(self.world.season.arena.disproofPeriod)
        return self.world.send(
            self.world.arena.functions.finalize(self.number), self.world.accounts[9]
        )


def challenge(world: World, a: Fighter, b: Fighter) -> int:
    """A's owner challenges B; the match's number."""
    call = world.arena.functions.challenge(a.beast, a.checkpoint, b.beast)
    receipt = world.send(call, a.owner)
    return int(world.logs("arena", "MatchChallenged", receipt)[0]["matchId"])


def match_of(world: World, number: int) -> Match:
    return Match(*world.arena.functions.matchOf(number).call())
